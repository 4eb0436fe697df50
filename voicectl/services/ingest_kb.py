"""Documents in, searchable knowledge out.

A document is known by its source: the name of the folder that was ingested and the path inside it,
"knowledge/policies/returns.md". So a new checkout of the same folder replaces the old one, wherever it lies; and a
single file, or a folder inside, that is part of something ingested before keeps the name it has there.

Only what changed is read again: a digest of a file's bytes and of the way we read it is kept with the document. What
was ingested from a folder and is no longer in it is removed. All changes become visible in one transaction or not at
all. A file that cannot be read is reported and changes nothing; an earlier version of it stays.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from voicectl.errors import NotFoundError
from voicectl.kb.chunking import READING, chunk
from voicectl.kb.formats import Document, Unreadable, readers
from voicectl.ports import KnowledgeStore, NewChunk, NewDocument, StoredDocument

LARGEST = 10_000_000
"""Bytes; a larger file is refused."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell the owner about one document."""

    source: str
    text: str


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
    ignored: int = 0
    """Files in folders that are of no format we read."""
    passages: int = 0
    """Passages in the knowledge base afterwards, those of other documents included."""
    dry_run: bool = False


Progress = Callable[[int, int, str], None]
"""Called with the number of files done, the number there are, and the source being read."""


@dataclass(slots=True)
class _Found:
    """What lies under the paths that were given."""

    files: dict[str, Path] = field(default_factory=dict)
    failed: list[Note] = field(default_factory=list)
    ignored: int = 0
    roots: list[Path] = field(default_factory=list)
    hidden_from_us: list[str] = field(default_factory=list)
    """Sources of folders that could not be listed; what is stored from there is left alone."""


async def ingest(
    paths: Sequence[Path], store: KnowledgeStore, *, dry_run: bool = False, progress: Progress | None = None
) -> IngestReport:
    """Bring the store up to date with the files and folders in `paths`.

    Folders are read with all folders inside; hidden files, symbolic links that lead out of the folder and files of
    other formats are passed over. Raises NotFoundError when a path does not exist or nothing readable is there, and
    StoreError when the database fails; in both cases nothing has changed.
    """
    stored = {document.source: document for document in await store.documents()}
    found = await asyncio.to_thread(_find, paths, stored)
    if not found.files and not found.failed:
        where = ", ".join(str(path) for path in paths)
        raise NotFoundError(f"there are no documents in {where}", f"voicectl reads {_suffixes()} files")

    read = _Read()
    for done, (source, path) in enumerate(found.files.items()):
        if progress:
            progress(done, len(found.files), source)
        known = stored.get(source)
        await asyncio.to_thread(read.one, source, path, known)
    if progress:
        progress(len(found.files), len(found.files), "")

    gone = [source for source in stored if source not in found.files and _belongs(source, found)]
    renamed, added, removed = _match_renamed(read.new, [stored[source] for source in gone])
    put = (*read.new, *read.changed)
    if not dry_run and (put or gone):
        await store.replace(put, gone)
    replaced = {document.source for document in put} | set(gone)
    return IngestReport(
        added=tuple(added),
        changed=tuple(document.source for document in read.changed),
        renamed=tuple(renamed),
        removed=tuple(removed),
        unchanged=tuple(read.unchanged),
        failed=(*found.failed, *read.failed),
        warnings=tuple(read.warnings),
        ignored=found.ignored,
        passages=sum(len(document.chunks) for document in put)
        + sum(document.chunks for document in stored.values() if document.source not in replaced),
        dry_run=dry_run,
    )


@dataclass(slots=True)
class _Read:
    """The files read so far, sorted by what became of them."""

    new: list[NewDocument] = field(default_factory=list)
    changed: list[NewDocument] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[Note] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)

    def one(self, source: str, path: Path, known: StoredDocument | None) -> None:
        try:
            data = _bytes(path)
            digest = _digest(path, data)
            if known is not None and known.digest == digest:
                self.unchanged.append(source)
                return
            document = _parsed(path, data)
            chunks = tuple(NewChunk(each.title, each.text) for each in chunk(document.sections))
            if not chunks:
                raise Unreadable("there is nothing to read in it")
        except Unreadable as why:
            self.failed.append(Note(source, f"{why}{'; its earlier version stays' if known else ''}"))
            return
        self.warnings += [Note(source, warning) for warning in document.warnings]
        new = NewDocument(source, digest, document.title, chunks)
        (self.new if known is None else self.changed).append(new)


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise Unreadable(f"it is larger than {LARGEST // 1_000_000} MB")
        return path.read_bytes()
    except OSError as bad:
        raise Unreadable(bad.strerror or str(bad)) from bad


