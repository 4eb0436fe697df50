from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import ssl
import subprocess
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from web_rig import PUBLIC, Web, moved, on_the_web, said

from voicectl.errors import UsageError
from voicectl.kb.web import Unfetchable, WebLimits
from voicectl.kb.web.safe_fetch import Fetched, Fetcher, Unreachable

SHOP = "http://shop.example/"


async def refusal(web: Web, url: str = SHOP, limits: WebLimits = WebLimits()) -> str:
    """Why it cannot be had."""
    async with Fetcher(lookup=web.lookup, limits=limits) as fetcher:
        with pytest.raises(Unfetchable) as why:
            await fetcher.fetch(url)
    return str(why.value)


def test_a_page_comes_as_its_server_sent_it() -> None:
    async def visit(web: Web) -> None:
        web["http://shop.example/hours?day=1"] = moved("https://shop.example/no", "200 OK")
        web["http://shop.example/hours?day=2"] = said("<p>Nine to six</p>", "Text/HTML; Charset=ISO-8859-1")
        async with Fetcher(lookup=web.lookup) as fetcher:
            got = await fetcher.fetch("HTTP://Shop.example/hours?day=2#monday")
            assert got == Fetched(
                "http://shop.example/hours?day=2",
                "http://shop.example/hours?day=2",
                "text/html",
                "iso-8859-1",
                b"<p>Nine to six</p>",
            )
        (head,) = web.heads
        assert "Host: shop.example\r\n" in head
        assert "User-Agent: voicectl/" in head
        assert "Accept-Encoding: gzip, deflate\r\n" in head

    on_the_web(visit)


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_what_is_packed_is_unpacked(packed: str) -> None:
    async def visit(web: Web) -> None:
        words = b"We are open. " * 5000
        data = words if packed == "gzip" else zlib.compress(words)
        web[SHOP] = said(data, packed=packed)
        async with Fetcher(lookup=web.lookup) as fetcher:
            assert (await fetcher.fetch(SHOP)).body == words

    on_the_web(visit)


# --- redirects ---------------------------------------------------------------------------------------------


def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    async def visit(web: Web) -> None:
        for number in range(4):
            web[f"http://shop.example/{number}"] = moved(f"/{number + 1}", "301 Moved")
        web["http://shop.example/4"] = said("here", "text/plain")
        async with Fetcher(lookup=web.lookup) as fetcher:
            got = await fetcher.fetch("http://shop.example/1")
            assert (got.url, got.final_url) == ("http://shop.example/1", "http://shop.example/4")
        web.requests.clear()
        assert "on and on" in await refusal(web, "http://shop.example/0")
        assert web.paths == ["0", "1", "2", "3"]

    on_the_web(visit)


