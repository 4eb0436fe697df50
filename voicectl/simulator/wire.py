"""One relay socket of a phone line, and the frames that are to leave on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket as socketlib
from typing import TYPE_CHECKING

from voicectl.simulator.actions import CloseSocket, SendFrame

if TYPE_CHECKING:
    import aiohttp


class Wire:
    """Frames leave in the order they were put here, from the moment there is a socket."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[SendFrame | CloseSocket] = asyncio.Queue()
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self.task: asyncio.Task[None] | None = None
        self.closing = False
        self.dropped = False

    async def write(self) -> None:
        """Send the frames until one of them closes the socket, or it is gone."""
        assert self.socket is not None
        while True:
            frame = await self.frames.get()
            try:
                if isinstance(frame, CloseSocket):
                    await self.socket.close(code=frame.code, message=frame.reason.encode())
                    return
                await self.socket.send_str(frame.text)
            except (ConnectionError, RuntimeError):
                return  # the reader learns how the socket ended

    def close(self, frame: CloseSocket) -> None:
        """Close it when what is waiting has been sent."""
        self.closing = True
        self.frames.put_nowait(frame)

    def drop(self) -> None:
        """End the connection without a close frame, or the attempt to connect."""
        self.dropped = True
        if self.socket is None:
            if self.task is not None:
                self.task.cancel()
            return
        transport = self.socket.get_extra_info("socket")
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.shutdown(socketlib.SHUT_RDWR)
