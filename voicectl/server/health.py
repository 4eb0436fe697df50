"""Whether this process is alive, and whether it takes new calls. Bare and public: no names, no versions."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response


def router(ready: Callable[[], bool]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> Response:
        return Response("ok\n", media_type="text/plain")

    @routes.get("/readyz")
    async def readyz() -> Response:
        if ready():
            return Response("ready\n", media_type="text/plain")
        return Response("not ready\n", media_type="text/plain", status_code=503)

    return routes
