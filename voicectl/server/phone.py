"""The telephone in the browser: a simulated caller whose words somebody types.

The page says what the caller does; a simulated Twilio places the call at our own public listener, over the same
webhook and the same signed socket as a real one; the page is shown what Twilio would make audible.

    page → {"do": "call"} {"do": "say", "text": …} {"do": "keys", "keys": …} {"do": "hang_up"}
    page ← {"type": "AgentSaying", "at": …, …}   observations of the simulator, and TokensArrived, CallOver, Trouble
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import secrets
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from voicectl.simulator.carrier import CallOver, TwilioCall
from voicectl.simulator.line import PhoneLine, Route

MAX_TEXT = 1000
MAX_CALLS = 8
"""Browser calls at once."""


class PhoneBooth:
    def __init__(self, *, voice_url: str, route: Route, auth_token: str, account_sid: str) -> None:
        self._voice_url = voice_url
        self._route = route
        self._auth_token = auth_token
        self._account_sid = account_sid
        self._busy = 0

    async def serve(self, socket: WebSocket) -> None:
        """One page: any number of calls, one after the other, until the page is closed."""
        await socket.accept()
        visitor = _Visitor(self, socket)
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                visitor.do(message.get("text") or "")
        finally:
            await visitor.leave()

    def line(self, watch: Any) -> PhoneLine | None:
        """A telephone, if one is free."""
        if self._busy >= MAX_CALLS:
            return None
        call = TwilioCall(
            voice_url=self._voice_url,
            auth_token=self._auth_token,
            account_sid=self._account_sid,
            call_sid=f"CA{secrets.token_hex(16)}",
            seed=secrets.randbits(32),
        )
        return PhoneLine(call, self._route, watch)

    async def place(self, line: PhoneLine) -> Any:
        self._busy += 1
        try:
            return await line.run()
        finally:
            self._busy -= 1


class _Visitor:
    """Somebody with the page open."""

    def __init__(self, booth: PhoneBooth, socket: WebSocket) -> None:
        self._booth = booth
        self._socket = socket
        self._line: PhoneLine | None = None
        self._call: asyncio.Task[None] | None = None
        self._news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._teller = asyncio.ensure_future(self._tell())

    def do(self, text: str) -> None:
        """Perform what the page asks for; what makes no sense is answered with Trouble."""
        try:
            wish = json.loads(text[: 4 * MAX_TEXT])
            what = wish["do"]
            words = str(wish.get("text") or wish.get("keys") or "")[:MAX_TEXT].strip()
        except (ValueError, KeyError, TypeError, RecursionError):
            self._trouble("that was not understood")
            return
        if what == "call":
            if self._call is None or self._call.done():
                self._call = asyncio.ensure_future(self._place())
            return
        line = self._line
        if line is None or line.over is not None:
            self._trouble("there is no call")
        elif what == "say" and words:
            line.speak(words)
        elif what == "keys" and words and set(words) <= set("0123456789*#w"):
            line.press(words)
        elif what == "hang_up":
            line.hang_up()
        else:
            self._trouble("that cannot be done")

    async def leave(self) -> None:
        """The page is closed: whoever was on the telephone hangs up."""
        if self._line is not None and self._line.over is None:
            self._line.hang_up()
        if self._call is not None:
            try:
                async with asyncio.timeout(10):
                    await asyncio.gather(self._call, return_exceptions=True)
            except TimeoutError:
                self._call.cancel()
                await asyncio.gather(self._call, return_exceptions=True)
        self._teller.cancel()
        await asyncio.gather(self._teller, return_exceptions=True)

    async def _place(self) -> None:
        line = self._booth.line(self._saw)
        if line is None:
            self._saw(CallOver("busy", "all telephones are in use"))
            return
        self._line = line
        self._saw(await self._booth.place(line))

    def _saw(self, seen: Any) -> None:
        self._news.put_nowait({"type": type(seen).__name__, **dataclasses.asdict(seen)})

    def _trouble(self, why: str) -> None:
        self._news.put_nowait({"type": "Trouble", "why": why})

    async def _tell(self) -> None:
        while True:
            news = await self._news.get()
            try:
                await self._socket.send_text(json.dumps(news))
            except (RuntimeError, WebSocketDisconnect, OSError):
                return
