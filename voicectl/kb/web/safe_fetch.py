"""One document from the web, and not one packet to where its address must not lead (T19).

- http and https, ports 80 and 443, no user names; at most three redirects, none from https back to http. Each is
  checked like the first address.
- A host is looked up once per connection, and refused unless every one of its addresses is public. The connection goes
  to those very addresses, under the host's own name for TLS and Host: a second look-up could answer differently.
- The judgement stands below the HTTP client, where sockets are made: whatever asked for a connection, one to an
  address that was not judged is never begun.
- No proxy, no cookies, no netrc, nothing of the environment.
- Seconds and unpacked bytes are counted while they pass. What is no document of ours is not read at all.

An owner may name hosts of their own network. Such a host is reached only from itself or from another one that was
named: a public page or list cannot send us there.

Importing this module costs a quarter of a second; do it inside functions.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from voicectl import __version__
from voicectl.errors import UsageError
from voicectl.kb.web import Unfetchable, WebLimits
from voicectl.kb.web.addresses import IPAddress, ip_of, is_private, is_public, redirect, web_address

ROBOT = "voicectl"
"""The name by which a site's robots.txt may address us."""
PORTS = frozenset({80, 443})
DOCUMENT_TYPES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/x-markdown": ".md",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/csv": ".csv",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
"""Content types that are fetched, each with the suffix of its format."""
LIST_TYPES = frozenset({"application/xml", "text/xml", "application/gzip", "application/x-gzip"})
"""Content types of sitemaps."""
UNTYPED = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/x-download"})
"""What servers say of a file they do not know: its name decides."""

