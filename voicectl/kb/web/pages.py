"""From what an owner types to the documents behind it.

- A page that was asked for is fetched. What a list leads to is asked for politely: as the site's robots.txt says, at
  its pace, and not again from a server that has stopped answering.
- A list speaks for its own site: the host it came from and that one's subdomains. What it lists elsewhere is passed
  over, and a page of it that leads elsewhere is none.
- The order is that of the addresses and lists, whatever arrives first: the same web gives the same documents.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Collection, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote
from urllib.robotparser import RobotFileParser

from voicectl.kb.web import Unfetchable, WebDocument, WebFailure, WebLimits, WebListing
from voicectl.kb.web.addresses import web_address
from voicectl.kb.web.safe_fetch import ROBOT, Fetched, Fetcher, Unreachable, suffix
from voicectl.kb.web.sitemaps import Listing, read_listing, unpacked

if TYPE_CHECKING:
    from yarl import URL

T = TypeVar("T")

_PATIENCE = 5
"""So many pages in a row that a server did not answer for, and it is not asked for the others of a list."""
_ROBOTS_BYTES = 500_000
"""As much of a robots.txt is read (RFC 9309, 2.5)."""
_TEXT = frozenset({".html", ".md", ".txt", ".csv"})
_CHARSET = re.compile(
    r"utf-16(?:le|be)?|(?:iso-|windows-|cp)[0-9-]+|us-ascii|latin-?1|koi8-[ru]|big5|gbk|gb2312|gb18030"
    r"|shift[_-]jis|euc-(?:jp|kr)|iso-2022-jp"
)
"""Charsets that are believed; among Python's others are some that cost minutes to decode."""
_LATIN = frozenset({"iso-8859-1", "us-ascii", "latin1", "latin-1"})


async def crawl(
    addresses: Sequence[str], *, limits: WebLimits, allow_hosts: Collection[str], fetcher: Fetcher | None
) -> AsyncGenerator[WebDocument | WebFailure | WebListing, None]:
    """See documents()."""
    async with AsyncExitStack() as stack:
        if fetcher is None:
            fetcher = await stack.enter_async_context(Fetcher(limits=limits, allow_hosts=allow_hosts))
        found = _Crawl(fetcher, limits).run(addresses)
        async with aclosing(found):
            async for each in found:
                yield each


