"""After every call nothing is left: many calls of every kind, and the process is as it was."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from canned import Canned
from twilio_client import serving

from voicectl.simulator.caller import Caller
from voicectl.simulator.carrier import TwilioCall
from voicectl.simulator.line import Route
from voicectl.simulator.scenario import parse
from voicectl.simulator.virtual_time import run

CALLS = 500 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 80

SCENARIOS = [
    'steps: [{say: "Hello there?"}, {say: "And what else?"}]',
    "steps: [{hang_up: true, cut_in: {seconds: 0.5}}]",
    "steps: [{say: Tell me everything., interrupt: {seconds: 0.6}, then: No wait.}, {wait: 5}]",
    'steps: [{keys: "12#"}, {keys: "9", pause: 0.1}]',
    "steps: [{wait: 20}]",
    'steps: [{say: "Hello?"}, {hang_up: true, cut_in: {seconds: 0.2}}]',
]


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted through /proc")
def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)

    async def main() -> None:
        model = Canned("We have a red one and a blue one, and there is a green one too.", each=0.02)
        async with serving(tmp_path, monkeypatch, model) as client:
            server = client.server

            async def one(number: int) -> None:
                await asyncio.sleep(rng.uniform(0, 5))
                call = TwilioCall(
                    voice_url=server.voice_url,
                    auth_token=server.auth_token,
                    call_sid=f"CA{number:032x}",
                    seed=number,
                    status_url=server.voice_url + "/status",
                )
                caller = Caller(call, Route(server.public_url, server.address), lambda seen: None)
                following = asyncio.ensure_future(caller.follow(parse(rng.choice(SCENARIOS))))
                if number % 10 == 7:  # the network fails
                    await asyncio.sleep(rng.uniform(2, 9))
                    caller.line.drop()
                await following

            await asyncio.gather(*(one(number) for number in range(10)))
            await asyncio.sleep(1)
            tasks, descriptors = len(asyncio.all_tasks()), _descriptors()
            for first in range(10, CALLS, 10):
                await asyncio.gather(*(one(number) for number in range(first, first + 10)))
            await asyncio.sleep(10)
            assert len(asyncio.all_tasks()) <= tasks
            assert _descriptors() <= descriptors + 2
            assert not server.handler.live and not server.services.agent.calls and server.handler.unproven == 0
            assert model.running == 0
            calls = await server.services.calls.calls(limit=1000)
            assert len(calls) == CALLS
            assert all(call.ended_at and call.end_reason and not call.live for call in calls)
            for call in calls[:20]:
                orders = [turn.order for turn in await server.services.calls.turns(call.sid)]
                assert orders == list(range(len(orders)))

    run(main(), tidy=True, real_timeout=240)
