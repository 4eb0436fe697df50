"""The work of `voicectl kb`: the knowledge base opened, asked, and what it says put on the page."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import typer

from voicectl.cli._console import Output, safe
from voicectl.errors import UsageError

if TYPE_CHECKING:
    from voicectl.conversation.turns import Passage
    from voicectl.kb.checks import Finding
    from voicectl.kb.gaps import Cluster
    from voicectl.ports import Inquiry, Judgement, StoredDocument
    from voicectl.services.knowledge_desk import Found
    from voicectl.settings import Settings
    from voicectl.storage.database import Database

_SPAN = re.compile(r"(\d{1,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


@dataclass(frozen=True, slots=True)
class Given:
    """What every command of `kb` is given."""

    config: str | None
    database_url: str | None

    def settings(self) -> Settings:
        from voicectl import settings as s

        return s.load(flags={"database.url": self.database_url}, file=self.config)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    from voicectl import bootstrap

    async with bootstrap.database(settings) as database:
        yield database


# --- list, show --------------------------------------------------------------------------------------------


def list_documents(out: Output, given: Given) -> None:
    async def run() -> list[StoredDocument]:
        from voicectl.storage.knowledge import KnowledgeStore

        async with opened(given.settings()) as database:
            return await KnowledgeStore(database).documents()

    documents = asyncio.run(run())
    passages = sum(document.chunks for document in documents)
    table(
        out,
        ("document", "passages", "language", "collection", "valid", "version", "read"),
        [
            (
                document.source,
                str(document.chunks),
                document.language,
                document.collection,
                _validity(document),
                str(document.version),
                _day(document.read_at),
            )
            for document in documents
        ],
    )
    out.result(
        {"documents": [_document(each) for each in documents], "passages": passages},
        f"{_count(len(documents), 'document')}, {_count(passages, 'passage')}"
        if documents
        else "the knowledge base is empty: voicectl ingest-kb PATH",
    )


def show(out: Output, given: Given, name: str) -> None:
    async def run() -> Any:
        from voicectl.services.knowledge_desk import show
        from voicectl.storage.knowledge import KnowledgeStore

        async with opened(given.settings()) as database:
            return await show(KnowledgeStore(database), name)

    shown = asyncio.run(run())
    document = shown.document
    about = [
        f"{name} {value}" for name, value in (("valid", _validity(document)), ("in", document.collection)) if value
    ]
    out.line(", ".join([document.source, f"version {document.version}", *about]))
    for passage in shown.passages:
        out.line()
        out.line(f"#{passage.id}  {passage.title}{_page(passage)}")
        for line in passage.text.splitlines():
            out.line(f"    {line}")
    out.result({"document": _document(document), "passages": [_passage(each) for each in shown.passages]})


# --- search ------------------------------------------------------------------------------------------------


def search(out: Output, given: Given, inquiry: Inquiry, limit: int) -> None:
    async def run() -> Found:
        from voicectl import bootstrap
        from voicectl.services.knowledge_desk import look_up

        async with bootstrap.knowledge_base(given.settings()) as base:
            await base.knowledge.warm_up()
            return await look_up(base.knowledge, inquiry, limit=limit)

    found = asyncio.run(run())
    retrieval = found.retrieval
    told = {passage.id for passage in retrieval.passages}
    judged = retrieval.judged[: max(limit, len(told))]
    sure = f"confidence {retrieval.confidence:.2f}, threshold {retrieval.threshold:.2f}, {found.milliseconds:.1f} ms"
    out.line(f"{_OUTCOMES[retrieval.outcome]} ({sure}{', time ran out' if retrieval.partial else ''})")
    out.line(f"looked up: {retrieval.question}")
    if retrieval.choices:
        out.line(f"asks back: {' or '.join(retrieval.choices)}?")
    table(
        out,
        ("told", "score", "words", "meaning", "passage", "title", "where"),
        [
            (
                "yes" if each.passage.id in told else "no",
                f"{each.passage.score:.3f}",
                f"{each.words:.2f}",
                "" if each.meaning is None else f"{each.meaning:.2f}",
                f"#{each.passage.id}",
                each.passage.title,
                f"{each.passage.source}{_page(each.passage)}",
            )
            for each in judged
        ],
    )
    out.result(
        {
            "outcome": retrieval.outcome,
            "question": retrieval.question,
            "confidence": round(retrieval.confidence, 4),
            "threshold": round(retrieval.threshold, 4),
            "choices": retrieval.choices,
            "passages": [_passage(each) for each in retrieval.passages],
            "judged": [_judgement(each, told) for each in judged],
            "partial": retrieval.partial,
            "milliseconds": round(found.milliseconds, 2),
        }
    )


_OUTCOMES = {"answer": "there is an answer", "clarify": "it may be one of several", "unknown": "not known"}


# --- check -------------------------------------------------------------------------------------------------


def check(out: Output, given: Given, *, strict: bool) -> None:
    async def run() -> tuple[list[StoredDocument], list[Passage]]:
        from voicectl.storage.knowledge import KnowledgeStore

        async with opened(given.settings()) as database:
            store = KnowledgeStore(database)
            return await store.documents(), await store.passages()

    documents, passages = asyncio.run(run())
    from voicectl.kb.checks import check

    found = check(documents, passages, today=date.today())
    errors = sum(each.severity == "error" for each in found)
    for each in found:
        _tell(out, each)
    ok = not errors and not (strict and found)
    if not ok:
        failure = {
            "error": f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')} in the knowledge base",
            "hint": "mend what `findings` names, and ingest again",
            "code": 1,
        }
    out.result(
        {
            **({} if ok else failure),
            "findings": [asdict(each) for each in found],
            "errors": errors,
            "warnings": len(found) - errors,
            "documents": len(documents),
            "passages": len(passages),
        },
        f"{_count(len(passages), 'passage')} of {_count(len(documents), 'document')}: "
        f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}",
        ok=ok,
    )
    if not ok:
        out.exit(1)


def _tell(out: Output, finding: Finding) -> None:
    where = finding.source + (f" #{finding.passage}" if finding.passage is not None else "")
    out.line(f"{finding.severity}: {finding.kind}: {where}: {finding.problem}")
    if finding.sentence:
        out.line(f"    here   {_short(finding.sentence)}")
    if finding.other is not None:
        out.line(f"    there  {_short(finding.other.sentence)}  ({finding.other.source} #{finding.other.passage})")
    out.line(f"    try    {finding.advice}")


# --- gaps --------------------------------------------------------------------------------------------------


def gaps(out: Output, given: Given, *, since: str | None, limit: int) -> None:
    begun = None if since is None else _since(since, datetime.now(UTC))

    async def run() -> list[Cluster]:
        from voicectl import bootstrap
        from voicectl.services.knowledge_desk import gaps

        async with bootstrap.knowledge_base(given.settings()) as base:
            return await gaps(base.gaps, embedder=base.embedder, since=begun)

    found = asyncio.run(run())
    asked = sum(each.count for each in found)
    table(
        out,
        ("asked", "calls", "last", "question"),
        [(str(each.count), str(each.calls), _day(each.last), each.question) for each in found[:limit]],
    )
    more = f"; {_count(len(found) - limit, 'more group')}: --limit {len(found)}" if len(found) > limit else ""
    out.result(
        {"gaps": [asdict(each) for each in found[:limit]], "groups": len(found), "asked": asked},
        f"{_count(asked, 'question')} without an answer, in {_count(len(found), 'group')}{more}"
        if found
        else "no question has been without an answer",
    )


def clear_gaps(out: Output, given: Given, *, yes: bool) -> None:
    if not yes:
        if out.json or not sys.stdin.isatty():
            raise UsageError("nobody is there to be asked", "--clear --yes forgets the questions without asking")
        typer.confirm("Forget all questions without an answer?", abort=True, err=True)

    async def run() -> int:
        from voicectl.storage.gaps import GapStore

        async with opened(given.settings()) as database:
            return await GapStore(database).clear_gaps()

    cleared = asyncio.run(run())
    out.result({"cleared": cleared}, f"{_count(cleared, 'question')} forgotten")


def _since(text: str, now: datetime) -> datetime:
    span = _SPAN.fullmatch(text.strip().lower())
    if span:
        return now - timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        day = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is neither a day nor a span", "give it like 2026-11-01, 12h, 7d or 4w") from None
    return day if day.tzinfo else day.astimezone()


# --- on the page -------------------------------------------------------------------------------------------


def table(out: Output, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their columns; those that are empty in every row are left out. Not under --json."""
    if out.json or not rows:
        return
    used = [at for at in range(len(columns)) if any(row[at] for row in rows)]
    cells = [[" ".join(safe(row[at]).split()) for at in used] for row in rows]
    names = [columns[at] for at in used]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=None, pad_edge=False, header_style="bold")
        for at, name in enumerate(names):
            numeric = all(re.fullmatch(r"[#\d.,%–-]*( ms)?", row[at]) for row in cells)
            drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
        for row in cells:
            drawn.add_row(*map(Text, row))
        Console().print(drawn)
        return
    widths = [max(len(row[at]) for row in [names, *cells]) for at in range(len(names))]
    for row in [names, *cells]:
        out.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _document(document: StoredDocument) -> dict[str, Any]:
    about = asdict(document)
    about["passages"] = about.pop("chunks")
    return about


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "source": passage.source,
        "title": passage.title,
        "page": passage.page,
        "text": passage.text,
    }


