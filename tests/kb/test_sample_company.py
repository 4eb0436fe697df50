"""The sample company from its documents to spoken answers: ingested, searched and quoted, over the real database.

`pytest tests/kb/test_sample_company.py -s` prints the figures and every question that went wrong.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicectl.conversation.sentences import sentences
from voicectl.conversation.turns import Line, Passage
from voicectl.kb.embedding import LocalEmbedder
from voicectl.kb.index import KnowledgeIndex
from voicectl.llm.offline import OfflineModel
from voicectl.ports import CallInfo, Inquiry, ReplyRequest
from voicectl.services.ingest_kb import ingest
from voicectl.services.meanings import Meanings
from voicectl.storage.database import Database
from voicectl.storage.knowledge import KnowledgeStore
from voicectl.storage.vectors import VectorStore

DOCUMENTS = Path(__file__).parents[2] / "knowledge"
QUESTIONS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("questions.yaml").read_text("utf-8"))
UNKNOWN = re.compile(r"don't have an answer|don't know that one|not something I know")


@dataclass
class Asked:
    question: str
    found: tuple[Passage, ...]
    said: str
    sources: list[str] = field(default_factory=list)
    pattern: str = ""

    @property
    def rank(self) -> int | None:
        names = [passage.source.rpartition("/")[2] for passage in self.found]
        return next((at for at, name in enumerate(names) if name in self.sources), None)

    @property
    def right(self) -> bool:
        return re.search(self.pattern, self.said, re.IGNORECASE) is not None

    @property
    def refused(self) -> bool:
        return UNKNOWN.search(self.said) is not None


async def ask(index: KnowledgeIndex, model: OfflineModel, lines: tuple[Line, ...]) -> tuple[tuple[Passage, ...], str]:
    found = await index.search(Inquiry(lines))
    request = ReplyRequest(
        CallInfo("CA1", "VX1", "+12075550100", "+12075550142"), lines, found.passages, False, found.choices
    )
    return found.passages, "".join([piece async for piece in model.reply(request) if isinstance(piece, str)])


@pytest.fixture(scope="module", params=["by words", "by words and meanings"])
def asked(
    request: pytest.FixtureRequest, migrated: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Asked], list[Asked]]:
    file = tmp_path_factory.mktemp("company") / "voicectl.db"
    file.write_bytes(migrated.read_bytes())

    async def run() -> tuple[list[Asked], list[Asked]]:
        database = Database.open(f"sqlite:///{file}")
        try:
            store, vectors = KnowledgeStore(database), VectorStore(database)
            embedder = LocalEmbedder() if "meanings" in request.param else None
            meanings = Meanings(embedder, vectors) if embedder else None
            report = await ingest([DOCUMENTS], store, meanings=meanings)
            assert not report.failed and len(report.added) >= 12 and report.reckoned == 0
            index = KnowledgeIndex(store, vectors=vectors, embedder=embedder, budget=5.0)
            model = OfflineModel("Robin", "Harbour Cycles", can_transfer=False)
            known, unknown = [], []
            for each in QUESTIONS["known"]:
                sources = each["find"] if isinstance(each["find"], list) else [each["find"]]
                found, said = await ask(index, model, (Line("caller", each["ask"]),))
                known.append(Asked(each["ask"], found, said, sources, each["say"]))
            for question in QUESTIONS["unknown"]:
                found, said = await ask(index, model, (Line("caller", question),))
                unknown.append(Asked(question, found, said))
            await index.close()
            return known, unknown
        finally:
            await database.close()

    known, unknown = asyncio.run(run())
    print(
        f"\n{request.param}: {len(known)} questions: R@1 {share(k.rank == 0 for k in known):.3f}, "
        f"R@3 {share(k.rank is not None and k.rank < 3 for k in known):.3f}, "
        f"answered right {share(k.right for k in known):.3f}; "
        f"{len(unknown)} unknown: nothing found {share(not u.found for u in unknown):.3f}, "
        f"refused {share(u.refused for u in unknown):.3f}"
    )
    for wrong in [*(k for k in known if not k.right), *(u for u in unknown if not u.refused)]:
        print(f"  {wrong.question} -> {wrong.said}")
    return known, unknown


def share(hits: Any) -> float:
    every = list(hits)
    return sum(every) / len(every)


def test_there_are_questions_enough() -> None:
    assert len(QUESTIONS["known"]) >= 60
    assert len(QUESTIONS["unknown"]) >= 25
    everything = [each["ask"] for each in QUESTIONS["known"]] + QUESTIONS["unknown"]
    assert len(set(everything)) == len(everything)
    documents = {path.name for path in DOCUMENTS.glob("*.md")}
    asked_for = {
        name
        for each in QUESTIONS["known"]
        for name in ([each["find"]] if isinstance(each["find"], str) else each["find"])
    }
    assert asked_for == documents  # every document is asked about, and no other


def test_the_right_document_is_found(asked: tuple[list[Asked], list[Asked]]) -> None:
    known, _ = asked
    assert share(each.rank == 0 for each in known) >= 0.90
    # The words' rules were written with these questions at hand, meanings were not: 0.975 and 0.945.
    assert share(each.rank is not None and each.rank < 3 for each in known) >= 0.93


def test_the_right_thing_is_said(asked: tuple[list[Asked], list[Asked]]) -> None:
    known, _ = asked
    assert share(each.right for each in known) >= 0.87


def test_what_is_not_in_the_documents_is_not_answered(asked: tuple[list[Asked], list[Asked]]) -> None:
    _, unknown = asked
    assert share(each.refused for each in unknown) >= 0.92
    assert share(not each.found for each in unknown) >= 0.75


def test_answers_are_short_whole_and_free_of_headings(asked: tuple[list[Asked], list[Asked]]) -> None:
    known, _ = asked
    for each in known:
        assert each.said[-1] in ".!?", each.said
        assert " > " not in each.said and "\n" not in each.said and "|" not in each.said
        assert len(each.said.split()) <= 50, each.said
        assert len(sentences(each.said)) <= 3, each.said


def test_questions_that_lean_on_the_one_before(migrated: Path, tmp_path: Path) -> None:
    file = tmp_path / "voicectl.db"
    file.write_bytes(migrated.read_bytes())

    def talk(*lines: str) -> tuple[Line, ...]:
        return tuple(Line("caller" if at % 2 == 0 else "agent", text) for at, text in enumerate(lines))

    async def run() -> list[str]:
        database = Database.open(f"sqlite:///{file}")
        try:
            store = KnowledgeStore(database)
            await ingest([DOCUMENTS], store)
            index, model = KnowledgeIndex(store), OfflineModel("Robin", "Harbour Cycles", can_transfer=False)
            return [
                (await ask(index, model, talk(*lines)))[1]
                for lines in (
                    ("Are you open on Saturday?", "On Saturday we're open 9 AM to 5 PM.", "And on Sundays?"),
                    ("Are you open on Saturday?", "On Saturday we're open 9 AM to 5 PM.", "What about Monday?"),
                    ("Do you have a lighthouse tour?", "Yes.", "How much is that one?"),
                )
            ]
        finally:
            await database.close()

    sunday, monday, tour = asyncio.run(run())
    assert "11 AM to 4 PM" in sunday and "9 AM" not in sunday
    assert "closed" in monday
    assert "$75" in tour


def test_the_documents_agree_with_themselves() -> None:
    text = {path.name: path.read_text("utf-8") for path in DOCUMENTS.glob("*.md")}
    assert len(text) >= 12
    everything = "\n".join(text.values())
    assert set(re.findall(r"\d{3}-\d{3}-\d{4}", everything)) == {"207-555-0142", "207-555-0143"}
    assert {address.rpartition("@")[2] for address in re.findall(r"[\w.]+@[\w.]+\w", everything)} == {
        "harbourcycles.example"
    }
    for name, words in text.items():
        assert words.startswith("# ") and words.count("\n## ") >= 3, name
