"""The connection to an OpenAI-compatible server: the official SDK says what to send, one aiohttp session sends it.

Everything a user can configure about the SDK holds: base URL, key, organisation, project, the SDK's environment
variables, query parameters, certificates, proxies. What the SDK asks by itself (the list of models) goes through it
from end to end. Only the body of a streaming POST is written here and its answer read raw, because that is what the
caller waits for: at 50 talkers on one core the SDK's stream adds 10 ms to each reply's first words, its raw stream 9,
its bare `client.post` 2.0, this 1.1. Address and headers are those that the SDK itself made for such a request.

Importing this module costs half a second; do it inside functions.
"""

from __future__ import annotations

import urllib.request
from types import SimpleNamespace

import aiohttp
import httpx2
import openai
from multidict import CIMultiDict
from yarl import URL

from voicectl.settings import LlmSettings

BROKEN = (aiohttp.ClientError, OSError)
"""What reading an answer raises when the connection is gone or the HTTP on it makes no sense."""

_KEEP_ALIVE = 120.0
"""Seconds an idle connection is kept: a caller's thinking pause must not cost a TLS handshake."""


class Wire:
    """Made by open_wire(). One for the process."""

    def __init__(
        self, session: aiohttp.ClientSession, client: openai.AsyncOpenAI, target: URL, headers: CIMultiDict[str]
    ) -> None:
        self.client = client
        """The SDK, over the same connections."""
        self._session = session
        self._target = target
        self._headers = headers
        self._proxy = _proxy_for(target)

    async def post(self, body: bytes) -> aiohttp.ClientResponse:
        """Ask for a chat completion; returns when the answer's headers are here. Raises what BROKEN names.

        A server may close an idle connection in the very moment a request is sent on it. Nothing has been answered
        then, so the request is sent again; a connection made for this request is not given a second chance.
        """
        while True:
            trail = SimpleNamespace(reused=False)
            try:
                return await self._session.post(
                    self._target, data=body, headers=self._headers, proxy=self._proxy, trace_request_ctx=trail
                )
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not trail.reused:
                    raise

    async def close(self) -> None:
        await self.client.close()
        await self._session.close()


async def open_wire(llm: LlmSettings) -> Wire:
    """Set up the SDK and the session. Connects to nothing yet."""
    reuse = aiohttp.TraceConfig()
    reuse.on_connection_reuseconn.append(_note_reuse)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_KEEP_ALIVE, ttl_dns_cache=60, ssl=httpx2.create_ssl_context()
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the budgets are ours
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[reuse],
    )
    try:
        client = openai.AsyncOpenAI(
            api_key=llm.api_key.strip() or "none",  # the SDK insists on one; servers of one's own often need none
            base_url=llm.base_url or None,
            max_retries=0,
            timeout=None,
            http_client=_http_client(_SessionTransport(session)),
        )
        request = await _as_the_sdk_would(client)
        headers = CIMultiDict(request.headers.multi_items())
        for name in ("host", "content-length", "connection"):  # of this one request
            headers.popall(name, None)
        return Wire(session, client, URL(str(request.url), encoded=True), headers)
    except BaseException:
        await session.close()
        raise


async def _as_the_sdk_would(client: openai.AsyncOpenAI) -> httpx2.Request:
    """The request the SDK makes for a chat completion. Nothing is sent."""
    made: list[httpx2.Request] = []

    def note(request: httpx2.Request) -> httpx2.Response:
        made.append(request)
        return httpx2.Response(200)

    async with _http_client(httpx2.MockTransport(note)) as nowhere:
        dry = client.with_options(http_client=nowhere)
        await dry.post("/chat/completions", content=b"{}", cast_to=httpx2.Response)
    return made[0]


def _http_client(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    # An event stream that is compressed comes in lumps.
    return httpx2.AsyncClient(
        transport=transport, headers={"accept-encoding": "identity"}, follow_redirects=True, trust_env=False
    )


class _SessionTransport(httpx2.AsyncBaseTransport):
    """Carries the SDK's own requests over the session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        target = URL(str(request.url), encoded=True)
        try:
            async with self._session.request(
                request.method,
                target,
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                proxy=_proxy_for(target),
                trace_request_ctx=SimpleNamespace(),
            ) as answer:
                body = await answer.read()
        except BROKEN as gone:
            raise httpx2.ConnectError(type(gone).__name__) from gone
        return httpx2.Response(answer.status, headers=list(answer.headers.items()), content=body, request=request)


def _proxy_for(target: URL) -> str | None:
    """The HTTP proxy that the environment names for this address."""
    if urllib.request.proxy_bypass(target.host or ""):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(target.scheme) or proxies.get("all", "")
    return found if found.startswith("http") else None


async def _note_reuse(
    _session: aiohttp.ClientSession, trail: SimpleNamespace, _: aiohttp.TraceConnectionReuseconnParams
) -> None:
    trail.trace_request_ctx.reused = True


__all__ = ["BROKEN", "Wire", "open_wire"]
