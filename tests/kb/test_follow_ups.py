"""Follow-up questions over the sample company, with the conversation before them and without it, side by side.

`pytest tests/kb/test_follow_ups.py -s` prints the figures, and the rewritten questions of the tuning half that went
wrong; the other half is held out (see dialogues.yaml).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.turns import Line, Passage
from voicectl.kb.embedding import LocalEmbedder
from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import Inquiry
from voicectl.services.ingest_kb import ingest
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

DOCUMENTS = Path(__file__).parents[2] / "knowledge"
DIALOGUES: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("dialogues.yaml").read_text("utf-8")
)
NEW_SUBJECT = "new subject"


@dataclass(frozen=True)
class Dialogue:
    kind: str
    held_out: bool
    lines: tuple[Line, ...]
    find: tuple[str, ...]

    def rank(self, found: Sequence[Passage]) -> int | None:
        titles = [f"{each.source.rpartition('/')[2]} > {each.title.rpartition(' > ')[2]}" for each in found]
        return next((at for at, title in enumerate(titles) if title.startswith(self.find)), None)


@dataclass(frozen=True)
class Asked:
    dialogue: Dialogue
    with_history: int | None
    without: int | None


def dialogues() -> list[Dialogue]:
    read = []
    for kind, group in DIALOGUES.items():
        for at, each in enumerate(group):
            find = [each["find"]] if isinstance(each["find"], str) else each["find"]
            lines = [Line("agent" if line % 2 else "caller", text) for line, text in enumerate(each["talk"])]
            names = tuple(name.replace(" > ", ".md > ", 1) for name in find)
            read.append(Dialogue(kind, bool(at % 2), tuple(lines), names))
    return read


async def search(index: KnowledgeIndex, lines: tuple[Line, ...]) -> Sequence[Passage]:
    return (await index.search(Inquiry(lines), limit=3)).passages


@pytest.fixture(scope="module", params=["by words", "by words and meanings"])
def asked(request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    file = tmp_path_factory.mktemp("follow-ups") / "voicectl.db"
    file.write_bytes(migrated.read_bytes())

    async def run() -> list[Asked]:
        database = Database.open(f"sqlite:///{file}")
        try:
            store = KnowledgeStore(database)
            vectors = VectorStore(database)
            embedder = LocalEmbedder() if request.param == "by words and meanings" else None
            await ingest([DOCUMENTS], store, meanings=Meanings(embedder, vectors) if embedder else None)
            # Whether a question is understood in time is another test's business.
            index = KnowledgeIndex(store, vectors=vectors, embedder=embedder, budget=60)
            await index.warm_up()
            there = await store.passages()
            for each in dialogues():
                assert all(Dialogue("", False, (), (name,)).rank(there) is not None for name in each.find), each.find
            results = [
                Asked(each, each.rank(await search(index, each.lines)), each.rank(await search(index, each.lines[-1:])))
                for each in dialogues()
            ]
            await index.close()
            if embedder:
                await embedder.close()
            return results
        finally:
            await database.close()

    every = asyncio.run(run())
    print(f"\n{request.param:24}{'':>4}   with history      without\n{'':24}{'':>4}   R@1    R@3      R@1    R@3")
    for held_out in (False, True):
        for kind in [*DIALOGUES, "all that lean back"]:
            row = [
                each
                for each in every
                if each.dialogue.held_out == held_out
                and (each.dialogue.kind == kind or (kind[:3] == "all" and each.dialogue.kind != NEW_SUBJECT))
            ]
            figures = "   ".join(f"{recall(ranks(row, how), most):.2f}" for how in (True, False) for most in (1, 3))
            print(f"{'held out' if held_out else 'tuning':9}{kind:18}{len(row):4}   {figures}")
    for each in every:
        if not each.dialogue.held_out and each.with_history != 0:
            print(f"  {each.with_history}  {standalone_question(each.dialogue.lines)}  ({each.dialogue.find[0]})")
    return every


def ranks(asked: Sequence[Asked], with_history: bool) -> list[int | None]:
    return [each.with_history if with_history else each.without for each in asked]


def recall(ranks: Sequence[int | None], most: int) -> float:
    return sum(rank is not None and rank < most for rank in ranks) / len(ranks)


def of(asked: Sequence[Asked], held_out: bool, *, leaning: bool) -> list[Asked]:
    return [
        each for each in asked if each.dialogue.held_out == held_out and (each.dialogue.kind != NEW_SUBJECT) == leaning
    ]


def test_there_are_enough_of_two_and_three_turns() -> None:
    every = dialogues()
    assert len(every) >= 110 and sum(each.kind == NEW_SUBJECT for each in every) >= 25
    assert {len(each.lines) for each in every} == {3, 5}
    assert len({each.lines for each in every}) == len(every)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_question_that_leans_back_is_found_with_its_history_and_not_without(
    asked: list[Asked], held_out: bool
) -> None:
    leaning = of(asked, held_out, leaning=True)
    assert recall(ranks(leaning, True), 1) >= 0.78
    assert recall(ranks(leaning, True), 3) >= 0.92
    assert recall(ranks(leaning, False), 1) <= 0.35
    assert recall(ranks(leaning, False), 3) <= 0.60


@pytest.mark.parametrize("held_out", [False, True])
def test_history_does_not_get_into_a_new_subject(asked: list[Asked], held_out: bool) -> None:
    new = of(asked, held_out, leaning=False)
    assert recall(ranks(new, True), 1) >= 0.90
    assert recall(ranks(new, True), 3) >= recall(ranks(new, False), 3) - 0.06
    carried = [each for each in new if standalone_question(each.dialogue.lines) != each.dialogue.lines[-1].text]
    assert len(carried) <= 2