_HEADERS = {
    "User-Agent": f"{ROBOT}/{__version__} (reads documents for a phone agent)",
    "Accept": "text/html, application/xhtml+xml, application/pdf, text/*;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}
_PACKINGS = frozenset({"identity", "gzip", "deflate"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STATUS = {
    401: "its server wants a login (401)",
    403: "its server refuses to show it (403)",
    404: "its server has no such page (404)",
    410: "its server says the page is gone (410)",
    429: "its server has had too many requests (429); try again later",
}

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""The numeric addresses of a host. Raises OSError when there are none."""


class Unreachable(Unfetchable):
    """The server did not answer, or only to say that it cannot: it may another time."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as its server sent it, unpacked."""

    url: str
    """As asked for, in normal form."""
    final_url: str
    """Where the redirects led."""
    content_type: str
    """Without parameters, in lower case; "" when the server gave none."""
    charset: str
    """As the server named it, in lower case; "" when it did not."""
    body: bytes


async def look_up(host: str) -> Sequence[str]:
    """What the system's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Fetcher:
    """Fetches documents over shared connections. An async context manager, used in one event loop.

    `allow_hosts` are hosts, with a port if it is not 80 or 443, that may have private addresses; UsageError if one is
    none. `lookup` tells the addresses of a host.
    """

    def __init__(
        self, *, limits: WebLimits = WebLimits(), allow_hosts: Collection[str] = (), lookup: Lookup = look_up
    ) -> None:
        self.limits = limits
        self._gate = _Gate(frozenset(host for each in allow_hosts for host in _named(each)), lookup)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Fetcher:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=self._gate, use_dns_cache=False, socket_factory=self._gate.new_socket, limit=0
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            timeout=aiohttp.ClientTimeout(connect=self.limits.connect_seconds),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, url: str, *, any_type: bool = False, sent_by: str = "") -> Fetched:
        """The document at `url`, with `any_type` whatever it is. `sent_by` is the address of a list that has it.

        Raises Unfetchable with a reason that a person understands; Unreachable when trying later may help.
        """
        asked = web_address(url)
        sender = web_address(sent_by) if sent_by else asked
        try:
            async with asyncio.timeout(self.limits.total_seconds):
                return await self._follow(asked, sender, any_type)
        except aiohttp.ConnectionTimeoutError as slow:
            raise Unreachable("its server could not be reached in time") from slow
        except TimeoutError as slow:
            raise Unreachable(f"it had not arrived after {self.limits.total_seconds:g} seconds") from slow
        except aiohttp.ClientConnectorDNSError as unknown:
            raise Unreachable("there is no such host") from unknown
        except aiohttp.ClientSSLError as bad:
            raise Unreachable("its server could not prove that it is the right one (TLS)") from bad
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError) as away:
            raise Unreachable("its server does not accept connections") from away
        except aiohttp.ClientPayloadError as bad:
            raise Unreachable("it broke off before its end") from bad
        except (aiohttp.ClientError, OSError, ValueError) as bad:
            raise Unreachable("its server did not answer as a web server does") from bad

    async def _follow(self, asked: URL, sender: URL, any_type: bool) -> Fetched:
        if self._session is None:
            raise RuntimeError("the fetcher was not entered")
        url = asked
        for _ in range(self.limits.redirects + 1):
            self._admit(url, sender)
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS:
                    body = await self._read(answer, url, any_type)
                    return Fetched(str(asked), str(url), _type(answer), (answer.charset or "").lower(), body)
                onward = redirect(url, answer.headers.get("Location", ""))
            if url.scheme == "https" and onward.scheme == "http":
                raise Unfetchable("it leads from a secure address to one that is not")
            url = onward
        raise Unfetchable(f"it leads on and on, to more than {self.limits.redirects} other addresses")

    def _admit(self, url: URL, sender: URL) -> None:
        """Raise Unfetchable for what can be refused before a host is looked up."""
        named = self._gate.names(url)
        if url.port not in PORTS and not named:
            raise Unfetchable("it is not on one of the web's ports, 80 and 443")
        if named and not self._gate.names(sender):
            raise Unfetchable("it leads from the public web into a private network")
        ip = ip_of(url)
        if ip is not None:  # the HTTP client asks no resolver about one
            self._gate.judge([ip], named)

    async def _read(self, answer: aiohttp.ClientResponse, url: URL, any_type: bool) -> bytes:
        if answer.status != 200:
            why = _STATUS.get(answer.status, f"its server answers with an error ({answer.status})")
            raise Unreachable(why) if answer.status == 429 or answer.status >= 500 else Unfetchable(why)
        if not any_type and not _is_wanted(_type(answer), url.name):
            raise Unfetchable(f"it is no document that voicectl reads ({_type(answer) or 'of no type'})")
        if answer.headers.get("Content-Encoding", "identity").strip().lower() not in _PACKINGS:
            raise Unfetchable("it is packed in a way that was not asked for")
        body = bytearray()
        most = self.limits.most_bytes
        too_large = Unfetchable(f"it is larger than {most / 1_000_000:g} MB")
        if (answer.content_length or 0) > most:
            raise too_large
        async for piece in answer.content.iter_any():
            body += piece
            if len(body) > most:
                raise too_large
        return bytes(body)


class _Gate(AbstractResolver):
    """Between the HTTP client and the network: gives it judged addresses, and sockets to no others."""

    def __init__(self, named: frozenset[tuple[str, int]], lookup: Lookup) -> None:
        self._named = named
        self._lookup = lookup
        self._judged: set[IPAddress] = set()

    def names(self, url: URL) -> bool:
        """Whether the owner named this host of their network."""
        return (url.raw_host, url.port) in self._named

    def judge(self, ips: Collection[IPAddress], named: bool) -> None:
        """Raise Unfetchable unless all of them may be connected to."""
        if not all(is_public(ip) or (named and is_private(ip)) for ip in ips):
            raise Unfetchable("it is not on the public web")
        self._judged.update(ips)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        ips = list(dict.fromkeys(map(ip_address, await self._lookup(host))))
        if not ips:
            raise OSError("a host without addresses")
        self.judge(ips, (host, port) in self._named)
        return [
            ResolveResult(
                hostname=host,
                host=str(ip),
                port=port,
                family=socket.AF_INET if ip.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in ips
        ]

    def new_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for an address that has been judged; PermissionError for any other."""
        family, kind, proto, _, address = info
        if ip_address(address[0]) not in self._judged:
            raise PermissionError("a connection to an address that was not judged")
        return socket.socket(family, kind, proto)

    async def close(self) -> None:
        pass


def suffix(content_type: str, name: str) -> str:
    """The suffix of the format: by the content type, by the file's name where the type says little, "" for neither."""
    if content_type in UNTYPED or content_type == "text/plain":
        known = PurePosixPath(name).suffix.lower()
        if known in DOCUMENT_TYPES.values():
            return known
    return DOCUMENT_TYPES.get(content_type, "")


def _is_wanted(content_type: str, name: str) -> bool:
    unnamed_list = content_type in UNTYPED and name.lower().endswith((".xml", ".gz"))
    return content_type in LIST_TYPES or unnamed_list or suffix(content_type, name) != ""


def _type(answer: aiohttp.ClientResponse) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _named(host: str) -> frozenset[tuple[str, int]]:
    """The host and its ports: the one that was given with it, or the web's."""
    try:
        url = web_address(f"http://{host}")
    except Unfetchable as bad:
        raise UsageError(f"{host!r} is no name of a host", "give it like wiki.local or 10.0.0.5:8080") from bad
    if url.path != "/" or url.query_string:
        raise UsageError(f"{host!r} is more than a host", "give it like wiki.local or 10.0.0.5:8080")
    ports = PORTS if url.explicit_port is None else {url.explicit_port}
    return frozenset((url.raw_host or "", port) for port in ports)
