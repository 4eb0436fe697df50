"""What every CallStore must do: the one on SQLite, the one on PostgreSQL, and the one in memory."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "storage"))

from storage_databases import (  # noqa: F401
    opened,
    postgres,
    postgres_or_reason,
    postgresql_url,
    sqlite_template,
    sqlite_url,
)

from voicectl.conversation.turns import ToolCall, ToolUse, Turn, Usage
from voicectl.errors import NotFoundError, StoreError
from voicectl.ports import CallEvent, CallInfo, CallStore, CallSummary
from voicectl.storage.calls import Calls
from voicectl.storage.memory import MemoryCalls

Store = Calls | MemoryCalls
Open = Callable[[], AbstractAsyncContextManager[Store]]


class WallClock:
    """Seconds since 1970; stands still unless moved."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_store(request: pytest.FixtureRequest, clock: WallClock) -> Open:
    if request.param == "memory":
        memory = MemoryCalls(clock=clock)

        @asynccontextmanager
        async def same() -> AsyncIterator[Store]:
            yield memory

        return same
    url: str = request.getfixturevalue(f"{request.param}_url")

    @asynccontextmanager
    async def stored() -> AsyncIterator[Store]:
        async with opened(url) as database:
            yield Calls(database, clock=clock)

    return stored


@dataclass
class Kept:
    """An open store and the event loop it is used on: for tests of many examples."""

    store: Store
    run: Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def kept_open(open_store: Open) -> Iterator[Kept]:
    with asyncio.Runner() as runner:
        context = open_store()
        yield Kept(runner.run(context.__aenter__()), runner.run)
        runner.run(context.__aexit__(None, None, None))


