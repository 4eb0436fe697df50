"""The turns of a conversation: what was said, what was meant to be said, and what was heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["caller", "agent"]
Closing = Literal["goodbye", "person"]
"""How a call closes: with a goodbye, or by handing the caller to a person."""

TurnKind = Literal[
    "speech",  # the caller spoke
    "keys",  # the caller pressed keys
    "greeting",  # spoken by the carrier when the call is answered
    "reply",  # written by the reply model
    "reprompt",  # the agent's own words after a silence
    "apology",  # the agent's own words after a failure
    "goodbye",  # the agent's own last words
    "filler",  # the agent's own words while something is awaited
    "notice",  # the agent's own words about the call itself: its length, its language, a pause
    "tool",  # nothing said: a tool that the reply model called
]
ToolStatus = Literal["waiting", "ok", "refused", "failed", "timeout"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the knowledge base that answers, or may answer, a question."""

    id: int
    title: str
    """Path of headings, outermost first, joined by " > "."""
    text: str
    source: str
    """The file it came from, relative to what was ingested."""
    score: float = 0.0
    page: int | None = None
    """The page of that file, where it has pages."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a reply cost, in the model's tokens."""

    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the reply model wants done."""

    id: str
    """The model's own id of the call; unique within the conversation."""
    name: str
    arguments: str
    """JSON as the model wrote it, which may be none."""


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a tool and what came of it. One that never came back says so in its result: no call is ever shown to
    the model without one."""

    call: ToolCall
    result: str = ""
    """What the model is told."""
    status: ToolStatus = "waiting"
    seconds: float | None = None
    """How long it took."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation as the model is shown it."""

    role: Role
    text: str
    cut: bool = False
    """The caller interrupted here: the agent meant to say more."""
    tools: tuple[ToolUse, ...] = ()
    """What the model had done after this line, in the order it asked for it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn, as it stands. A turn is recorded more than once; `order` identifies it within the call.

    All times are seconds into the call, None where the thing has not happened (yet).
    """

    order: int
    role: Role
    kind: TurnKind
    at: float
    """Caller: when the final transcript arrived. Agent: when the reply was asked for, or a fixed line said."""
    generated: str
    """Caller: the transcript. Agent: what the model wrote, or the fixed line, before it was made speakable."""
    heard: str = ""
    """Agent: what the caller is known or reckoned to have heard, cut at a word. Caller: the transcript."""
    said: str = ""
    """Agent: what was sent to be spoken."""
    interrupted: bool = False
    done: bool = False
    """Agent: no more words will be added to `generated`. Caller: always."""
    generation: int = 0
    first_token_at: float | None = None
    """The model's first words came in."""
    first_audio_at: float | None = None
    """The first of these words was audible, where the carrier reports it."""
    finished_at: float | None = None
    """The last word was written."""
    failure: str = ""
    """Why the reply is not whole, if it is not: a ReplyFailure; "interrupted" by the caller, "overrun" by newer words,
    "length" when it grew too long, "hung_up"."""
    usage: Usage | None = None
    passages: tuple[Passage, ...] = ()
    lang: str = ""
    """Caller: the language the words were in, as the carrier tells. Agent: the language spoken."""
    resumes: int | None = None
    """Agent: these words are the rest of that turn, which a sound had cut off."""
    tool: ToolUse | None = None
    """Of a "tool" turn."""
    gained_ms: float | None = None
    """Agent: the reply was begun before the caller's words were final, and came so much earlier for it."""
    wasted_tokens: int = 0
    """Agent: tokens of replies to this question that were begun too early and thrown away; reckoned."""
    sensitive: bool = False
    """Caller: keys that nobody is to read. They are masked wherever this is stored or logged."""
