"""Pages and sitemaps into the knowledge base: what is there, what changed, what is gone, and what only seems so."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kb"))

from web_rig import Web, moved, on_the_web, said

from voicectl.errors import UsageError
from voicectl.services.document_files import Note
from voicectl.services.ingest_kb import IngestReport, Renamed, ingest
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore

SITE = "http://10.0.0.5"
"""A host of the owner's own network; see web_rig.py for where it really leads."""
SITEMAP = f"{SITE}/docs/sitemap.xml"
HOURS, PRICES, PARKING = (f"{SITE}/docs/{name}" for name in ("hours", "prices", "parking"))


@dataclass
class Desk:
    """A database, and the web from which it is filled."""

    web: Web
    store: KnowledgeStore
    folder: Path
    told: list[tuple[str, int, int, str]] = field(default_factory=list)

    async def ingest(
        self, *urls: str, paths: tuple[Path, ...] = (), hosts: tuple[str, ...] = ("10.0.0.5",)
    ) -> IngestReport:
        self.told.clear()
        return await ingest(
            paths, self.store, urls=urls, allow_hosts=hosts, progress=lambda *each: self.told.append(each)
        )

    async def sources(self) -> list[str]:
        return [document.source for document in await self.store.documents()]

    async def finds(self, word: str) -> list[str]:
        return [passage.source for passage in await self.store.search([word], limit=9)]

    def page(self, address: str, text: str) -> None:
        self.web[address] = said(f"<html><body><h1>Page</h1><p>{text}</p></body></html>")

    def sitemap(self, *addresses: str) -> None:
        entries = "".join(f"<url><loc>{each}</loc></url>" for each in addresses)
        self.web[SITEMAP] = said(
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>', "application/xml"
        )

    def shop(self) -> None:
        """Three pages, and a sitemap of them."""
        self.page(HOURS, "We open at nine.")
        self.page(PRICES, "A bell costs ten dollars.")
        self.page(PARKING, "There is parking behind the shop.")
        self.sitemap(HOURS, PRICES, PARKING)


@pytest.fixture
def visit(tmp_path: Path) -> Callable[[Callable[[Desk], Awaitable[None]]], None]:
    """Run a test with a web and an empty database, and see that nothing is left of either."""

    def run(test: Callable[[Desk], Awaitable[None]]) -> None:
        async def main(web: Web) -> None:
            database = Database.open(f"sqlite:///{tmp_path / 'voicectl.db'}")
            await database.migrate()
            try:
                await test(Desk(web, KnowledgeStore(database), tmp_path / "kb"))
            finally:
                await database.close()

        on_the_web(main)

    return run


Visit = Callable[[Callable[[Desk], Awaitable[None]]], None]


