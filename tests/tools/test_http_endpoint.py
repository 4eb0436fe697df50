"""HTTP endpoints as tools, against a server on this machine: where a request goes, and what comes of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from voicectl.errors import ConfigError
from voicectl.ports import CallInfo, ToolContext, ToolOutcome
from voicectl.settings import ToolSettings
from voicectl.tools.http_endpoint import MAX_ANSWER, HttpEndpoint, forbidden_address

CONTEXT = ToolContext(CallInfo("CA0", "VX0", "+15550001", "+15550002"), "en-US", "key-0")
PARAMETERS: dict[str, Any] = {"type": "object", "properties": {"order": {}, "note": {}, "count": {}}}
TOOL = ToolSettings("orders", "Orders.", url="https://api.example.com/orders/{order}", method="GET")


class Shop:
    """A server that notes what it is asked and answers as told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.answer: dict[str, Any] = {"text": '{"state": "sent"}', "content_type": "application/json"}
        self.port = 0

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append((request.method, request.raw_path, await request.read(), headers))
        return web.Response(**self.answer)


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    found = Shop()
    runner = web.ServerRunner(web.Server(found.handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = runner.addresses[0][1]
    try:
        yield found
    finally:
        await runner.cleanup()


def endpoint(server: Shop, path: str, method: str = "GET", headers: tuple[str, ...] = (), **more: Any) -> HttpEndpoint:
    tool = replace(TOOL, url=f"http://127.0.0.1:{server.port}{path}", method=method, headers=headers)
    return HttpEndpoint(tool, PARAMETERS, [f"127.0.0.1:{server.port}"], **more)


async def ask(tool: HttpEndpoint, **arguments: object) -> object:
    try:
        return await tool.run(arguments, CONTEXT)
    finally:
        await tool.aclose()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/orders/47%2F11?x=1&note=a%26b&count=2", b""),
        ("DELETE", "/orders/47%2F11?x=1&note=a%26b&count=2", b""),
        ("POST", "/orders/47%2F11?x=1", b'{"note":"a&b","count":2}'),
        ("PUT", "/orders/47%2F11?x=1", b'{"note":"a&b","count":2}'),
        ("PATCH", "/orders/47%2F11?x=1", b'{"note":"a&b","count":2}'),
    ],
)
def test_what_is_asked(method: str, path: str, body: bytes) -> None:
    async def main() -> None:
        async with shop() as server:
            tool = endpoint(
                server, "/orders/{order}?x=1", method, ("X-Key: s3 ${SHOP_KEY}!",), environ={"SHOP_KEY": "k"}
            )
            assert await ask(tool, order="47/11", note="a&b", count=2) == '{"state":"sent"}'
            ((asked, target, sent, headers),) = server.asked
            assert (asked, target, sent) == (method, path, body)
            assert headers["idempotency-key"] == "key-0" and headers["x-key"] == "s3 k!"
            assert ("content-type" in headers) == bool(body)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        ({"text": "Sunny. "}, "Sunny."),
        ({"status": 204}, "Done."),
        ({"body": b"gr\xfc\xdf", "headers": {"content-type": "text/plain; charset=latin-1"}}, "grüß"),
        ({"body": b"x", "headers": {"content-type": "text/plain; charset=nonsense"}}, "x"),
        ({"text": '{"cut": ', "content_type": "application/json"}, '{"cut":'),
        ({"body": b"y" * (3 * MAX_ANSWER)}, "y" * MAX_ANSWER),
        ({"status": 404, "text": "secret"}, ToolOutcome("It failed: the server answered 404.", "failed")),
        ({"status": 503, "text": "secret"}, ToolOutcome("It failed: the server answered 503.", "failed")),
    ],
)
def test_what_comes_of_an_answer(answer: dict[str, Any], came: object) -> None:
    async def main() -> None:
        async with shop() as server:
            server.answer = answer
            assert await ask(endpoint(server, "/")) == came

    asyncio.run(main())


def test_a_redirect_is_not_followed():
    async def main() -> None:
        async with shop() as server:
            server.answer = {"status": 302, "headers": {"location": f"http://127.0.0.1:{server.port}/elsewhere"}}
            came = await ask(endpoint(server, "/"))
            assert isinstance(came, ToolOutcome) and came.status == "failed" and "302" in came.result
            assert len(server.asked) == 1

    asyncio.run(main())


def test_a_server_that_is_not_there():
    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            server = Shop()
            server.port = taken.getsockname()[1]
            came = await ask(endpoint(server, "/"))
            assert isinstance(came, ToolOutcome) and came.status == "failed"
            assert str(server.port) not in came.result

    asyncio.run(main())


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"note": "x"},
        {"order": ".."},
        {"order": "."},
        {"order": "%2e%2e"},
        {"order": "a/../b"},
        {"order": ""},
        {"order": "..;x"},
        {"order": "..\\\\admin"},
    ],
)
def test_arguments_that_make_no_address_are_refused(arguments: dict[str, object]) -> None:
    async def main() -> None:
        async with shop() as server:
            came = await ask(endpoint(server, "/orders/{order}/notes"), **arguments)
            if arguments.get("order") == "%2e%2e":  # a name like any other, once escaped
                assert server.asked[0][1] == "/orders/%252e%252e/notes"
            else:
                assert isinstance(came, ToolOutcome) and came.status == "refused" and not server.asked

    asyncio.run(main())


