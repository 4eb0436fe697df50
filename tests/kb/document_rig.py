"""Small documents as the tests need them: PDF and Word files written by hand."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Sequence

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

Line = tuple[float, float, float, str]
"""Size of type (bold when negative), left, bottom, text."""


def pdf_file(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def pdf(pages: Iterable[Sequence[Line] | bytes], *, language: str = "", title: str = "") -> bytes:
    """A PDF with these lines on its pages; bytes are a content stream as it is."""
    streams = [page if isinstance(page, bytes) else _drawn(page) for page in pages]
    count = len(streams)
    kids = b" ".join(b"%d 0 R" % (6 + at * 2) for at in range(count))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % (b"/Lang (%s)" % language.encode() if language else b""),
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        b"<< /Title (%s) >>" % title.encode(),
    ]
    for at, stream in enumerate(streams):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % (7 + at * 2)
        )
        packed = zlib.compress(stream)
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed))
    return pdf_file(objects, b"/Info 5 0 R" if title else b"")


def _drawn(lines: Sequence[Line]) -> bytes:
    out = []
    for size, left, bottom, text in lines:
        shown = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        out.append(b"BT /F%d %g Tf %g %g Td (%s) Tj ET" % (2 if size < 0 else 1, abs(size), left, bottom, shown))
    return b"\n".join(out)


def zipped(files: Iterable[tuple[str, bytes]], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name twice is what some tests want
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def docx(
    body: str, *, more: Iterable[tuple[str, bytes]] = (), prolog: str = "", method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A Word document with this body; `more` are further files of its archive."""
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    links = (
        f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="a" Type="{_OFFICE}/officeDocument" '
        'Target="word/document.xml"/></Relationships>'
    )
    document = f'<?xml version="1.0" encoding="UTF-8"?>{prolog}<w:document {W}><w:body>{body}</w:body></w:document>'
    return zipped(
        [
            ("[Content_Types].xml", types.encode()),
            ("_rels/.rels", links.encode()),
            ("word/document.xml", document.encode()),
            *more,
        ],
        method=method,
    )


def paragraph(text: str, style: str = "", run: str = "") -> str:
    """A paragraph of Word's with one run; `run` is what its properties hold."""
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{named}<w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def styles(**names: str) -> tuple[str, bytes]:
    """The file that names Word's styles, by their ids."""
    listed = "".join(
        f'<w:style w:type="paragraph" w:styleId="{name.replace(" ", "")}"><w:name w:val="{name}"/></w:style>'
        for name in names
    )
    return "word/styles.xml", f"<w:styles {W}>{listed}</w:styles>".encode()
