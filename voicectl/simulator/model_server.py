"""A reply model's server for tests and benchmarks: OpenAI's chat completions over HTTP/1.1, with faults to order.

    async with ModelServer("Good morning. How can I help?", first_token=0.3, per_token=0.02) as server:
        ... OPENAI_BASE_URL = server.base_url

    python -m voicectl.simulator.model_server --port 9000 --first-token-ms 300 --per-token-ms 20

It answers POST {prefix}/chat/completions, streaming or not, and GET {prefix}/models. Times are on the running loop's
clock. Which fault a request meets is decided by the first of: its header `x-fault`, its model name `fault:...`, the
server's own script of faults, one for each request, the last one for all that follow. The faults are in
model_faults.py.

It is one protocol class without an HTTP library, so that it starts at once and a benchmark's clock measures the
client and not this.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from voicectl.simulator.model_answer import Answer, ModelReply, ModelRequest, error_body
from voicectl.simulator.model_faults import FAULTS, Fault, parse

DEFAULT_REPLY = "Yes, we are open today until six. Shall I tell you how to find us?"
_MAX_BODY = 4 << 20
_MAX_HEAD = 64 << 10

_MODEL = {"id": "simulated", "object": "model", "created": 0, "owned_by": "voicectl"}
_MODELS = json.dumps({"object": "list", "data": [_MODEL]}).encode()

Replies = str | ModelReply | Sequence[str | ModelReply] | Callable[[dict[str, Any]], str | ModelReply]
"""One reply for all, replies taken in turn, or a function of the request's body."""


