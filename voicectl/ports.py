"""What the services need from the world, as Protocols. Services know these; adapters implement them; bootstrap
joins the two."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from voicectl.conversation.effects import Note
from voicectl.conversation.turns import Closing, Line, Passage, ToolCall, ToolStatus, Turn, Usage

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    from voicectl.settings import AgentSettings

    Vector = NDArray[numpy.float32]

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
    language: str = ""
    """The language of the call now, "en-US"; "": the one it began in."""
    tools: tuple[ToolSpec, ...] = ()
    """What the model may use besides ending the call and putting the caller through."""
    notes: tuple[Note, ...] = ()
    agent: AgentSettings | None = None
    """Who speaks; None: whoever the model was made for."""

    @property
    def question(self) -> str:
        """The caller's words that ask for this reply: all caller lines since the agent last spoke. What it said before
        it used a tool belongs to this reply."""
        words: list[str] = []
        for line in reversed(self.lines):
            if line.role == "caller":
                words.append(line.text)
            elif words or not line.tools:
                break
        return " ".join(reversed(words))


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """The model finished by itself."""

    reason: str = "stop"
    closing: Closing | None = None
    usage: Usage | None = None
    unanswered: bool = False
    """The model says itself that it had no answer."""
    calls: tuple[ToolCall, ...] = ()
    """What it wants done before it goes on. Names and arguments are as it wrote them."""
    destination: str = ""
    """Whom to put the caller through to, where `closing` is "person"; "" is the usual person."""


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


# --- tools -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the reply model is told of it."""

    name: str
    """Letters, digits and _; at most 64."""
    description: str
    parameters: Mapping[str, object]
    """JSON schema of its arguments, an object."""
    meanwhile: tuple[str, ...] = ()
    """What the agent may say while it is at work; never a promise of how it will turn out."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom a tool works."""

    call: CallInfo
    language: str
    key: str
    """Idempotency key: the same for the same deed, however often it is asked for. Safe in an HTTP header."""
    lines: tuple[Line, ...] = ()
    """The conversation so far."""


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What came of a tool call, and what the conversation is to do about it."""

    result: str
    """What the model is told; of a bounded length."""
    status: ToolStatus = "ok"
    digits: str = ""
    language: str = ""
    field: str = ""
    """See conversation.events.ToolReturned."""


class Tools(Protocol):
    """The tools of an agent."""

    def offered(self, language: str) -> tuple[ToolSpec, ...]:
        """What the model may use on a call in this language; always in the same order."""

    async def run(self, call: ToolCall, context: ToolContext) -> ToolOutcome:
        """Do it. Never raises, but for being cancelled: an unknown tool, arguments that do not fit, a time limit, a
        failure are all outcomes."""


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


class Rewriter(Protocol):
    """Makes a question that leans on the conversation understandable by itself. Must not raise."""

    async def warm_up(self) -> None:
        """Import, connect and do whatever else the first question should not wait for."""

    async def standalone(self, lines: Sequence[Line]) -> str: ...

    async def close(self) -> None: ...


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
    stems: str = ""
    """The stems of title and text, separated by spaces; "" leaves the taking of them to whoever searches."""


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


@dataclass(frozen=True, slots=True)
class Scope:
    """A stored document, as far as a search asks who may hear of it."""

    id: int
    version: int
    source: str
    collection: str = ""
    language: str = ""
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class ShelvedPassage:
    """A stored passage with what a search needs of it."""

    passage: Passage
    document: int
    """Its document's id."""
    stems: str
    """The stems it holds, separated by spaces; "" where they have not been taken."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What tells an answer from none in this knowledge base, reckoned at ingest from its own documents."""

    threshold: float
    """Confidence below this is no answer."""
    foreign: tuple[float, ...] = ()
    """Confidence of questions that are foreign to it: smallest, median, 95th percentile, greatest."""
    own: tuple[float, ...] = ()
    """The same of questions made of its own headings."""
    version: int = 0
    """Of the contents it was reckoned from."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A knowledge base, or what is new in it."""

    version: int
    scopes: tuple[Scope, ...]
    """Of every document."""
    passages: tuple[ShelvedPassage, ...]
    """Of the documents that were asked for, in the order of their ids."""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    """By the name of the embedder."""


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

    async def version(self) -> int:
        """Another number whenever anything that a search depends on has changed."""

    async def contents(self, known: Mapping[int, int] | None) -> Contents:
        """All of one moment, but for the passages of documents whose id and version are in `known`; None: no passages
        at all."""

    async def calibrate(self, calibrations: Mapping[str, Calibration]) -> None:
        """Keep what was reckoned, by embedder."""

    async def passages(self) -> list[Passage]:
        """Every passage, in the order of their ids; `score` is 0."""

    async def count(self) -> int:
        """How many passages there are."""


