"""What can happen to a call.

Every event carries `at`: seconds since the call's socket opened, stamped by the driver. Two events that look
equal are equal; nothing here reads a clock, and nothing here is changed after it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicectl.conversation.turns import Closing, Passage, ToolCall, ToolStatus, Turn, Usage

Timer = Literal[
    "reply",  # the reply is overdue: its first word, the next one, its last
    "playout",  # what was said is reckoned to have been heard
    "silence",  # the caller says nothing
    "keys",  # no further key
    "close",  # the call can be ended
    "guess",  # the caller has paused, and may have finished
    "hold",  # what the caller said seemed unfinished, and nothing has followed
    "resume",  # the agent was cut off, and no words have followed
    "filler",  # the reply keeps the caller waiting
    "length",  # the call grows long
]
Part = Literal["llm", "kb", "storage", "carrier", "tool", "internal"]
EndReason = Literal["hung_up", "ended", "socket_lost", "protocol", "time_is_up", "shutdown", "internal"]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The socket is open and proved to be ours. `greeting` is what the carrier speaks by itself, or ""."""

    at: float
    greeting: str = ""
    history: tuple[Turn, ...] = ()
    """Turns of the same call from before this socket, oldest first."""
    guessing: bool = True
    """Replies may be begun before the caller's words are final: the agent's budget for that is not used up."""


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A transcript. With `final=False` it is the utterance so far and may still be revised."""

    at: float
    text: str
    final: bool = True
    lang: str = ""


@dataclass(frozen=True, slots=True)
class CallerSpeaking:
    """The carrier's voice detector: the caller began (`on`) or stopped making sounds."""

    at: float
    on: bool


@dataclass(frozen=True, slots=True)
class CallerInterrupted:
    """The carrier cut the agent off and threw away all that was queued.

    `heard` covers only the chunk that was playing, `after_ms` counts from that chunk's first audio.
    """

    at: float
    heard: str
    after_ms: int = 0


@dataclass(frozen=True, slots=True)
class WordsPlayed:
    """One chunk of agent speech has been played to its end, or to where it was cut."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class WordsUnsaid:
    """Unsay took back the last so many `characters` of a turn: they have never left."""

    at: float
    turn: int
    characters: int


@dataclass(frozen=True, slots=True)
class AgentSpeaking:
    """Agent audio is going out (`on`), or the carrier's queue has run dry or was cut."""

    at: float
    on: bool


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One key of the caller's telephone: 0-9, * or #."""

    at: float
    key: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer set by SetTimer came due. `due` is copied from it: a timer that was set anew is thereby stale."""

    at: float
    timer: Timer
    due: float


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """More of the reply being generated, as the model wrote it."""

    at: float
    generation: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The model came to an end by itself."""

    at: float
    generation: int
    reason: str = "stop"
    """The model's own word for why it stopped: "stop", "length", "tool_calls"."""
    closing: Closing | None = None
    """The model asks for the call to close after this reply; the machine decides when."""
    usage: Usage | None = None
    passages: tuple[Passage, ...] = ()
    """What knowledge the reply was given."""
    calls: tuple[ToolCall, ...] = ()
    """Tools the model wants used before it goes on."""
    destination: str = ""
    """Whom to put the caller through to, where `closing` is "person"; "" is the usual person."""


@dataclass(frozen=True, slots=True)
class ToolReturned:
    """A tool that was run has come to an end, one way or another."""

    at: float
    id: str
    """Of the ToolCall."""
    result: str
    """What the model is told."""
    status: ToolStatus = "ok"
    digits: str = ""
    """Keys to be sent to the other side of the line."""
    language: str = ""
    """Language to go on in, "de-DE"."""
    field: str = ""
    """The key field that the caller is now asked to fill."""


@dataclass(frozen=True, slots=True)
class GuessingAllowed:
    """The agent's budget for replies begun early was used up, or has recovered."""

    at: float
    on: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """Something the call depends on failed. `generation` says which reply it was for, 0 none."""

    at: float
    part: Part
    kind: str
    generation: int = 0


@dataclass(frozen=True, slots=True)
class CloseRequested:
    """Somebody outside the conversation wants it closed politely: the length cap, the operator, a shutdown."""

    at: float
    reason: Literal["time_is_up", "operator", "shutdown"]


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The socket is closed. Nothing can be said any more."""

    at: float
    reason: EndReason


Event = (
    CallStarted
    | CallerSpoke
    | CallerSpeaking
    | CallerInterrupted
    | WordsPlayed
    | WordsUnsaid
    | AgentSpeaking
    | KeyPressed
    | TimerFired
    | ReplyDelta
    | ReplyFinished
    | ToolReturned
    | GuessingAllowed
    | Failed
    | CloseRequested
    | CallEnded
)
