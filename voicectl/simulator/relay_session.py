"""One <ConversationRelay> session: a socket to the application, from the dialling to the close.

    dialling --101--> open --close, end, hang-up, ten bad frames--> closed
        |                \\--lost, applicationReconnect--> dialling again, frames held meanwhile
        \\--refused--> closed, never opened

Frames are judged one by one. A bad one is answered with an error, ten in a row with a close 1007; a good one starts
the count anew. After `end` nothing is listened to any more. Losing the socket in whatever way, a clean close by the
application included, is a failure (64105) unless `end` came first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from voicectl.simulator import app_frames, twiml
from voicectl.simulator.actions import Alert, CloseSocket, DropSocket, OpenSocket, SendFrame
from voicectl.simulator.knobs import Range
from voicectl.simulator.playout import Playout
from voicectl.simulator.stage import Stage, Timer
from voicectl.simulator.webhooks import Leg

CLOSING = "Closing websocket session"
TOO_MANY_BAD = "Too many consecutive malformed messages."
MOST_BAD = 10
MOST_HELD = 500
"""Frames kept for a socket that is being dialled again."""
CONNECT_SECONDS = 10.0
"""A socket that takes longer to open has failed."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session ended, as the action callback tells it."""

    status: Literal["completed", "ended", "failed"]
    delay: Range
    """From now to the action callback."""
    handoff: str | None = None
    error: tuple[int, str] | None = None
    opened: bool = True
    """False: there never was a socket."""


