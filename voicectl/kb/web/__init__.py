"""Documents from the web: addresses in, bytes with the suffix of a format out.

`documents()` treats a page like a file. It takes what an owner types: the address of a page, of a sitemap, or of a
list of pages. Nothing of the web is trusted to say where we go next: see addresses.py and safe_fetch.py.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicectl.kb.web.safe_fetch import Fetcher


class Unfetchable(Exception):
    """There is no document to be had there. The message is the reason, without the address."""


@dataclass(frozen=True, slots=True)
class WebLimits:
    """What the web may cost us."""

    connect_seconds: float = 10.0
    """To look up a host and connect to it, TLS included."""
    total_seconds: float = 30.0
    """For one document with all its redirects."""
    most_bytes: int = 20_000_000
    """Of one document, unpacked."""
    redirects: int = 3
    pages: int = 2_000
    """Taken from one sitemap or list."""
    sitemaps: int = 100
    """Read for one sitemap index."""
    depth: int = 3
    """Sitemap indexes above a sitemap, the sitemap itself included."""
    in_flight: int = 4
    """Documents fetched at once."""
    crawl_delay: float = 5.0
    """The most seconds between two pages that a site may ask for."""


@dataclass(frozen=True, slots=True)
class WebDocument:
    """A document as a file would be: `name` ends in the suffix of its format."""

    source: str
    """Its address in normal form."""
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class WebFailure:
    """What could not be had, and why. Other documents are not touched by it."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class WebListing:
    """A sitemap or list of pages, told before its pages."""

    source: str
    pages: frozenset[str]
    """Sources of the pages it lists, those included that could not be had."""
    complete: bool
    """Nothing was left out: what it does not list is no longer there."""
    folder: str
    """A sitemap speaks for the pages below it: its own address up to the last slash, without the scheme. "" for a
    plain list: it speaks for none but the pages it names."""

    def gone(self, sources: Collection[str]) -> list[str]:
        """Those of `sources` that it speaks for and no longer lists."""
        if not (self.complete and self.folder):
            return []
        return [
            source
            for source in sources
            if is_web_address(source)
            and source.partition("://")[2].startswith(self.folder)
            and source not in self.pages
        ]


def is_web_address(text: str) -> bool:
    """Whether what was typed is meant as an address of the web, not as a path."""
    return "://" in text


def documents(
    addresses: Sequence[str],
    *,
    limits: WebLimits = WebLimits(),
    allow_hosts: Collection[str] = (),
    fetcher: Fetcher | None = None,
) -> AsyncGenerator[WebDocument | WebFailure | WebListing, None]:
    """Every document behind the addresses, in their order and each once; what fails is told and stops nothing.

    `allow_hosts` names hosts of the owner's network ("wiki.local", "10.0.0.5:8080") that may be asked although they
    are not public; UsageError if one is no name of a host. `fetcher` replaces the one made from the other arguments
    and is not closed.
    """
    from voicectl.kb.web.pages import crawl

    return crawl(addresses, limits=limits, allow_hosts=allow_hosts, fetcher=fetcher)
