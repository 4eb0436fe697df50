"""What an owner asks of the knowledge base: what it holds, what questions find, how well it answers, what it lacks."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicectl.conversation.turns import Line, Passage
from voicectl.errors import NotFoundError, ServiceError, UsageError
from voicectl.kb.evaluation import (
    Asked,
    Figures,
    Malformed,
    Outcome,
    QuestionSet,
    figures,
    question_set,
    sampled,
    spoken,
)
from voicectl.kb.gaps import Cluster, cluster, wording
from voicectl.ports import (
    CallInfo,
    Embedder,
    GapStore,
    Inquiry,
    Knowledge,
    KnowledgeStore,
    NewChunk,
    NewDocument,
    ReplyModel,
    ReplyRequest,
    Retrieval,
    StoredDocument,
)

if TYPE_CHECKING:
    from voicectl.ports import Vector

LARGEST = 50_000_000
"""Bytes of a file of questions."""


# --- what is in it -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with its passages, or with the one that was asked for."""

    document: StoredDocument
    passages: tuple[Passage, ...]


async def show(store: KnowledgeStore, name: str) -> Shown:
    """A document by its source, the end of its source or its file's name; or a passage by its id ("17" or "#17").

    Raises NotFoundError with a guess.
    """
    documents = {document.source: document for document in await store.documents()}
    passages = await store.passages()
    source = _source(name, documents)
    if source is not None:
        return Shown(documents[source], tuple(each for each in passages if each.source == source))
    wanted = name.removeprefix("#")
    for passage in passages:
        if str(passage.id) == wanted:
            return Shown(documents[passage.source], (passage,))
    raise NotFoundError(f"there is no document or passage {name!r}", _guess(name, documents))


def chosen(documents: Sequence[StoredDocument], names: Sequence[str], collection: str = "") -> list[str]:
    """The sources of the documents that are named, or that lie in a folder that is; or all of a collection.

    Raises NotFoundError, with a guess, for a name that stands for nothing.
    """
    known = {document.source: document for document in documents}
    if collection:
        found = [source for source, document in known.items() if document.collection == collection]
        if not found:
            raise NotFoundError(f"there is no collection {collection!r}", "voicectl kb list")
        return found
    wanted: dict[str, None] = {}
    for name in names:
        folder = name.rstrip("/") + "/"
        of_name = [source for source in known if source == name or source.startswith(folder)]
        if not of_name:
            raise NotFoundError(f"there is no document or folder {name!r}", _guess(name, known))
        wanted.update(dict.fromkeys(of_name))
    return list(wanted)


def _source(name: str, documents: Mapping[str, StoredDocument]) -> str | None:
    if name in documents:
        return name
    ends = [source for source in documents if source.endswith(f"/{name}")]
    if len(ends) > 1:
        raise NotFoundError(f"{name!r} may be {' or '.join(ends[:5])}", "give more of the path")
    return ends[0] if ends else None


def _guess(name: str, documents: Mapping[str, StoredDocument]) -> str:
    if not documents:
        return "the knowledge base is empty: voicectl ingest-kb PATH"
    names = {source.rpartition("/")[2].rpartition(".")[0].lower(): source for source in documents}
    close = difflib.get_close_matches(name, documents, n=1) or [
        names[each]
        for each in difflib.get_close_matches(name.rpartition("/")[2].rpartition(".")[0].lower() or name, names, n=1)
    ]
    if not close:
        close = [names[each] for each in difflib.get_close_matches(name.lower(), names, n=1)]
    return f"did you mean {close[0]!r}?" if close else "voicectl kb list names them all"


# --- what a question finds ---------------------------------------------------------------------------------


def inquiry(
    question: str, *, history: Sequence[str] = (), language: str = "", collections: Sequence[str] = ()
) -> Inquiry:
    """A question behind a conversation. `history` alternates between caller and agent, the agent's line last."""
    lines = [Line("agent" if (len(history) - at) % 2 else "caller", text) for at, text in enumerate(history)]
    return Inquiry((*lines, Line("caller", question)), language, tuple(collections))


@dataclass(frozen=True, slots=True)
class Found:
    retrieval: Retrieval
    milliseconds: float


async def look_up(knowledge: Knowledge, inquiry: Inquiry, *, limit: int) -> Found:
    """A search, and how long it took."""
    now = asyncio.get_running_loop().time
    began = now()
    retrieval = await knowledge.search(inquiry, limit=limit)
    return Found(retrieval, (now() - began) * 1000)


# --- how well it answers -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One way of asking one kind of index."""

    index: str
    """ "hybrid" or "words"."""
    asked: str
    """ "written" or "spoken"."""
    figures: Figures
    known: tuple[Outcome, ...]
    unknown: tuple[Outcome, ...]