class RelaySession:
    def __init__(
        self,
        stage: Stage,
        leg: Leg,
        relay: twiml.Relay,
        *,
        headers: dict[str, str],
        next_socket: Callable[[], int],
        call_status: Callable[[], str],
        on_open: Callable[[], None],
        on_end: Callable[[SessionEnd], None],
    ) -> None:
        self.relay = relay
        self.transcription_language = relay.transcription_language
        self.playout = Playout(stage, relay, self.send, self._silent)
        self.session_id = ""
        self.seconds = 0.0
        """How long it was open, once it has ended."""
        self._stage = stage
        self._leg = leg
        self._headers = headers
        self._next_socket = next_socket
        self._call_status = call_status
        self._on_open = on_open
        self._on_end = on_end
        self._state: Literal["new", "dialling", "open", "lost", "closed"] = "new"
        self._socket = 0
        self._patience: Timer | None = None
        self._opened_at: float | None = None
        self._attempts = 0
        self._bad = 0
        self._frames = 0
        self._ending: SessionEnd | None = None
        """The close is decided on but not yet made."""
        self._draining = False
        self._held: list[dict[str, Any]] = []
        self._deferred: list[dict[str, Any]] = []

    # --- the socket -----------------------------------------------------------------------------------------

    def dial(self) -> None:
        if self._state == "closed":
            return
        self._state = "dialling"
        self._attempts += 1
        self._socket = self._next_socket()
        self.session_id = self.session_id or self._new_id()
        if not self.relay.dialable:
            self._stage.emit(Alert(self._stage.now, 64101, "; ".join(self.relay.faults)))
            delay = self._stage.knobs.delays.action_malformed
            self._end(SessionEnd("failed", delay, error=(64101, "Invalid parameter")))
            return
        self._stage.emit(OpenSocket(self._socket, self.relay.url, dict(self._headers)))
        self._patience = self._stage.at(self._stage.now + CONNECT_SECONDS, self._give_up_dialling)

    def opened(self) -> None:
        if self._state != "dialling":
            return
        self._stop_waiting()
        self._state = "open"
        self._attempts = 0
        self._bad = 0
        first = self._opened_at is None
        if first:
            self._opened_at = self._stage.now
        elif self._stage.knobs.reconnect_new_setup:
            self.session_id = self._new_id()
        if first or self._stage.knobs.reconnect_new_setup:
            self.send(self._setup())
            self._on_open()
        held, self._held = self._held, []
        for frame in held:
            self.send(frame)
        if first:
            if self.relay.faults or self._refused_by_knob:
                self._misconfigured("; ".join(self.relay.faults) or "refused")
            elif self.relay.greeting:
                self.playout.greet(self.relay.greeting, self._stage.knobs.delays.greeting)

    def _new_id(self) -> str:
        """Distinct for every socket of every call, and the same in every run."""
        name = f"{self._leg.call_sid}/{self._socket}"
        return "VX" + hashlib.sha256(name.encode()).hexdigest()[:32]

    def refused(self, why: str) -> None:
        if self._state != "dialling":
            return
        self._stop_waiting()
        if self._opened_at is not None:
            self._redial()
            return
        self._stage.emit(Alert(self._stage.now, 64102, f"the relay socket cannot be opened: {why}"))
        delays = self._stage.knobs.delays
        error = (64102, "Unable to connect to websocket")
        delay = delays.action_lost if self._stage.knobs.ws_fail_runs_action else delays.busy
        self._end(SessionEnd("failed", delay, error=error, opened=False))

    def lost(self, code: int) -> None:
        """The application closed the socket, or the network broke it."""
        if self._state != "open":
            return
        if self._ending is not None:
            self._end(self._ending)
        elif self.relay.application_reconnect:
            self._redial()
        else:
            self._stage.emit(Alert(self._stage.now, 64105, f"the relay socket was closed with {code}"))
            self._end(self._lost())

    def drop(self) -> None:
        """The network breaks the socket, or the attempt to open it."""
        if self._state == "dialling":
            self._stage.emit(DropSocket())
            self.refused("the network failed")
        elif self._state == "open":
            self._stage.emit(DropSocket())
            self.lost(1006)

    def hang_up(self) -> None:
        self._leave(SessionEnd("completed", self._stage.knobs.delays.action_completed))

    def time_is_up(self) -> None:
        error = (64104, "Maximum call duration reached")
        self._leave(SessionEnd("failed", self._stage.knobs.delays.action_completed, error=error))

    def _leave(self, end: SessionEnd) -> None:
        if self._ending is not None and not self._draining:
            end = self._ending
        if self._state == "open":
            self._stage.emit(CloseSocket(1000, CLOSING))
        elif self._state == "dialling":
            self._stage.emit(DropSocket())
        self._end(replace(end, opened=self._opened_at is not None))

    def _redial(self) -> None:
        """applicationReconnect: dial again; what would have been sent meanwhile is held."""
        if self._attempts >= self._stage.knobs.reconnect_attempts:
            self._stage.emit(Alert(self._stage.now, 64105, "the relay socket could not be opened again"))
            self._end(self._lost())
            return
        self._state = "lost"
        self._stage.after(self._stage.knobs.delays.reconnect, self.dial)

    def _lost(self) -> SessionEnd:
        return SessionEnd("failed", self._stage.knobs.delays.action_lost, error=(64105, "Websocket ended"))

    def _give_up_dialling(self) -> None:
        self._stage.emit(DropSocket())
        self.refused(f"no answer within {CONNECT_SECONDS:g} s")

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.do = None

    def _close(self, code: int = 1000, reason: str = CLOSING) -> None:
        """Carry out the close that was decided on, unless the socket went first."""
        if self._state == "open" and self._ending is not None:
            self._stage.emit(CloseSocket(code, reason))
            self._end(self._ending)

    def _close_as_malformed(self) -> None:
        delay = self._stage.knobs.delays.malformed_close
        self._stage.after(delay, lambda: self._close(1007, TOO_MANY_BAD))

    def _end(self, end: SessionEnd) -> None:
        if self._state == "closed":
            return
        self._stop_waiting()
        self._state = "closed"
        if self._opened_at is not None:
            self.seconds = self._stage.now - self._opened_at
        self.playout.stop()
        self._on_end(end)

    # --- frames for the application -------------------------------------------------------------------------

    def send(self, frame: dict[str, Any]) -> None:
        if self._state == "open":
            text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
            # A lone surrogate that the application smuggled in must not break the driver's encoder.
            self._stage.emit(SendFrame(text if text.isascii() else text.encode("utf-8", "replace").decode()))
            self._count_frame()
        elif self._opened_at is not None and len(self._held) < MOST_HELD and self._state != "closed":
            self._held.append(frame)

    def defer(self, frame: dict[str, Any]) -> None:
        self._deferred.append(frame)

    def _silent(self) -> None:
        deferred, self._deferred = self._deferred, []
        for frame in deferred:
            self.send(frame)
        if self._draining and self.playout.drained:
            self._draining = False
            self._stage.react(self._close)

    def _setup(self) -> dict[str, Any]:
        leg = self._leg
        return {
            "type": "setup",
            "sessionId": self.session_id,
            "callSid": leg.call_sid,
            "parentCallSid": "",
            "from": leg.caller,
            "to": leg.called,
            "forwardedFrom": leg.called if leg.direction == "inbound" and leg.call_type == "PSTN" else "",
            "callerName": "",
            "direction": leg.direction,
            "callType": leg.call_type,
            "callStatus": self._call_status().upper().replace("-", "_"),
            "accountSid": leg.account_sid,
            "customParameters": dict(self.relay.parameters),
        }

    def _count_frame(self) -> None:
        self._frames += 1
        if self._frames == self._stage.knobs.drop_after_frames and self._socket == 1:
            self._stage.at(self._stage.now, self.drop)

    # --- frames of the application --------------------------------------------------------------------------

    def message(self, data: str | bytes) -> None:
        if self._state != "open" or self._ending is not None:
            return
        self._count_frame()
        try:
            frame = app_frames.read(data)
        except app_frames.BadFrame as bad:
            self._malformed(bad)
            return
        self._bad = 0
        kind = frame["type"]
        if kind == "text":
            if "lang" in frame and not twiml.is_language(frame["lang"]):
                self._bad_language(frame["lang"])
            else:
                self.playout.text(frame)
        elif kind == "play":
            self.playout.play(frame)
        elif kind == "sendDigits":
            self.playout.digits(frame)
        elif kind == "language":
            self._switch_language(frame)
        elif kind == "end":
            self._app_ends(frame)
        else:
            self._stage.emit(Alert(self._stage.now, 0, f"{kind}: accepted, its schema is not known"))
            self._config_updated(kind)

    def _malformed(self, bad: app_frames.BadFrame) -> None:
        if not bad.known or self._stage.knobs.count_validation_failures:
            self._bad += 1
        self._complain(f"Invalid message received, code: 64107, {bad.raw}")
        if self._bad >= MOST_BAD:
            delay = self._stage.knobs.delays.action_malformed
            self._ending = SessionEnd("failed", delay, error=(64105, "Websocket ended"))
            self._stage.emit(Alert(self._stage.now, 64105, TOO_MANY_BAD))
            self._stage.react(self._close_as_malformed)

    def _switch_language(self, frame: app_frames.Frame) -> None:
        for name in ("ttsLanguage", "transcriptionLanguage"):
            if name in frame and not twiml.is_language(frame[name]):
                self._bad_language(frame[name])
                return
        self.transcription_language = frame.get("transcriptionLanguage", self.transcription_language)
        self._config_updated("language")

    def _bad_language(self, language: str) -> None:
        if self._stage.knobs.bad_lang_closes:
            self._misconfigured(f"language {language!r}")
        else:
            self._complain(f"Invalid parameter, code: 64101, language {language!r}")

    def _misconfigured(self, what: str) -> None:
        """An error, then the close: the session cannot work."""
        delay = self._stage.knobs.delays.action_malformed
        self._ending = SessionEnd("failed", delay, error=(64101, "Invalid parameter"))
        self._stage.emit(Alert(self._stage.now, 64101, what))
        self._complain(f"Invalid parameter, code: 64101, {what}")
        self._stage.react(self._close)

    def _complain(self, description: str) -> None:
        self._stage.react(lambda: self.send({"type": "error", "description": description}))

    def _app_ends(self, frame: app_frames.Frame) -> None:
        self._ending = SessionEnd("ended", self._stage.knobs.delays.action_ended, handoff=frame.get("handoffData"))
        if self._stage.knobs.end_drains_queue:
            self.playout.flush()
            if not self.playout.drained:
                self._draining = True
                return
        self._stage.react(self._close)

    def _config_updated(self, value: str) -> None:
        if "config-updated" in self.relay.events:
            self.send({"type": "info", "name": "configUpdated", "value": value})

    @property
    def _refused_by_knob(self) -> bool:
        return self._stage.knobs.refuse_configuration and self._socket == 1
