"""What a simulated call asks of its driver, and what it lets onlookers see.

Every method of `TwilioCall` returns a list of these, to be carried out in order. The first group is work: HTTP
requests, the relay socket, the end. The second group is for people who watch; nothing of it is on the wire.

All `at` are seconds on the clock of the `now` that the driver passes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Purpose = Literal["voice", "action", "status", "fallback"]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Request a webhook. Report with `answered` or `fetch_failed`, giving `id`; a redirect is an answer like any other.

    `form` is sent as application/x-www-form-urlencoded, blank values included; it is empty for a GET, whose
    parameters are in the url. After `timeout` seconds the call has given up on the answer by itself.
    """

    id: int
    purpose: Purpose
    method: str
    url: str
    headers: dict[str, str]
    form: dict[str, str]
    timeout: float = 15.0


@dataclass(frozen=True, slots=True)
class OpenSocket:
    """Connect to the application's relay socket: this url, these headers, no extensions, no subprotocol, no Origin.

    Report with `socket_opened` or `socket_refused`, then `socket_message` and `socket_closed`. `session` counts the
    sockets of this call from 1. There is never more than one: CloseSocket and DropSocket end the one before.
    """

    session: int
    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Send this text frame on the socket."""

    text: str


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Twilio closes the socket. What the application does to it from now on need not be reported."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class DropSocket:
    """The socket is lost: reset the connection without a close frame, or give up connecting."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The call is over; nothing follows. `status` is its last CallStatus: completed, busy, failed, canceled …"""

    status: str
    why: str


@dataclass(frozen=True, slots=True)
class AgentStarted:
    """The agent became audible."""

    at: float


@dataclass(frozen=True, slots=True)
class AgentSaying:
    """A chunk of agent speech begins and will take `seconds` if nobody cuts it; see speech_clock for its words."""

    at: float
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AgentPlaying:
    """A file begins to play and will take `seconds` if nobody cuts it."""

    at: float
    source: str
    seconds: float


@dataclass(frozen=True, slots=True)
class AgentSpoke:
    """A chunk was audible to its end or, `cut`, only this much of it."""

    at: float
    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class AgentStopped:
    """The agent fell silent."""

    at: float


@dataclass(frozen=True, slots=True)
class CallerStarted:
    """The caller began to make sounds."""

    at: float


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """A transcript of the caller. `reported` tells whether the application was sent it."""

    at: float
    text: str
    final: bool
    reported: bool = True


@dataclass(frozen=True, slots=True)
class CallerCutIn:
    """The caller interrupted the agent, who had got as far as `heard` in the chunk being spoken."""

    at: float
    heard: str


@dataclass(frozen=True, slots=True)
class KeyDialled:
    """The caller pressed a key, or the agent had one sent."""

    at: float
    key: str
    by_agent: bool = False


@dataclass(frozen=True, slots=True)
class Verb:
    """A TwiML verb was carried out: Say, Dial, Hangup … `text` is what stood in it, e.g. the number dialled."""

    at: float
    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """What Twilio would put into its debugger: an error or warning code with a sentence.

    Code 0 is a remark of the simulator's own.
    """

    at: float
    code: int
    text: str


Observation = (
    AgentStarted
    | AgentSaying
    | AgentPlaying
    | AgentSpoke
    | AgentStopped
    | CallerStarted
    | CallerSaid
    | CallerCutIn
    | KeyDialled
    | Verb
    | Alert
)
Action = Fetch | OpenSocket | SendFrame | CloseSocket | DropSocket | CallOver | Observation
