"""A hand on Twilio's side of a voicectl server, lower than the simulator: any request, any frame, signed or not."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import aiohttp
import pytest

from voicectl import bootstrap, settings
from voicectl.carriers.signature import sign
from voicectl.ports import ReplyModel
from voicectl.server.inside import Running, inside
from voicectl.server.relay_socket import PATH

ACCOUNT = "AC" + "0" * 32


def call_sid(number: int) -> str:
    return f"CA{number:032x}"


def setup(sid: str, token: str, session: int = 1, **changed: Any) -> dict[str, Any]:
    frame = {
        "type": "setup",
        "sessionId": f"VX{session:032x}",
        "callSid": sid,
        "parentCallSid": "",
        "from": "+15550100001",
        "to": "+15550100002",
        "forwardedFrom": "",
        "callerName": "",
        "direction": "inbound",
        "callType": "PSTN",
        "callStatus": "RINGING",
        "accountSid": ACCOUNT,
        "customParameters": {"token": token},
    }
    return {**frame, **changed}


class Client:
    """Requests to one running server."""

    def __init__(self, server: Running, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http
        self.base = "http://server" if "://" not in server.address else server.address

    async def post(
        self, path: str = PATH, form: dict[str, str] | bytes | None = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, str]:
        """POST a form; signed with the server's token unless `token` is another one, or "" for none."""
        form = form if form is not None else voice_form(call_sid(1))
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        token = self.server.auth_token if token is None else token
        if token and isinstance(form, dict):
            headers.setdefault("X-Twilio-Signature", sign(token, self.server.public_url + path, form))
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        async with self.http.post(self.base + path, data=body, headers=headers) as answer:
            return answer.status, await answer.text()

    async def token(self, sid: str) -> str:
        """What the voice webhook minted for a call."""
        return (await self.parameters(sid))["token"]

    async def parameters(self, sid: str, query: str = "", **form: str) -> dict[str, str]:
        """What the voice webhook sends along to a call's socket."""
        status, document = await self.post(PATH + query, voice_form(sid, **form))
        assert status == 200, (status, document)
        found = ElementTree.fromstring(document).iter("Parameter")
        return {each.attrib["name"]: each.attrib["value"] for each in found}

    async def dial(self, *, token: str | None = None, path: str = PATH) -> aiohttp.ClientWebSocketResponse:
        """Open a relay socket, signed like the webhooks."""
        token = self.server.auth_token if token is None else token
        public = self.server.public_url.replace("https", "wss")
        headers = {"X-Twilio-Signature": sign(token, public + PATH, {})} if token else {}
        return await self.http.ws_connect(self.base + path, headers=headers)

    async def call(self, sid: str, session: int = 1, query: str = "", **form: str) -> aiohttp.ClientWebSocketResponse:
        """A relay socket that has proved itself."""
        sent = await self.parameters(sid, query, **form)
        socket = await self.dial()
        called = form.get("To", "+15550100002")
        await socket.send_json(setup(sid, sent["token"], session, to=called, customParameters=sent))
        return socket


def voice_form(sid: str, **more: str) -> dict[str, str]:
    return {
        "CallSid": sid,
        "AccountSid": ACCOUNT,
        "From": "+15550100001",
        "To": "+15550100002",
        "Direction": "inbound",
        "CallStatus": "ringing",
        **more,
    }


@contextlib.asynccontextmanager
async def serving(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: ReplyModel,
    *,
    tcp: bool = False,
    flags: dict[str, Any] | None = None,
    toml: str = "",
    prepare: Callable[[Running], None] | None = None,
) -> AsyncIterator[Client]:
    """A server inside this loop, with a database of its own and `model` as its reply model. `toml` is its settings
    file, folder / "voicectl.toml"."""
    monkeypatch.setattr(bootstrap, "reply_model", lambda given: model)
    file = folder / "voicectl.toml"
    file.write_text(toml)
    given = settings.load(
        environ={}, flags={"database.url": f"sqlite:///{folder}/voicectl.db", **(flags or {})}, file=file
    )
    uds = None if tcp else str(folder / "s")
    async with inside(given, uds=uds, sample=False, watch=True) as server:
        if prepare:
            prepare(server)
        connector = aiohttp.TCPConnector(limit=0) if tcp else aiohttp.UnixConnector(str(uds), limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            yield Client(server, http)