class ModelServer:
    """The server; see above. Use it with `async with`, or start() and stop().

    `first_token` and `per_token` are seconds. With `stamp`, a reply of `stamp` tokens is made up, each token being
    "<request>.<index>.<time.monotonic_ns() when it was sent> ", so that a client can measure how old it is. Records
    of the last 1,000 requests are kept.
    """

    def __init__(
        self,
        replies: Replies = DEFAULT_REPLY,
        *,
        first_token: float = 0.0,
        per_token: float = 0.0,
        faults: Sequence[str] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        prefix: str = "/v1",
        stamp: int = 0,
    ) -> None:
        self.first_token = first_token
        self.per_token = per_token
        self.stamp = stamp
        self.requests: deque[ModelRequest] = deque(maxlen=1000)
        self.count = 0
        """Chat completions asked for so far."""
        self.listed = 0
        """Times the list of models was asked for so far."""
        self.connected = 0
        """Connections accepted so far."""
        self._replies = replies
        self._faults = [parse(spec) for spec in faults]
        self._host, self._port, self._prefix = host, port, prefix
        self._listener: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def base_url(self) -> str:
        return f"http://{self._host}:{self._port}{self._prefix}"

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    @property
    def answering(self) -> int:
        """Requests that are being answered now."""
        return sum(connection.busy for connection in self._connections)

    async def start(self) -> None:
        """Listen. Starting again after stop() takes the same port."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Connection(self), self._host, self._port, backlog=4096)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut all connections: from now on the port refuses."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        tasks = [task for connection in list(self._connections) if (task := connection.cut()) is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(connection.gone for connection in list(self._connections)))

    async def __aenter__(self) -> ModelServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- what a connection asks of it -----------------------------------------------------------------------

    def joined(self, connection: _Connection) -> None:
        self.connected += 1
        self._connections.add(connection)

    def left(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def path(self, target: str) -> str:
        """Which of the endpoints a request target is: "/chat/completions", "/models", or "" for none."""
        path = target.partition("?")[0]
        return path[len(self._prefix) :] if path.startswith(self._prefix + "/") else ""

    def record(self, headers: dict[str, str], query: str, body: dict[str, Any]) -> ModelRequest:
        """Note a chat completion and decide its fault. ValueError: the client asked for a fault that is none."""
        model = str(body.get("model", ""))
        self.count += 1
        if "x-fault" in headers:
            fault = parse(headers["x-fault"])
        elif model.startswith("fault:"):
            fault = parse(model.removeprefix("fault:"))
        elif self._faults:
            fault = self._faults[min(self.count, len(self._faults)) - 1]
        else:
            fault = Fault()
        request = ModelRequest(self.count, headers, query, body, fault, asyncio.get_running_loop().time())
        self.requests.append(request)
        return request

    def answer(self, to: _Connection, request: ModelRequest) -> Answer:
        fault = request.fault.name
        if fault in ("empty", "wrongtool") and not request.fault.after:
            reply: str | ModelReply = ""
        elif callable(self._replies):
            reply = self._replies(request.body)
        elif isinstance(self._replies, (str, ModelReply)):
            reply = self._replies
        else:
            reply = self._replies[(request.number - 1) % len(self._replies)]
        text, calls = (reply, ()) if isinstance(reply, str) else (reply.text, reply.calls)
        return Answer(to, request, text, self.first_token, self.per_token, self.stamp, calls)


class _Connection(asyncio.Protocol):
    """One client's connection: requests one after the other."""

    def __init__(self, server: ModelServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None
        self._request: ModelRequest | None = None
        self._writable: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def busy(self) -> bool:
        return self._task is not None

    def cut(self) -> asyncio.Task[None] | None:
        """Close at once; returns the task that was answering, cancelled."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()
        return self._task

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._server.joined(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._server.left(self)
        self.gone.set_result(None)
        if self._request is not None and self._request.ended_at is None:
            self._request.left_at = self._loop.time()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next_request()

    def _next_request(self) -> None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            if len(head) > _MAX_HEAD or not head[:1].isalpha():  # a TLS handshake, for one
                self.cut()
            return
        try:
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if not 0 <= length <= _MAX_BODY:
                raise ValueError
        except ValueError:
            self.cut()
            return
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._task = self._loop.create_task(self._serve(method, target, headers, rest[:length]))
            self._task.add_done_callback(self._served)

    def _served(self, task: asyncio.Task[None]) -> None:
        self._task = self._request = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "the model server failed", "exception": error})
            self.cut()
        elif self._buffer and self._transport is not None and not self._transport.is_closing():
            self._next_request()

    async def _serve(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        path = self._server.path(target)
        if method == "GET" and path == "/models":
            self._server.listed += 1
            return self._json(200, _MODELS)
        if method != "POST" or path != "/chat/completions":
            return self._json(404, error_body("no such address", "invalid_request_error", "not_found"))
        try:
            document = json.loads(body)
            if not isinstance(document, dict) or not isinstance(document.get("messages"), list):
                raise ValueError("messages are missing")
            request = self._server.record(headers, target.partition("?")[2], document)
        except ValueError as bad:
            return self._json(400, error_body(str(bad), "invalid_request_error", "bad_request"))
        self._request = request
        await self._server.answer(self, request).give()
        request.ended_at = self._loop.time()
        return None

    # --- writing -----------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def drain(self) -> None:
        if self._writable is not None:
            await self._writable

    def head(self, status: int, *fields: str) -> None:
        number = f"x-request-id: req-{self._request.number}\r\n" if self._request else ""
        lines = "".join(f"{line}\r\n" for line in fields)
        self.write(f"HTTP/1.1 {status} Simulated\r\n{number}{lines}\r\n".encode("latin-1"))

    def whole(self, status: int, kind: str, body: bytes, *fields: str) -> None:
        self.head(status, f"content-type: {kind}", f"content-length: {len(body)}", *fields)
        self.write(body)

    def _json(self, status: int, body: bytes) -> None:
        self.whole(status, "application/json", body)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Close so that the peer sees a reset instead of an end."""
        if self._transport is not None:
            raw: socket.socket = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()


async def _run(server: ModelServer) -> None:
    async with server:
        print(server.base_url, flush=True)
        await asyncio.get_running_loop().create_future()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted. The base URL is printed on stdout once the port is open."""
    parser = argparse.ArgumentParser(
        prog="python -m voicectl.simulator.model_server",
        description="A reply model's server for tests and benchmarks.",
        epilog="faults: " + "; ".join(f"{name}: {what}" for name, what in FAULTS.items()) + "; or a status code",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="0 takes a free one")
    parser.add_argument("--prefix", default="/v1")
    parser.add_argument("--first-token-ms", type=float, default=300.0)
    parser.add_argument("--per-token-ms", type=float, default=20.0)
    parser.add_argument("--reply", action="append", help="a reply; give several to take them in turn")
    parser.add_argument("--stamp", type=int, default=0, metavar="N", help="replies of N tokens that carry their time")
    parser.add_argument("--fault", action="append", default=[], help="a fault for each request in turn")
    options = parser.parse_args(argv)
    try:
        server = ModelServer(
            options.reply or DEFAULT_REPLY,
            first_token=options.first_token_ms / 1000,
            per_token=options.per_token_ms / 1000,
            faults=options.fault,
            host=options.host,
            port=options.port,
            prefix=options.prefix,
            stamp=options.stamp,
        )
    except ValueError as bad:
        parser.error(str(bad))
    return _serve_until_interrupted(_run(server))


def _serve_until_interrupted(main: Coroutine[Any, Any, None]) -> int:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())


__all__ = ["DEFAULT_REPLY", "ModelReply", "ModelRequest", "ModelServer", "Replies", "main"]
