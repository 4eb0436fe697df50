"""Sitemaps and lists of pages: bytes in, addresses out. See https://www.sitemaps.org/protocol.html.

The XML comes from strangers. expat expands entities, so nothing that declares one is read on: no DTD at all.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from dataclasses import dataclass
from xml.parsers import expat

from voicectl.kb.web import Unfetchable
from voicectl.kb.web.addresses import LONGEST

_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s/>]")
_HEAD = 4096
"""Bytes within which a sitemap shows that it is one."""
_LINE = re.compile(r"https?://\S*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of addresses holds, as it is written there."""

    addresses: tuple[str, ...]
    of_sitemaps: bool = False
    """They are those of further sitemaps, not of pages."""
    plain: bool = False
    """It is a text with one address per line."""


def unpacked(data: bytes, most: int) -> bytes:
    """`data`, out of gzip if it is gzip. Raises Unfetchable when that is broken or gives more than `most` bytes."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        plain = gzip.GzipFile(fileobj=io.BytesIO(data)).read(most + 1)
    except (OSError, EOFError, zlib.error) as bad:
        raise Unfetchable("it is packed with gzip, and broken") from bad
    if len(plain) > most:
        raise Unfetchable(f"it is larger than {most / 1_000_000:g} MB")
    return plain


def read_listing(data: bytes, most: int) -> Listing | None:
    """The first `most` addresses of a sitemap, sitemap index or text of nothing but addresses; None for anything else.

    Raises Unfetchable for a sitemap that is broken or dangerous to read.
    """
    if _ROOT.search(data[:_HEAD]):
        return _Sitemap(most).read(data)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"http", b"HTTP", b"#")):
        return None
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        return None
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or not all(_LINE.fullmatch(line) for line in lines):
        return None
    return Listing(tuple(lines[:most]), plain=True)


class _Sitemap:
    """Collects the <loc> of each <url> or <sitemap>; those of images and translations are other elements."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: list[str] = []
        self._depth = 0
        self._space = ""
        self._of_sitemaps = False
        self._entry = False
        self._text: list[str] | None = None

    def read(self, data: bytes) -> Listing:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as bad:
            raise Unfetchable("it is a sitemap, but not well-formed") from bad
        return Listing(tuple(self._found), of_sitemaps=self._of_sitemaps)

    def _refuse(self, *_: object) -> None:
        raise Unfetchable("it is a sitemap with a document type declaration, which is not safe to read")

    def _start(self, name: str, _: object) -> None:
        space, _, local = name.rpartition(" ")
        self._depth += 1
        if self._depth == 1:
            self._space = space
            self._of_sitemaps = local == "sitemapindex"
        elif self._depth == 2:
            self._entry = space == self._space and local == ("sitemap" if self._of_sitemaps else "url")
        elif self._depth == 3 and self._entry and space == self._space and local == "loc":
            self._text = []

    def _end(self, _: str) -> None:
        if self._depth == 3 and self._text is not None:
            if len(self._found) < self._most:
                self._found.append("".join(self._text).strip()[: LONGEST + 1])
            self._text = None
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