@pytest.mark.parametrize("to", [SHOP, "", "?again", "//shop.example"])
def test_a_circle_ends(to: str) -> None:
    async def visit(web: Web) -> None:
        web[SHOP] = moved(to)
        web[f"{SHOP}?again"] = moved("/")
        assert "on and on" in await refusal(web)
        assert len(web.requests) == 4

    on_the_web(visit)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One for shop.example that nobody but a test trusts, and its key."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=shop.example"
    names = ["-addext", "subjectAltName=DNS:shop.example", "-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    return paths


def test_tls_proves_the_name_at_the_address_that_was_judged(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visit(web: Web) -> None:
        for host in ("shop.example", "other.example"):
            web[f"http://{host}/"] = said("<p>Hi</p>")
        async with web.secured(*certificate):
            assert "could not prove" in await refusal(web, "https://shop.example/"), "nobody vouches for it"
            trusting = ssl.create_default_context(cafile=str(certificate[0]))
            monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
            assert "could not prove" in await refusal(web, "https://other.example/")
            assert web.requests == []
            async with Fetcher(lookup=web.lookup) as fetcher:
                assert (await fetcher.fetch("https://shop.example/")).body == b"<p>Hi</p>"
        assert web.certified == ["shop.example", "other.example", "shop.example"]
        assert set(web.network.connections) == {(PUBLIC, 443)}
        assert len(web.lookups) == 3

    on_the_web(visit)


def test_a_secure_page_does_not_lead_to_an_insecure_one(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visit(web: Web) -> None:
        trusting = ssl.create_default_context(cafile=str(certificate[0]))
        monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
        web["http://shop.example/up"] = moved("https://shop.example/")
        web["http://shop.example/down"] = moved("http://shop.example/")
        web[SHOP] = said("<p>Hi</p>")
        async with web.secured(*certificate):
            async with Fetcher(lookup=web.lookup) as fetcher:
                assert (await fetcher.fetch("http://shop.example/up")).final_url == "https://shop.example/"
            assert "one that is not" in await refusal(web, "https://shop.example/down")
        assert [port for _, port in web.network.connections] == [80, 443, 443]

    on_the_web(visit)


def test_nothing_is_remembered_between_requests() -> None:
    async def visit(web: Web) -> None:
        web[SHOP] = said("", "text/html", "Location: /next", "Set-Cookie: seen=yes", status="302 Found")
        web["http://shop.example/next"] = said("<p>Hi</p>", "text/html", "Set-Cookie: seen=twice")
        async with Fetcher(lookup=web.lookup) as fetcher:
            await fetcher.fetch(SHOP)
            await fetcher.fetch(SHOP)
        assert len(web.heads) == 4
        assert not [head for head in web.heads if "cookie" in head.lower() or "authorization" in head.lower()]

    on_the_web(visit)


# --- bounds ------------------------------------------------------------------------------------------------


async def _head(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/plain", *lines, "", ""]).encode())
    await writer.drain()


def _drip(every: float, times: int, *, head: bool = False) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def serve(writer: asyncio.StreamWriter) -> None:
        if head:
            writer.write(b"HTTP/1.1 200 OK\r\n")
        else:
            await _head(writer, f"Content-Length: {times}")
        for number in range(times):
            await asyncio.sleep(every)
            writer.write(f"X-{number}: y\r\n".encode() if head else b".")
            await writer.drain()
        if head:
            writer.write(b"Content-Length: 0\r\nContent-Type: text/plain\r\n\r\n")

    return serve


@pytest.mark.parametrize("head", [False, True], ids=["body", "header"])
def test_a_server_that_drips_has_thirty_seconds(head: bool) -> None:
    async def visit(web: Web) -> None:
        web["http://shop.example/just"] = _drip(1.0, 29, head=head)
        web["http://shop.example/late"] = _drip(1.0, 100, head=head)
        loop = asyncio.get_running_loop()
        async with Fetcher(lookup=web.lookup) as fetcher:
            await fetcher.fetch("http://shop.example/just")
            began = loop.time()
            with pytest.raises(Unreachable, match="had not arrived after 30 seconds"):
                await fetcher.fetch("http://shop.example/late")
            assert loop.time() - began == pytest.approx(30, abs=0.1)

    on_the_web(visit)


def test_the_time_is_that_of_all_redirects_together() -> None:
    async def visit(web: Web) -> None:
        def slowly(to: str) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
            async def serve(writer: asyncio.StreamWriter) -> None:
                await asyncio.sleep(12)
                writer.write(moved(to))

            return serve

        for number in range(3):
            web[f"http://shop.example/{number}"] = slowly(f"/{number + 1}")
        web["http://shop.example/3"] = said("here", "text/plain")
        assert "30 seconds" in await refusal(web, "http://shop.example/0")

    on_the_web(visit)


@pytest.mark.parametrize("where", ["connection", "name"])
def test_a_server_has_ten_seconds_to_be_reached(where: str) -> None:
    async def visit(web: Web) -> None:
        web.network.deaf = where == "connection"

        async def lookup(host: str) -> list[str]:
            if where == "name":
                await asyncio.sleep(3600)
            return [PUBLIC]

        loop = asyncio.get_running_loop()
        began = loop.time()
        async with Fetcher(lookup=lookup) as fetcher:
            with pytest.raises(Unreachable, match="could not be reached in time"):
                await fetcher.fetch(SHOP)
        assert 9.9 < loop.time() - began <= 11

    on_the_web(visit)


def test_the_largest_document_is_twenty_megabytes() -> None:
    async def visit(web: Web) -> None:
        web["http://shop.example/just"] = said(b"." * 20_000_000, "text/plain")
        web["http://shop.example/more"] = said(b"." * 20_000_001, "text/plain")
        async with Fetcher(lookup=web.lookup) as fetcher:
            assert len((await fetcher.fetch("http://shop.example/just")).body) == 20_000_000
            with pytest.raises(Unfetchable, match="larger than 20 MB"):
                await fetcher.fetch("http://shop.example/more")

    on_the_web(visit)


def _unannounced(data: bytes, *lines: str) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    """A body whose length is not told, sent for ever."""

    async def serve(writer: asyncio.StreamWriter) -> None:
        await _head(writer, *lines)
        while True:
            writer.write(data)
            await writer.drain()

    return serve


_MEGABYTE = WebLimits(most_bytes=1_000_000)
BOMBS: dict[str, bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]] = {
    "gzip": said(gzip.compress(bytes(100_000_000)), "text/plain", "Content-Encoding: gzip"),
    "deflate": said(zlib.compress(bytes(100_000_000)), "text/plain", "Content-Encoding: deflate"),
    "gzip in members": said(gzip.compress(bytes(5_000_000)) * 20, "text/plain", "Content-Encoding: gzip"),
    "no end": _unannounced(b"." * 65536),
    "no end of gzip": _unannounced(gzip.compress(bytes(1_000_000)), "Content-Encoding: gzip"),
    "an announced length": said(b"", "text/plain").replace(b"Content-Length: 0", b"Content-Length: 99999999999999"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_not_unpacked(bomb: str) -> None:
    async def visit(web: Web) -> None:
        web[SHOP] = BOMBS[bomb]
        tracemalloc.start()
        try:
            assert await refusal(web, limits=_MEGABYTE) == "it is larger than 1 MB"
            assert tracemalloc.get_traced_memory()[1] < 8_000_000
        finally:
            tracemalloc.stop()

    on_the_web(visit)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said(gzip.compress(gzip.compress(b"Hi")), "text/plain", "Content-Encoding: gzip, gzip"), "packed in a way"),
        (said(b"Hi", "text/plain", "Content-Encoding: br"), "answer as a web server|packed in a way|broke off"),
        (said(b"Hi there", "text/plain", "Content-Encoding: gzip"), "broke off|answer as a web server"),
        (said(b"Hi", "text/plain", f"X-Long: {'x' * 100_000}"), "answer as a web server"),
        (said(b"Hi", "text/plain", *(f"X-{n}: y" for n in range(5_000))), "answer as a web server"),
        (said(b"Hi", "text/plain").replace(b"Content-Length: 2", b"Content-Length: 20"), "broke off"),
        (said(b"Hi", "text/plain").replace(b"Content-Length: 2", b"Content-Length: -2"), "answer as a web server"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "answer as a web server"),
        (b"\x00\xff" * 5000, "answer as a web server"),
        (b"", "does not accept"),
        (b"HTTP/1.1 200 OK\r\n", "answer as a web server|broke off|does not accept"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "on and on"),
        (moved("http://shop.example/\x01"), "answer as a web server|no plain web address"),
        (moved("http://" + "a" * 5000), "longer than"),
    ],
)
def test_an_odd_answer_is_refused_with_a_reason(answer: bytes, reason: str) -> None:
    async def visit(web: Web) -> None:
        web[SHOP] = answer
        assert re.search(reason, await refusal(web))

    on_the_web(visit)


def test_interim_answers_without_end_are_not_waited_for() -> None:
    async def visit(web: Web) -> None:
        async def serve(writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0.5)

        web[SHOP] = serve
        assert "30 seconds" in await refusal(web)

    on_the_web(visit)


# --- what is no document -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "path", "wanted"),
    [
        ("text/html", "", True),
        ("application/xhtml+xml;charset=utf-8", "x", True),
        ("text/markdown", "x", True),
        ("text/plain", "x", True),
        ("application/pdf", "x", True),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "x", True),
        ("text/csv", "x", True),
        ("application/xml", "sitemap", True),
        ("application/x-gzip", "sitemap.gz", True),
        ("application/octet-stream", "prices.CSV", True),
        ("application/octet-stream", "sitemap.xml.gz", True),
        ("", "returns.md", True),
        ("application/octet-stream", "setup.exe", False),
        ("application/octet-stream", "html", False),
        ("", "", False),
        ("image/png", "x.html", False),
        ("video/mp4", "x", False),
        ("application/zip", "x.docx", False),
        ("application/json", "x", False),
        ("text/javascript", "x", False),
        ("multipart/mixed; boundary=x", "x", False),
    ],
)
def test_only_documents_are_read(kind: str, path: str, wanted: bool) -> None:
    async def visit(web: Web) -> None:
        web[f"{SHOP}{path}"] = said("some words", kind)
        async with Fetcher(lookup=web.lookup) as fetcher:
            if wanted:
                assert (await fetcher.fetch(f"{SHOP}{path}")).body == b"some words"
            else:
                with pytest.raises(Unfetchable, match="no document that voicectl reads"):
                    await fetcher.fetch(f"{SHOP}{path}")
                assert (await fetcher.fetch(f"{SHOP}{path}", any_type=True)).body == b"some words"

    on_the_web(visit)


