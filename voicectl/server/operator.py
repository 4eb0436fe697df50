"""The operator's listener: a page with a telephone on it.

It is meant for one person on this machine, and web pages in that person's browser are not that person. So: only
requests that name this listener as their host are answered (DNS rebinding), the socket wants our own origin, and
everything wants a cookie that is set once, from a link that `serve` prints and that works once.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response, WebSocket

from voicectl.server import health
from voicectl.server.phone import PhoneBooth

COOKIE = "voicectl_session"
_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("phone.html", "text/html; charset=utf-8"),
    "/phone.js": ("phone.js", "text/javascript; charset=utf-8"),
    "/phone.css": ("phone.css", "text/css; charset=utf-8"),
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LOGIN = "This page opens from a link that works once. A fresh one was printed where `voicectl serve` runs.\n"
_LINK_SECONDS = 5.0
"""A fresh link is printed no more often."""


@dataclass(slots=True)
class Door:
    """Who may come in."""

    hosts: frozenset[str]
    """Host names, without a port, by which this listener may be called."""
    print_link: Callable[[str], None]
    """Tells the operator the key of a fresh link."""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """Opens the door once; "" when it has."""
    _session: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _printed_at: float = float("-inf")

    def knows_host(self, header: str | None) -> bool:
        try:
            return urlsplit(f"//{header or ''}").hostname in self.hosts
        except ValueError:
            return False

    def knock(self) -> None:
        """Somebody without a session is at the door: the operator, who lost it, finds a fresh link printed."""
        now = asyncio.get_running_loop().time()
        if not self.key and now - self._printed_at >= _LINK_SECONDS:
            self._printed_at = now
            self.key = secrets.token_urlsafe(24)
            self.print_link(self.key)

    def knows_origin(self, origin: str | None, host: str | None) -> bool:
        return origin is not None and origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower())

    def knows(self, cookie: str | None) -> bool:
        return cookie is not None and hmac.compare_digest(cookie.encode(), self._session.encode())

    def unlock(self, key: str) -> str | None:
        """The session for a right key, which is used up by it."""
        if not self.key or not hmac.compare_digest(key.encode(), self.key.encode()):
            return None
        self.key = ""
        return self._session


def operator_app(door: Door, booth: PhoneBooth) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    routes = APIRouter()

    async def page(request: Request) -> Response:
        if not door.knows_host(request.headers.get("host")):
            return Response("misdirected\n", 421, media_type="text/plain")
        key = request.query_params.get("key")
        if key is not None:
            session = door.unlock(key)
            if session is not None:
                response = Response(status_code=303, headers={"Location": "/", **_HEADERS})
                response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/")
                return response
        if not door.knows(request.cookies.get(COOKIE)):
            door.knock()
            return Response(_LOGIN, 401, media_type="text/plain", headers=_HEADERS)
        name, kind = _FILES[request.url.path]
        return Response((_STATIC / name).read_bytes(), media_type=kind, headers=_HEADERS)

    async def phone(socket: WebSocket) -> None:
        host = socket.headers.get("host")
        allowed = (
            door.knows_host(host)
            and door.knows_origin(socket.headers.get("origin"), host)
            and door.knows(socket.cookies.get(COOKIE))
        )
        if not allowed:
            await socket.close(1008)
            return
        await booth.serve(socket)

    for path in _FILES:
        routes.add_api_route(path, page, methods=["GET"])
    app.include_router(routes)
    app.include_router(health.router(lambda: True))
    app.add_api_websocket_route("/phone", phone)
    return app
