"""Documents in, searchable knowledge out.

A document is known by its source, within its collection: the name of a folder and the path inside it
(document_files.py), or its address. Only what changed is read again: a digest of its bytes and of the way we read them
is kept with it. What was ingested from a folder or a sitemap and is no longer in it is removed. A document is read in a
child process with bounds on its time and memory (kb/sandbox.py); one that cannot be read is reported and changes
nothing, an earlier version of it stays.

First everything is read, then the meanings of what is new are reckoned (meanings.py), then all changes become visible
in one transaction or not at all. Whoever kills this loses nothing: what was there before stays whole, and the next
ingest goes on with the meanings that were reckoned already.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from voicectl.conversation.questions import stems
from voicectl.conversation.turns import Passage
from voicectl.errors import NotFoundError, ServiceError
from voicectl.kb.chunking import READING
from voicectl.kb.formats import Unreadable
from voicectl.kb.instructions import suspicious
from voicectl.kb.shelf import meant
from voicectl.kb.web import WebDocument, WebFailure, WebListing, documents
from voicectl.ports import Calibration, KnowledgeStore, NewChunk, NewDocument, StoredDocument
from voicectl.services.document_files import Note, as_text, belongs, find, suffixes
from voicectl.services.meanings import Meanings

if TYPE_CHECKING:
    from voicectl.kb.reading import Reading

LARGEST = 50_000_000
"""Bytes; a larger file is refused."""

Phase = Literal["reading", "meanings", "storing"]
Progress = Callable[[Phase, int, int, str], None]
"""Called with what is being done, how much of it is done, how much there is (0: not known) and the source at hand."""


@dataclass(frozen=True, slots=True)
class Renamed:
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, or with `dry_run` would do. Documents are named by their source."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    failed: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()
    suspicious: tuple[Note, ...] = ()
    """Passages that look like instructions to the model: by document, with title and reason. They are stored."""
    ignored: int = 0
    """Files in folders that are of no format we read."""
    passages: int = 0
    """Passages in the knowledge base afterwards, those of other documents included."""
    reckoned: int = 0
    """Texts whose meaning had to be reckoned."""
    calibration: Calibration | None = None
    """None where meanings are not compared."""
    recalibrated: bool = False
    """The threshold was reckoned anew."""
    others: tuple[str, ...] = ()
    """Documents of the same collection that were not looked at."""
    without_meaning: str = ""
    """Why the new passages are found by their words alone, where they are."""
    dry_run: bool = False


async def ingest(
    paths: Sequence[Path],
    store: KnowledgeStore,
    *,
    urls: Sequence[str] = (),
    allow_hosts: Collection[str] = (),
    meanings: Meanings | None = None,
    without_meaning: str = "",
    collection: str = "",
    language: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Bring the store up to date with the files and folders in `paths` and what lies behind `urls`.

    Folders are read with all folders inside; hidden files, symbolic links that lead out of the folder and files of
    other formats are passed over. `allow_hosts` are hosts of the owner's own network that may be asked.
    `collection` and `language` are given to every document; one that names its own language keeps that. `meanings`:
    None where words alone are compared, for the reason in `without_meaning`.

    Raises NotFoundError when a path does not exist or nothing readable is there, UsageError for an impossible host, and
    StoreError when the database fails; in all cases nothing has changed.
    """
    from voicectl.kb.sandbox import Sandbox

    # A collection is a world of its own: two may have a folder of the same name.
    mark = f"{collection}:" if collection else ""
    everything = await store.documents()
    stored = {
        document.source.removeprefix(mark): document for document in everything if document.collection == collection
    }
    found = await asyncio.to_thread(find, paths, stored)
    if not (found.files or found.failed or urls):
        where = ", ".join(str(path) for path in paths)
        raise NotFoundError(f"there are no documents in {where}", f"voicectl reads {suffixes()} files")

    with ExitStack() as stack:
        sandbox = await asyncio.to_thread(stack.enter_context, Sandbox())
        desk = _Desk(stored, sandbox.read, collection, language)
        for done, (source, path) in enumerate(found.files.items()):
            if progress:
                progress("reading", done, len(found.files), source)
            await asyncio.to_thread(desk.file, source, path)
        if progress and found.files:
            progress("reading", len(found.files), len(found.files), "")
        gone = [source for source in stored if source not in found.files and belongs(source, found)]
        gone += await _read_web(urls, allow_hosts, desk, progress)

    put = (*desk.new, *desk.changed)
    reckoned = 0
    before = None if meanings is None else (await store.contents(None)).calibrations.get(meanings.embedder.name)
    calibration = None
    if not dry_run:
        if meanings is not None:
            try:
                reckoned = await meanings.reckon(texts_of(put), _of(progress, "meanings"))
            except ServiceError as bad:
                meanings, without_meaning = None, bad.message
        if progress:
            progress("storing", 0, 0, "")
        if put or gone:
            marked = [replace(document, source=f"{mark}{document.source}") for document in put]
            await store.replace(marked, [f"{mark}{source}" for source in gone])
        if meanings is not None:
            try:
                calibration, later = await meanings.settle(store, _of(progress, "meanings"))
                reckoned += later
            except ServiceError as bad:
                without_meaning = bad.message
    vanished = [replace(stored[source], source=source) for source in gone]
    renamed, added, removed = _match_renamed(desk.new, vanished)
    replaced = {document.source for document in put} | set(gone)
    looked_at = {*desk.unchanged, *(note.source for note in desk.failed)}
    return IngestReport(
        added=tuple(added),
        changed=tuple(document.source for document in desk.changed),
        renamed=tuple(renamed),
        removed=tuple(removed),
        unchanged=tuple(desk.unchanged),
        failed=(*found.failed, *desk.failed),
        warnings=tuple(desk.warnings),
        suspicious=tuple(desk.suspicious),
        ignored=found.ignored,
        passages=sum(len(document.chunks) for document in put)
        + sum(document.chunks for source, document in stored.items() if source not in replaced)
        + sum(document.chunks for document in everything if document.collection != collection),
        reckoned=reckoned,
        calibration=calibration,
        recalibrated=calibration is not None and calibration != before,
        others=tuple(source for source in stored if source not in replaced | looked_at),
        without_meaning=without_meaning,
        dry_run=dry_run,
    )


