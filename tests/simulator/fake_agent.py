"""A small agent of its own kind, written straight from the protocol: a second server for the simulator's tests.

It shares no code with voicectl's server. It answers from a table, says goodbye, hands over to a person, asks again
after a silence, and keeps a diary of all it was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from twilio.request_validator import RequestValidator

PUBLIC = "https://voice.example.com/shop"
TOKEN = "a secret that only the two of us know"
ANSWERS = {
    "hours": "We are open from nine to six, Tuesday to Sunday.",
    "long": "The first thing is this. The second thing is that. The third thing is something else again.",
    "bye": "Thank you for calling, goodbye.",
    "person": "One moment, I will put you through.",
}


class FakeAgent:
    def __init__(
        self, *, greeting: str = "Hello, how can I help?", reprompt: float | None = None, relay: str = ""
    ) -> None:
        self.greeting = greeting
        self.reprompt = reprompt
        self.relay = relay
        """More attributes of <ConversationRelay>."""
        self.farewell = "<Hangup/>"
        """What the action callback answers, unless a person is wanted."""
        self.diary: list[tuple[str, Any]] = []
        """("POST /path", form), ("frame", frame), ("close", code), in the order of things."""
        self.sockets: list[web.WebSocketResponse] = []
        self._timer: asyncio.TimerHandle | None = None
        self._leaving = ""

    def frames(self, kind: str) -> list[dict[str, Any]]:
        return [what for name, what in self.diary if name == "frame" and what["type"] == kind]

    @contextlib.asynccontextmanager
    async def serve(self, uds: str | None = None) -> AsyncIterator[str]:
        """Serve on a UNIX socket, or on loopback; yields the address."""
        app = web.Application()
        # The proxy in front of it strips /shop.
        app.router.add_post("/voice", self._voice)
        app.router.add_post("/action", self._action)
        app.router.add_get("/relay", self._relay)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.UnixSite(runner, uds) if uds else web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield uds or f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            if self._timer is not None:
                self._timer.cancel()
            await runner.cleanup()

    async def _signed(self, request: web.Request, url: str) -> dict[str, str]:
        form = dict(await request.post())
        given = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(url, form, given) or request.host != "voice.example.com":
            raise web.HTTPForbidden
        self.diary.append((f"{request.method} {request.path}", form))
        return {name: str(value) for name, value in form.items()}

    async def _voice(self, request: web.Request) -> web.Response:
        await self._signed(request, PUBLIC + "/voice")
        return await self._voice_again()

    async def _voice_again(self) -> web.Response:
        return _twiml(
            f'<Connect action="{PUBLIC}/action"><ConversationRelay url="wss://voice.example.com/shop/relay" '
            f'welcomeGreeting="{self.greeting}" interruptible="any" dtmfDetection="true" '
            f'events="speaker-events tokens-played" {self.relay}/></Connect>'
        )

    async def _action(self, request: web.Request) -> web.Response:
        form = await self._signed(request, PUBLIC + "/action")
        return _twiml("<Dial>+15550100077</Dial>" if form.get("HandoffData") == "person" else self.farewell)

    async def _relay(self, request: web.Request) -> web.WebSocketResponse:
        await self._signed(request, "wss://voice.example.com/shop/relay")
        self.diary.append(("extensions", request.headers.get("Sec-WebSocket-Extensions")))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._frame(socket, json.loads(message.data))
        self.diary.append(("close", socket.close_code))
        return socket

    async def _frame(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.diary.append(("frame", frame))
        if self._timer is not None:
            self._timer.cancel()
        if frame["type"] == "dtmf":
            await self.say(socket, f"You pressed {frame['digit']}.")
        elif frame["type"] == "prompt" and frame["last"]:
            words = frame["voicePrompt"].lower()
            self._leaving = next((word for word in ("bye", "person") if word in words), "")
            if "crash" in words:
                await socket.close(code=WSCloseCode.INTERNAL_ERROR)
                return
            answer = next((text for word, text in ANSWERS.items() if word in words), f"You said {words}")
            await self.say(socket, answer)
        elif frame == {"type": "info", "name": "agentSpeaking", "value": "off"}:
            if self._leaving:
                await socket.send_json({"type": "end", "handoffData": self._leaving})
            elif self.reprompt is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self.reprompt, lambda: loop.create_task(self.say(socket, "Still there?")))

    async def say(self, socket: web.WebSocketResponse, text: str) -> None:
        words = text.split(" ")
        for number, word in enumerate(words):
            await socket.send_json({"type": "text", "token": word if number == 0 else f" {word}", "last": False})
        await socket.send_json({"type": "text", "token": "", "last": True})


def _twiml(body: str) -> web.Response:
    return web.Response(text=f"<?xml version='1.0'?><Response>{body}</Response>", content_type="text/xml")
