"""What a kill -9 may take: nothing whose receipt said it was durable.

A process records turns of many calls and reports each turn once its receipt is done; it is killed at a random moment.
Every reported turn must be in the database, in the reported version or a newer one. A kill cannot tell
synchronous=FULL from OFF, as the page cache survives it; test_how_sqlite_is_set_up sees to that setting.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

from storage_databases import opened

from voicectl.storage.calls import Calls

KILLS = 500 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 20

# Forks before any thread exists, so that the imports are paid for once. Prints one line per reported turn: round,
# call, order, version; then the round is killed.
FARM = """
import asyncio, os, random, signal, sys, time
from voicectl.conversation.turns import Turn
from voicectl.ports import CallInfo
from voicectl.storage.calls import Calls
from voicectl.storage.database import Database

url, kills = sys.argv[1], int(sys.argv[2])

async def talk(calls, round, number, pipe):
    sid = f"CA{round}-{number}"
    calls.begin_call(CallInfo(sid, "VX", "+1", "+2"))
    for version in range(1_000_000):
        order = version // 2
        receipt = calls.record_turn(sid, Turn(order, "agent", "reply", 0.0, "words " * 20, generation=version))
        await receipt.wait()
        os.write(pipe, f"{round} {number} {order} {version}\\n".encode())

async def work(round, pipe):
    calls = Calls(Database.open(url))
    await asyncio.gather(*(talk(calls, round, number, pipe) for number in range(8)))

random.seed(7)
for round in range(kills):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        asyncio.run(work(round, write))
        os._exit(1)
    os.close(write)
    reported = os.read(read, 65536)  # it is under way
    time.sleep(random.random() * 0.06)
    os.kill(child, signal.SIGKILL)
    while more := os.read(read, 65536):
        reported += more
    os.waitpid(child, 0)
    os.close(read)
    sys.stdout.write(reported.decode())
"""


def test_no_acknowledged_turn_is_lost(url: str) -> None:
    farm = subprocess.run(
        [sys.executable, "-c", FARM, url, str(KILLS)], capture_output=True, text=True, timeout=60 + KILLS
    )
    assert farm.returncode == 0, farm.stderr
    promised: dict[tuple[str, int], int] = {}
    rounds = set()
    for line in farm.stdout.splitlines():
        round_, number, order, version = line.split()
        promised[f"CA{round_}-{number}", int(order)] = int(version)
        rounds.add(round_)
    assert len(rounds) == KILLS
    assert len(promised) > 10 * KILLS

    async def run() -> list[tuple[str, int]]:
        async with opened(url) as database:
            await database.check()
            calls = Calls(database)
            found = {
                (sid, turn.order): turn.generation
                for sid in {sid for sid, _ in promised}
                for turn in await calls.turns(sid)
            }
            return [key for key, version in promised.items() if found.get(key, -1) < version]

    assert asyncio.run(run()) == []
