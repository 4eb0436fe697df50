"""Listening sockets, served by uvicorn inside the loop that is already running.

What uvicorn's own settings do not do is done elsewhere: it closes every WebSocket within 0.3 s of being told to
stop, whatever its graceful timeout says, so whoever wants calls to end properly ends them before leaving `listen`;
its limit_concurrency turns webhooks away while it lets sockets in, so admission is ours; and it has no limit on a
request's header, neither in bytes nor in time, so that is in guard.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from voicectl.errors import ConfigError
from voicectl.server.guard import GuardedProtocol

MAX_FRAME = 64 * 1024
PING_SECONDS = 5.0


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals are the command's business


@contextlib.asynccontextmanager
async def listen(
    app: Any, *, host: str = "127.0.0.1", port: int = 0, uds: str | None = None, flags: str = "--host and --port"
) -> AsyncIterator[int]:
    """Serve `app` until the block is left; yields the port (0 on a UNIX socket). Raises ConfigError when the address
    cannot be had; `flags` are those that would choose another."""
    bound = _bind(host, port, uds, flags)
    config = uvicorn.Config(
        app,
        loop="none",
        http=GuardedProtocol,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    try:
        while not server.started:
            if serving.done():
                await serving
                raise ConfigError("the listener did not start")
            await asyncio.sleep(0.01)
        yield 0 if uds else bound.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        bound.close()
        if uds:
            Path(uds).unlink(missing_ok=True)


def _bind(host: str, port: int, uds: str | None, flags: str) -> socket.socket:
    if uds:
        bound = socket.socket(socket.AF_UNIX)
        bound.bind(uds)
        return bound
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as refused:
        bound.close()
        why = "is in use" if refused.errno == errno.EADDRINUSE else f"cannot be had: {refused.strerror}"
        raise ConfigError(f"port {port} on {host} {why}", f"choose another address with {flags}") from refused
    return bound
