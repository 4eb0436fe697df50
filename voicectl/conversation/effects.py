"""What a conversation asks of the world. The driver performs effects in the order they are given.

Times are seconds into the call, on the same clock as the events' `at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicectl.conversation.events import Part, Timer
from voicectl.conversation.turns import Closing, Line, ToolCall, Turn

Note = Literal[
    "resume",  # the agent was cut off by a sound: it goes on where it was cut, without starting over
    "wind_down",  # the call has to end with this reply: a short summary, the next step, goodbye
    "no_tools",  # tools have been called wrongly too often: this reply is made of words
]
"""What the reply model is told besides the conversation."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak. `last` closes the talk cycle; exactly one Say of every agent turn carries it.

    `turn` is the order of the turn that these words belong to.
    """

    text: str
    last: bool
    turn: int
    preemptible: bool = False
    """What is said next may cut these words off."""


@dataclass(frozen=True, slots=True)
class Unsay:
    """Words that have not left yet must not leave, except those of the turn `keep` (-1: none is spared). Frames that
    close a talk cycle, and the end of the call, stay. The driver posts WordsUnsaid for each turn that lost words."""

    keep: int = -1


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Post TimerFired(timer, due) at `due`. Setting a timer again replaces it."""

    timer: Timer
    due: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: Timer


@dataclass(frozen=True, slots=True)
class StartGeneration:
    """Ask the reply model for the agent's next words. `lines` is the conversation as the caller heard it."""

    generation: int
    lines: tuple[Line, ...]
    language: str = ""
    """The language of the call now, "en-US"."""
    early: bool = False
    """The caller's last words are not final: the reply may be thrown away. Nothing of it is said before they are."""
    continues: bool = False
    """The reply goes on after tools: what was looked up for its beginning still holds."""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class LookUp:
    """Look up what may become the question, so that the one who asks it has the answer at once. Nothing is awaited."""

    lines: tuple[Line, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Do what the model wants done. The driver posts ToolReturned, once, whatever happens."""

    call: ToolCall
    generation: int
    turn: int = -1
    """The caller's turn that it is for: with the call's name it tells one deed from another."""


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys towards the other side of the line: 0-9, *, # and w, which waits half a second."""

    digits: str


@dataclass(frozen=True, slots=True)
class SwitchLanguage:
    """From now on the call is heard and spoken in `language`; what is queued keeps its own."""

    language: str


@dataclass(frozen=True, slots=True)
class RecordGuess:
    """A reply that was begun early was of use, or was not. The driver keeps the agent's budget."""

    generation: int
    used: bool
    gained_ms: float = 0.0
    wasted_tokens: int = 0
    """Reckoned; 0 if it was used."""


@dataclass(frozen=True, slots=True)
class CancelGeneration:
    """Stop this reply's model."""

    generation: int


@dataclass(frozen=True, slots=True)
class RecordTurn:
    """Store this turn, or store it again: `turn.order` says which it is, the newest version wins."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class RecordIncident:
    """Something went wrong and the owner should find it. Never carries what a caller said."""

    part: Part
    kind: str
    action: str
    """What the conversation did about it, in a few fixed words."""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """Give the call back to the carrier, which then asks what is to happen next."""

    closing: Closing
    destination: str = ""
    """Whom the caller is put through to; "" is the usual person."""


Effect = (
    Say
    | Unsay
    | SetTimer
    | CancelTimer
    | StartGeneration
    | CancelGeneration
    | LookUp
    | RunTool
    | SendDigits
    | SwitchLanguage
    | RecordTurn
    | RecordGuess
    | RecordIncident
    | End
)
