"""The course of a call: from the voice webhook by way of TwiML and its sessions to the last status callback.

- The action callback follows every session that was open. Its answer is run unless the call is over by then: after
  `end` and after a lost socket the call is alive.
- A first socket that cannot be opened: the caller hears busy, no action callback (knob ws_fail_runs_action).
- A webhook has 15 seconds; what fails is asked of the fallback url, and failing that the call ends.
- The status callback comes last, some time after the action callback was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from voicectl.simulator import twiml, webhooks
from voicectl.simulator.actions import Alert, CallOver, Fetch, Purpose
from voicectl.simulator.hearing import Hearing
from voicectl.simulator.program import Program, Webhook
from voicectl.simulator.relay_session import RelaySession, SessionEnd
from voicectl.simulator.stage import Stage, Timer

WEBHOOK_SECONDS = 15.0
StatusEvent = Literal["initiated", "ringing", "answered", "completed"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose number is called, and what Twilio asks when it is."""

    auth_token: str
    voice_url: str
    status_url: str | None
    status_events: Sequence[StatusEvent]
    fallback_url: str | None


@dataclass(frozen=True, slots=True)
class _Pending:
    """A request under way."""

    purpose: Purpose
    url: str
    timer: Timer


class Call:
    def __init__(self, stage: Stage, leg: webhooks.Leg, account: Account) -> None:
        self.hearing = Hearing(stage)
        self.session: RelaySession | None = None
        self.session_ids: list[str] = []
        self.status = "ringing" if leg.direction == "inbound" else "initiated"
        self.over = False
        self._stage = stage
        self._leg = leg
        self._account = account
        self._answered_at: float | None = None
        self._hung_up = False
        """The line is cut; what is still to be posted is posted."""
        self._finished = False
        self._why = ""
        """Why the call ended, once that is known."""

        self._fetches = 0
        self._pending: dict[int, _Pending] = {}
        self._status_posts = 0
        self._last_post = 0
        """The request that is the last: the `completed` status callback."""
        self._action_owed = False
        """An action callback is still to be posted or to be answered."""
        self._program = Program(stage, self)
        self._action: Webhook | None = None
        """What <Connect> said is to be asked when the session is over."""
        self._sockets = 0

    # --- beginning and end ----------------------------------------------------------------------------------

    def begin(self) -> None:
        stage = self._stage
        if self._leg.direction == "inbound":
            more = {"CallToken": "simulated", "StirVerstat": "TN-Validation-Passed-C"}
            self._fetch("voice", ("POST", self._account.voice_url), more)
            return
        self._post_status("initiated", late=0.2 if stage.knobs.status_out_of_order else 0.0)
        stage.at(stage.now + 0.1, self._ring)
        stage.at(stage.now + 0.3 + stage.draw(stage.knobs.delays.ring), self._picked_up)

    def _ring(self) -> None:
        if not self._hung_up:
            self.status = "ringing"
            self._post_status("ringing")

    def _picked_up(self) -> None:
        if not self._hung_up:
            self.answer()
            self._post_status("answered")
            self._fetch("voice", ("POST", self._account.voice_url), {})

    def hang_up(self) -> None:
        if self._hung_up:
            return
        session = self.session
        if session is not None and session.relay.partial_prompt_on_hangup:
            prompt = self.hearing.unfinished_prompt(session)
            if prompt is not None:
                session.send(prompt)
        self._cut_line("the caller hung up", RelaySession.hang_up)

    def _time_is_up(self) -> None:
        if not self._hung_up:
            why = "the longest time a call can last"
            self._stage.emit(Alert(self._stage.now, 64104, why))
            self._cut_line(why, RelaySession.time_is_up)

    def _cut_line(self, why: str, close: Callable[[RelaySession], None]) -> None:
        self._hung_up = True
        self.status = "canceled" if self._answered_at is None else "completed"
        self._why = why
        self.hearing.hang_up()
        if self.session is not None:
            close(self.session)
        elif not self._action_owed:
            self.finish(self.status, why)

    def _end(self) -> None:
        self.over = True
        self._stage.clear()
        self._stage.emit(CallOver(self.status, self._why))

    # --- what TwiML asks for (program.Host) -----------------------------------------------------------------

    def answer(self) -> None:
        """The call is in progress from now on."""
        if self._answered_at is None:
            self.status = "in-progress"
            self._answered_at = self._stage.now
            self._stage.at(self._stage.now + self._stage.knobs.max_call_seconds, self._time_is_up)

    def redirect(self, webhook: Webhook) -> None:
        self._fetch("voice", webhook, {})

    def dialled(self, action: Webhook, status: str, seconds: float) -> None:
        self._action_owed = True
        self._fetch("action", action, {"DialCallStatus": status, "DialCallDuration": str(int(seconds))})

    def finish(self, unanswered: str, why: str) -> None:
        """Nothing is left to do but the status callback. A call that was answered is always `completed`."""
        if self._finished:
            return
        self._finished = self._hung_up = True
        self.status = unanswered if self._answered_at is None else "completed"
        self._why = why
        self.hearing.hang_up()
        self._program.stop()
        if self._account.status_url is None or "completed" not in self._account.status_events:
            self._end()
        else:
            self._stage.after(self._stage.knobs.delays.status, self._post_last_status)

    def connect(self, relay: twiml.Relay, action: Webhook | None) -> None:
        self._action = action
        session = RelaySession(
            self._stage,
            self._leg,
            relay,
            headers=webhooks.upgrade_headers(
                self._account.auth_token, relay.url, query_as_parameters=self._stage.knobs.query_as_parameters
            ),
            next_socket=self._next_socket,
            call_status=lambda: self.status,
            on_open=self._session_open,
            on_end=self._session_over,
        )
        self.session = session
        self._stage.after(self._stage.knobs.delays.setup, session.dial)

    # --- sessions -------------------------------------------------------------------------------------------

    def _next_socket(self) -> int:
        self._sockets += 1
        return self._sockets

    def with_session(self, number: int | None, do: Callable[[RelaySession], None]) -> None:
        """Do it with the session, unless what is reported is of an earlier socket than the latest."""
        if self.session is not None and number in (None, self._sockets):
            do(self.session)

    def _session_open(self) -> None:
        assert self.session is not None
        self.hearing.ear = self.session
        self.session_ids.append(self.session.session_id)
        self.answer()

    def _session_over(self, end: SessionEnd) -> None:
        session, self.session = self.session, None
        assert session is not None
        self.hearing.ear = None
        stage, action = self._stage, self._action
        if not end.opened:
            if self._hung_up:
                self.finish(self.status, self._why)
                return
            if not stage.knobs.ws_fail_runs_action:
                stage.after(end.delay, lambda: self.finish("busy", "the relay socket could not be opened"))
                return
        if action is not None:
            fields = {
                "SessionId": session.session_id,
                "SessionStatus": end.status,
                "SessionDuration": str(int(session.seconds)),
            }
            if end.handoff is not None:
                fields["HandoffData"] = end.handoff
            if end.error is not None:
                code, text = end.error
                fields |= {"ErrorCode": str(code), "ErrorMessage": text}
            self._action_owed = True
            stage.after(end.delay, lambda: self._fetch("action", action, fields))
        elif self._hung_up:
            self.finish(self.status, self._why)
        else:
            self._program.go_on()

    # --- webhooks -------------------------------------------------------------------------------------------

    def _fetch(self, purpose: Purpose, webhook: Webhook, more: dict[str, str]) -> int:
        method, url = webhook
        fields = webhooks.form(self._leg, self.status, **more)
        address, headers, form = webhooks.signed(self._account.auth_token, method, url, fields)
        self._fetches += 1
        number = self._fetches
        patience = self._stage.at(
            self._stage.now + WEBHOOK_SECONDS,
            lambda: self.not_fetched(number, f"no answer within {WEBHOOK_SECONDS:g} s"),
        )
        self._pending[number] = _Pending(purpose, url, patience)
        self._stage.emit(Fetch(number, purpose, method, address, headers, form, WEBHOOK_SECONDS))
        return number

    def fetched(self, number: int, status: int, content_type: str, body: bytes | str) -> None:
        request = self._settle(number)
        if request is None:
            return
        if not 200 <= status < 300:
            self._document_failed(request, 11200, f"HTTP {status}")
            return
        try:
            document = twiml.parse(body, content_type)
        except twiml.TwimlError as bad:
            self._document_failed(request, bad.code, str(bad))
            return
        self._program.run(document, request.url)

    def not_fetched(self, number: int, why: str) -> None:
        request = self._settle(number)
        if request is not None:
            self._document_failed(request, 11200, why)

    def _settle(self, number: int) -> _Pending | None:
        """The request that was answered, or not; None where nothing hangs on its answer any more."""
        request = self._pending.pop(number, None)
        if request is None:
            return None
        request.timer.do = None
        if request.purpose == "status":
            if number == self._last_post:
                self._end()
            return None
        if request.purpose == "action":
            self._action_owed = False
            if self._hung_up:
                self.finish(self.status, self._why)
        return None if self._hung_up else request

    def _document_failed(self, request: _Pending, code: int, why: str) -> None:
        self._stage.emit(Alert(self._stage.now, code, f"{request.url}: {why}"))
        if request.purpose != "fallback" and self._account.fallback_url is not None:
            more = {"ErrorCode": str(code), "ErrorUrl": request.url}
            self._fetch("fallback", ("POST", self._account.fallback_url), more)
        else:
            self.finish("failed", f"{code}: {why}")

    def _post_last_status(self) -> None:
        seconds = 0 if self._answered_at is None else int(self._stage.now - self._answered_at)
        self._last_post = self._post_status("completed", CallDuration=str(seconds), Duration=str(-(-seconds // 60)))

    def _post_status(self, event: StatusEvent, *, late: float = 0.0, **more: str) -> int:
        """Post what has happened to the call, so many seconds late. Returns the request's number, 0 if not yet made."""
        url = self._account.status_url
        if url is None or event not in self._account.status_events:
            return 0
        more |= {
            "CallStatus": self.status,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._status_posts),
            "Timestamp": webhooks.timestamp(self._stage.now),
        }
        self._status_posts += 1
        if late:
            self._stage.at(self._stage.now + late, lambda: self._fetch("status", ("POST", url), more))
            return 0
        return self._fetch("status", ("POST", url), more)
