"""The relay socket: Twilio's WebSocket on one side, the conversation of a call on the other.

A socket proves itself twice. The upgrade request is signed, or it is refused with 403 before it is accepted; but
that signature is the same for every call for ever, so the first frame, `setup`, must also bring the one-time token
that the voice webhook minted for this call. Until then nothing is stored, no model is asked, and the socket has five
seconds. Bad frames are dropped and counted; a call survives all but a flood of them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from voicectl.carriers import _relay as relay
from voicectl.carriers.attributes import AGENT_PARAMETER, TOKEN_PARAMETER, greeting_in
from voicectl.carriers.signature import SignatureCheck, SignatureError
from voicectl.conversation.events import EndReason, Failed
from voicectl.conversation.turns import Closing, Turn
from voicectl.ports import CallInfo, CallStore
from voicectl.server.admission import Admission
from voicectl.services.agents import Agents
from voicectl.services.manners import MULTI
from voicectl.services.voice_agent import LiveCall, VoiceAgentService
from voicectl.settings import RelaySettings

log = logging.getLogger(__name__)

PATH = "/api/v1/voice/conversation-relay"
SETUP_SECONDS = 5.0
MAX_BAD_FRAMES = 20
MAX_UNPROVEN = 50
"""Sockets that have not proved themselves yet, at once."""
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013


class RelayLine:
    """ports.CallerLine over a WebSocket.

    What is heard or spoken as "multi" is so in every language: there is nothing to switch.
    """

    def __init__(self, socket: WebSocket, settings: RelaySettings | None = None) -> None:
        """`settings` are those that the call was connected with."""
        self._socket = socket
        given = settings or RelaySettings()
        self._speaks_all = (given.tts_language or given.language) == MULTI
        self._hears_all = (given.transcription_language or given.language) == MULTI

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        await self._send(relay.text(text, last=last, preemptible=preemptible or None))

    async def send_digits(self, digits: str) -> None:
        await self._send(relay.send_digits(digits))

    async def switch_language(self, language: str) -> None:
        tts, transcription = None if self._speaks_all else language, None if self._hears_all else language
        if tts is not None or transcription is not None:
            await self._send(relay.language(tts=tts, transcription=transcription))

    async def end(self, closing: Closing, destination: str = "") -> None:
        await self._send(relay.end(destination if closing == "person" and destination else closing))

    async def close(self, code: int = 1011) -> None:
        try:
            await self._socket.close(code)
        except (RuntimeError, WebSocketDisconnect, OSError):
            pass  # it is closed already

    async def _send(self, frame: str) -> None:
        try:
            await self._socket.send_text(frame)
        except (RuntimeError, WebSocketDisconnect, OSError) as gone:
            raise ConnectionError("the relay socket is closed") from gone


class ConversationRelayHandler:
    """Accepts relay sockets and keeps the registry of those that are open."""

    def __init__(
        self,
        *,
        agent: VoiceAgentService,
        agents: Agents,
        store: CallStore,
        signatures: SignatureCheck,
        admission: Admission,
        account_sid: str = "",
    ) -> None:
        self.live: dict[str, LiveCall] = {}
        """Open sockets that have proved themselves, by session id."""
        self.unproven = 0
        self.counts: Counter[str] = Counter()
        """What came in that nobody asked for, by kind: bad_frame, unknown types and info names, refused sockets."""
        self._agent = agent
        self._store = store
        self._signatures = signatures
        self._agents = agents
        self._admission = admission
        self._account_sid = account_sid

    async def __call__(self, socket: WebSocket) -> None:
        """Serve one socket from its upgrade request to the end of its call."""
        try:
            self._signatures.upgrade(
                socket.scope["path"],
                socket.scope["query_string"],
                socket.headers.get("x-twilio-signature"),
                shared_key=socket.headers.get("x-twilio-webhooks-signature-settings"),
            )
        except SignatureError:
            self._refused("signature")
            await socket.close(POLICY_VIOLATION)  # before accept: the client gets 403
            return
        if self.unproven >= MAX_UNPROVEN:
            self._refused("unproven")
            await socket.close(TRY_AGAIN_LATER)
            return
        self.unproven += 1
        try:
            await socket.accept()
            setup = await self._setup(socket)
        finally:
            self.unproven -= 1
        if setup is None:
            await RelayLine(socket).close(POLICY_VIOLATION)
            return
        await self._serve(socket, setup)

    async def _setup(self, socket: WebSocket) -> relay.Setup | None:
        """The proven first frame, or None."""
        try:
            async with asyncio.timeout(SETUP_SECONDS):
                frame = relay.decode(await _receive(socket))
                if not isinstance(frame, relay.Setup):
                    self._refused("no_setup")
                    return None
                if self._account_sid and frame.account_sid != self._account_sid:
                    self._refused("account")
                    return None
                if frame.session_id in self.live:
                    self._refused("session")
                    return None
                token = frame.custom_parameters.get(TOKEN_PARAMETER, "")
                if not token or not await self._store.redeem_token(frame.call_sid, token):
                    self._refused("token")
                    return None
                return frame
        except TimeoutError:
            self._refused("no_setup")
        except WebSocketDisconnect:
            self.counts["left_before_setup"] += 1
        except Exception:
            log.exception("a socket could not be set up")
            self.counts["setup_failed"] += 1
        return None

    def _refused(self, why: str) -> None:
        self.counts[f"refused_{why}"] += 1
        log.warning("a relay socket was refused", extra={"why": why})

    async def _serve(self, socket: WebSocket, setup: relay.Setup) -> None:
        fresh = setup.call_status.upper() == "RINGING" or not setup.direction.startswith("inbound")
        # As the webhook has chosen; a name that is none of our agents' means nothing here.
        agent = self._agents.choose(setup.called, setup.custom_parameters.get(AGENT_PARAMETER, ""))
        greeting = greeting_in(setup.custom_parameters)
        info = CallInfo(
            sid=setup.call_sid,
            session=setup.session_id,
            caller=setup.caller,
            called=setup.called,
            direction="inbound" if setup.direction.startswith("inbound") else "outbound",
            language=agent.manners.language,
            agent=agent.name,
            resumed=not fresh,
        )
        line = RelayLine(socket, agent.settings.relay)
        call = self._agent.answer(info, line, greeting, await self._history(info), agent)
        self.live[setup.session_id] = call
        self._admission.begins(setup.call_sid)
        reason: EndReason = "internal"
        try:
            reason = await self._read(socket, call)
        except WebSocketDisconnect as closed:
            # ConversationRelay: Twilio closes with 1000 after `end` and when the caller hangs up.
            hung_up: EndReason = "ended" if call.ended_by_us else "hung_up"
            reason = hung_up if closed.code == 1000 else "socket_lost"
        finally:
            if reason == "protocol":
                log.warning("a relay socket was closed", extra={"why": "it did not speak the protocol"})
            if socket.application_state != WebSocketState.DISCONNECTED:
                await line.close(POLICY_VIOLATION if reason == "protocol" else 1011)
            try:
                await call.finish(reason)
            finally:
                del self.live[setup.session_id]
                self._admission.ends(setup.call_sid)

    async def _history(self, info: CallInfo) -> tuple[Turn, ...]:
        """What was said on the call's earlier sockets."""
        if not info.resumed:
            return ()
        try:
            return tuple(await self._store.turns(info.sid))
        except Exception:
            log.exception("the earlier turns of a call could not be read")
            return ()

    async def _read(self, socket: WebSocket, call: LiveCall) -> EndReason:
        bad = 0
        while True:
            frame = relay.decode(await _receive(socket))
            event = relay.to_event(frame, call.now)
            if event is not None:
                call.post(event)
            elif isinstance(frame, relay.BadFrame):
                bad += 1
                self.counts["bad_frame"] += 1
                if bad > MAX_BAD_FRAMES:
                    return "protocol"
            elif isinstance(frame, relay.Setup):
                self.counts["second_setup"] += 1
                return "protocol"
            elif isinstance(frame, relay.Error):
                self.counts[f"error_{frame.code}"] += 1
                call.post(Failed(call.now, "carrier", f"error_{frame.code}"))
            elif isinstance(frame, relay.Info):
                self.counts[f"info_{frame.name[:32]}"] += 1
            elif isinstance(frame, relay.Unknown):
                self.counts["unknown_type"] += 1


async def _receive(socket: WebSocket) -> str | bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
    text: str | None = message.get("text")
    return text if text is not None else message["bytes"]
