"""What the services need from the world, as Protocols. Services know these; adapters implement them; bootstrap
joins the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

from voicectl.conversation.turns import Closing, Line, Passage, Turn, Usage

Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What is known of a call when its socket has proved itself."""

    sid: str
    """The carrier's id of the call; the same over all its sockets."""
    session: str
    """The carrier's id of this socket."""
    caller: str
    called: str
    direction: Direction = "inbound"
    language: str = "en-US"
    agent: str = "default"
    resumed: bool = False
    """This socket continues a call whose earlier socket is gone."""


# --- the reply model ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """One reply to be written."""

    call: CallInfo
    lines: tuple[Line, ...]
    """The conversation so far as the caller heard it, oldest first; the last line is the caller's."""
    passages: tuple[Passage, ...] = ()
    """What the knowledge base has on the question, best first."""
    knowledge_failed: bool = False
    """The knowledge base could not be asked: the reply must not pretend to know."""
    choices: tuple[str, ...] = ()
    """What the caller may mean, where that is not clear: the reply asks which."""

    @property
    def question(self) -> str:
        """The caller's words that ask for this reply: all caller lines since the agent last spoke."""
        words: list[str] = []
        for line in reversed(self.lines):
            if line.role != "caller":
                break
            words.append(line.text)
        return " ".join(reversed(words))


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The model finished by itself."""

    reason: str = "stop"
    closing: Closing | None = None
    usage: Usage | None = None


class ReplyModel(Protocol):
    """Writes replies.

    `reply` yields text as it is written (never an empty string) and, as its very last item, one ReplyEnd. It
    raises ReplyError when there will be no (more) text; a stream that just stops is an error of the model.
    Cancelling the iterating task, or closing the iterator, stops the work and frees its connection at once.
    """

    name: str

    def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]: ...

    async def warm_up(self) -> None:
        """Import, connect and do whatever else the first reply should not wait for. Must not raise."""

    async def close(self) -> None: ...


# --- knowledge ---------------------------------------------------------------------------------------------


Outcome = Literal["answer", "clarify", "unknown"]
"""What can be done with a question: answer it, ask which of a few things is meant, or say that it is not known."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What the knowledge base is asked, with what bears on it."""

    lines: tuple[Line, ...]
    """The conversation so far, oldest first; the caller's last lines are the question."""
    language: str = ""
    """Of the call, "en-US"; documents in another language are passed over. "": any."""
    collections: tuple[str, ...] = ()
    """Where to look besides the common collection; (): everywhere."""
    recent: tuple[Passage, ...] = ()
    """Found for the call's earlier questions, newest first: they stay at hand for the next one."""
    early: bool = False
    """The caller is still speaking: the answer is wanted in advance, and may never be used."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Why a passage was found."""

    passage: Passage
    """Its `score` is the one it is ranked by."""
    words: float
    """The share of the question's words that it holds, rare ones counting for more: 0..1."""
    meaning: float | None
    """Cosine of its meaning and the question's: -1..1; None where meanings were not compared."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What the knowledge base has on a question."""

    outcome: Outcome
    passages: tuple[Passage, ...] = ()
    """Best first; () when the outcome is "unknown"."""
    choices: tuple[str, ...] = ()
    """To "clarify": what the caller may mean, two or three things as they can be said aloud ("delivery")."""
    question: str = ""
    """The question as it was looked up, understood without the conversation before it."""
    judged: tuple[Judgement, ...] = ()
    """The best passages with their scores, also where they were not good enough."""
    confidence: float = 0.0
    """How sure it is that the best passage bears on the question; compare with `threshold`."""
    threshold: float = 0.0
    """Below this confidence the outcome is "unknown"."""
    partial: bool = False
    """Time ran out: what meanings would have found is missing."""


class Knowledge(Protocol):
    """Finds passages, and knows when there are none. Raises StoreError when the database fails."""

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval: ...


@dataclass(frozen=True, slots=True)
class NewChunk:
    """One passage to be stored. `title` is the path of headings joined by " > "."""

    title: str
    text: str
    page: int | None = None
    """The page it begins on, counted from 1, where the format has pages."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be stored whole. `source` is its identity: an earlier document of the same source is replaced."""

    source: str
    digest: str
    """Hash of its bytes and of the way they were read; equal digests mean nothing has to be done."""
    title: str
    chunks: tuple[NewChunk, ...]
    collection: str = ""
    """The part of the knowledge base it belongs to; "" is the common one."""
    language: str = ""
    """Primary subtag of the language it is written in, "de"; "" when it does not say."""
    valid_from: date | None = None
    valid_until: date | None = None
    """First and last day on which callers may be told what it says."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the store lists it."""

    source: str
    digest: str
    title: str
    chunks: int
    """How many passages it has."""
    version: int = 1
    """1 when first ingested, one more each time it was replaced."""
    collection: str = ""
    language: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    read_at: datetime | None = None
    """When these contents were ingested."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a knowledge base has on some words."""

    passages: tuple[Passage, ...]
    """Of all searches, each passage once, those of the first search first and best first within each; `score` is
    higher for better."""
    held: dict[str, int]
    """In how many passages each word occurs. Counting may stop at some thousands: only rarity matters."""
    count: int
    """How many passages there are."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that the knowledge base had no answer to, kept for the owner."""

    at: datetime
    call_sid: str
    question: str
    """As it was looked up."""
    confidence: float = 0.0
    language: str = ""
    """Of the call, "en-US"."""
    collections: tuple[str, ...] = ()
    """Where was looked besides the common collection."""