class VectorStore(Protocol):
    """Keeps the meanings of texts, by embedder and by the text's digest. Raises StoreError when the database fails."""

    async def have(self, embedder: str) -> set[str]:
        """The digests that have a vector."""

    async def load(self, embedder: str, digests: Sequence[str] | None = None) -> dict[str, bytes]:
        """The vectors of these digests, or all; those that are not there are left out."""

    async def keep(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        """Store vectors; they are durable when this returns."""

    async def prune(self, embedder: str, keep: Collection[str]) -> int:
        """Forget the vectors of all other digests, and say how many those were."""


class GapStore(Protocol):
    """Keeps the questions that were not answered."""

    def record_gap(self, gap: Gap) -> Receipt:
        """Returns at once; durable when the receipt says so."""

    async def gaps(self, since: datetime | None = None) -> list[Gap]:
        """Newest first."""

    async def clear_gaps(self) -> int:
        """Forget them all, and say how many there were."""


class Embedder(Protocol):
    """Turns texts into meanings: vectors of length 1, whose product is their cosine.

    Raises ServiceError when there is no vector to be had. `name` tells one space of meanings from another: vectors of
    different names compare with nothing.
    """

    name: str

    async def warm_up(self) -> None:
        """Load, connect. Must not raise: what is wrong shows at the first use."""

    async def question(self, text: str, *, early: bool = False) -> Vector:
        """For a caller who waits; `early`: for one who will, refused where it would keep another one waiting."""

    async def texts(self, texts: Sequence[str]) -> list[Vector]:
        """For an ingest; in the order given."""

    def known(self) -> dict[str, bytes]:
        """Meanings that need not be reckoned, by the text's digest, as they are stored. Reads a file."""

    async def close(self) -> None: ...


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
    gained_ms: float = 0.0
    """By how much replies begun early came earlier, all together."""
    wasted_tokens: int = 0
    """Tokens of those that were thrown away; reckoned."""


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

    async def say(self, text: str, *, last: bool, preemptible: bool = False) -> None:
        """Hand words to the carrier to be spoken. `preemptible`: the next ones may cut them off. Raises ConnectionError
        when the line is gone."""

    async def send_digits(self, digits: str) -> None:
        """Press keys: 0-9, *, # and w. Raises ConnectionError when the line is gone."""

    async def switch_language(self, language: str) -> None:
        """Hear and speak another language from now on. Raises ConnectionError when the line is gone."""

    async def end(self, closing: Closing, destination: str = "") -> None:
        """Give the call back to the carrier. `destination`: the name of whom the caller is put through to; "" is the
        usual person. Raises ConnectionError when the line is gone."""

    async def close(self) -> None:
        """Drop the socket. Never raises."""


__all__ = [
    "Calibration",
    "CallEvent",
    "CallInfo",
    "CallStore",
    "CallSummary",
    "CallerLine",
    "Closing",
    "Contents",
    "Direction",
    "Embedder",
    "Findings",
    "Gap",
    "GapStore",
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
    "Rewriter",
    "Scope",
    "ShelvedPassage",
    "StoredDocument",
    "ToolCall",
    "ToolContext",
    "ToolOutcome",
    "ToolSpec",
    "Tools",
    "Turn",
    "Usage",
    "VectorStore",
]
