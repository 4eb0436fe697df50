from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

from storage_databases import opened

from voicectl.storage.metrics import Metrics, Sample

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_series_is_read_back_in_order_from_a_moment_on(url: str) -> None:
    samples = [Sample(NOON + timedelta(seconds=n), "calls.live", float(n), {"worker": str(n % 2)}) for n in range(5)]

    async def run() -> None:
        async with opened(url) as database:
            metrics = Metrics(database)
            await metrics.add([])
            await metrics.add(samples[::-1])
            await metrics.add([Sample(NOON, "loop.lag", 0.5)])
            assert await metrics.series("calls.live", NOON + timedelta(seconds=2)) == samples[2:]
            assert await metrics.series("loop.lag", NOON) == [Sample(NOON, "loop.lag", 0.5, {})]
            elsewhere = NOON.astimezone(timezone(timedelta(hours=-7)))
            assert len(await metrics.series("calls.live", elsewhere)) == 5
            assert await metrics.series("nothing", NOON) == []

    asyncio.run(run())
