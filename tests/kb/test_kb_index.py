from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from knowledge_rig import asked, found

from voicectl.conversation.turns import Passage
from voicectl.errors import StoreError
from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import Contents, Findings, NewChunk, NewDocument
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore

CHUNKS = {
    "Opening hours": "Monday: closed.\nTuesday: 9 AM to 6 PM.",
    "Workshop": "The mechanics work Tuesday through Saturday.",
    "Rentals > What does it cost to rent a bike?": "City bike: half day $25; full day $38.",
    "Rentals > Do you take a deposit?": "Yes, we place a hold of $100 on a credit card for each bike you rent.",
    "Rentals > How old do I have to be to rent?": "You must be 18 to rent a bike.",
    "Tours": "The harbor tour takes two hours. Bikes are included.",
    "Kids' bikes": "A bike for a child of 4 to 6 years has 16 inch wheels.",
    "Repairs > How much is a tune-up?": "Basic tune-up: $75.",
    "Repairs > What do you not repair?": "We do not repair wheelchairs.",
}


def search(url: str, *questions: str, limit: int = 4, copies: int = 1) -> list[list[Passage]]:
    async def run() -> list[list[Passage]]:
        database = Database.open(url)
        store = KnowledgeStore(database)
        index = KnowledgeIndex(store)
        try:
            chunks = tuple(NewChunk(title, text) for title, text in CHUNKS.items())
            await store.replace([NewDocument(f"{n}.md", "1", "Shop", chunks) for n in range(copies)], [])
            return [await found(index, question, limit) for question in questions]
        finally:
            await index.close()
            await database.close()

    return asyncio.run(run())


def titles(passages: list[Passage]) -> list[str]:
    return [passage.title.rpartition(" > ")[2] for passage in passages]


def test_the_passage_that_answers_comes_first(database_url: str) -> None:
    price, deposit, repair = search(
        database_url, "how much is it to rent a bike", "um do you need a deposit", "do you fix wheelchairs"
    )
    assert titles(price)[0] == "What does it cost to rent a bike?"
    assert titles(deposit)[0] == "Do you take a deposit?"
    assert titles(repair)[0] == "What do you not repair?"


def test_scores_fall_and_the_limit_holds(database_url: str) -> None:
    (hits,) = search(database_url, "rent a bike", limit=2)
    assert len(hits) == 2
    assert hits[0].score >= hits[1].score > 0


def test_a_question_of_which_nothing_occurs_finds_nothing(database_url: str) -> None:
    assert search(database_url, "what's the capital of france", "um", "", "how much is it") == [[], [], [], []]


def test_what_was_asked_for_must_be_there_not_only_how_it_was_asked(database_url: str) -> None:
    kayak, bike = search(database_url, "can i rent a kayak", "can i rent a bike")
    assert kayak == []
    assert bike != []


def test_a_day_is_found_in_the_range_that_holds_it(database_url: str) -> None:
    (hits,) = search(database_url, "do the mechanics work on thursday")
    assert titles(hits)[0] == "Workshop"
    (hits,) = search(database_url, "do the mechanics work on sunday", limit=1)
    assert hits == [] or hits[0].score < search(database_url, "do the mechanics work on thursday")[0][0].score


def test_a_number_is_found_in_the_range_that_holds_it(database_url: str) -> None:
    (hits,) = search(database_url, "a bike for a five year old child")
    assert titles(hits)[0] == "Kids' bikes"


def test_copies_of_a_document_take_no_room(database_url: str) -> None:
    (hits,) = search(database_url, "rent a bike", copies=3)
    assert len({passage.text for passage in hits}) == len(hits) > 1


class Broken:
    async def version(self) -> int:
        return 1

    async def count(self) -> int:
        return 1_000_000  # too many to hold

    async def contents(self, known: Mapping[int, int] | None) -> Contents:
        return Contents(1, (), ())

    async def find(self, searches: Sequence[Sequence[str]], words: Sequence[str] = (), *, limit: int) -> Findings:
        raise StoreError("the disk is gone")


def test_a_database_that_fails_is_no_empty_answer() -> None:
    with pytest.raises(StoreError):
        asyncio.run(KnowledgeIndex(Broken()).search(asked("do you rent bikes")))  # type: ignore[arg-type]


def test_an_empty_knowledge_base_knows_nothing(database_url: str) -> None:
    assert search(database_url, "do you rent bikes", copies=0) == [[]]


QUESTIONS = ["can i rent a bike", "do the mechanics work on thursday", "how much is a deposit", "can i rent a kayak"]


def test_what_is_held_in_memory_and_what_is_searched_for_are_judged_alike(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = search(database_url, *QUESTIONS)
    monkeypatch.setattr("voicectl.kb.following.MOST", 0)
    searched = search(database_url, *QUESTIONS)
    assert [titles(each)[:2] for each in held] == [titles(each)[:2] for each in searched]
    assert held[0] and not held[-1]


def test_an_ingest_is_followed_without_a_restart(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        database = Database.open(database_url)
        await database.migrate()
        store = KnowledgeStore(database)
        index = KnowledgeIndex(store)

        def document(source: str, text: str) -> NewDocument:
            return NewDocument(source, source, "Shop", (NewChunk("Shop > Repairs", text),))

        await store.replace([document("a", "We repair tents.")], [])
        assert (await found(index, "do you repair tents"))[0].text == "We repair tents."
        await store.replace([document("b", "We repair boats.")], ["a"])
        assert (await found(index, "do you repair tents"))[0].text == "We repair tents."  # not looked again yet
        monkeypatch.setattr("voicectl.kb.following.FRESH_SECONDS", 0.0)

        async def looked(question: str) -> list[str]:
            for _ in range(2):  # a look behind the answer may have begun before the ingest was over
                await found(index, question)
                looking = index._following._looking
                assert looking is not None
                await looking
            return [passage.text for passage in await found(index, question)]

        assert await looked("do you repair boats") == ["We repair boats."]
        await store.replace([], ["b"])
        assert await looked("do you repair boats") == []
        await index.close()
        await database.close()

    asyncio.run(main())
