"""Samples of the process's state."""

from __future__ import annotations

import asyncio

from voicectl.simulator.virtual_time import run
from voicectl.telemetry.sampler import resident_bytes, sample_for_ever


def test_a_sample_each_minute_and_a_store_that_fails_is_survived() -> None:
    kept: list[dict[str, float]] = []

    async def store(sample: dict[str, float]) -> None:
        kept.append(sample)
        if len(kept) == 2:
            raise RuntimeError

    async def main() -> None:
        task = asyncio.ensure_future(sample_for_ever(60, lambda: {"live_calls": 3.0}, store))
        await asyncio.sleep(241)
        task.cancel()

    run(main())
    assert len(kept) == 4
    assert kept[0]["live_calls"] == 3.0 and kept[0]["resident_bytes"] > 1e6 and kept[0]["loop_lag_ms"] >= 0


def test_memory_is_plausible() -> None:
    assert 5e6 < resident_bytes() < 5e9
