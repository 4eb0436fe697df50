"""Bounds on what a stranger's connection may cost before its request is complete.

Anybody can connect. A header without end would be pieced together byte by byte at everybody's expense, and a
connection that never asks for anything holds a file descriptor that a webhook may need.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER = 32 * 1024
"""Bytes of a request's line and header."""
REQUEST_SECONDS = 10.0
"""From the connection, or from the end of the last answer, to the end of the next request's header."""
MAX_WAITING = 200
"""Connections without a complete request, at once; the one that has waited longest makes room for the next."""

_ANSWER = b"HTTP/1.1 %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with these bounds."""

    _waiting: ClassVar[dict[GuardedProtocol, None]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._wait_for_request()
        if len(self._waiting) > MAX_WAITING:
            next(iter(self._waiting))._refuse(b"503 Service Unavailable")

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._received += len(data)
            if self._received > MAX_HEADER and not self._complete(data):
                self._refuse(b"431 Request Header Fields Too Large")
                return
        super().data_received(data)

    def on_headers_complete(self) -> Any:
        self._request_is_here()
        return super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline:
            self._wait_for_request()

    def _complete(self, data: bytes) -> bool:
        """Whether a long first read holds its whole header after all: a body may come with it."""
        return self._received == len(data) and b"\r\n\r\n" in data[:MAX_HEADER]

    def _wait_for_request(self) -> None:
        self._request_is_here()
        self._received = 0
        self._waiting[self] = None
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._refuse, b"408 Request Timeout")

    def _request_is_here(self) -> None:
        self._waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes) -> None:
        self._request_is_here()
        if not self.transport.is_closing():
            if self._received:
                self.transport.write(_ANSWER % status)
            self.transport.close()
