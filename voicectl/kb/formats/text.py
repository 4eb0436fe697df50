"""Plain text, and the reading of bytes as text.

Plain text has no marks for its parts, so they are guessed carefully: a short line alone, underlined or in capitals is a
heading; a question in an FAQ ("Q: ...") is one too; lines that begin with a bullet are a list; lines that all read
"label: value" are a table. Everything else is a paragraph.
"""

from __future__ import annotations

import codecs
import re

from voicectl.kb.formats import Block, Document, Items, Paragraph, Rows, Section, Unreadable, title_from
from voicectl.kb.formats.about import from_line

SUFFIXES = (".txt", ".text")

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1a\x1c-\x1f]+")
_UNSEEN = re.compile(r"[\x1b\x7f-\x9f\u200b\u2060\ufeff\u00ad]+")
_BULLET = re.compile(r"^\s*(?:[-*•‣–]|\d{1,3}[.)])\s+(?=\S)")
_LABELED = re.compile(r"^\s*([^:.!?]{1,60}):\s+(\S.*)$")
_QUESTION = re.compile(r"^\s*Q(?:uestion)?\s*\d*\s*[:.)]\s*(\S.*)$", re.IGNORECASE)
_ANSWER = re.compile(r"^\s*A(?:nswer)?\s*\d*\s*[:.)]\s*(?=\S)", re.IGNORECASE)
_UNDERLINE = re.compile(r"^\s*(={3,}|-{3,}|~{3,})\s*$")


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text in `data` with plain line ends, and warnings. Raises Unreadable for what is no text."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return _clean(data.decode(encoding)), ()
            except UnicodeDecodeError as bad:
                raise Unreadable(f"it says it is {encoding.removesuffix('-sig').upper()} text but is not") from bad
    if b"\x00" in data:
        raise Unreadable("it is not text (it holds NUL bytes)")
    try:
        return _clean(data.decode("utf-8")), ()
    except UnicodeDecodeError:
        pass
    odd = sum(byte < 0x20 and byte not in b"\t\n\r\f\x1b" for byte in data)
    if odd > len(data) // 100:
        raise Unreadable("it is not text")
    try:
        return _clean(data.decode("cp1252")), ("not UTF-8, read as Windows-1252; check its accents and quotes",)
    except UnicodeDecodeError:
        return _clean(data.decode("latin-1")), ("not UTF-8, read as Latin-1; check its accents and quotes",)


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n").replace("\x00", "")
    readable = _CONTROLS.sub("", text)
    if len(text) - len(readable) > len(text) // 100:
        raise Unreadable("it is not text (it holds control characters)")
    return _UNSEEN.sub("", readable).replace("\u00a0", " ")


def parse(data: bytes, name: str) -> Document:
    """Read plain text. Raises Unreadable."""
    text, warnings = decode(data)
    sections: list[tuple[tuple[str, ...], list[Block]]] = []
    title = ""
    for lines in _groups(text):
        if len(lines) == 2 and _UNDERLINE.match(lines[1]) and len(lines[0]) <= 80:
            lines, heading = lines[:1], True
        else:
            heading = len(lines) == 1 and looks_like_heading(lines[0])
        if heading:
            words = lines[0].strip().rstrip(":").strip()
            if not title and not sections:
                title = words
            else:
                sections.append(((words,), []))
            continue
        question = _QUESTION.match(lines[0])
        if question:
            sections.append(((question[1].strip(),), []))
            lines = lines[1:]
        if lines:
            if not sections:
                sections.append(((), []))
            sections[-1][1].extend(blocks_of(lines))
    title = title or title_from(name)
    return Document(
        title,
        tuple(Section((title, *path), tuple(blocks)) for path, blocks in sections if blocks),
        warnings,
    )


def _groups(text: str) -> list[list[str]]:
    """Runs of lines between empty ones; a question begins a run of its own."""
    groups: list[list[str]] = [[]]
    for line in text.split("\n"):
        if not line.strip():
            groups.append([])
            continue
        if _QUESTION.match(line) and groups[-1]:
            groups.append([])
        groups[-1].append(line)
    return [group for group in groups if group]


def looks_like_heading(line: str) -> bool:
    """Whether a line that stands alone is a heading."""
    line = line.strip()
    if len(line) > 70 or len(line.split()) > 10 or _BULLET.match(line):
        return False
    if line[-1:] in ".,;!" or _LABELED.match(line) or not any(c.isalpha() for c in line):
        return False
    return from_line(line) is None


def blocks_of(lines: list[str]) -> list[Block]:
    """Lines that stand together, as the blocks they look like."""
    lines = [_ANSWER.sub("", line) if at == 0 else line for at, line in enumerate(lines)]
    bulleted = [at for at, line in enumerate(lines) if _BULLET.match(line)]
    if bulleted:
        lead_in = " ".join(" ".join(lines[: bulleted[0]]).split())
        items: list[str] = []
        for line in lines[bulleted[0] :]:
            if _BULLET.match(line):
                items.append(_BULLET.sub("", line).strip())
            else:
                items[-1] += f" {line.strip()}"
        return [Items(tuple(items), lead_in)]
    labeled = [_LABELED.match(line) for line in lines]
    if len(lines) > 1 and all(labeled):
        return [Rows(("", ""), tuple((match[1].strip(), match[2].strip()) for match in labeled if match))]
    return [Paragraph(" ".join(" ".join(lines).split()))]
