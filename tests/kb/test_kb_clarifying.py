"""Asking back which thing is meant: by rule, and over the sample company as it is really found."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import yaml

from voicectl.conversation.questions import read_question
from voicectl.conversation.turns import Line, Passage
from voicectl.kb.clarifying import choices
from voicectl.kb.embedding import LocalEmbedder
from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import Inquiry
from voicectl.services.ingest_kb import ingest
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

HERE = Path(__file__)
KNOWN = [each["ask"] for each in yaml.safe_load(HERE.with_name("questions.yaml").read_text("utf-8"))["known"]]
VAGUE = (
    "What's the price?",
    "What about the price?",
    "what does it cost",
    "what does that cost",
    "how much does it cost",
    "how expensive is it",
    "what are the prices",
    "is it expensive",
    "how long does it take",
    "how long will it take",
)


def priced(*scores: float) -> list[Passage]:
    names = ("Delivery", "Rentals", "Tours", "Classes")
    return [
        Passage(at, f"{name} > What does it cost?", "It costs $5.", f"{name}.md", score)
        for at, (name, score) in enumerate(zip(names, scores, strict=False))
    ]


@pytest.mark.parametrize("asked", VAGUE[:8])
def test_a_question_of_nothing_but_a_price_is_asked_back(asked: str) -> None:
    assert choices(read_question(asked), priced(0.5, 0.45)) == ("delivery", "rentals")


@pytest.mark.parametrize(
    "asked", ["what does delivery cost", "how much is a tandem", "do you rent tandems", "price of a tour"]
)
def test_a_question_that_names_something_is_not(asked: str) -> None:
    assert choices(read_question(asked), priced(0.5, 0.5)) == ()


def test_what_the_company_is_asked_about_itself_is_clear() -> None:
    open_ = [
        Passage(at, f"{name} > When is it open?", "Open 9 AM to 5 PM.", name, 0.5)
        for at, name in enumerate(("Workshop", "Shop"))
    ]
    assert choices(read_question("when is it open"), open_) == ("workshop", "shop")
    assert choices(read_question("when are you open"), open_) == ()


def test_of_many_that_are_near_the_first_three_are_named() -> None:
    asked = read_question("what's the price")
    assert choices(asked, priced(0.5, 0.5, 0.5, 0.5)) == ("delivery", "rentals", "tours")
    assert choices(asked, priced(0.5, 0.43)) == choices(asked, []) == ()


def test_what_gives_no_such_answer_is_no_choice() -> None:
    other = Passage(9, "Team > Who works here?", "Ann.", "team.md", 0.5)
    assert choices(read_question("what's the price"), [other, *priced(0.5)]) == ()


def test_over_the_sample_company(migrated: Path, tmp_path: Path) -> None:
    file = tmp_path / "voicectl.db"
    file.write_bytes(migrated.read_bytes())

    async def run() -> set[str]:
        database, embedder = Database.open(f"sqlite:///{file}"), LocalEmbedder()
        try:
            store, vectors = KnowledgeStore(database), VectorStore(database)
            await ingest([HERE.parents[2] / "knowledge"], store, meanings=Meanings(embedder, vectors))
            index = KnowledgeIndex(store, vectors=vectors, embedder=embedder, budget=60)
            asked = [*KNOWN, *VAGUE]
            found = [await index.search(Inquiry((Line("caller", each),))) for each in asked]
            await index.close()
            return {each for each, one in zip(asked, found, strict=True) if one.choices}
        finally:
            await embedder.close()
            await database.close()

    asked_back = asyncio.run(run())
    assert len(asked_back & set(KNOWN)) <= 1
    assert len(asked_back & set(VAGUE)) >= 9
