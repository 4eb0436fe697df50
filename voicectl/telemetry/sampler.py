"""The state of this process, written down once a minute, so that its history survives without any other tool."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

log = logging.getLogger(__name__)

Sample = dict[str, float]


async def sample_for_ever(
    every: float, counts: Callable[[], Sample], store: Callable[[Sample], Awaitable[None]]
) -> None:
    """Store a sample each `every` seconds: `counts`, resident_bytes, and loop_lag_ms: how late the loop woke us."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        lag = (loop.time() - due) * 1000
        try:
            await store({**counts(), "resident_bytes": float(resident_bytes()), "loop_lag_ms": max(0.0, lag)})
        except Exception:
            log.exception("a sample was not stored")


def resident_bytes() -> int:
    """Memory of this process that is in RAM; where the system does not tell, the most it ever was."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
