"""The two applications: what Twilio may see, and what the operator may.

Traffic through a tunnel arrives from 127.0.0.1, so nothing here trusts an address.
"""

from __future__ import annotations

from datetime import datetime

from fastapi import FastAPI, WebSocket

from voicectl.bootstrap import Services
from voicectl.server import health
from voicectl.server.admission import Admission
from voicectl.server.relay_socket import PATH, ConversationRelayHandler
from voicectl.server.voice import VoiceRoutes


def public_app(services: Services, handler: ConversationRelayHandler, admission: Admission) -> FastAPI:
    """Voice webhook, relay socket, callbacks, health; nothing else answers on the public listener."""
    app = _bare_app()
    routes = VoiceRoutes(
        server=services.settings.server,
        agents=services.agents,
        store=services.calls,
        acquaintances=services.calls,
        signatures=services.signatures,
        admission=admission,
        now=lambda: datetime.now().astimezone(),
    )
    app.include_router(routes.router())
    app.include_router(health.router(lambda: admission.open))

    async def relay_socket(socket: WebSocket) -> None:
        await handler(socket)

    app.add_api_websocket_route(PATH, relay_socket)
    return app


def relay_handler(services: Services, admission: Admission) -> ConversationRelayHandler:
    return ConversationRelayHandler(
        admission=admission,
        agent=services.agent,
        agents=services.agents,
        store=services.calls,
        signatures=services.signatures,
        account_sid=services.settings.twilio.account_sid,
    )


def _bare_app() -> FastAPI:
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
