"""The files behind what an owner names: which there are, and by what name each is known.

A document is known by its source: the name of the folder that was ingested and the path inside it,
"knowledge/policies/returns.md". So a new checkout of the same folder replaces the old one, wherever it lies; and a
single file, or a folder inside, that is part of something ingested before keeps the name it has there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from voicectl.errors import NotFoundError
from voicectl.kb.formats import readers
from voicectl.kb.web import is_web_address

DEEPEST = 100
"""Folders in one another."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell the owner about one document."""

    source: str
    text: str


@dataclass(slots=True)
class Found:
    """What lies under the paths that were given."""

    files: dict[str, Path] = field(default_factory=dict)
    """By source."""
    failed: list[Note] = field(default_factory=list)
    ignored: int = 0
    """Files of no format we read."""
    roots: list[Path] = field(default_factory=list)
    hidden_from_us: list[str] = field(default_factory=list)
    """Sources of folders that could not be listed; what is stored from there is left alone."""


def find(paths: Sequence[Path], stored: Iterable[str]) -> Found:
    known = set(stored)
    found = Found()
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
            found.failed.append(Note(as_text(root.name), "it is not a file"))
        elif root.suffix.lower() not in readers():
            found.failed.append(Note(as_text(root.name), f"voicectl reads {suffixes()} files"))
        else:
            _take(root, _label(root.parent, folders) / root.name, found, known, seen)
    return found


def snapshot(paths: Sequence[Path]) -> frozenset[tuple[str, int, int]]:
    """What would change if a file under these paths did: names, times and sizes. A path that is gone holds nothing."""
    files = find([path for path in paths if path.exists()], ()).files.values()
    seen = set()
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        seen.add((str(file), status.st_mtime_ns, status.st_size))
    return frozenset(seen)


def _label(folder: Path, folders: Iterable[Path]) -> PurePosixPath:
    """The folder's name, with as much of the path before it as tells it from the others."""
    parts = folder.parts[1:]
    others = [other.parts[1:] for other in folders if other != folder]
    for length in range(1, len(parts)):
        if not any(other[-length:] == parts[-length:] for other in others):
            return PurePosixPath(*parts[-length:])
    return PurePosixPath(*parts)


def _walk(folder: Path, root: Path, source: PurePosixPath, found: Found, known: set[str], seen: set[Path]) -> None:
    try:
        real = folder.resolve()
        if real in seen:  # a link to a folder that is read anyway, or to one above it
            return
        seen.add(real)
        if len(source.parts) > DEEPEST:
            raise OSError(f"there are more than {DEEPEST} folders in one another")
        entries = sorted(folder.iterdir())
    except OSError as bad:
        found.failed.append(Note(as_text(str(source)), bad.strerror or str(bad)))
        found.hidden_from_us.append(as_text(str(source)))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not _leads_inside(entry, root):
            continue
        if entry.is_dir():
            _walk(entry, root, source / entry.name, found, known, seen)
        elif entry.is_file():
            if entry.suffix.lower() in readers():
                _take(entry, source / entry.name, found, known, seen)
            else:
                found.ignored += 1


def _leads_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a link to itself
        return False


def _take(path: Path, source: PurePosixPath, found: Found, known: set[str], seen: set[Path]) -> None:
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    found.files[_identity(path, as_text(str(source)), found, known)] = path


def _identity(path: Path, source: str, found: Found, known: set[str]) -> str:
    """The source of a file: the one it is stored under, if it is, else the one that follows from what was given."""
    tails = list(_tails(path))
    ways = [source] * (source in known) + [tail for tail in tails if tail in known] + [source, tails[0]]
    return next(way for way in ways if way not in found.files)


def _tails(path: Path) -> Iterator[str]:
    """The ends of a path, longest first: "a/b/c.md", "b/c.md". A bare file name is too common to know a file by."""
    parts = [as_text(part) for part in path.parts[1:]]
    for start in range(len(parts) - 1):
        yield "/".join(parts[start:])


def belongs(source: str, found: Found) -> bool:
    """Whether a stored document would lie in one of the folders that were read."""
    if is_web_address(source):
        return False
    if any(source.startswith(f"{hidden}/") for hidden in found.hidden_from_us):
        return False
    parts = source.split("/")
    for root in found.roots:
        folder = [as_text(part) for part in root.parts[1:]]
        if any(folder[-length:] == parts[:length] for length in range(1, min(len(parts) - 1, len(folder)) + 1)):
            return True
    return False


def suffixes() -> str:
    return ", ".join(sorted(readers()))


def as_text(name: str) -> str:
    """A file's name as text that every database takes: undecodable bytes become question marks."""
    return name.encode("utf-8", "replace").decode("utf-8")
