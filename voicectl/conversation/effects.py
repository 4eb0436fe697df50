"""What a conversation asks of the world. The driver performs effects in the order they are given.

Times are seconds into the call, on the same clock as the events' `at`.
"""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.conversation.events import Part, Timer
from voicectl.conversation.turns import Closing, Line, Turn


@dataclass(frozen=True, slots=True)
class Say:
    """Speak. `last` closes the talk cycle; exactly one Say of every agent turn carries it.

    `turn` is the order of the turn that these words belong to.
    """

    text: str
    last: bool
    turn: int


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


Effect = Say | Unsay | SetTimer | CancelTimer | StartGeneration | CancelGeneration | RecordTurn | RecordIncident | End