class KnowledgeStore(Protocol):
    """Keeps documents and finds passages by their words.

    Words are matched as a search engine matches them: case, accents and English endings make no difference. A term
    with a hyphen ("tune-up") is found where its parts stand side by side. Raises StoreError when the database fails.
    """

    async def documents(self) -> list[StoredDocument]:
        """Every document, by source."""

    async def replace(self, put: Sequence[NewDocument], remove: Sequence[str]) -> None:
        """Store `put` and drop the sources in `remove`, all in one transaction: a search sees all of it or nothing."""

    async def find(self, searches: Sequence[Sequence[str]], words: Sequence[str] = (), *, limit: int) -> Findings:
        """All that has to be known to judge a question, in one go.

        Each search finds up to `limit` passages that hold at least one of its terms in title or text. `words` are
        counted.
        """

    async def passages(self) -> list[Passage]:
        """Every passage, in the order of their ids; `score` is 0."""

    async def stamp(self, most: int) -> str | None:
        """A text that is another one whenever the contents are; None where there are more than `most` passages."""

    async def count(self) -> int:
        """How many passages there are."""


# --- storage -----------------------------------------------------------------------------------------------


class Receipt(Protocol):
    """A promise that something is being written to disk.

    `failed` is None until the write was refused; a refused write leaves `done` False for ever.
    """

    @property
    def done(self) -> bool: ...

    @property
    def failed(self) -> BaseException | None: ...

    async def wait(self) -> None:
        """Return when the write is durable; raise StoreError when it was refused."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something worth finding again that is not a turn: a socket opened, a key, an incident."""

    at: float
    kind: str
    data: dict[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallSummary:
    """How the conversation went, counted once at the end. Times in milliseconds."""

    turns: int = 0
    interruptions: int = 0
    reprompts: int = 0
    failures: int = 0
    response_p50_ms: float | None = None
    response_max_ms: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class CallStore(Protocol):
    """Calls and their turns. The write methods return at once; their order is kept.

    Several writes in flight share one commit. A write is durable when its receipt says so.
    """

    def begin_call(self, call: CallInfo) -> Receipt: ...

    def record_turn(self, call_sid: str, turn: Turn) -> Receipt: ...

    def record_event(self, call_sid: str, event: CallEvent) -> Receipt: ...

    def end_call(self, call_sid: str, reason: str, summary: CallSummary) -> Receipt: ...

    async def turns(self, call_sid: str) -> list[Turn]: ...

    async def mint_token(self, call_sid: str, *, lifetime: float) -> str:
        """A one-time token for the call's socket: 128 random bits, stored as a hash, valid `lifetime` seconds. "" when
        the call has opened its socket already: somebody replays its webhook."""

    async def redeem_token(self, call_sid: str, token: str) -> bool:
        """True for exactly one caller with a right, unexpired token of this call; False for everybody else."""

    async def call_status(self, call_sid: str, status: str, sequence: int | None, duration: int | None) -> None:
        """A status callback of the carrier. In any order and any number of times: the furthest status stands."""


# --- the carrier's line ------------------------------------------------------------------------------------


class CallerLine(Protocol):
    """The open socket of one call, as the conversation's driver sees it. Nothing here waits for the peer's reaction."""

    async def say(self, text: str, *, last: bool) -> None:
        """Hand words to the carrier to be spoken. Raises ConnectionError when the line is gone."""

    async def end(self, closing: Closing) -> None:
        """Give the call back to the carrier. Raises ConnectionError when the line is gone."""

    async def close(self) -> None:
        """Drop the socket. Never raises."""


__all__ = [
    "CallEvent",
    "CallInfo",
    "CallStore",
    "CallSummary",
    "CallerLine",
    "Closing",
    "Direction",
    "Findings",
    "Gap",
    "Inquiry",
    "Judgement",
    "Knowledge",
    "KnowledgeStore",
    "Line",
    "NewChunk",
    "NewDocument",
    "Outcome",
    "Passage",
    "Receipt",
    "ReplyEnd",
    "ReplyModel",
    "ReplyRequest",
    "Retrieval",
    "StoredDocument",
    "Turn",
    "Usage",
]
