"""What the knowledge base makes of a question: by words and by meanings, with an embedder that can be foreseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar

from knowledge_rig import TopicEmbedder, asked

from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import NewChunk, NewDocument
from voicectl.services.ingest_kb import texts_of
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

T = TypeVar("T")
TOPICS = ("kayak canoe boat", "repair fix mend", "price cost")


def document(source: str, *chunks: tuple[str, str], **rest: object) -> NewDocument:
    return NewDocument(source, source, source, tuple(NewChunk(*chunk) for chunk in chunks), **rest)  # type: ignore[arg-type]


BOATS = document("boats.md", ("Boats", "We rent a canoe by the hour."), ("Repairs", "We mend canoes and paddles."))


def held(
    url: str, work: Callable[[KnowledgeIndex, TopicEmbedder], Awaitable[T]], *documents: NewDocument, **how: object
) -> T:
    async def run() -> T:
        database = Database.open(url)
        store, vectors, embedder = KnowledgeStore(database), VectorStore(database), TopicEmbedder(*TOPICS)
        meanings = Meanings(embedder, vectors)
        await meanings.reckon(texts_of(documents))
        await store.replace(documents, [])
        await meanings.settle(store)
        index = KnowledgeIndex(store, vectors=vectors, embedder=embedder, **how)  # type: ignore[arg-type]
        try:
            return await work(index, embedder)
        finally:
            await index.close()
            await database.close()

    return asyncio.run(run())


def test_a_meaning_finds_what_no_word_finds(database_url: str) -> None:
    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        found = await index.search(asked("do you have a kayak"))
        assert found.outcome == "answer" and found.passages[0].title == "Boats"
        assert found.judged[0].meaning is not None and found.judged[0].meaning > 0.9
        assert found.confidence >= found.threshold > 0

    held(database_url, work, BOATS)


def test_what_comes_near_nothing_is_unknown_and_brings_no_passages(database_url: str) -> None:
    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        found = await index.search(asked("what is the price of gold"))
        assert (found.outcome, found.passages) == ("unknown", ())
        assert found.judged and found.confidence < found.threshold

    held(database_url, work, BOATS)


def test_an_embedder_that_fails_leaves_the_words(database_url: str) -> None:
    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        await index.warm_up()
        embedder.fail = True
        by_word = await index.search(asked("do you mend paddles"))
        assert by_word.partial and by_word.passages[0].title == "Repairs"
        assert by_word.judged[0].meaning is None
        assert (await index.search(asked("do you have a kayak"))).outcome == "unknown"

    held(database_url, work, BOATS)


def test_an_embedder_that_is_late_leaves_the_words_but_not_for_who_asks_early(database_url: str) -> None:
    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        never = asyncio.Event()
        prompt = embedder.question

        async def late(text: str, *, early: bool = False) -> object:
            if not early:
                await never.wait()
            return await prompt(text)

        embedder.question = late  # type: ignore[assignment, method-assign]
        waited = await index.search(asked("do you mend paddles"))
        assert waited.partial and waited.passages
        assert not (await index.search(asked("do you mend paddles", early=True))).partial

    held(database_url, work, BOATS, budget=0.001)


def test_a_passage_whose_meaning_is_not_reckoned_is_found_by_its_words(database_url: str) -> None:
    async def run() -> None:
        database = Database.open(database_url)
        store, vectors, embedder = KnowledgeStore(database), VectorStore(database), TopicEmbedder(*TOPICS)
        meanings = Meanings(embedder, vectors)
        await store.replace([BOATS], [])
        await meanings.settle(store)
        await store.replace([document("tents.md", ("Tents", "Tents sleep four people."))], [])
        index = KnowledgeIndex(store, vectors=vectors, embedder=embedder)
        found = await index.search(asked("how many people do your tents sleep"))
        assert found.passages[0].title == "Tents"
        await index.close()
        await database.close()

    asyncio.run(run())


def test_validity_collection_and_language_decide_who_hears_of_a_document(database_url: str) -> None:
    documents = (
        document("summer.md", ("Canoe price", "A canoe costs ten dollars."), valid_until=date(2026, 9, 30)),
        document("winter.md", ("Canoe price", "A canoe costs five dollars."), valid_from=date(2026, 10, 1)),
        document("staff.md", ("Canoe price", "A canoe costs us two dollars."), collection="staff"),
        document("preise.md", ("Kanu canoe price", "Ein canoe kostet neun Euro."), language="de"),
    )
    today = date(2026, 9, 30)

    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        nonlocal today

        async def sources(**rest: object) -> set[str]:
            found = await index.search(asked("what does a canoe cost", **rest), limit=9)
            return {passage.source for passage in found.passages}

        assert await sources(collections=("shop",), language="en-US") == {"summer.md", "preise.md"}
        assert await sources(collections=("staff",), language="de-AT") == {"summer.md", "staff.md", "preise.md"}
        today = date(2026, 10, 1)
        assert await sources(language="en") == {"winter.md", "staff.md", "preise.md"}

    held(database_url, work, *documents, today=lambda: today)


def test_an_owner_s_threshold_takes_the_place_of_the_reckoned_one(database_url: str) -> None:
    async def work(index: KnowledgeIndex, embedder: TopicEmbedder) -> None:
        found = await index.search(asked("do you have a kayak"))
        assert (found.outcome, found.threshold) == ("unknown", 0.99)

    held(database_url, work, BOATS, threshold=0.99)
