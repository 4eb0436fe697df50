"""Lexical retrieval on public question sets, for information: nothing is fitted to them.

The sets are not part of the repository; without them these tests are skipped. `-s` prints the figures.
"""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from voicectl.kb.index import KnowledgeIndex
from voicectl.ports import NewChunk, NewDocument
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore

SETS = Path(__file__).parents[3] / "shared" / "retrieval"
FILLERS = ("um ", "so yeah ", "could you please tell me ", "uh hi ")
SAMPLE = 150


def spoken(question: str, rng: random.Random) -> str:
    return rng.choice(FILLERS) + "".join(c for c in question.lower() if c.isalnum() or c in " '-")


@pytest.mark.parametrize(("name", "floor"), [("stackfaq", 0.65), ("covidfaq", 0.33)])
def test_questions_of_strangers_find_their_answers(name: str, floor: float, database_url: str) -> None:
    """`floor`: well below what full-text search alone finds (.87 and .56), for here thin evidence is dropped."""
    file = SETS / f"{name}.json"
    if not file.exists():
        pytest.skip("the public question sets are not here")
    data: dict[str, Any] = json.loads(file.read_text("utf-8"))
    rng = random.Random(7)
    questions = rng.sample(data["q"], SAMPLE)

    async def run() -> dict[str, tuple[float, float, float]]:
        database = Database.open(database_url)
        try:
            store = KnowledgeStore(database)
            documents = [
                NewDocument(str(number), "1", each["title"], (NewChunk(each["title"], each["text"]),))
                for number, each in enumerate(data["docs"])
            ]
            await store.replace(documents, [])
            index = KnowledgeIndex(store)
            figures = {}
            for way in ("written", "spoken"):
                ranks: list[int | None] = []
                silent = 0
                for question, right in questions:
                    found = await index.search(question if way == "written" else spoken(question, rng), limit=3)
                    silent += not found
                    ranks.append(next((at for at, each in enumerate(found) if int(each.source) in right), None))
                at_3 = sum(rank is not None for rank in ranks) / SAMPLE
                figures[way] = (sum(rank == 0 for rank in ranks) / SAMPLE, at_3, silent / SAMPLE)
            return figures
        finally:
            await database.close()

    for way, (at_1, at_3, silent) in asyncio.run(run()).items():
        print(f"\n{name} {way}: R@1 {at_1:.3f}, R@3 {at_3:.3f}, nothing found {silent:.3f}")
        assert at_3 >= floor
