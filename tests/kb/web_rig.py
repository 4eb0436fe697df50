"""A web of one's own: every address of the internet leads to a server of the test, and every connection is written
down. Nothing in the product knows; the network is the event loop's."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from voicectl.simulator.virtual_time import VirtualLoop, leftovers

T = TypeVar("T")
PUBLIC = "93.184.215.14"
"""Where hosts live unless a test says otherwise."""

Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Network(VirtualLoop):
    """A loop in virtual time whose TCP connections, whatever their address, end at one server on this machine."""

    def __init__(self) -> None:
        super().__init__(real_timeout=30.0)
        self.connections: list[tuple[str, int]] = []
        """All that were begun."""
        self.deaf = False
        """Nothing answers any more, as behind a firewall that drops packets."""
        self.server: tuple[str, int] | None = None
        self.secure_server: tuple[str, int] | None = None

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        self.connections.append((address[0], address[1]))
        if self.deaf:
            await asyncio.sleep(3600)
        server = self.secure_server if address[1] == 443 and self.secure_server else self.server
        assert server is not None
        host, port = server
        await super().sock_connect(sock, (host if sock.family == socket.AF_INET else f"::ffff:{host}", port))


class Web:
    """The server, and the names that lead to it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.requests: list[str] = []
        """The first line of each, with its host: "GET http://shop.example/hours"."""
        self.heads: list[str] = []
        self.pages: dict[str, bytes | Serve] = {}
        self.names: dict[str, list[Sequence[str]]] = {}
        """Answers of the name server, one after the other; the last one stays."""
        self.lookups: list[str] = []
        self.certified: list[str] = []
        """The names that were asked for in TLS handshakes."""
        self.busy = self.most_busy = 0

    def __setitem__(self, url: str, answer: bytes | Serve) -> None:
        self.pages[url] = answer

    @property
    def paths(self) -> list[str]:
        return [line.split("/", 3)[3] for line in self.requests]

    async def lookup(self, host: str) -> Sequence[str]:
        self.lookups.append(host)
        with contextlib.suppress(OSError):  # as the system's: "127.1" and "0x7f000001" are addresses to it
            return [socket.inet_ntoa(socket.inet_aton(host))]
        answers = self.names.get(host, [[PUBLIC]])
        if not answers[0]:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @contextlib.asynccontextmanager
    async def secured(self, certificate: Path, key: Path) -> AsyncIterator[None]:
        """Port 443 speaks TLS, with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda _, name, __: self.certified.append(name)
        server = await asyncio.start_server(self.answer, "127.0.0.1", 0, ssl=context)
        self.network.secure_server = server.sockets[0].getsockname()[:2]
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            path = head.split(" ")[1]
            host = next(line for line in head.split("\r\n") if line.lower().startswith("host:"))[5:].strip()
            url = f"http://{host}{path}"
            self.requests.append(f"GET {url}")
            found = self.pages.get(url, said(b"not here", status="404 Not Found"))
            if isinstance(found, bytes):
                writer.write(found)
            else:
                await found(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.busy -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def said(
    body: bytes | str, kind: str = "text/html; charset=utf-8", *headers: str, status: str = "200 OK", packed: str = ""
) -> bytes:
    """An HTTP answer."""
    data = body.encode() if isinstance(body, str) else body
    if packed:
        data = gzip.compress(data) if packed == "gzip" else data
        headers = (*headers, f"Content-Encoding: {packed}")
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(data)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data


def moved(to: str, status: str = "302 Found") -> bytes:
    return said(b"", "text/html", f"Location: {to}", status=status)


@contextlib.asynccontextmanager
async def _web() -> AsyncIterator[Web]:
    network = asyncio.get_running_loop()
    assert isinstance(network, Network)
    web = Web(network)
    server = await asyncio.start_server(web.answer, "127.0.0.1", 0)
    network.server = server.sockets[0].getsockname()[:2]
    try:
        yield web
    finally:
        server.close()
        await server.wait_closed()


def on_the_web(test: Callable[[Web], Coroutine[Any, Any, T]]) -> T:
    """Run a test with a web, in virtual time; what it leaves behind is an error."""

    async def main() -> T:
        async with _web() as web:
            result = await test(web)
            for _ in range(200):  # the server may be busy with somebody who is gone
                if not web.busy:
                    break
                await asyncio.sleep(0.5)
        for _ in range(20):
            await asyncio.sleep(0.001)
        left = [each for each in leftovers(web.network) if "executor" not in each]
        assert not left, left
        return result

    with asyncio.Runner(loop_factory=Network) as runner:
        return runner.run(main())