def with_store(open_store: Open, work: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_store() as store:
            port: CallStore = store  # mypy: both are what the services ask for
            assert port is store
            await work(store)

    asyncio.run(run())


def call(sid: str = "CA1", session: str = "VX1", **more: str) -> CallInfo:
    return CallInfo(sid, session, "+15550001", "+15550002", **more)  # type: ignore[arg-type]


def turn(order: int, words: str = "words") -> Turn:
    return Turn(order, "caller", "speech", float(order), words, heard=words, done=True)


# --- writing -------------------------------------------------------------------------------------------------


def test_a_receipt_is_done_later(open_store: Open) -> None:
    async def work(store: Store) -> None:
        receipts = [store.begin_call(call()), store.record_turn("CA1", turn(0))]
        receipts += [store.record_event("CA1", CallEvent(0.0, "key")), store.end_call("CA1", "ended", CallSummary())]
        assert not any(receipt.done for receipt in receipts)
        for receipt in receipts:
            await receipt.wait()
            assert receipt.done
            assert receipt.failed is None
            await receipt.wait()

    with_store(open_store, work)


def test_the_newest_version_of_a_turn_stands(open_store: Open) -> None:
    async def work(store: Store) -> None:
        store.begin_call(call())
        store.record_turn("CA1", turn(1, "second"))
        store.record_turn("CA1", turn(0, "first, at first"))
        whole = Turn(
            0, "agent", "reply", 1.5, "first", heard="fir", said="first", interrupted=True, done=True, generation=3,
            first_token_at=1.6, first_audio_at=1.8, finished_at=1.9, failure="stall", usage=Usage("m", 1, 2, 3),
            lang="en-US",
        )  # fmt: skip
        await store.record_turn("CA1", whole).wait()
        assert await store.turns("CA1") == [whole, turn(1, "second")]
        rest = replace(whole, resumes=0, gained_ms=412.5, wasted_tokens=17)
        used = ToolUse(ToolCall("t1", "look_up", '{"order": "4711"}'), "Shipped.", "ok", 0.25)
        tool = Turn(2, "agent", "tool", 3.0, "", done=True, tool=used)
        keys = Turn(3, "caller", "keys", 4.0, "PIN: ****", heard="PIN: ****", done=True, sensitive=True)
        waiting = replace(tool, order=4, tool=ToolUse(ToolCall("t2", "look_up", "not JSON \x00")))
        for each in (rest, tool, keys, waiting):
            store.record_turn("CA1", each)
        kept = replace(waiting, tool=ToolUse(ToolCall("t2", "look_up", "not JSON ")))
        assert await store.turns("CA1") == [rest, turn(1, "second"), tool, keys, kept]
        back = replace(tool, tool=None)
        await store.record_turn("CA1", back).wait()
        assert (await store.turns("CA1"))[2] == back
        assert await store.turns("CA2") == []

    with_store(open_store, work)


def test_a_turn_of_an_unknown_call_is_refused(open_store: Open) -> None:
    async def work(store: Store) -> None:
        good, bad = store.begin_call(call()), store.record_turn("CA2", turn(0))
        also_good = store.record_turn("CA1", turn(0))
        with pytest.raises(StoreError):
            await bad.wait()
        assert isinstance(bad.failed, StoreError)
        assert not bad.done
        await good.wait()
        await also_good.wait()
        with pytest.raises(StoreError):
            await bad.wait()

    with_store(open_store, work)


def test_the_end_of_a_call_that_never_began_is_refused(open_store: Open) -> None:
    async def work(store: Store) -> None:
        await store.call_status("CA2", "ringing", None, None)
        for sid in ("CA1", "CA2"):
            with pytest.raises(StoreError):
                await store.end_call(sid, "ended", CallSummary()).wait()

    with_store(open_store, work)


def test_events_keep_their_order_and_may_come_first(open_store: Open) -> None:
    events = [CallEvent(0.5 * n, f"kind {n % 3}", {"n": n, "s": "x", "f": 1.5, "b": True, "z": None}) for n in range(9)]

    async def work(store: Store) -> None:
        for event in events:
            store.record_event("CA1", event)
        store.begin_call(call())
        store.record_event("CA1", events[0])
        assert await store.events("CA1") == [*events, events[0]]
        assert await store.events("CA2") == []

    with_store(open_store, work)


def test_what_is_handed_in_may_change_afterwards(open_store: Open) -> None:
    async def work(store: Store) -> None:
        data: dict[str, str | int | float | bool | None] = {"key": "before"}
        store.record_event("CA1", CallEvent(0.0, "note", data))
        data["key"] = "after"
        (event,) = await store.events("CA1")
        assert event.data == {"key": "before"}
        event.data["key"] = "after"
        assert (await store.events("CA1"))[0].data == {"key": "before"}

    with_store(open_store, work)


def test_text_that_cannot_be_stored_is_stripped(open_store: Open) -> None:
    async def work(store: Store) -> None:
        store.begin_call(call(agent="ro\x00bin"))
        store.record_turn("CA1", turn(0, "a\x00b\ud83dc🚲"))
        store.record_event("CA1", CallEvent(0.0, "no\x00te", {"k\x00": "\udfff!", "n": float("inf")}))
        assert (await store.turns("CA1"))[0].generated == "abc🚲"
        assert await store.events("CA1") == [CallEvent(0.0, "note", {"k": "!", "n": None})]
        stored = await store.call("CA1")
        assert stored is not None
        assert stored.agent == "robin"

    with_store(open_store, work)


# --- a call's life -------------------------------------------------------------------------------------------


def test_a_call_from_its_first_socket_to_its_end(open_store: Open, clock: WallClock) -> None:
    summary = CallSummary(7, 1, 2, 3, 450.5, 900.0, 1000, 200, 1234.5, 300)

    async def work(store: Store) -> None:
        assert await store.call("CA1") is None
        answered = clock.moment()
        store.begin_call(call(direction="outbound", language="es-ES", agent="robin"))
        stored = await store.call("CA1")
        assert stored is not None
        assert stored.live
        assert (stored.session, stored.caller, stored.called) == ("VX1", "+15550001", "+15550002")
        assert (stored.direction, stored.language, stored.agent) == ("outbound", "es-ES", "robin")
        assert (stored.status, stored.started_at, stored.answered_at) == ("in-progress", answered, answered)
        assert (stored.ended_at, stored.duration, stored.end_reason, stored.summary) == (None, None, "", None)
        assert (stored.resume_count, stored.generation) == (0, 1)
        clock.now += 61.5
        await store.end_call("CA1", "hung_up", summary).wait()
        stored = await store.call("CA1")
        assert stored is not None
        assert not stored.live
        assert (stored.ended_at, stored.duration, stored.end_reason) == (clock.moment(), 61.5, "hung_up")
        assert stored.summary == summary

    with_store(open_store, work)


def test_a_second_socket_resumes_the_call(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        answered = clock.moment()
        store.begin_call(call())
        store.begin_call(call())  # the same socket told twice is one socket
        clock.now += 10
        store.end_call("CA1", "socket_lost", CallSummary(turns=1))
        clock.now += 5
        store.begin_call(call(session="VX2", language="fr-FR"))
        stored = await store.call("CA1")
        assert stored is not None
        assert stored.live
        assert (stored.resume_count, stored.generation, stored.session) == (1, 2, "VX2")
        assert (stored.language, stored.answered_at, stored.ended_at) == ("fr-FR", answered, None)
        assert (stored.duration, stored.end_reason) == (None, "")
        clock.now += 5
        store.end_call("CA1", "ended", CallSummary(turns=2))
        stored = await store.call("CA1")
        assert stored is not None
        assert (stored.duration, stored.end_reason, stored.summary) == (20.0, "ended", CallSummary(turns=2))

    with_store(open_store, work)


def test_a_clock_that_steps_back_makes_no_negative_call(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        store.begin_call(call())
        clock.now -= 3600
        store.end_call("CA1", "ended", CallSummary())
        stored = await store.call("CA1")
        assert stored is not None
        assert stored.duration == 0.0

    with_store(open_store, work)


def test_status_before_the_first_socket(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        first_heard_of = clock.moment()
        await store.call_status("CA1", "ringing", 1, None)
        await store.call_status("CA1", "hovering", 7, 8)
        stored = await store.call("CA1")
        assert stored is not None
        assert not stored.live
        assert (stored.status, stored.status_sequence, stored.generation) == ("ringing", 1, 0)
        clock.now += 4
        store.begin_call(call())
        stored = await store.call("CA1")
        assert stored is not None
        assert stored.live
        assert (stored.status, stored.resume_count, stored.generation) == ("in-progress", 0, 1)
        assert (stored.started_at, stored.answered_at) == (first_heard_of, clock.moment())
        await store.call_status("CA1", "completed", 3, 42)
        stored = await store.call("CA1")
        assert stored is not None
        assert not stored.live  # its worker may be dead: nobody ended it, but the carrier did
        assert (stored.status, stored.carrier_duration) == ("completed", 42)

    with_store(open_store, work)


def test_a_caller_is_known_who_has_been_answered(open_store: Open) -> None:
    async def work(store: Store) -> None:
        assert not await store.known_caller("+15550001")
        await store.call_status("CA1", "ringing", 1, None)
        assert not await store.known_caller("+15550001") and not await store.known_caller("")
        await store.begin_call(call()).wait()
        assert await store.known_caller("+15550001")
        assert not await store.known_caller("+15550002")  # the number that was called
        assert not await store.known_caller("+1555000") and not await store.known_caller("+15550001\ud800+")
        await store.end_call("CA1", "ended", CallSummary()).wait()
        assert await store.known_caller("+15550001")

    with_store(open_store, work)


def test_an_unknown_status_changes_nothing(open_store: Open) -> None:
    async def work(store: Store) -> None:
        for status in ("hovering", ""):
            await store.call_status("CA1", status, 1, 1)
        assert await store.call("CA1") is None

    with_store(open_store, work)


STEPS = ("initiated", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled", "begin")
NUMBERS = itertools.count()
CALLBACKS = st.tuples(st.sampled_from(STEPS), st.none() | st.integers(0, 9), st.none() | st.integers(0, 99))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(callbacks=st.lists(CALLBACKS, min_size=1, max_size=6), data=st.data())
def test_status_callbacks_in_any_order_end_the_same(
    kept_open: Kept, callbacks: list[tuple[str, int | None, int | None]], data: st.DataObject
) -> None:
    """Any permutation with any duplicates, with the first socket opening anywhere in between."""
    again = data.draw(st.lists(st.sampled_from(callbacks), max_size=4))
    shuffled = data.draw(st.permutations(callbacks + again))

    async def final(order: list[tuple[str, int | None, int | None]]) -> object:
        store = kept_open.store
        sid = f"CA{next(NUMBERS)}"
        for status, sequence, duration in order:
            if status == "begin":
                await store.begin_call(call(sid)).wait()
            else:
                await store.call_status(sid, status, sequence, duration)
        stored = await store.call(sid)
        assert stored is not None
        return (stored.status, stored.status_sequence, stored.carrier_duration, stored.live, stored.resume_count)

    assert kept_open.run(final(shuffled)) == kept_open.run(final(callbacks))


def test_the_furthest_status_stands(open_store: Open) -> None:
    async def work(store: Store) -> None:
        for over in ("completed", "busy", "failed", "no-answer", "canceled"):
            for status in ("ringing", over, "initiated", "in-progress", "ringing"):
                await store.call_status(over, status, None, None)
            stored = await store.call(over)
            assert stored is not None
            assert stored.status == over

    with_store(open_store, work)


# --- tokens --------------------------------------------------------------------------------------------------


def test_a_token_works_once_for_its_call(open_store: Open) -> None:
    async def work(store: Store) -> None:
        token, other = await store.mint_token("CA1", lifetime=120), await store.mint_token("CA2", lifetime=120)
        assert token != other
        assert not await store.redeem_token("CA2", token)
        assert not await store.redeem_token("CA1", other)
        for wrong in ("", "x", token[:-1], token + "x", token.swapcase(), "\x00", "\ud800", "' OR 1=1 --"):
            assert not await store.redeem_token("CA1", wrong)
        assert await store.redeem_token("CA1", token)
        assert not await store.redeem_token("CA1", token)
        assert await store.redeem_token("CA2", other)

    with_store(open_store, work)


def test_a_token_runs_out(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        in_time, too_late = await store.mint_token("CA1", lifetime=120), await store.mint_token("CA1", lifetime=120)
        clock.now += 119.999
        assert await store.redeem_token("CA1", in_time)
        clock.now += 0.001
        assert not await store.redeem_token("CA1", too_late)

    with_store(open_store, work)


def test_of_fifty_who_bring_the_same_token_one_wins(open_store: Open) -> None:
    async def work(store: Store) -> None:
        for n in range(5):
            token = await store.mint_token(f"CA{n}", lifetime=120)
            won = await asyncio.gather(*(store.redeem_token(f"CA{n}", token) for _ in range(50)))
            assert sum(won) == 1

    with_store(open_store, work)


def test_of_fifty_tokens_of_one_call_one_wins(open_store: Open) -> None:
    async def work(store: Store) -> None:
        tokens = [await store.mint_token("CA1", lifetime=120) for _ in range(50)]
        won = await asyncio.gather(*(store.redeem_token("CA1", token) for token in tokens))
        assert sum(won) == 1
        assert await store.mint_token("CA1", lifetime=120) == ""


def test_a_call_that_has_begun_gets_no_token_even_when_its_own_is_swept(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        token = await store.mint_token("CA1", lifetime=120)
        other = await store.mint_token("CA1", lifetime=100_000)
        assert await store.redeem_token("CA1", token)
        await store.begin_call(call("CA1")).wait()
        clock.now += 1000
        await store.mint_token("CA2", lifetime=120)  # sweeps what has run out
        assert not await store.redeem_token("CA1", other)
        assert await store.mint_token("CA1", lifetime=120) == ""

    with_store(open_store, work)


# --- finding calls -------------------------------------------------------------------------------------------


def test_calls_are_listed_newest_first_and_by_pages(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        for number in range(7):
            store.begin_call(call(f"CA{number}"))
            clock.now += number % 2  # some begin in the same moment
        newest_first = [stored.sid for stored in await store.calls()]
        assert newest_first[0] == "CA6"
        assert sorted(newest_first) == [f"CA{n}" for n in range(7)]
        assert [stored.sid for stored in await store.calls(limit=3)] == newest_first[:3]
        pages: list[str] = []
        while page := await store.calls(limit=2, before=pages[-1] if pages else None):
            pages += [stored.sid for stored in page]
        assert pages == newest_first
        with pytest.raises(NotFoundError):
            await store.calls(before="CA99")

    with_store(open_store, work)


def test_live_calls(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        for sid in ("CA-on", "CA-ended", "CA-over", "CA-resumed"):
            store.begin_call(call(sid))
            clock.now += 1
        await store.call_status("CA-rings", "ringing", 1, None)
        store.end_call("CA-ended", "hung_up", CallSummary())
        await store.call_status("CA-over", "completed", 4, 10)
        store.end_call("CA-resumed", "socket_lost", CallSummary())
        store.begin_call(call("CA-resumed", "VX2"))
        assert [stored.sid for stored in await store.calls(live_only=True)] == ["CA-resumed", "CA-on"]
        assert all(stored.live for stored in await store.calls(live_only=True))
        assert len(await store.calls()) == 5

    with_store(open_store, work)


def test_a_prefix_finds_the_call(open_store: Open, clock: WallClock) -> None:
    async def work(store: Store) -> None:
        with pytest.raises(NotFoundError):
            await store.resolve("last")
        for sid in ("CAabc", "CAabd", "CAxyz", "CAxyz1", "CA%", "CA_"):
            store.begin_call(call(sid))
            clock.now += 1
        await store.call_status("CAringing", "ringing", 1, None)
        assert await store.resolve("last") == "CA_"
        assert await store.resolve("CAabc") == "CAabc"
        assert await store.resolve("CAr") == "CAringing"
        assert await store.resolve("CAxyz") == "CAxyz"
        assert await store.resolve("CA%") == "CA%"
        for nothing in ("CAab", "CAxy", "", "CB", "%", "CAabcd", "caabc", "CA\x00abd?"):
            with pytest.raises(NotFoundError):
                await store.resolve(nothing)

    with_store(open_store, work)


# --- the double's unkindness ---------------------------------------------------------------------------------


def test_memory_can_refuse_and_be_unreadable() -> None:
    async def run() -> None:
        store = MemoryCalls()
        await store.begin_call(call()).wait()
        store.refuse = StoreError("the disk is full")
        for receipt in (store.record_turn("CA1", turn(0)), store.end_call("CA1", "ended", CallSummary())):
            with pytest.raises(StoreError, match="the disk is full"):
                await receipt.wait()
        with pytest.raises(StoreError, match="the disk is full"):
            await store.mint_token("CA1", lifetime=1)
        assert await store.turns("CA1") == []
        store.refuse = None
        await store.record_turn("CA1", turn(0)).wait()
        store.unreadable = StoreError("gone")
        with pytest.raises(StoreError, match="gone"):
            await store.turns("CA1")

    asyncio.run(run())


def test_memory_can_be_slow_and_still_keeps_order() -> None:
    async def run() -> None:
        store = MemoryCalls()
        store.delay = 0.02
        first = store.begin_call(call())
        began = asyncio.get_running_loop().time()
        await first.wait()
        assert asyncio.get_running_loop().time() - began >= 0.019
        slow = store.record_turn("CA1", turn(0, "slow"))
        await asyncio.sleep(0)
        store.delay = 0.0
        quick = store.record_turn("CA1", turn(0, "quick"))
        await quick.wait()
        assert slow.done
        assert (await store.turns("CA1"))[0].generated == "quick"

    asyncio.run(run())