class _Crawl:
    def __init__(self, fetcher: Fetcher, limits: WebLimits) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._hosts: dict[str, _Host] = {}
        self._asked: set[str] = set()
        self._told: set[str] = set()
        """Where the documents that were told came from in the end: two ways to one page make one document."""

    async def run(self, addresses: Sequence[str]) -> AsyncGenerator[WebDocument | WebFailure | WebListing, None]:
        given: dict[str, None] = {}
        for address in addresses:
            try:
                given[str(web_address(address))] = None
            except Unfetchable as why:
                yield WebFailure(address, str(why))
        self._asked.update(given)
        arriving = _in_order((self._open(source) for source in given), self._limits.in_flight)
        async with aclosing(arriving):
            async for source, got in arriving:
                if isinstance(got, tuple):
                    async with aclosing(self._listed(source, *got)) as found:
                        async for each in found:
                            yield each
                elif self._is_new(got):
                    yield self._outcome(source, got)

    async def _open(self, source: str) -> tuple[str, Fetched | Unfetchable | tuple[Fetched, Listing]]:
        """What is at an address: a document, or a list with what it holds."""
        try:
            async with self._slots:
                fetched = await self._fetcher.fetch(source)
            listing = await self._listing(fetched)
        except Unfetchable as why:
            return source, why
        return source, fetched if listing is None else (fetched, listing)

    async def _listing(self, fetched: Fetched) -> Listing | None:
        def read() -> Listing | None:
            return read_listing(unpacked(fetched.body, self._limits.most_bytes), self._limits.pages + 1)

        return await asyncio.to_thread(read)

    # --- lists -------------------------------------------------------------------------------------------

    async def _listed(
        self, source: str, fetched: Fetched, listing: Listing
    ) -> AsyncGenerator[WebDocument | WebFailure | WebListing, None]:
        """A list's pages, after the list itself and what is wrong with it."""
        root = web_address(fetched.final_url)
        held = await self._gather(source, root, listing)
        folder = "" if listing.plain else _without_scheme(str(root)).rpartition("/")[0] + "/"
        yield WebListing(source, frozenset(held.pages), held.complete, folder)
        for trouble in held.troubles:
            yield trouble

        asked = [page for page in held.pages if page not in self._asked]
        self._asked.update(asked)
        arriving = _in_order((self._page(page, root) for page in asked), self._limits.in_flight)
        async with aclosing(arriving):
            async for page, got in arriving:
                if self._is_new(got):
                    yield self._outcome(page, got)

    async def _gather(self, source: str, root: URL, listing: Listing) -> _Held:
        """The pages of a list, and of the sitemaps it lists instead."""
        most = self._limits.pages
        held = _Held()
        lists = deque([(source, listing, 1)])
        seen = {source}
        while lists:
            name, found, depth = lists.popleft()
            inside, outside = _sorted(found.addresses, root)
            if outside:
                held.lacks(name, f"{outside} of the addresses it lists are not of its site: passed over")
                held.complete &= not found.of_sitemaps
            if not found.of_sitemaps:
                held.pages.update(dict.fromkeys(inside))
                held.cut |= len(found.addresses) > most
                continue
            for each in inside:
                if each in seen:
                    continue
                if depth == self._limits.depth or len(seen) > self._limits.sitemaps:
                    held.lacks(name, "it lists more sitemaps than are read: the others were left out")
                    held.complete = False
                    break
                seen.add(each)
                try:
                    further = await self._listing(await self._politely(each, root))
                    if further is None:
                        raise Unfetchable("it is not a sitemap")
                    lists.append((each, further, depth + 1))
                except Unfetchable as why:
                    held.lacks(each, str(why))
                    held.complete = False
        if held.cut or len(held.pages) > most:
            held.pages = dict.fromkeys(list(held.pages)[:most])
            held.lacks(source, f"it lists more than {most} pages: the others were left out")
            held.complete = False
        if not held.pages:
            held.lacks(source, "it lists no pages")
            held.complete = False  # a site whose sitemap is empty is more likely broken than empty
        return held

    async def _page(self, source: str, root: URL) -> tuple[str, Fetched | Unfetchable]:
        try:
            return source, await self._politely(source, root)
        except Unfetchable as why:
            return source, why

    async def _politely(self, source: str, root: URL) -> Fetched:
        """Something that nobody but the list at `root` asked for. Raises Unfetchable."""
        url = web_address(source)
        host = self._hosts.setdefault(str(url.origin()), _Host())
        try:
            async with host.turn:
                if host.silent >= _PATIENCE:
                    raise Unreachable("its server has stopped answering")
                if host.rules is None:
                    host.rules = await self._rules(url, root)
                if not host.rules.can_fetch(ROBOT, source):
                    raise Unfetchable("the site's robots.txt asks programs not to read it")
                await host.pause(min(int(host.rules.crawl_delay(ROBOT) or 0), self._limits.crawl_delay))
            async with self._slots:
                fetched = await self._fetcher.fetch(source, sent_by=str(root))
        except Unreachable:
            host.silent += 1
            raise
        host.silent = 0
        if not _same_site(web_address(fetched.final_url), root):
            raise Unfetchable("it leads to another site")
        return fetched

    async def _rules(self, url: URL, root: URL) -> RobotFileParser:
        """A site without a robots.txt allows everything; one that cannot say allows nothing (RFC 9309, 2.3.1)."""
        rules = RobotFileParser()
        try:
            async with self._slots:
                fetched = await self._fetcher.fetch(str(url.origin() / "robots.txt"), any_type=True, sent_by=str(root))
            rules.parse(fetched.body[:_ROBOTS_BYTES].decode("utf-8-sig", "replace").splitlines())
        except Unreachable as why:
            raise Unreachable(f"the site's robots.txt could not be asked for leave: {why}") from why
        except Unfetchable:
            rules.parse([])
        except ValueError:  # of the parser: a rule that is none
            rules = RobotFileParser()
            rules.parse(["User-agent: *", "Disallow: /"])
        return rules

    # --- documents ---------------------------------------------------------------------------------------

    def _is_new(self, got: Fetched | Unfetchable) -> bool:
        if isinstance(got, Unfetchable):
            return True
        new = got.final_url not in self._told
        self._told.add(got.final_url)
        return new

    def _outcome(self, source: str, got: Fetched | Unfetchable) -> WebDocument | WebFailure:
        if isinstance(got, Unfetchable):
            return WebFailure(source, str(got))
        url = web_address(got.final_url)
        kind = suffix(got.content_type, url.name) or (".html" if b"<html" in got.body[:4096].lower() else "")
        if not kind:
            return WebFailure(source, "it is neither a sitemap nor a document that voicectl reads")
        return WebDocument(source, _name(url, kind), _in_utf8(got) if kind in _TEXT else got.body)


