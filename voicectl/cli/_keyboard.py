"""Lines from standard input, without a thread that would outlive the command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator


class Keyboard:
    """`line()` gives one line after the other, then None."""

    def __init__(self) -> None:
        self.typed = sys.stdin is not None and sys.stdin.isatty()
        """Somebody sits there and types; otherwise the lines come from a pipe or a file."""
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._rest = b""

    async def line(self) -> str | None:
        return await self._lines.get()

    @contextlib.contextmanager
    def listening(self) -> Iterator[Keyboard]:
        """Take in what is typed, until the block is left."""
        loop = asyncio.get_running_loop()
        try:
            number = sys.stdin.fileno()
            loop.add_reader(number, self._ready, number)
        except (OSError, ValueError, AttributeError):  # a plain file cannot be watched; it can be read at once
            for line in sys.stdin or ():
                self._lines.put_nowait(line.rstrip("\n"))
            self._lines.put_nowait(None)
            yield self
            return
        try:
            yield self
        finally:
            loop.remove_reader(number)

    def _ready(self, number: int) -> None:
        data = os.read(number, 65536)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._lines.put_nowait(line.decode("utf-8", "replace"))
        if not data:
            asyncio.get_running_loop().remove_reader(number)
            if self._rest:
                self._lines.put_nowait(self._rest.decode("utf-8", "replace"))
            self._lines.put_nowait(None)