@given(
    st.text(max_size=12)
    | st.sampled_from(["../x", "//evil.example/", "@evil.example", "\\", "?a=b#c", "a b", "\r\nX: y"])
)
def test_no_argument_leads_elsewhere(value: str) -> None:
    """The address that is asked has the host, the path's length and the query that the settings say."""
    seen: list[URL] = []

    class Session:
        def request(self, method: str, url: URL, **_: Any) -> Any:
            seen.append(url)
            raise OSError

    tool = HttpEndpoint(TOOL, PARAMETERS, ["api.example.com"])
    tool._session = Session()  # type: ignore[assignment]
    came = asyncio.run(_run(tool, value))
    assert isinstance(came, ToolOutcome) and came.status in ("failed", "refused")
    for url in seen:
        assert (url.scheme, url.raw_authority) == ("https", "api.example.com")
        assert url.raw_path.startswith("/orders/") and url.raw_path.count("/") == 2
        assert not url.raw_query_string and not url.raw_fragment


async def _run(tool: HttpEndpoint, value: str) -> object:
    return await tool.run({"order": value}, CONTEXT)


@pytest.mark.parametrize(
    ("url", "hosts", "said"),
    [
        ("https://api.example.com/", (), "allowed_hosts"),
        ("https://api.example.com/", ("example.com",), "allowed_hosts"),
        ("https://api.example.com.evil.example/", ("api.example.com",), "allowed_hosts"),
        ("https://api.example.com:8443/", ("api.example.com:443",), "allowed_hosts"),
        ("https://{order}/", ("{order}",), "in the host"),
        ("https://{order}.example.com/", ("{order}.example.com",), "in the host"),
        ("https://me:secret@api.example.com/", ("api.example.com",), "password"),
        ("https://evil.example\\@api.example.com/", ("api.example.com",), "no web address"),
        ("http://api.example.com/", ("api.example.com",), "https://"),
        ("ftp://api.example.com/", ("api.example.com",), "no web address"),
        ("api.example.com/", ("api.example.com",), "no web address"),
        ("https://[::1/", ("[::1]",), "no web address"),
        ("https://api.example.com:99999/", ("api.example.com",), "no web address"),
        ("https://api.example.com/ü", ("api.example.com",), "no web address"),
        ("https://api.example.com/#x", ("api.example.com",), "#"),
        ("https://api.example.com/{nothing}", ("api.example.com",), "no argument"),
        ("https://api.example.com/{order", ("api.example.com",), "{"),
        ("https://169.254.169.254/latest", ("169.254.169.254",), "metadata"),
        ("http://169.254.169.254/latest", ("169.254.169.254",), "metadata"),
        ("https://[fe80::1]/", ("[fe80::1]",), "metadata"),
        ("https://[::ffff:169.254.169.254]/", ("[::ffff:169.254.169.254]",), "metadata"),
    ],
)
def test_addresses_that_are_never_asked_are_found_at_the_start(url: str, hosts: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        HttpEndpoint(replace(TOOL, url=url), PARAMETERS, hosts)
    assert said in refused.value.message and "'orders'" in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.example.com/", "api.example.com"),
        ("https://api.example.com/", "API.example.com:443"),
        ("https://api.example.com:8443/", "api.example.com"),
        ("http://localhost:80/", "localhost"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("https://10.0.0.7/", "10.0.0.7"),
    ],
)
def test_hosts_that_are_named_are_allowed(url: str, host: str) -> None:
    HttpEndpoint(replace(TOOL, url=url), PARAMETERS, [host])


def test_a_name_that_leads_to_metadata_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port))]

    async def connect(self: Any, sock: socket.socket, address: Any) -> None:
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)

    async def main() -> None:
        came = await ask(HttpEndpoint(replace(TOOL, url="https://api.example.com/"), PARAMETERS, ["api.example.com"]))
        assert isinstance(came, ToolOutcome) and came.status == "failed"
        assert connected == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("address", "never"),
    [("169.254.169.254", True), ("169.254.0.1", True), ("fe80::1%eth0", True), ("fd00:ec2::254", True),
     ("::ffff:169.254.1.1", True), ("10.0.0.1", False), ("127.0.0.1", False), ("api.example.com", False)],
)  # fmt: skip
def test_addresses_of_the_link_and_of_metadata(address: str, never: bool) -> None:
    assert forbidden_address(address) == never


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("no colon", "no header"),
        ("Bad Name: x", "no header"),
        ("X: ${NOWHERE}", "NOWHERE"),
        ("X: a${NL}b", "characters"),
    ],
)
def test_headers_that_cannot_be(header: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        tool = replace(TOOL, url="https://api.example.com/", headers=(header,))
        HttpEndpoint(tool, PARAMETERS, ["api.example.com"], {"NL": "\n"})