def test_a_page_is_added_unchanged_changed(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.page(HOURS, "We open at nine.")
        first = await desk.ingest(HOURS)
        assert (first.added, first.failed, first.passages) == ((HOURS,), (), 1)
        assert await desk.finds("nine") == [HOURS]
        assert desk.told == [("reading", 1, 1, HOURS), ("storing", 0, 0, "")]

        again = await desk.ingest(HOURS)
        assert (again.unchanged, again.added, again.changed, again.passages) == ((HOURS,), (), (), 1)

        desk.page(HOURS, "We open at ten.")
        changed = await desk.ingest(HOURS)
        assert (changed.changed, changed.unchanged) == ((HOURS,), ())
        assert await desk.finds("ten") == [HOURS] and await desk.finds("nine") == []

    visit(test)


@pytest.mark.parametrize(
    "answer",
    [
        said(b"down", status="500 Internal Server Error"),
        said(b"gone", status="404 Not Found"),
        said(b"\x89PNG", "image/png"),
        said("<html><body></body></html>"),
        moved("http://169.254.169.254/latest"),
    ],
)
def test_a_page_that_fails_keeps_its_earlier_version(visit: Visit, answer: bytes) -> None:
    async def test(desk: Desk) -> None:
        desk.page(HOURS, "We open at nine.")
        desk.page(PRICES, "A bell costs ten dollars.")
        await desk.ingest(HOURS, PRICES)
        desk.web[HOURS] = answer
        desk.page(PRICES, "A bell costs twelve dollars.")
        report = await desk.ingest(HOURS, PRICES)
        assert (report.removed, report.changed, report.passages) == ((), (PRICES,), 2)
        ((source, why),) = [(note.source, note.text) for note in report.failed]
        assert source == HOURS and why.endswith("; its earlier version stays")
        assert await desk.finds("nine") == [HOURS] and await desk.finds("twelve") == [PRICES]

    visit(test)


def test_a_page_that_never_was_there_is_told_and_costs_the_others_nothing(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.page(HOURS, "We open at nine.")
        report = await desk.ingest(f"{SITE}/nowhere", HOURS)
        assert report.added == (HOURS,)
        ((source, why),) = [(note.source, note.text) for note in report.failed]
        assert source == f"{SITE}/nowhere" and "404" in why and "earlier version" not in why

    visit(test)


def test_a_sitemap_brings_its_pages_and_tells_how_far_it_is(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        report = await desk.ingest(SITEMAP)
        assert report.added == (HOURS, PRICES, PARKING) and report.passages == 3
        assert desk.told == [
            ("reading", 1, 3, HOURS),
            ("reading", 2, 3, PRICES),
            ("reading", 3, 3, PARKING),
            ("storing", 0, 0, ""),
        ]
        assert len((await desk.ingest(SITEMAP)).unchanged) == 3

    visit(test)


def test_what_the_sitemap_no_longer_lists_is_removed_and_nothing_else(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        elsewhere = f"{SITE}/about"
        desk.page(elsewhere, "We are a family business.")
        desk.folder.mkdir()
        (desk.folder / "faq.md").write_text("# Questions\n\nThe workshop is closed.\n")
        await desk.ingest(SITEMAP, elsewhere, paths=(desk.folder,))
        desk.sitemap(HOURS, PARKING)  # the page itself is still there
        report = await desk.ingest(SITEMAP)
        assert (report.removed, len(report.unchanged)) == ((PRICES,), 2)
        assert await desk.finds("bell") == [] and report.passages == 4
        assert await desk.sources() == sorted([HOURS, PARKING, elsewhere, "kb/faq.md"])
        # A folder does not speak for the web, nor the web for a folder.
        (desk.folder / "faq.md").unlink()
        (desk.folder / "new.md").write_text("# New\n\nNew.\n")
        report = await desk.ingest(paths=(desk.folder,))
        assert report.removed == ("kb/faq.md",)
        assert await desk.sources() == sorted([HOURS, PARKING, elsewhere, "kb/new.md"])

    visit(test)


def test_a_page_asked_for_by_name_is_not_gone_because_a_sitemap_lacks_it(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        await desk.ingest(SITEMAP)
        desk.sitemap(HOURS)
        report = await desk.ingest(SITEMAP, PRICES)
        assert report.removed == (PARKING,) and set(report.unchanged) == {HOURS, PRICES}

    visit(test)


def test_a_listed_page_that_fails_keeps_its_earlier_version(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        await desk.ingest(SITEMAP)
        desk.web[PRICES] = said(b"", status="503 Service Unavailable")
        report = await desk.ingest(SITEMAP)
        assert report.removed == () and [note.source for note in report.failed] == [PRICES]
        assert await desk.finds("bell") == [PRICES]

    visit(test)


@pytest.mark.parametrize(
    "answer",
    [
        said(b"", status="500 Internal Server Error"),
        said(b"", "application/xml"),
        said('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>', "application/xml"),
        said("<html><body><h1>Sorry</h1><p>We are moving house.</p></body></html>"),
    ],
)
def test_a_broken_sitemap_removes_nothing(visit: Visit, answer: bytes) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        await desk.ingest(SITEMAP)
        desk.web[SITEMAP] = answer
        report = await desk.ingest(SITEMAP)
        assert report.removed == () and {HOURS, PRICES, PARKING} <= set(await desk.sources())

    visit(test)


def test_a_page_that_moved_is_renamed(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        await desk.ingest(SITEMAP)
        new = f"{SITE}/docs/price-list"
        desk.page(new, "A bell costs ten dollars.")
        desk.sitemap(HOURS, new, PARKING)
        report = await desk.ingest(SITEMAP)
        assert report.renamed == (Renamed(PRICES, new),) and (report.added, report.removed) == ((), ())

    visit(test)


def test_hosts_that_were_not_allowed_are_not_asked(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        report = await desk.ingest(SITEMAP, HOURS, hosts=())
        assert report.added == () and {note.source for note in report.failed} == {SITEMAP, HOURS}
        assert desk.web.requests == [] and await desk.sources() == []
        with pytest.raises(UsageError):
            await desk.ingest(HOURS, hosts=("not a host",))
        assert await desk.sources() == []

    visit(test)


def test_an_interrupted_visit_changes_nothing_and_leaves_nothing(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        desk.shop()
        await desk.ingest(HOURS)

        async def never(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(20)

        desk.page(HOURS, "We open at ten.")
        desk.web[PRICES] = never
        visiting = asyncio.ensure_future(desk.ingest(SITEMAP))
        await asyncio.sleep(5)
        assert ("reading", 1, 3, HOURS) in desk.told
        visiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await visiting
        assert await desk.finds("nine") == [HOURS] and await desk.sources() == [HOURS]

    visit(test)


def test_what_is_no_address_is_told(visit: Visit) -> None:
    async def test(desk: Desk) -> None:
        report = await desk.ingest("ftp://10.0.0.5/x")
        assert [type(note) for note in report.failed] == [Note] and report.added == ()

    visit(test)
