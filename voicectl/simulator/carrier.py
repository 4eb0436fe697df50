"""Twilio's side of one ConversationRelay call: a state machine without I/O.

    webhook -> TwiML -> relay socket -> ... -> close -> action callback -> TwiML -> ... -> status callback -> over

A driver carries out what the methods return (HTTP requests, a WebSocket) and reports what came of it, with the time
as an argument; nothing here reads a clock or waits. The same seed, inputs and times give the same actions.

The parts: `twiml` reads documents, `relay_session` is one socket, `playout` what the caller hears, `hearing` what is
heard of the caller, `webhooks` the signed requests, `program` TwiML being carried out, `call` the course of it all, and
`stage` the timers they share. This file is the door.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from voicectl.simulator.actions import (
    Action,
    AgentPlaying,
    AgentSaying,
    AgentSpoke,
    AgentStarted,
    AgentStopped,
    Alert,
    CallerCutIn,
    CallerSaid,
    CallerStarted,
    CallOver,
    CloseSocket,
    DropSocket,
    Fetch,
    KeyDialled,
    Observation,
    OpenSocket,
    SendFrame,
    Verb,
)
from voicectl.simulator.call import Account, Call, StatusEvent
from voicectl.simulator.knobs import Delays, Knobs
from voicectl.simulator.relay_session import RelaySession
from voicectl.simulator.stage import Stage
from voicectl.simulator.webhooks import Leg

__all__ = [
    "Action",
    "AgentPlaying",
    "AgentSaying",
    "AgentSpoke",
    "AgentStarted",
    "AgentStopped",
    "Alert",
    "CallOver",
    "CallerCutIn",
    "CallerSaid",
    "CallerStarted",
    "CloseSocket",
    "Delays",
    "DropSocket",
    "Fetch",
    "KeyDialled",
    "Knobs",
    "Observation",
    "OpenSocket",
    "SendFrame",
    "TwilioCall",
    "Verb",
]


class TwilioCall:
    """Every method takes `now` (seconds, any origin, never going back) and returns what the driver must do, in order.

    The driver calls `start` once, reports what became of each Fetch and OpenSocket, and calls `advance` when the
    time `due` has come. The methods of the person on the line (`speak`, `press`, `hang_up`) may be called any time.
    Reports that come too late (an answer to a request given up on, a message of a socket that is gone) are ignored.

    `call_sid` is made from the seed unless given: a server that remembers calls needs a fresh one for every run.
    `status_events` are those that `status_url` is subscribed to; a number's own callback knows `completed` only.
    """

    def __init__(
        self,
        *,
        voice_url: str,
        auth_token: str,
        account_sid: str = "AC" + "0" * 32,
        call_sid: str | None = None,
        caller: str = "+15550100001",
        called: str = "+15550100002",
        direction: str = "inbound",
        status_url: str | None = None,
        status_events: Sequence[StatusEvent] = ("completed",),
        fallback_url: str | None = None,
        knobs: Knobs = Knobs(),
        seed: int = 0,
    ) -> None:
        call_sid = call_sid or f"CA{random.Random(f'call {seed}').getrandbits(128):032x}"
        self._stage = Stage(knobs, seed)
        leg = Leg(account_sid, call_sid, caller, called, direction)
        account = Account(auth_token, voice_url, status_url, status_events, fallback_url)
        self._call = Call(self._stage, leg, account)
        self.call_sid = call_sid

    # --- the driver's side ----------------------------------------------------------------------------------

    def start(self, now: float) -> list[Action]:
        """The call comes in, or, outbound, is placed."""
        return self._do(now, self._call.begin)

    def answered(self, fetch_id: int, status: int, content_type: str, body: bytes | str, now: float) -> list[Action]:
        """A webhook was answered: HTTP status, Content-Type header ("" if none) and body."""
        return self._do(now, lambda: self._call.fetched(fetch_id, status, content_type, body))

    def fetch_failed(self, fetch_id: int, why: str, now: float) -> list[Action]:
        """There was no HTTP answer at all."""
        return self._do(now, lambda: self._call.not_fetched(fetch_id, why))

    def socket_opened(self, now: float, *, session: int | None = None) -> list[Action]:
        """The upgrade was answered 101. `session` (here and below) is OpenSocket's; None stands for the latest."""
        return self._do(now, lambda: self._call.with_session(session, RelaySession.opened))

    def socket_refused(self, status: int | None, now: float, *, session: int | None = None) -> list[Action]:
        """`status` is the HTTP status of the refused upgrade, None when there was no connection at all."""
        why = "no connection" if status is None else f"HTTP {status}"
        return self._do(now, lambda: self._call.with_session(session, lambda it: it.refused(why)))

    def socket_message(self, data: str | bytes, now: float, *, session: int | None = None) -> list[Action]:
        """A text (str) or binary (bytes) message of the application."""
        return self._do(now, lambda: self._call.with_session(session, lambda it: it.message(data)))

    def socket_closed(self, code: int, now: float, *, session: int | None = None) -> list[Action]:
        """The application closed the socket, or it was lost (1006)."""
        return self._do(now, lambda: self._call.with_session(session, lambda it: it.lost(code)))

    @property
    def due(self) -> float | None:
        """When `advance` wants to be called next; None: not before something else happens."""
        return self._stage.due

    def advance(self, now: float) -> list[Action]:
        """Time has passed."""
        return self._do(now, lambda: None)

    # --- the person on the line -----------------------------------------------------------------------------

    def speak(
        self,
        text: str,
        now: float,
        *,
        seconds: float | None = None,
        finals: Sequence[str] | None = None,
        partials: Sequence[tuple[float, str]] | None = None,
        vad: float | None = None,
        final_after: float | None = None,
        gap: float | None = None,
        cuts: bool | None = None,
        lang: str | None = None,
    ) -> list[Action]:
        """The caller begins to say `text`; speaker events, partials and finals follow by themselves.

        `seconds` is how long it takes (default: a normal pace). `finals` splits it into several final prompts; an
        empty tuple is sound that is never recognised. `partials` gives transcripts as (seconds from now, text)
        instead of made up ones, `vad` when the sound is noticed, `final_after` the silence before the final, `gap`
        the silence between one part of `finals` and the next, all in seconds. `cuts` decides whether this cuts the
        agent off: True, the mere sound does; False, not even words; None, as the relay's settings have it. `lang` is
        the language spoken, where recognition would tell (`multi`). Speaking again before the final continues the
        utterance.
        """
        return self._do(
            now,
            lambda: self._call.hearing.speak(
                text,
                seconds=seconds,
                finals=finals,
                partials=partials,
                vad=vad,
                final_after=final_after,
                gap=gap,
                cuts=cuts,
                lang=lang,
            ),
        )

    def press(self, keys: str, now: float) -> list[Action]:
        """The caller presses keys (0-9, *, #, A-D), 380 ms apart; `w` is a pause of half a second."""
        return self._do(now, lambda: self._call.hearing.press(keys))

    def hang_up(self, now: float) -> list[Action]:
        return self._do(now, self._call.hang_up)

    def drop(self, now: float) -> list[Action]:
        """The network loses the socket."""
        return self._do(now, lambda: self._call.with_session(None, RelaySession.drop))

    # --- looking --------------------------------------------------------------------------------------------

    @property
    def agent_speaking(self) -> bool:
        """As agentSpeaking reports it."""
        return self._call.session is not None and self._call.session.playout.speaking

    @property
    def caller_speaking(self) -> bool:
        """The caller makes sounds at this moment."""
        return self._call.hearing.caller_speaking

    @property
    def playing(self) -> str:
        """What has been audible so far of the chunk being spoken, as of the latest `now`."""
        return self._call.session.playout.heard if self._call.session is not None else ""

    @property
    def over(self) -> bool:
        return self._call.over

    @property
    def sessions(self) -> tuple[str, ...]:
        """The SessionIds so far."""
        return tuple(self._call.session_ids)

    @property
    def status(self) -> str:
        """CallStatus as in webhooks: ringing, in-progress, completed, busy, failed …"""
        return self._call.status

    def _do(self, now: float, deed: Callable[[], None]) -> list[Action]:
        if not self._call.over:
            self._stage.run(now)
        if not self._call.over:
            deed()
            self._stage.run(self._stage.now)
        return self._stage.take()
