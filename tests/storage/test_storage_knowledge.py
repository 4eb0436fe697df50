from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage_databases import Opened, opened

from voicectl.errors import StoreError
from voicectl.ports import NewChunk, NewDocument, StoredDocument
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore

HOURS = NewDocument(
    "hours.md",
    "d1",
    "Opening hours",
    (
        NewChunk("Opening hours > Weekdays", "We open at nine and close at six. Café au lait is free."),
        NewChunk("Opening hours > Sunday", "On Sundays the workshop is closed."),
    ),
)
PRICES = NewDocument(
    "prices.md",
    "d2",
    "Prices",
    (
        NewChunk("Prices > Tyres", "A new tyre costs thirty pounds, fitted while you wait."),
        NewChunk("Prices > Service", "A full service costs ninety pounds. We also look at the tyres."),
    ),
)


async def index_is_in_step(database: Database) -> bool:
    """The full-text index holds exactly the passages there are. PostgreSQL's is a column and always does."""
    if not database.is_sqlite:
        return True
    try:
        await database.run(
            lambda c: c.exec_driver_sql("INSERT INTO fulltext (fulltext, rank) VALUES ('integrity-check', 1)")
        ).wait()
    except StoreError:
        return False
    return True


def test_the_best_passage_comes_first(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([HOURS, PRICES], [])
            found = await store.search(["tyre", "costs"], limit=4)
            assert [passage.title for passage in found] == ["Prices > Tyres", "Prices > Service"]
            assert found[0].score > found[1].score > 0
            assert found[0].source == "prices.md"
            assert found[0].text == PRICES.chunks[0].text
            assert len(await store.search(["tyre", "costs"], limit=1)) == 1
            assert await store.search(["submarine"], limit=4) == []
            assert await store.search([], limit=4) == []
            assert [p.title for p in await store.search(["full service"], limit=4)] == ["Prices > Service"]
            assert await store.search(["service full"], limit=4) == []  # a phrase, not its words

    asyncio.run(run())


def test_words_in_titles_count_more(url: str) -> None:
    chunks = (NewChunk("Bells", "We have bicycles here."), NewChunk("Bicycles", "We have bells here."))

    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([NewDocument("x", "1", "x", chunks)], [])
            assert [passage.title for passage in await store.search(["bicycle"], limit=2)] == ["Bicycles", "Bells"]

    asyncio.run(run())


def test_documents_and_counts(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            assert await store.documents() == []
            assert await store.count() == 0
            await store.replace([PRICES, HOURS, NewDocument("empty.md", "d3", "Empty", ())], [])
            assert [replace(each, read_at=None) for each in await store.documents()] == [
                StoredDocument("empty.md", "d3", "Empty", 0, 1),
                StoredDocument("hours.md", "d1", "Opening hours", 2, 1),
                StoredDocument("prices.md", "d2", "Prices", 2, 1),
            ]
            assert await store.count() == 4

    asyncio.run(run())


def test_replacing_and_removing_leave_nothing_of_the_old(url: str) -> None:
    newer = NewDocument("prices.md", "d9", "New prices", (NewChunk("Prices > Chains", "A chain costs ten pounds."),))

    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([HOURS, PRICES], [])
            old_ids = {passage.id for passage in await store.search(["pounds", "closed", "open"], limit=9)}
            await store.replace([newer], ["hours.md", "never.md"])
            (left,) = await store.documents()
            assert replace(left, read_at=None) == StoredDocument("prices.md", "d9", "New prices", 1, 2)
            assert await store.search(["tyre", "closed", "nine"], limit=9) == []
            (found,) = await store.search(["pounds"], limit=9)
            assert found.title == "Prices > Chains"
            assert found.id not in old_ids  # stored turns still mean the old ones
            assert await index_is_in_step(database)
            await store.replace([], ["prices.md"])
            assert await store.count() == 0
            assert await store.search(["chain", "pounds"], limit=9) == []
            assert await index_is_in_step(database)

    asyncio.run(run())


def test_the_check_of_the_index_can_fail(sqlite_url: str) -> None:
    async def run() -> None:
        async with opened(sqlite_url) as database:
            await KnowledgeStore(database).replace([HOURS], [])
            await database.run(lambda c: c.exec_driver_sql("DROP TRIGGER fulltext_delete")).wait()
            await KnowledgeStore(database).replace([], ["hours.md"])
            assert not await index_is_in_step(database)

    asyncio.run(run())


@pytest.mark.parametrize("fail_at", range(1, 8))
def test_all_or_nothing(url: str, fail_at: int) -> None:
    """The n-th statement of an ingest fails, for every n: nothing has changed."""
    changed = NewDocument("prices.md", "d9", "New", (NewChunk("New", "Everything is new and free."),))

    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([PRICES], [])
            before = await store.documents()
            statements: list[str] = []

            def fail(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
                if not statement.startswith("BEGIN"):
                    statements.append(statement)
                if len(statements) == fail_at:
                    raise OSError(5, "pulled the plug")

            sa.event.listen(database.engine, "before_cursor_execute", fail)
            with pytest.raises(StoreError):
                await store.replace([HOURS, changed], ["prices.md"])
            sa.event.remove(database.engine, "before_cursor_execute", fail)
            assert await store.documents() == before
            assert [passage.title for passage in await store.search(["tyre", "free", "open"], limit=9)] == [
                "Prices > Tyres",
                "Prices > Service",
            ]
            assert await index_is_in_step(database)
            await store.replace([HOURS, changed], ["prices.md"])
            assert [document.digest for document in await store.documents()] == ["d1", "d9"]

    asyncio.run(run())


def test_accents_and_inflections_do_not_matter_in_sqlite(sqlite_url: str) -> None:
    async def run() -> None:
        async with opened(sqlite_url) as database:
            store = KnowledgeStore(database)
            await store.replace([HOURS], [])
            for term in ("cafe", "CAFÉ", "closing", "opened", "sunday"):
                assert await store.search([term], limit=1), term

    asyncio.run(run())


HOSTILE = ['"', "*", "tyre*", "NEAR", "NEAR(tyre, 2)", "^tyre", "title:tyre", "tyre AND", "NOT", "OR", "(", "-", "+"]
HOSTILE += ["{title}:x", "'", "';--", "\\", "%", "&", "|", "!", "<->", ":*", "a:B", "''", "\x00", "\ud800", "🚲", " "]
HOSTILE += ["ty\x00re", '"tyre', 'tyre" OR "x', "x" * 10_000, "tyre " * 500, "\n", "\\:", "$1", ":question", "--", "/*"]


def test_operators_are_words(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([PRICES], [])
            for term in HOSTILE:
                await store.search([term], limit=4)
                assert await store.search([term, "ninety"], limit=4), term
            await store.search(HOSTILE, limit=4)
            assert await store.search(["nothing"] * 2000 + ["ninety"], limit=4)
            assert [passage.title for passage in await store.search(["ty\x00re"], limit=1)] == ["Prices > Tyres"]
            # Were NOT an operator, nothing would be found; were the quote not doubled, the phrase would end there.
            assert await store.search(["tyre", "NOT", "tyre"], limit=1)
            assert await store.search(['nothing" OR "tyre'], limit=1) == []

    asyncio.run(run())


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_text_breaks_the_search(kept_open: Opened, data: st.DataObject) -> None:
    operators = st.text(st.sampled_from("\"*^:(){}+-&|!<>'\\ \x00\ud800aé NEAR"), max_size=12)
    questions = data.draw(st.lists(st.lists(st.text() | operators, max_size=5), min_size=1, max_size=10))

    store = KnowledgeStore(kept_open.database)

    async def run() -> None:
        for terms in questions:
            await store.search(terms, limit=3)
            await store.find([terms, terms], terms, limit=3)

    kept_open.run(run())


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chunks=st.lists(st.builds(NewChunk, st.text(), st.text()), max_size=4))
def test_any_text_can_be_stored(kept_open: Opened, chunks: list[NewChunk]) -> None:
    store = KnowledgeStore(kept_open.database)

    async def run() -> None:
        await store.replace([NewDocument("any.md", "d", "any", tuple(chunks))], [])
        assert await store.count() == len(chunks)
        assert await index_is_in_step(kept_open.database)

    kept_open.run(run())


def test_how_many_passages_hold_a_word(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([HOURS, PRICES], [])
            words = ["Tyre", "costs", "full service", 'quo"te', "submarine", "", "sunday"]
            held = (await store.find([], words, limit=1)).held
            assert held == {"Tyre": 2, "costs": 2, "full service": 1, 'quo"te': 0, "submarine": 0, "": 0, "sunday": 1}
            assert (await store.find([], limit=1)).held == {}

    asyncio.run(run())
