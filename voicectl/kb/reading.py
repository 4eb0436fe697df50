"""A file's bytes into what the knowledge base keeps of it: parsed, divided into passages, stripped and bounded.

Pure: the same bytes and name always give the same reading. It trusts nothing it reads, but a hostile file can still
cost it memory, time or its life; sandbox.py reads in a process made for that.

Characters that nobody sees are taken out: controls, marks that turn the direction of text, tags, variation selectors.
They can carry words to a model that the owner never saw in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

from voicectl.kb.chunking import Chunk, chunk
from voicectl.kb.formats import Unreadable, readers
from voicectl.kb.formats.about import stated
from voicectl.ports import NewChunk

MOST_TEXT = 20_000_000
"""Bytes of a document's passages and their titles, in UTF-8."""
MOST_PASSAGES = 50_000
MOST_WARNINGS = 50
LONGEST_TITLE = 300
LONGEST_WARNING = 400
"""Characters; what is longer is cut."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]+"
    # Joiners mean something in Persian, Hindi and their kin, and inside emoji; nowhere else.
    "|(?<![\u0590-\u1fff\U0001f000-\U0001ffff])[\u200c\u200d]+"
)
_SMUGGLING = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e0fff]")
_BREAK = re.compile("[\u2028\u2029\x85\x0b\x0c]")
_SPACE = re.compile("[\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000 ]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. The language is a primary subtag ("de"); the days are the first and last on which it holds."""

    title: str
    chunks: tuple[NewChunk, ...]
    language: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    warnings: tuple[str, ...] = ()


def read(data: bytes, name: str) -> Reading:
    """Read a file of the format its name ends in.

    Raises Unreadable, its message the reason, for what is not of that format, has nothing to read in it or is more
    than the bounds above; never part of a document. MemoryError is left to the caller.
    """
    suffix = PurePosixPath(name).suffix.lower()
    parse = readers().get(suffix)
    if parse is None:
        raise Unreadable(f"voicectl reads {', '.join(sorted(readers()))} files")
    try:
        document = stated(parse(data, name))
        found = chunk(document.sections)
    except (Unreadable, MemoryError):
        raise
    except RecursionError as bad:
        raise Unreadable("its parts are nested too deeply") from bad
    except ImportError as bad:
        raise Unreadable(f"the library that reads {suffix} files is not installed ({bad.name})") from bad
    except Exception as bad:  # a parser that stumbles over one document must not cost the others
        raise Unreadable(f"the reader of {suffix} files failed on it ({type(bad).__name__})") from bad
    smuggled = sum(len(_SMUGGLING.findall(each.text)) + len(_SMUGGLING.findall(each.title)) for each in found)
    chunks = tuple(_bounded(_stripped(found)))
    if not chunks:
        raise Unreadable("there is nothing to read in it")
    warnings = list(document.warnings)
    if smuggled:
        warnings.append(
            f"took out {smuggled} characters that hide or turn text; ask whoever wrote it why they are there"
        )
    return Reading(
        _title(document.title) or _title(PurePosixPath(name).stem),
        chunks,
        document.language,
        document.valid_from,
        document.valid_until,
        tuple(visible(warning)[:LONGEST_WARNING] for warning in warnings[:MOST_WARNINGS]),
    )


def visible(text: str) -> str:
    """The text without what nobody sees; lines stay lines, other space becomes one space."""
    text = _INVISIBLE.sub("", _BREAK.sub("\n", text))
    return "\n".join(line.strip() for line in _SPACE.sub(" ", text).split("\n") if line.strip())


def _title(path: str) -> str:
    title = visible(path).replace("\n", " ")
    return title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"


def _stripped(chunks: Iterable[Chunk]) -> Iterator[NewChunk]:
    for each in chunks:
        if text := visible(each.text):
            yield NewChunk(_title(each.title), text, each.page)


def _bounded(chunks: Iterable[NewChunk]) -> Iterator[NewChunk]:
    size = 0
    for count, each in enumerate(chunks):
        size += len(each.title.encode()) + len(each.text.encode())
        if size > MOST_TEXT:
            raise Unreadable(f"it holds more than {MOST_TEXT // 1_000_000} MB of text: divide it")
        if count == MOST_PASSAGES:
            raise Unreadable(f"it holds more than {MOST_PASSAGES:,} passages: divide it")
        yield each
