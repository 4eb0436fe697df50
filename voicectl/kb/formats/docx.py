"""Word documents: mammoth makes a page of them, which is read like any other.

A document is a zip archive of XML, and both are known ways to make a small file large. So before anything is unpacked
the archive's own list is checked, and before anything is believed of the XML it is seen to define no entities. Text
that is marked as hidden is taken out, since mammoth keeps it.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from xml.etree import ElementTree
from xml.parsers import expat

from voicectl.kb.formats import Document, Unreadable, html
from voicectl.kb.formats.about import language

SUFFIXES = (".docx",)

LARGEST_UNPACKED = 200_000_000
"""Bytes, of all entries together."""
HIGHEST_RATIO = 100
"""Of unpacked to packed bytes, in the whole archive; documents full of tables reach 30."""
MOST_ENTRIES = 10_000
DEEPEST = 200
"""Elements inside one another; Word itself stays under 50."""

_ARCHIVE = re.compile(r"\.(?:zip|docx|docm|xlsx|xlsm|pptx|odt|ods|jar|7z|rar|tar|gz|tgz|bz2|xz|zst)$", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
"""
_CORE = "docProps/core.xml"
_BODY = "word/document.xml"
_STYLE_SHEET = "word/styles.xml"


def parse(data: bytes, name: str) -> Document:
    """Read a Word document. Raises Unreadable for what is none, or is a bomb."""
    import mammoth

    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("it is an old Word file, or one with a password: save it as .docx without one")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive)
            parts = {entry: _part(archive, entry) for entry in archive.namelist() if entry.endswith((".xml", ".rels"))}
            hidden = _take_out_hidden(parts)
            if "[Content_Types].xml" not in parts:
                raise Unreadable("it is an archive but not a Word document")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as bad:
        raise Unreadable("it is not a Word document, or it is damaged") from bad
    warnings = (f"left out text marked as hidden, in {hidden} place{'s' * (hidden > 1)}",) if hidden else ()
    try:
        made = mammoth.convert_to_html(_packed(parts), style_map=_STYLES, convert_image=_no_image)
    except (OSError, KeyError, ValueError, AttributeError, TypeError, IndexError) as bad:
        raise Unreadable("it is not a Word document, or it is damaged") from bad
    document = html.document(made.value, name, warnings=warnings, title=_core(parts, "title"))
    return Document(
        document.title,
        document.sections,
        document.warnings,
        language(_core(parts, "language")),
        document.valid_from,
        document.valid_until,
    )


def _check(archive: zipfile.ZipFile) -> None:
    """Refuse what would grow, by the archive's own list; reading an entry never gives more than is listed."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise Unreadable(f"it is an archive of more than {MOST_ENTRIES:,} files")
    out = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if out > LARGEST_UNPACKED:
        raise Unreadable(f"it would unpack to more than {LARGEST_UNPACKED // 1_000_000} MB")
    if out > HIGHEST_RATIO * max(packed, 1):
        raise Unreadable(f"it would unpack to more than {HIGHEST_RATIO} times its size")
    for entry in entries:
        if _ARCHIVE.search(entry.filename):
            raise Unreadable("it holds an archive inside the archive")
        if entry.flag_bits & 1:
            raise Unreadable("it is protected with a password: save a copy without one")
    if len({entry.filename for entry in entries}) < len(entries):
        raise Unreadable("it is an archive that lists a file twice")


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    """One XML file of the archive, checked."""
    with archive.open(name) as entry:
        part = entry.read(LARGEST_UNPACKED)
    depth = 0

    def refuse(*_: object) -> None:
        raise Unreadable("it defines XML entities, which no Word document does")

    def opened(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Unreadable("its parts are nested too deeply")

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        parser.Parse(part, True)
    except expat.ExpatError as bad:
        raise Unreadable("it is not a Word document, or it is damaged") from bad
    return part


def _take_out_hidden(parts: dict[str, bytes]) -> int:
    """Take the runs out of the body that are hidden, themselves or by their style; how many of them had words."""
    styles = {
        style.get(f"{_W}styleId") for style in _elements(parts.get(_STYLE_SHEET), "style") if _vanishes(style)
    } - {None}
    if not styles and b"anish" not in parts.get(_BODY, b"").replace(b"\x00", b""):
        return 0
    root = ElementTree.fromstring(parts[_BODY])
    taken = 0
    for paragraph in root.iter(f"{_W}p"):
        named = paragraph.find(f"{_W}pPr/{_W}pStyle")
        whole = named is not None and named.get(f"{_W}val") in styles
        for holder in (paragraph, *paragraph.iter(f"{_W}hyperlink")):
            for run in holder.findall(f"{_W}r"):
                of = run.find(f"{_W}rPr/{_W}rStyle")
                if whole or _vanishes(run) or (of is not None and of.get(f"{_W}val") in styles):
                    taken += any((text.text or "").strip() for text in run.iter(f"{_W}t"))
                    holder.remove(run)
    parts[_BODY] = ElementTree.tostring(root, "utf-8")
    return taken


def _elements(part: bytes | None, name: str) -> Iterable[ElementTree.Element]:
    return ElementTree.fromstring(part).iter(_W + name) if part and b"anish" in part.replace(b"\x00", b"") else ()


def _vanishes(element: ElementTree.Element) -> bool:
    mark = element.find(f"{_W}rPr/{_W}vanish")
    return mark is not None and mark.get(f"{_W}val", "1") not in ("0", "false", "off")


def _packed(parts: dict[str, bytes]) -> io.BytesIO:
    """The parts as an archive again, stored: what mammoth unpacks is what was checked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part)
    file.seek(0)
    return file


def _no_image(_: object) -> list[object]:
    return []


def _core(parts: dict[str, bytes], name: str) -> str:
    """What the document's properties say, ""."""
    found = re.search(rf"<dc:{name}>([^<]{{1,200}})</dc:{name}>", parts.get(_CORE, b"").decode("utf-8", "replace"))
    return " ".join(found[1].split()) if found else ""