def _judgement(judgement: Judgement, told: set[int]) -> dict[str, Any]:
    return {
        **_passage(judgement.passage),
        "told": judgement.passage.id in told,
        "score": judgement.passage.score,
        "words": round(judgement.words, 4),
        "meaning": None if judgement.meaning is None else round(judgement.meaning, 4),
    }


def _validity(document: StoredDocument) -> str:
    begins = f"from {document.valid_from}" if document.valid_from else ""
    ends = f"until {document.valid_until}" if document.valid_until else ""
    return f"{begins} {ends}".strip()


def _page(passage: Passage) -> str:
    return f", page {passage.page}" if passage.page is not None else ""


def _day(at: datetime | None) -> str:
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:157]}…"


# --- remove ------------------------------------------------------------------------------------------------


def remove(out: Output, given: Given, names: list[str], collection: str, *, yes: bool, dry_run: bool) -> None:
    if bool(names) == bool(collection):
        raise UsageError("name documents, or a collection", "voicectl kb remove SOURCE, or --collection NAME")

    async def run() -> list[str]:
        from voicectl import bootstrap
        from voicectl.services.knowledge_desk import chosen

        async with bootstrap.knowledge_base(given.settings()) as base:
            sources = chosen(await base.store.documents(), names, collection)
            for source in sources:
                out.line(f"{'would remove' if dry_run else 'remove'} {source}")
            if not dry_run:
                _ask(out, sources, yes=yes)
                await base.store.replace([], sources)
                if base.meanings is not None:
                    await base.meanings.settle(base.store)
            return sources

    sources = asyncio.run(run())
    said = f"{_count(len(sources), 'document')} {'would be removed (dry run)' if dry_run else 'removed'}"
    out.result({"removed": sources, "dry_run": dry_run}, said)


def _ask(out: Output, sources: list[str], *, yes: bool) -> None:
    if yes:
        return
    if out.json or not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", "--yes removes without asking, --dry-run shows what would go")
    typer.confirm(f"Remove {_count(len(sources), 'document')}?", abort=True, err=True)
