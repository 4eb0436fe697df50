from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any, get_args

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_databases import Opened, opened

from voicectl.conversation.turns import Passage, Role, Turn, TurnKind, Usage
from voicectl.ports import CallEvent, CallInfo
from voicectl.storage.calls import Calls
from voicectl.storage.tables import storable, storable_json

SMALL = st.integers(0, 2**31 - 1)
SECONDS = st.floats(allow_nan=False, allow_infinity=False)
# What can be stored; that the rest is stripped, is a test of its own.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))

TURNS = st.builds(
    Turn,
    order=SMALL,
    role=st.sampled_from(get_args(Role)),
    kind=st.sampled_from(get_args(TurnKind)),
    at=SECONDS,
    generated=WORDS,
    heard=WORDS,
    said=WORDS,
    interrupted=st.booleans(),
    done=st.booleans(),
    generation=SMALL,
    first_token_at=st.none() | SECONDS,
    first_audio_at=st.none() | SECONDS,
    finished_at=st.none() | SECONDS,
    failure=WORDS,
    usage=st.none() | st.builds(Usage, WORDS, SMALL, SMALL, SMALL),
    passages=st.lists(st.builds(Passage, SMALL, WORDS, WORDS, WORDS, SECONDS), max_size=3).map(tuple),
    lang=WORDS,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=st.lists(TURNS, max_size=6))
def test_turns_come_back_as_they_went_in(kept_open: Opened, turns: list[Turn]) -> None:
    newest = {turn.order: turn for turn in turns}
    calls = Calls(kept_open.database)

    async def run() -> list[Turn]:
        await kept_open.database.run(lambda c: c.execute(sa.text("DELETE FROM conversation_turn"))).wait()
        calls.begin_call(CallInfo("CA1", "VX1", "+1", "+2"))
        receipts = [calls.record_turn("CA1", turn) for turn in turns]
        for receipt in receipts:
            await receipt.wait()
        return await calls.turns("CA1")

    assert kept_open.run(run()) == [newest[order] for order in sorted(newest)]


JSON = st.dictionaries(st.text(), st.text() | st.integers() | st.floats() | st.booleans() | st.none(), max_size=4)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(), data=JSON)
def test_no_text_and_no_number_is_refused(kept_open: Opened, text: str, data: dict[str, Any]) -> None:
    turn = Turn(0, "caller", "speech", 0.0, text, heard=text, passages=(Passage(1, text, text, text, float("nan")),))
    clean = storable(text)

    calls = Calls(kept_open.database)

    async def run() -> None:
        await kept_open.database.run(lambda c: c.execute(sa.text("DELETE FROM call_event"))).wait()
        await calls.begin_call(CallInfo("CA1", "VX1", text, text, agent=text)).wait()
        await calls.record_turn("CA1", turn).wait()
        await calls.record_event("CA1", CallEvent(0.0, text, data)).wait()
        (stored,) = await calls.turns("CA1")
        assert (stored.generated, stored.heard) == (clean, clean)
        assert stored.passages == (Passage(1, clean, clean, clean, 0.0),)
        assert await calls.events("CA1") == [CallEvent(0.0, clean, storable_json(data))]
        call = await calls.call("CA1")
        assert call is not None
        assert (call.caller, call.agent) == (clean, clean)

    kept_open.run(run())


@given(st.text())
def test_storable_text_loses_only_what_cannot_be_stored(text: str) -> None:
    clean = storable(text)
    assert clean == "".join(c for c in text if c != "\x00" and not "\ud800" <= c <= "\udfff")
    clean.encode("utf-8")


@given(JSON)
def test_storable_json_is_json(data: dict[str, Any]) -> None:
    clean = storable_json(data)
    assert json.loads(json.dumps(clean, allow_nan=False)) == clean


RACER = """
import asyncio, sys, threading
from voicectl.storage.calls import Calls
from voicectl.storage.database import Database

url, sid, *tokens = sys.argv[1:]
ready = threading.Barrier(9)
won = []

async def race():
    database = Database.open(url)
    calls = Calls(database)
    await calls.calls(limit=1)  # connected, imported, warm
    await asyncio.get_running_loop().run_in_executor(None, ready.wait)
    for number, token in enumerate(tokens):
        if await calls.redeem_token(f"{sid}-{number}", token):
            won.append(number)
    await database.close()

threads = [threading.Thread(target=lambda: asyncio.run(race())) for _ in range(8)]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.readline()
ready.wait()
for thread in threads:
    thread.join()
print(*won)
"""


def test_a_token_is_redeemed_once_by_many_processes(url: str) -> None:
    """Two processes of eight threads, each with a database of its own, race for twenty tokens."""

    async def mint() -> list[str]:
        async with opened(url) as database:
            return [await Calls(database).mint_token(f"CA1-{number}", lifetime=300) for number in range(20)]

    tokens = asyncio.run(mint())
    command = [sys.executable, "-c", RACER, url, "CA1", *tokens]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        won = [int(token) for racer in racers for token in racer.communicate(timeout=60)[0].split()]
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
    assert sorted(won) == list(range(20))


def test_a_token_is_stored_as_a_hash(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            token = await Calls(database).mint_token("CA1", lifetime=300)
            assert len(token) == 22  # 128 bits, six to a character
            (row,) = await database.read(lambda c: c.execute(sa.text("SELECT * FROM relay_token")).all())
            assert token not in str(row)

    asyncio.run(run())


def test_expired_tokens_are_swept(url: str) -> None:
    now = [1_000_000.0]

    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database, clock=lambda: now[0])
            for _ in range(5):
                await calls.mint_token("CA1", lifetime=60)
            used = await calls.mint_token("CA1", lifetime=60)
            assert await calls.redeem_token("CA1", used)
            now[0] += 59
            kept = await calls.mint_token("CA2", lifetime=60)
            now[0] += 1
            last = await calls.mint_token("CA3", lifetime=60)
            count = sa.text("SELECT count(*) FROM relay_token")
            assert await database.read(lambda c: c.execute(count).scalar()) == 2
            assert await calls.redeem_token("CA2", kept)
            assert await calls.redeem_token("CA3", last)

    asyncio.run(run())


def test_nothing_of_a_deleted_call_is_left(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            calls = Calls(database)
            calls.begin_call(CallInfo("CA1", "VX1", "+1", "+2"))
            calls.record_turn("CA1", Turn(0, "caller", "speech", 0.0, "words"))
            await database.run(lambda c: c.execute(sa.text("DELETE FROM call_session"))).wait()
            assert await calls.turns("CA1") == []

    asyncio.run(run())