def _digest(path: Path, data: bytes) -> str:
    return hashlib.sha256(f"{READING} {path.suffix.lower()}\n".encode() + data).hexdigest()


def _parsed(path: Path, data: bytes) -> Document:
    parse = readers()[path.suffix.lower()]
    try:
        return parse(data, path.name)
    except Unreadable:
        raise
    except Exception as bad:  # a parser that stumbles over one document must not cost the others
        raise Unreadable(f"the reader of {path.suffix.lower()} files failed on it ({type(bad).__name__})") from bad


# --- finding files -----------------------------------------------------------------------------------------


def _find(paths: Sequence[Path], stored: Iterable[str]) -> _Found:
    known = set(stored)
    found = _Found()
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"there is no file or folder {str(path)!r}", "check the path")
    # By the name they were given, not where links lead: a folder "current" keeps its name when it points elsewhere.
    roots = [Path.cwd() / os.path.normpath(path) for path in paths]
    folders = {root if root.is_dir() else root.parent for root in roots}
    seen: set[Path] = set()
    for root in roots:
        if root.is_dir():
            found.roots.append(root)
            _walk(root, root, _label(root, folders), found, known, seen)
        elif not root.is_file():
            found.failed.append(Note(_text(root.name), "it is not a file"))
        elif root.suffix.lower() not in readers():
            found.failed.append(Note(_text(root.name), f"voicectl reads {_suffixes()} files"))
        else:
            _take(root, _label(root.parent, folders) / root.name, found, known, seen)
    return found


def _label(folder: Path, folders: Iterable[Path]) -> PurePosixPath:
    """The folder's name, with as much of the path before it as tells it from the others."""
    parts = folder.parts[1:]
    others = [other.parts[1:] for other in folders if other != folder]
    for length in range(1, len(parts)):
        if not any(other[-length:] == parts[-length:] for other in others):
            return PurePosixPath(*parts[-length:])
    return PurePosixPath(*parts)


def _walk(folder: Path, root: Path, source: PurePosixPath, found: _Found, known: set[str], seen: set[Path]) -> None:
    real = folder.resolve()
    if real in seen:  # a link to a folder that is read anyway, or to one above it
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir())
    except OSError as bad:
        found.failed.append(Note(_text(str(source)), bad.strerror or str(bad)))
        found.hidden_from_us.append(_text(str(source)))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not entry.resolve().is_relative_to(root.resolve()):
            continue
        if entry.is_dir():
            _walk(entry, root, source / entry.name, found, known, seen)
        elif entry.is_file():
            if entry.suffix.lower() in readers():
                _take(entry, source / entry.name, found, known, seen)
            else:
                found.ignored += 1


def _take(path: Path, source: PurePosixPath, found: _Found, known: set[str], seen: set[Path]) -> None:
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    found.files[_identity(path, _text(str(source)), found, known)] = path


def _identity(path: Path, source: str, found: _Found, known: set[str]) -> str:
    """The source of a file: the one it is stored under, if it is, else the one that follows from what was given."""
    tails = list(_tails(path))
    ways = [source] * (source in known) + [tail for tail in tails if tail in known] + [source, tails[0]]
    return next(way for way in ways if way not in found.files)


def _tails(path: Path) -> Iterator[str]:
    """The ends of a path, longest first: "a/b/c.md", "b/c.md". A bare file name is too common to know a file by."""
    parts = [_text(part) for part in path.parts[1:]]
    for start in range(len(parts) - 1):
        yield "/".join(parts[start:])


def _belongs(source: str, found: _Found) -> bool:
    """Whether a stored document would lie in one of the folders that were read."""
    if any(source.startswith(f"{hidden}/") for hidden in found.hidden_from_us):
        return False
    parts = source.split("/")
    for root in found.roots:
        folder = [_text(part) for part in root.parts[1:]]
        if any(folder[-length:] == parts[:length] for length in range(1, min(len(parts) - 1, len(folder)) + 1)):
            return True
    return False


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


def _suffixes() -> str:
    return ", ".join(sorted(readers()))


def _text(name: str) -> str:
    """A file's name as text that every database takes: undecodable bytes become question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")
