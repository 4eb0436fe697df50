"""A tool that is an HTTP endpoint of the owner's.

What the model writes never decides where a request goes. The hosts are named in the settings, and looked at when the
server starts and again in the address as it is asked; {name} in the address stands for an argument, escaped, in its
path or its query only; a redirect is not followed. Outside this machine it is https. Addresses that belong to the
network link or to a cloud's metadata are never asked, whatever name leads to them.

The arguments that the address does not hold are sent as a JSON object, with GET and DELETE as a query. Each request
carries `Idempotency-Key`: the same for the same deed, so that one that comes twice can be told from two.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from voicectl.errors import ConfigError
from voicectl.ports import ToolContext, ToolOutcome
from voicectl.settings import ToolSettings
from voicectl.tools.tool import Arguments

if TYPE_CHECKING:
    import aiohttp

MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read."""

_PLACE = re.compile(r"\{(\w+)\}")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LINK = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))
_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_6TO4 = ipaddress.ip_network("2002::/16")
_COMPATIBLE = ipaddress.ip_network("::/96")
_QUERY_METHODS = ("GET", "DELETE")


class HttpEndpoint:
    """Carries out one tool; `run` is its Run. Raises ConfigError for an address, a header or an environment that
    cannot be."""

    def __init__(
        self,
        tool: ToolSettings,
        parameters: Mapping[str, Any],
        allowed_hosts: Sequence[str],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._url = tool.url
        self._method = tool.method
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._places = tuple(_PLACE.findall(tool.url))
        self._in_path = tuple(_PLACE.findall(tool.url.partition("?")[0]))
        self._session: aiohttp.ClientSession | None = None
        fault = self._fault(tool.url)
        if not fault and "{" in _PLACE.sub("", tool.url):
            fault = "its url has a { that begins no {name}"
        if not fault and _PLACE.search(tool.url.partition("#")[0].partition("://")[2].partition("/")[0]):
            fault = "its url has a {name} in the host"
        strange = [name for name in self._places if name not in (parameters.get("properties") or {})]
        if not fault and strange:
            fault = f"its url has {{{strange[0]}}}, which is no argument"
        if fault:
            raise ConfigError(
                f"the tool {tool.name!r}: {fault}",
                "set url like https://api.example.com/orders/{order} and name its host in tools.allowed_hosts",
            )
        self._headers = dict(_header(tool.name, line, os.environ if environ is None else environ)
                             for line in tool.headers)  # fmt: skip

    async def run(self, arguments: Arguments, context: ToolContext) -> object:
        """Ask the endpoint. An answer of 400 or more, a redirect and no answer are failures."""
        import aiohttp
        from yarl import URL

        missing = [name for name in self._places if name not in arguments]
        if missing:
            return ToolOutcome(f"Not done: {missing[0]} is missing. Call it again with it.", "refused")
        rest = {name: value for name, value in arguments.items() if name not in self._places}
        url = _PLACE.sub(lambda found: quote(_text(arguments[found[1]]), safe=""), self._url)
        if any(_elsewhere(_text(arguments[name])) for name in self._in_path):
            return ToolOutcome("Not done: an argument is no plain value. Call it again with another one.", "refused")
        body: bytes | None = None
        headers = {**self._headers, "Idempotency-Key": context.key}
        if self._method not in _QUERY_METHODS:
            body = msgspec.json.encode(rest)
            if not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = "application/json"
        elif rest:
            url += ("&" if "?" in url else "?") + urlencode({name: _text(value) for name, value in rest.items()})
        if self._fault(url):
            return ToolOutcome("It failed.", "failed")
        session = self._session = self._session or _open_session()
        try:
            async with session.request(
                self._method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status >= 300:
                    return ToolOutcome(f"It failed: the server answered {answer.status}.", "failed")
                return _result(await _read(answer), answer.charset or "utf-8")
        except (aiohttp.ClientError, OSError, ValueError):
            return ToolOutcome("It failed: the server cannot be reached, or its answer makes no sense.", "failed")

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _fault(self, url: str) -> str:
        """Why this address is not asked; "" if it is."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return "its url is no web address"
        plain = url.isascii() and url.isprintable() and not set(url) & set(" \\")
        if parts.scheme not in ("http", "https") or not host or not plain:
            return "its url is no web address"
        if parts.username is not None or parts.password is not None:
            return "its url holds a name or a password; put it in a header"
        if parts.fragment:
            return "its url has a #"
        written = f"[{host}]" if ":" in host else host
        if not {host, written, f"{written}:{port or (443 if parts.scheme == 'https' else 80)}"} & self._hosts:
            return f"its host {host!r} is not in tools.allowed_hosts"
        if forbidden_address(host):
            return f"its host {host!r} belongs to the network link or a cloud's metadata"
        if parts.scheme == "http" and not _is_loopback(host):
            return "its url must begin with https://"
        return ""


def forbidden_address(host: str) -> bool:
    """Whether this IP address is never asked; a name is none."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        address = _inner(address) or address
    return address in _METADATA or any(address in network for network in _LINK)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of the fourth version that this one stands for."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _6TO4:
        return ipaddress.IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _open_session() -> aiohttp.ClientSession:
    import aiohttp
    from aiohttp.abc import ResolveResult
    from aiohttp.resolver import ThreadedResolver

    class Resolver(ThreadedResolver):
        """Leaves out the addresses that are never asked."""

        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
            found = await super().resolve(host, port, family)
            kept = [each for each in found if not forbidden_address(each["host"])]
            if not kept:
                raise OSError("the name leads nowhere that is asked")
            return kept

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=Resolver()),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # the tool has its time
    )


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    while len(body) < MAX_ANSWER and (data := await answer.content.readany()):
        body += data
    if len(body) >= MAX_ANSWER:
        answer.close()
    return body[:MAX_ANSWER]


def _result(body: bytes, charset: str) -> str:
    """JSON without its spaces, else the text."""
    try:
        return msgspec.json.encode(msgspec.json.decode(body)).decode()
    except (ValueError, RecursionError):
        pass
    try:
        text = body.decode(charset, "replace")
    except LookupError:
        text = body.decode("utf-8", "replace")
    return text.strip() or "Done."


def _header(tool: str, line: str, environ: Mapping[str, str]) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name.strip()):
        raise ConfigError(f"the tool {tool!r}: {name!r} begins no header", "write headers as Name: value")
    value = _VARIABLE.sub(_variable(tool, environ), value).strip()
    if not value.isprintable() or not value.isascii():
        raise ConfigError(
            f"the tool {tool!r}: its header {name!r} holds characters that no header has", "copy it again"
        )
    return name.strip(), value


def _variable(tool: str, environ: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def value(found: re.Match[str]) -> str:
        if found[1] not in environ:
            raise ConfigError(
                f"the tool {tool!r}: there is no environment variable {found[1]}", f"set {found[1]} and start again"
            )
        return environ[found[1]]

    return value


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _elsewhere(value: str) -> bool:
    """Put into a path, it would lead to another place than its own: it is nothing, or holds a step. Servers decode %2F
    before they look at the path, and some drop what follows a semicolon."""
    return any(step.partition(";")[0].strip() in ("", ".", "..") for step in re.split(r"[/\\]", value))


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


__all__ = ["MAX_ANSWER", "HttpEndpoint", "forbidden_address"]