@pytest.mark.parametrize(
    ("status", "reason", "later"),
    [
        ("401 Unauthorized", "login", False),
        ("403 Forbidden", "refuses", False),
        ("404 Not Found", "no such page", False),
        ("410 Gone", "gone", False),
        ("429 Too Many Requests", "too many", True),
        ("500 Oops", "500", True),
        ("503 Busy", "503", True),
        ("204 No Content", "204", False),
        ("206 Partial Content", "206", False),
        ("304 Not Modified", "304", False),
    ],
)
def test_a_status_is_told_in_words(status: str, reason: str, later: bool) -> None:
    async def visit(web: Web) -> None:
        web[SHOP] = said("" if status[:3] in ("204", "304") else "<p>Never mind</p>", status=status)
        async with Fetcher(lookup=web.lookup) as fetcher:
            with pytest.raises(Unfetchable, match=reason) as why:
                await fetcher.fetch(SHOP)
        assert isinstance(why.value, Unreachable) is later

    on_the_web(visit)


# --- an owner's own network --------------------------------------------------------------------------------

OWN = {
    "wiki.local": ["10.0.0.5"],
    "other.local": ["10.0.0.6"],
    "cloud.local": ["169.254.169.254"],
    "both.local": [PUBLIC, "10.0.0.7"],
    "half.local": ["10.0.0.7", "169.254.169.254"],
}


