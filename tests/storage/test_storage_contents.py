"""What a process holds of the knowledge base: all of one moment, and afterwards only what is new."""

from __future__ import annotations

import asyncio
import random
import threading
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from storage_databases import opened

from voicectl.conversation.turns import Passage
from voicectl.errors import StoreError
from voicectl.ports import (
    Calibration,
    CallInfo,
    Contents,
    Gap,
    NewChunk,
    NewDocument,
    Scope,
    ShelvedPassage,
    StoredDocument,
)
from voicectl.storage.calls import Calls
from voicectl.storage.gaps import GapStore
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

MENU = NewDocument(
    "kb/menu.pdf",
    "d1",
    "Menu",
    (
        NewChunk("Menu > Soup", "Onion soup is eight pounds.", 1, "onion pound soup"),
        NewChunk("Menu > Pie", "The pie is ten pounds.", 3, "pie pound"),
    ),
    "restaurant",
    "de",
    date(2026, 1, 1),
    date(2026, 12, 31),
)
HOURS = NewDocument("kb/hours.md", "d2", "Hours", (NewChunk("Hours", "We open at nine."),))
EMPTY = NewDocument("kb/empty.md", "d3", "Empty", ())


def numbered(number: int, text: str = "text") -> NewDocument:
    return NewDocument(f"kb/{number}.md", f"{text}{number}", "t", (NewChunk("t", f"{text} {number}"),))


