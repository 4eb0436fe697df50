"""A whole voicectl server inside the running event loop: what `replay-call` and the tests talk to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from voicectl import bootstrap
from voicectl.server.admission import Admission
from voicectl.server.app import public_app, relay_handler
from voicectl.server.listeners import listen
from voicectl.server.relay_socket import PATH, ConversationRelayHandler
from voicectl.settings import Settings


@dataclass(frozen=True, slots=True)
class Running:
    """Where a server is and how to sign for it."""

    address: str
    """http://127.0.0.1:port, or the path of a UNIX socket."""
    public_url: str
    """What signatures are computed over."""
    auth_token: str
    services: bootstrap.Services
    handler: ConversationRelayHandler
    admission: Admission

    @property
    def voice_url(self) -> str:
        return self.public_url.rstrip("/") + PATH


@contextlib.asynccontextmanager
async def inside(
    settings: Settings, *, uds: str | None = None, sample: bool = True, watch: bool = False
) -> AsyncIterator[Running]:
    """Serve the public listener on loopback, or on a UNIX socket at `uds`, until the block is left. Calls that are
    still live then are ended. `watch`: agents change when the settings file does."""
    settings = bootstrap.local(settings, 8080)
    async with bootstrap.running(settings, sample=sample, watch=watch) as services:
        admission = Admission(settings.server.max_calls)
        handler = relay_handler(services, admission)
        async with listen(public_app(services, handler, admission), uds=uds) as port:
            address = uds or f"http://127.0.0.1:{port}"
            public = services.signatures.public_url
            yield Running(address, public, settings.twilio.auth_token, services, handler, admission)
            admission.open = False
            await services.agent.close()