Progress = Callable[[int, int], None]
"""Called with the number of questions asked and the number there are."""


def read_questions(path: Path, *, against: Path | None = None, most: int | None = None) -> QuestionSet:
    """The questions of a file; `against`: those of another file are the unknown ones. `most`: of each kind at most.

    Raises NotFoundError or UsageError.
    """
    questions = _read(path)
    unknown = questions.unknown
    if against is not None:
        unknown += tuple(Asked(each.question) for each in _read(against).known)
    return replace(questions, known=sampled(questions.known, most), unknown=sampled(unknown, most))


def _read(path: Path) -> QuestionSet:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST // 1_000_000} MB")
        text = path.read_text("utf-8")
    except OSError as bad:
        raise NotFoundError(f"cannot read {path}: {bad.strerror}", "check the path") from None
    except UnicodeDecodeError as bad:
        raise UsageError(f"{path} is not a file of questions: it is not UTF-8") from bad
    try:
        return question_set(_parsed(path, text))
    except Malformed as bad:
        raise UsageError(f"{path} is not a file of questions: {bad}", "docs/knowledge.md shows one") from None


def _parsed(path: Path, text: str) -> Any:
    if path.suffix.lower() == ".json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as bad:
            raise Malformed(str(bad)) from None
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as bad:
        raise Malformed(" ".join(str(bad).split())) from None


def documents_of(questions: QuestionSet) -> list[NewDocument]:
    """The documents that a set brings along, each cut into passages as an ingest would. Known by their number."""
    from voicectl.kb.chunking import chunk
    from voicectl.kb.formats import Paragraph, Section

    found = []
    for number, (title, text) in enumerate(questions.documents):
        paragraphs = tuple(Paragraph(each) for each in text.splitlines() if each.strip())
        chunks = chunk((Section((title,) if title else (), paragraphs),))
        found.append(NewDocument(f"#{number}", "1", title, tuple(NewChunk(each.title, each.text) for each in chunks)))
    return found


async def evaluate(
    indexes: Mapping[str, Knowledge],
    questions: QuestionSet,
    *,
    limit: int,
    model: ReplyModel | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Evaluated]:
    """Ask each index every question, as written and as spoken.

    `model` writes the answers that `say` is compared with; without one they are not compared. Nothing is cut off for
    being late: the figures say what is found, and how long that takes.
    """
    every = (*questions.known, *questions.unknown)
    total = 2 * len(indexes) * len(every)
    done = 0
    found: list[Evaluated] = []
    for name, knowledge in indexes.items():
        before: set[str] = set()
        for way in ("written", "spoken"):
            outcomes: list[Outcome] = []
            for asked in every:
                progress(done, total)
                question = spoken(asked.question) if way == "spoken" else asked.question
                outcome = await _ask(knowledge, asked, question, limit, model)
                meant = wording(outcome.retrieval.question)
                # An embedder remembers: what it was asked a moment ago costs nothing, and tells nothing of a call.
                outcomes.append(replace(outcome, milliseconds=None) if meant in before else outcome)
                before.add(meant)
                done += 1
            known = tuple(outcomes[: len(questions.known)])
            unknown = tuple(outcomes[len(questions.known) :])
            found.append(Evaluated(name, way, figures(known, unknown), known, unknown))
    progress(total, total)
    return found


async def _ask(knowledge: Knowledge, asked: Asked, question: str, limit: int, model: ReplyModel | None) -> Outcome:
    lines = (Line("caller", question),)
    found = await look_up(knowledge, Inquiry(lines, early=True), limit=limit)
    said = None
    if model is not None and asked.say:
        call = CallInfo("CA-evaluation", "VX-evaluation", "", "")
        retrieval = found.retrieval
        request = ReplyRequest(call, lines, retrieval.passages, choices=retrieval.choices)
        said = "".join([piece async for piece in model.reply(request) if isinstance(piece, str)])
    return Outcome(asked, found.retrieval, found.milliseconds, said)


# --- what it lacks -----------------------------------------------------------------------------------------


async def gaps(store: GapStore, *, embedder: Embedder | None = None, since: datetime | None = None) -> list[Cluster]:
    """The questions that were not answered, put together by what they ask; by their words where no embedder works."""
    asked = await store.gaps(since)
    vectors: list[Vector] | None = None
    if embedder is not None and asked:
        wordings = list(dict.fromkeys(wording(gap.question) for gap in asked))
        try:
            known = dict(zip(wordings, await embedder.texts(wordings), strict=True))
            vectors = [known[wording(gap.question)] for gap in asked]
        except ServiceError:
            vectors = None
    return cluster(asked, vectors)