@dataclass(slots=True)
class _Desk:
    """Where documents are read, and what became of each."""

    stored: dict[str, StoredDocument]
    read: Callable[[bytes, str], Reading]
    collection: str
    language: str
    new: list[NewDocument] = field(default_factory=list)
    changed: list[NewDocument] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    suspicious: list[Note] = field(default_factory=list)

    def file(self, source: str, path: Path) -> None:
        """Read a file, if it has to be."""
        try:
            data = _bytes(path)
        except Unreadable as why:
            self.fails(source, str(why))
        else:
            self.document(source, as_text(path.name), data)

    def document(self, source: str, name: str, data: bytes) -> None:
        """Read a document, if it has to be."""
        known = self.stored.get(source)
        digest = _digest(name, data, self.language)
        if known is not None and known.digest == digest:
            self.unchanged.append(source)
            return
        try:
            reading = self.read(data, name)
            if not reading.chunks:
                raise Unreadable("there is nothing to read in it")
        except Unreadable as why:
            self.fails(source, str(why))
            return
        self.warnings += [Note(source, warning) for warning in reading.warnings]
        for chunk in reading.chunks:
            reason = suspicious(f"{chunk.title}\n{chunk.text}")
            if reason:
                self.suspicious.append(Note(source, f"{chunk.title.rpartition(' > ')[2]!r} {reason}"))
        document = NewDocument(
            source,
            digest,
            reading.title,
            tuple(_with_stems(chunk) for chunk in reading.chunks),
            self.collection,
            reading.language or self.language,
            reading.valid_from,
            reading.valid_until,
        )
        (self.new if known is None else self.changed).append(document)

    def fails(self, source: str, why: str) -> None:
        """Note that a document could not be read."""
        self.failed.append(Note(source, f"{why}{'; its earlier version stays' if source in self.stored else ''}"))


async def _read_web(
    urls: Sequence[str], allow_hosts: Collection[str], desk: _Desk, progress: Progress | None
) -> list[str]:
    """Read what lies behind the addresses, and say which stored documents are no longer there."""
    if not urls:
        return []
    gone: set[str] = set()
    told: set[str] = set()
    total = read = 0
    async with aclosing(documents(urls, allow_hosts=allow_hosts)) as found:
        async for each in found:
            if isinstance(each, WebListing):
                total += len(each.pages)
                gone.update(each.gone(desk.stored))
                told |= each.pages
                continue
            told.add(each.source)
            if progress:
                progress("reading", read := read + 1, max(total, read), each.source)
            if isinstance(each, WebFailure):
                desk.fails(each.source, each.reason)
            elif isinstance(each, WebDocument):
                await asyncio.to_thread(desk.document, each.source, each.name, each.data)
    return sorted(gone - told)


def texts_of(put: Sequence[NewDocument]) -> list[str]:
    """Every text of these documents that has a meaning of its own."""
    return [
        text for document in put for chunk in document.chunks for text in meant(Passage(0, chunk.title, chunk.text, ""))
    ]


def _of(progress: Progress | None, phase: Phase) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(phase, done, total, "")


def _with_stems(chunk: NewChunk) -> NewChunk:
    return replace(chunk, stems=" ".join(sorted(stems(f"{chunk.title}\n{chunk.text}"))))


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise Unreadable(f"it is larger than {LARGEST // 1_000_000} MB")
        return path.read_bytes()
    except OSError as bad:
        raise Unreadable(bad.strerror or str(bad)) from bad


def _digest(name: str, data: bytes, language: str) -> str:
    way = f"{READING} {Path(name).suffix.lower()} {language}".rstrip()
    return hashlib.sha256(f"{way}\n".encode() + data).hexdigest()


def _match_renamed(
    new: Sequence[NewDocument], gone: Sequence[StoredDocument]
) -> tuple[list[Renamed], list[str], list[str]]:
    """Pair what appeared with what vanished by digest; the rest is added and removed."""
    left = {document.source: document.digest for document in gone}
    renamed: list[Renamed] = []
    added: list[str] = []
    for document in new:
        before = next((source for source, digest in left.items() if digest == document.digest), None)
        if before is None:
            added.append(document.source)
        else:
            del left[before]
            renamed.append(Renamed(before, document.source))
    return renamed, added, list(left)