@pytest.mark.parametrize(
    ("named", "url", "reached"),
    [
        ("wiki.local", "http://wiki.local/", True),
        ("WIKI.local.", "http://wiki.local/", True),
        ("wiki.local", "http://wiki.local:8080/", False),
        ("wiki.local:8080", "http://wiki.local:8080/", True),
        ("wiki.local:8080", "http://wiki.local/", False),
        ("wiki.local", "http://other.local/", False),
        ("wiki.local", "http://sub.wiki.local/", True),
        ("wiki.local", "http://10.0.0.5/", False),
        ("10.0.0.5", "http://10.0.0.5/", True),
        ("127.0.0.1:9000", "http://127.0.0.1:9000/", True),
        ("127.0.0.1:9000", "http://127.0.0.1/", False),
        ("127.0.0.1:9000", "http://0x7f.1:9000/", False),
        ("both.local", "http://both.local/", True),
        ("half.local", "http://half.local/", False),
        ("cloud.local", "http://cloud.local/", False),
        ("169.254.169.254", "http://169.254.169.254/", False),
        ("", "http://wiki.local/", False),
    ],
)
def test_a_named_host_may_be_private(named: str, url: str, reached: bool) -> None:
    async def visit(web: Web) -> None:
        web.names |= {name: [addresses] for name, addresses in OWN.items()}
        web[url] = said("<p>Hi</p>")
        async with Fetcher(lookup=web.lookup, allow_hosts=[named] if named else []) as fetcher:
            if reached:
                assert (await fetcher.fetch(url)).body == b"<p>Hi</p>"
            else:
                with pytest.raises(Unfetchable, match=r"public web|ports|plain|cannot be right"):
                    await fetcher.fetch(url)
                assert web.network.connections == []

    on_the_web(visit)


@pytest.mark.parametrize(
    ("url", "to", "reached"),
    [
        (SHOP, "http://wiki.local/", False),
        ("http://wiki.local/", "http://wiki.local/next", True),
        ("http://wiki.local/", "http://both.local:8080/", True),
        ("http://wiki.local/", "http://other.local/", False),
        ("http://wiki.local/", SHOP, True),
    ],
)
def test_the_public_web_does_not_lead_into_an_own_network(url: str, to: str, reached: bool) -> None:
    async def visit(web: Web) -> None:
        web.names |= {name: [addresses] for name, addresses in OWN.items()}
        web[to] = said("<p>Hi</p>")
        web[url] = moved(to)
        async with Fetcher(lookup=web.lookup, allow_hosts=["wiki.local", "both.local:8080"]) as fetcher:
            if reached:
                assert (await fetcher.fetch(url)).final_url == to
            else:
                with pytest.raises(Unfetchable, match=r"private network|not on the public web"):
                    await fetcher.fetch(url)
                assert len(web.requests) == 1

    on_the_web(visit)


@pytest.mark.parametrize(
    "host", ["", "http://wiki.local", "wiki.local/docs", "a b", "me@wiki.local", "*", "10.0.0.0/8"]
)
def test_a_host_is_named_by_its_name(host: str) -> None:
    with pytest.raises(UsageError, match="host"):
        Fetcher(allow_hosts=[host])