def test_of_a_knowledge_base_that_was_never_filled(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            assert await store.contents({}) == Contents(0, (), (), {})
            assert await store.contents({7: 1}) == Contents(0, (), (), {})
            assert await store.contents(None) == Contents(0, (), (), {})
            assert await store.version() == 0

    asyncio.run(run())


def test_everything_that_a_search_asks_for(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([MENU, HOURS, EMPTY], [])
            contents = await store.contents({})
            menu, hours, empty = contents.scopes
            assert menu == Scope(menu.id, 1, "kb/menu.pdf", "restaurant", "de", date(2026, 1, 1), date(2026, 12, 31))
            assert hours == Scope(hours.id, 1, "kb/hours.md") and empty == Scope(empty.id, 1, "kb/empty.md")
            first, second, third = (each.passage.id for each in contents.passages)
            assert first < second < third
            assert contents.passages == (
                ShelvedPassage(
                    Passage(first, "Menu > Soup", "Onion soup is eight pounds.", "kb/menu.pdf", page=1),
                    menu.id,
                    "onion pound soup",
                ),
                ShelvedPassage(
                    Passage(second, "Menu > Pie", "The pie is ten pounds.", "kb/menu.pdf", page=3), menu.id, "pie pound"
                ),
                ShelvedPassage(Passage(third, "Hours", "We open at nine.", "kb/hours.md"), hours.id, ""),
            )
            assert await store.passages() == [each.passage for each in contents.passages]
            assert await store.contents(None) == replace(contents, passages=())

    asyncio.run(run())


def test_documents_are_listed_with_where_and_when_they_hold(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            began = datetime.now(UTC)
            await store.replace([MENU], [])
            (menu,) = await store.documents()
            assert menu.read_at is not None and began <= menu.read_at <= datetime.now(UTC)
            dates = (date(2026, 1, 1), date(2026, 12, 31))
            assert menu == StoredDocument("kb/menu.pdf", "d1", "Menu", 2, 1, "restaurant", "de", *dates, menu.read_at)
            changed = replace(MENU, collection="", language="fr", valid_from=None, valid_until=date(2027, 2, 3))
            await store.replace([changed], [])
            (now,) = await store.documents()
            assert now.read_at is not None and now.read_at > menu.read_at
            assert now == StoredDocument(
                "kb/menu.pdf", "d1", "Menu", 2, 2, "", "fr", None, date(2027, 2, 3), now.read_at
            )
            (found,) = await store.search(["soup"], limit=1)
            assert (found.page, found.source) == (1, "kb/menu.pdf")

    asyncio.run(run())


def test_a_copy_that_takes_only_what_is_new_stays_equal(url: str) -> None:
    """Documents come, change, go and come again; the copy is told of each change once, and of nothing else."""
    chance = random.Random(11)

    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            known: dict[int, int] = {}
            copy: list[ShelvedPassage] = []
            for step in range(30):
                put = [numbered(chance.randrange(8), f"step {step}") for _ in range(chance.randrange(3))]
                put = list({each.source: each for each in put}.values())
                gone = {f"kb/{chance.randrange(8)}.md" for _ in range(chance.randrange(3))}
                await store.replace(put, sorted(gone - {each.source for each in put}))
                new = await store.contents(known)
                fresh = {scope.id for scope in new.scopes if known.get(scope.id) != scope.version}
                assert {each.document for each in new.passages} == fresh
                assert {scope.source for scope in new.scopes if scope.id in fresh} == {each.source for each in put}
                known = {scope.id: scope.version for scope in new.scopes}
                copy = [each for each in copy if each.document in known.keys() - fresh] + list(new.passages)
                everything = await store.contents({})
                assert tuple(sorted(copy, key=lambda each: each.passage.id)) == everything.passages
                assert new.scopes == everything.scopes and new.version == everything.version
                assert (await store.contents(known)).passages == ()

    asyncio.run(run())


def test_more_documents_than_fit_one_statement(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([numbered(number) for number in range(1001)], [])
            contents = await store.contents({})
            assert [each.passage.text for each in contents.passages] == [f"text {number}" for number in range(1001)]
            known = {scope.id: scope.version for scope in contents.scopes[500:]}
            assert len((await store.contents(known)).passages) == 500

    asyncio.run(run())


def test_the_version_counts_what_a_search_depends_on_and_nothing_else(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store, vectors, gaps, calls = (
                KnowledgeStore(database),
                VectorStore(database),
                GapStore(database),
                Calls(database),
            )
            seen = [await store.version()]

            async def changed() -> None:
                seen.append(await store.version())
                assert len(set(seen)) == len(seen)
                assert (await store.contents({})).version == seen[-1]

            await store.replace([MENU], [])
            await changed()
            await store.replace([MENU], [])
            await changed()
            await store.calibrate({"a": Calibration(0.4)})
            await changed()
            await store.replace([], ["kb/menu.pdf"])
            await changed()
            await store.replace([], [])
            await changed()

            await vectors.keep("a", {"x": b"1"})
            await vectors.prune("a", ())
            await gaps.record_gap(Gap(datetime.now(UTC), "CA1", "what")).wait()
            await gaps.clear_gaps()
            await calls.begin_call(CallInfo("CA1", "VX1", "+1", "+2")).wait()
            await store.documents()
            await store.find([["soup"]], ["soup"], limit=3)
            assert await store.version() == seen[-1]

    asyncio.run(run())


def test_a_change_that_fails_does_not_count(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace([MENU], [])
            before = await store.contents({})

            def fail(connection: object, cursor: object, statement: str, *rest: object) -> None:
                if "knowledge_state" in statement and statement.startswith("INSERT"):
                    raise OSError(5, "pulled the plug")

            sa.event.listen(database.engine, "before_cursor_execute", fail)
            for change in (store.replace([HOURS], ["kb/menu.pdf"]), store.calibrate({"a": Calibration(0.4)})):
                with pytest.raises(StoreError):
                    await change
            sa.event.remove(database.engine, "before_cursor_execute", fail)
            assert await store.contents({}) == before

    asyncio.run(run())


def test_calibrations_are_kept_by_embedder(url: str) -> None:
    words = Calibration(0.4, (0.1, 0.2, 0.3, 0.4), (), 2)
    meanings = Calibration(0.37, (0.1, 0.2, 0.3, 0.4), (0.5, 0.6, 0.7, 0.8), 3)

    async def run() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.calibrate({"": words})
            await store.replace([MENU], [])
            await store.calibrate({"mini": meanings})
            assert (await store.contents({})).calibrations == {"": words, "mini": meanings}
            await store.calibrate({"": replace(words, threshold=0.5)})
            await store.replace([], ["kb/menu.pdf"])
        async with opened(url) as database:
            found = (await KnowledgeStore(database).contents({})).calibrations
            assert found == {"": replace(words, threshold=0.5), "mini": meanings}

    asyncio.run(run())


def test_two_processes_that_calibrate_at_once_lose_nothing(url: str) -> None:
    async def run() -> None:
        async with opened(url) as one, opened(url) as other:
            await KnowledgeStore(one).replace([MENU], [])

            async def calibrate(store: KnowledgeStore, name: str) -> None:
                for number in range(8):
                    await store.calibrate({f"{name}{number}": Calibration(number / 10)})

            await asyncio.gather(calibrate(KnowledgeStore(one), "a"), calibrate(KnowledgeStore(other), "b"))
            found = (await KnowledgeStore(one).contents({})).calibrations
            assert {name: each.threshold for name, each in found.items()} == {
                f"{name}{number}": number / 10 for name in "ab" for number in range(8)
            }

    asyncio.run(run())


def test_who_answers_a_caller_does_not_wait_for_what_is_being_written(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            store, vectors = KnowledgeStore(database), VectorStore(database)
            await store.replace([MENU], [])
            await vectors.keep("a", {"x": b"1"})
            go_on = threading.Event()
            slow = database.run(lambda connection: go_on.wait(20))
            try:
                async with asyncio.timeout(10):
                    assert await store.version() == 1
                    assert len((await store.contents({})).passages) == 2
                    assert await vectors.load("a") == {"x": b"1"}
                    assert (await store.find([["soup"]], limit=1)).passages
                    assert not slow.done
            finally:
                go_on.set()
            await slow.wait()

    asyncio.run(run())


GENERATIONS = 10
DOCUMENTS = 15


def generation(number: int) -> list[NewDocument]:
    """Documents of which some stay, some come and some go with the next generation; all say which one it is."""
    names = [*range(DOCUMENTS), *(f"{number}-{each}" for each in range(5))]
    return [
        NewDocument(f"kb/{name}.md", f"g{number}", "t", (NewChunk("t", f"bell generation{number}"),) * 2)
        for name in names
    ]


def test_a_reader_never_sees_half_a_change(url: str) -> None:
    """Threads with databases of their own read while documents are replaced, over and over."""
    stop = threading.Event()
    looked = [threading.Semaphore(0) for _ in range(3)]
    wrong: list[str] = []
    seen: set[int] = set()

    async def read(done: threading.Semaphore) -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            while not stop.is_set():
                contents = await store.contents({})
                texts = {each.passage.text for each in contents.passages}
                found = {passage.text for passage in await store.search(["bell"], limit=200)}
                if not (len(texts) == len(found) == 1 and len(contents.passages) == 2 * (DOCUMENTS + 5)):
                    wrong.append(f"{len(contents.passages)} passages, {sorted(texts)}, {sorted(found)}")
                if len(contents.scopes) != DOCUMENTS + 5:
                    wrong.append(f"{len(contents.scopes)} documents")
                known = contents.calibrations.get("a")
                if known is not None and (known.version > contents.version or known.threshold != known.version / 100):
                    wrong.append(f"{known} at {contents.version}")
                seen.add(contents.version)
                done.release()

    async def write() -> None:
        async with opened(url) as database:
            store = KnowledgeStore(database)
            await store.replace(generation(0), [])
            readers = [threading.Thread(target=lambda at=at: asyncio.run(read(looked[at]))) for at in range(3)]
            for each in readers:
                each.start()
            try:
                for number in range(1, GENERATIONS):
                    for each in looked:
                        assert await asyncio.to_thread(each.acquire, timeout=20)
                    gone = [document.source for document in generation(number - 1)[DOCUMENTS:]]
                    await store.replace(generation(number), gone)
                    version = await store.version()
                    await store.calibrate({"a": Calibration((version + 1) / 100, version=version + 1)})
            finally:
                stop.set()
                for each in readers:
                    await asyncio.to_thread(each.join)

    asyncio.run(write())
    assert wrong == []
    assert len(seen) > 3