@dataclass(slots=True)
class _Held:
    """What a list holds, with the sitemaps below it."""

    pages: dict[str, None] = field(default_factory=dict)
    troubles: list[WebFailure] = field(default_factory=list)
    complete: bool = True
    cut: bool = False
    """A list was not read to its end."""

    def lacks(self, source: str, reason: str) -> None:
        self.troubles.append(WebFailure(source, reason))


class _Host:
    """How one server is asked for the pages of a list."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.rules: RobotFileParser | None = None
        self.silent = 0
        """Answers in a row that did not come."""
        self._free_at = 0.0

    async def pause(self, delay: float) -> None:
        """Wait for the next page's turn; `delay` is in seconds from one to the next."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at - loop.time()))
        self._free_at = loop.time() + delay


async def _in_order(jobs: Iterable[Coroutine[Any, Any, T]], at_once: int) -> AsyncGenerator[T, None]:
    """The jobs' results in their order, while up to `at_once` of them run; they must not raise."""
    running: deque[asyncio.Task[T]] = deque()
    try:
        for job in jobs:
            running.append(asyncio.create_task(job))
            if len(running) >= at_once:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _same_site(url: URL, root: URL) -> bool:
    """Whether `url` is on the host of `root`, "www." apart, or on one below it."""
    host, of = url.raw_host or "", root.raw_host or ""
    bare = of.removeprefix("www.")
    site = bare if "." in bare else of
    return host == site or host.endswith(f".{site}")


def _sorted(addresses: Iterable[str], root: URL) -> tuple[list[str], int]:
    """The addresses of the site, in normal form, and how many others there are."""
    inside: list[str] = []
    outside = 0
    for address in addresses:
        try:
            url = web_address(address)
        except Unfetchable:
            outside += 1
            continue
        if _same_site(url, root):
            inside.append(str(url))
        else:
            outside += 1
    return inside, outside


def _without_scheme(address: str) -> str:
    return address.partition("://")[2]


def _name(url: URL, kind: str) -> str:
    """A file's name for a page: the last part of its address, or its host."""
    last = unquote(url.raw_path.rstrip("/").rpartition("/")[2])
    stem = re.sub(r"\.[A-Za-z0-9]{1,8}$", "", last) or url.raw_host or "page"
    return re.sub(r"[\x00-\x1f\x7f/\\]", " ", stem) + kind


def _in_utf8(fetched: Fetched) -> bytes:
    """The text as UTF-8 with its mark, where the server names another charset and the bytes do not speak against it.

    A format's reader sees only the bytes. Servers that name a charset for all pages alike are often wrong; bytes that
    are UTF-8 and more than ASCII are so by no accident.
    """
    charset, body = fetched.charset, fetched.body
    if not _CHARSET.fullmatch(charset):
        return body
    try:
        if not body.decode("utf-8").isascii():
            return body
    except UnicodeDecodeError:
        pass
    try:
        text = body.decode("cp1252" if charset in _LATIN else charset, "replace")
    except LookupError:
        return body
    return text.removeprefix("\ufeff").encode("utf-8-sig", "replace")
