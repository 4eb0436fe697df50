"""`voicectl kb` as typed: what it prints, where, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from voicectl.cli import app
from voicectl.kb.embedding import missing
from voicectl.ports import Gap, NewChunk, NewDocument
from voicectl.services.knowledge_desk import inquiry
from voicectl.storage.database import Database
from voicectl.storage.gaps import GapStore
from voicectl.storage.knowledge import KnowledgeStore

HOURS = NewDocument(
    "kb/opening-hours.md",
    "1",
    "Opening hours",
    (
        NewChunk("Opening hours > The shop", "On Saturdays we are open from 9 AM to 5 PM.", page=3),
        NewChunk("Opening hours > Holidays", "We are closed on Christmas Day."),
    ),
)
PRICES = NewDocument(
    "kb/prices.md",
    "1",
    "Workshop prices",
    (NewChunk("Workshop prices > Tune-up", "A basic tune-up costs $75. A full tune-up costs $140."),),
    collection="workshop",
    language="en",
    valid_until=date(2199, 12, 31),
)
WRONG = NewDocument("kb/flyer.md", "1", "Flyer", (NewChunk("Flyer", "A basic tune-up costs $85."),))
LONG = NewDocument("kb/long.md", "1", "Long", (NewChunk("Long", "word " * 70 + "."),))
ASKED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kb") / "voicectl.db"

    async def run() -> None:
        database = Database.open(f"sqlite:///{file}")
        await database.migrate()
        await KnowledgeStore(database).replace([HOURS, PRICES], [])
        await database.close()

    asyncio.run(run())
    return file


@pytest.fixture(autouse=True)
def here(migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a knowledge base, compared by words alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOICECTL_DATABASE_URL", raising=False)
    shutil.copy(migrated, tmp_path / "voicectl.db")
    (tmp_path / "voicectl.toml").write_text('[knowledge]\nembedder = "none"\n')
    return tmp_path


def put(*documents: NewDocument, gaps: tuple[Gap, ...] = ()) -> None:
    async def run() -> None:
        database = Database.open("sqlite:///voicectl.db")
        await KnowledgeStore(database).replace(documents, [])
        for receipt in [GapStore(database).record_gap(gap) for gap in gaps]:
            await receipt.wait()
        await database.close()

    asyncio.run(run())


def kb(*words: str) -> Result:
    return CliRunner().invoke(app, ["kb", *words])


def as_json(*words: str, code: int = 0) -> dict[str, Any]:
    found = kb(*words, "--json")
    assert found.exit_code == code, found.output
    assert found.stdout.count("\n") == 1
    said: dict[str, Any] = json.loads(found.stdout)
    assert said["ok"] is (code == 0)
    return said


# --- list, show --------------------------------------------------------------------------------------------


def test_list_shows_what_there_is_to_know_of_each_document() -> None:
    found = kb("list")
    assert found.exit_code == 0 and found.stderr == ""
    head, hours, prices, count = found.stdout.splitlines()
    assert head.split() == ["document", "passages", "language", "collection", "valid", "version", "read"]
    assert re.match(r"kb/opening-hours\.md +2 +1 +2\d{3}-\d\d-\d\d \d\d:\d\d$", hours)
    assert re.match(r"kb/prices\.md +1 +en +workshop +until 2199-12-31 +1 +2\d{3}-", prices)
    assert count == "2 documents, 3 passages"
    said = as_json("list")
    assert said["passages"] == 3
    assert said["documents"][1]["source"] == "kb/prices.md" and said["documents"][1]["collection"] == "workshop"


def test_list_of_nothing_says_what_to_do(here: Path) -> None:
    found = kb("list", "--database-url", f"sqlite:///{here}/other.db")
    assert (found.exit_code, found.stdout) == (0, "the knowledge base is empty: voicectl ingest-kb PATH\n")


@pytest.mark.parametrize("name", ["kb/opening-hours.md", "opening-hours.md"])
def test_show_a_document(name: str) -> None:
    lines = kb("show", name).stdout.splitlines()
    assert lines[0] == "kb/opening-hours.md, version 1"
    assert lines[2] == "#1  Opening hours > The shop, page 3"
    assert lines[3] == "    On Saturdays we are open from 9 AM to 5 PM."
    assert len(as_json("show", name)["passages"]) == 2


def test_show_one_passage() -> None:
    said = as_json("show", "2")
    assert [each["title"] for each in said["passages"]] == ["Opening hours > Holidays"]
    assert said["document"]["source"] == said["passages"][0]["source"] == "kb/opening-hours.md"
    assert as_json("show", "#1")["passages"][0]["page"] == 3


@pytest.mark.parametrize("name", ["opening-hour", "kb/opening_hours.md", "Opening-Hours.txt"])
def test_a_wrong_name_is_exit_code_4_with_a_guess(name: str) -> None:
    said = as_json("show", name, code=4)
    assert said["hint"] == "did you mean 'kb/opening-hours.md'?" and said["code"] == 4


def test_a_name_like_none_is_exit_code_4() -> None:
    assert as_json("show", "77", code=4)["hint"] == "voicectl kb list names them all"


def test_a_name_of_several_is_asked_back() -> None:
    put(NewDocument("other/prices.md", "1", "Prices", (NewChunk("Prices", "Nothing is free."),)))
    assert "kb/prices.md or other/prices.md" in as_json("show", "prices.md", code=4)["error"]


def test_what_stands_in_a_document_steers_no_terminal() -> None:
    put(NewDocument("kb/evil\x1b[31m.md", "1", "E", (NewChunk("E\x1b]0;x\x07", "Red \x1b[31malert\u202e.\x07"),)))
    for words in (("list",), ("show", "kb/evil\x1b[31m.md"), ("search", "red", "alert")):
        shown = kb(*words)
        assert shown.exit_code == 0 and "evil" in shown.stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", shown.stdout)


# --- search ------------------------------------------------------------------------------------------------


def test_search_says_what_is_found_and_why() -> None:
    said = as_json("search", "um", "how", "much", "is", "a", "basic", "tune", "up")
    assert said["outcome"] == "answer" and said["confidence"] >= said["threshold"] > 0
    assert said["milliseconds"] > 0
    best = said["judged"][0]
    assert best["source"] == "kb/prices.md" and best["told"] and best["words"] > 0.5 and best["meaning"] is None
    shown = kb("search", "how much is a basic tune up").stdout
    assert shown.startswith("there is an answer (confidence ")
    assert re.search(r"^yes +\d\.\d+ +[01]\.\d\d +#3 +Workshop prices > Tune-up +kb/prices\.md$", shown, re.MULTILINE)


def test_search_for_what_is_not_there() -> None:
    said = as_json("search", "do you rent kayaks")
    assert said["outcome"] == "unknown" and said["passages"] == []
    assert kb("search", "do you rent kayaks").stdout.startswith("not known (confidence ")


def test_search_with_what_was_said_before() -> None:
    before = ("--history", "How much is a basic tune-up?", "--history", "It is $75.")
    assert as_json("search", "how long does that one take?")["outcome"] == "unknown"
    said = as_json("search", *before, "how long does that one take?")
    assert said["outcome"] == "answer" and said["passages"][0]["source"] == "kb/prices.md"
    assert "tune-up" in said["question"].lower()


def test_what_was_said_before_alternates_and_ends_with_the_agent() -> None:
    def speakers(*history: str) -> list[str]:
        return [line.role for line in inquiry("d", history=history).lines]

    assert speakers("a", "b") == ["caller", "agent", "caller"]
    assert speakers("b") == ["agent", "caller"]
    assert speakers() == ["caller"]


def test_search_keeps_to_what_it_is_told() -> None:
    assert as_json("search", "tune up", "--collection", "somewhere")["outcome"] == "unknown"
    assert as_json("search", "tune up", "--collection", "workshop")["outcome"] == "answer"
    assert len(as_json("search", "open on saturday or christmas", "--limit", "1")["passages"]) == 1


@pytest.mark.skipif(bool(missing()), reason="the embedder is not installed")
def test_search_compares_meanings(here: Path) -> None:
    (here / "voicectl.toml").unlink()
    (here / "page.md").write_text("# Dogs\n\nPuppies on a leash are welcome in the shop.\n")
    assert CliRunner().invoke(app, ["ingest-kb", "page.md"]).exit_code == 0
    said = as_json("search", "may my poodle come inside")
    assert said["judged"][0]["source"].endswith("page.md") and said["judged"][0]["meaning"] > 0.3


# --- check -------------------------------------------------------------------------------------------------


def test_check_of_a_clean_knowledge_base() -> None:
    found = kb("check")
    assert (found.exit_code, found.stdout) == (0, "3 passages of 2 documents: 0 errors, 0 warnings\n")


def test_errors_are_exit_code_1_and_say_what_to_do() -> None:
    put(WRONG)
    found = kb("check")
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    assert lines[0] == "error: contradiction: kb/flyer.md #4: $85 here, $75 there"
    assert lines[1] == "    here   A basic tune-up costs $85."
    assert lines[2] == "    there  A basic tune-up costs $75.  (kb/prices.md #3)"
    assert lines[3].startswith("    try    ")
    assert lines[-1] == "4 passages of 3 documents: 1 error, 0 warnings"
    said = as_json("check", code=1)
    assert said["code"] == 1 and said["hint"] and said["error"] == "1 error, 0 warnings in the knowledge base"
    [finding] = said["findings"]
    assert finding["kind"] == "contradiction" and finding["passage"] == 4
    assert finding["other"] == {
        "source": "kb/prices.md",
        "passage": 3,
        "sentence": "A basic tune-up costs $75.",
    }


def test_warnings_are_exit_code_0_unless_strict() -> None:
    put(LONG)
    assert as_json("check")["warnings"] == 1
    assert as_json("check", "--strict", code=1)["findings"][0]["kind"] == "too long"


# --- eval --------------------------------------------------------------------------------------------------


def questions(here: Path, **more: Any) -> str:
    known = [
        {"ask": "When are you open on Saturday?", "find": "opening-hours.md", "say": "9 AM"},
        {"ask": "How much is a basic tune-up?", "find": ["prices.md"]},
    ]
    file = here / "questions.yaml"
    file.write_text(yaml.safe_dump({"known": known, "unknown": ["do you rent kayaks"], **more}))
    return str(file)


def test_eval_prints_the_figures_written_and_spoken(here: Path) -> None:
    found = kb("eval", questions(here))
    assert found.exit_code == 0
    assert found.stderr == "warning: words are all that is compared: knowledge.embedder is none\n"
    head, written, spoken, *_, last = found.stdout.splitlines()
    assert head.split() == "index asked R@1 R@3 MRR right refused AUC kept at 5 % median p95".split()
    assert re.match(r"words +written +1\.000 +1\.000 +1\.000 +1\.000 +1\.000 +1\.000 +1\.000 +\d+\.\d ms", written)
    assert spoken.split()[:3] == ["words", "spoken", "1.000"]
    assert last == "2 questions with an answer, 1 without"
    said = as_json("eval", questions(here))
    assert said["questions"] == 2 and said["unknown"] == 1
    assert [(each["index"], each["asked"], each["r3"]) for each in said["figures"]] == [
        ("words", "written", 1.0),
        ("words", "spoken", 1.0),
    ]


def test_eval_lists_what_went_wrong_and_a_missed_limit_is_exit_code_1(here: Path) -> None:
    known = [
        {"ask": "When are you open on Saturday?", "find": "prices.md"},
        {"ask": "How much is a basic tune-up?", "find": "prices.md", "say": r"\$90"},
    ]
    file = questions(here, known=known, unknown=["how much is a full tune-up"])
    found = kb("eval", file, "--min-r3", "0.5", "--min-right", "0.5")
    assert found.exit_code == 1
    assert "warning: right as written is 0.000, below 0.5" in found.stderr and "R@3" not in found.stderr
    assert "wrong as written (words): 3" in found.stdout
    assert re.search(r"open on Saturday\?  ->  found kb/opening-hours\.md first; what was expected", found.stdout)
    assert re.search(r"basic tune-up\?  ->  said: .*\$75", found.stdout)
    assert "full tune-up  ->  answered from kb/prices.md: Workshop prices > Tune-up" in found.stdout
    said = as_json("eval", file, "--min-right", "0.5", code=1)
    assert said["code"] == 1 and len(said["wrong"]["written"]) == 3


def test_eval_of_a_set_with_documents_leaves_the_database_alone(here: Path) -> None:
    docs = [
        {"title": "How do I pay?", "text": "Cash and cards are taken at the counter."},
        {"title": "Where can I park?", "text": "There is a garage behind the library."},
    ]
    (here / "one.json").write_text(json.dumps({"docs": docs, "q": [["can i park my car", [1]], ["pay by card", [0]]]}))
    other = {"docs": [{"title": "A", "text": "b"}], "q": [["how do volcanoes erupt", [0]], ["what is a quasar", [0]]]}
    (here / "two.json").write_text(json.dumps(other))
    before = (here / "voicectl.db").read_bytes()
    said = as_json("eval", "one.json", "--against", "two.json")
    assert said["documents"] == 2 and said["unknown"] == 2
    assert {each["r1"] for each in said["figures"]} == {1.0} == {each["auc"] for each in said["figures"]}
    assert (here / "voicectl.db").read_bytes() == before
    assert as_json("eval", "one.json", "--sample", "1")["questions"] == 1


@pytest.mark.skipif(bool(missing()), reason="the embedder is not installed")
def test_eval_compares_both_indexes(here: Path) -> None:
    (here / "voicectl.toml").unlink()
    docs = [{"title": "Dogs", "text": "Puppies are welcome."}, {"title": "Parking", "text": "Leave your car outside."}]
    (here / "one.json").write_text(json.dumps({"docs": docs, "q": [["may my poodle come in", [0]]]}))
    said = as_json("eval", "one.json")
    assert [(each["index"], each["asked"], each["r1"]) for each in said["figures"]] == [
        ("hybrid", "written", 1.0),
        ("hybrid", "spoken", 1.0),
        ("words", "written", 0.0),
        ("words", "spoken", 0.0),
    ]
    assert [each["index"] for each in as_json("eval", "one.json", "--words-only")["figures"]] == ["words", "words"]


def test_eval_of_files_that_make_no_sense(here: Path) -> None:
    assert as_json("eval", "nowhere.yaml", code=4)["error"].startswith("cannot read nowhere.yaml")
    for text in ("known: 5", "- a", "known: [", "{", "\x00"):
        (here / "bad.yaml").write_text(text)
        said = as_json("eval", "bad.yaml", code=2)
        assert "is not a file of questions" in said["error"] and said["hint"]
    (here / "bad.json").write_text("[" * 100_000)
    assert as_json("eval", "bad.json", code=2)["code"] == 2
    (here / "bad.yaml").write_bytes(b"known: \xff")
    assert as_json("eval", "bad.yaml", code=2)["code"] == 2
    assert as_json("eval", questions(here, unknown=[]), "--min-auc", "0.5", code=2)["error"].startswith(
        "there is nothing"
    )
    assert kb("eval", questions(here), "--min-r3", "1.5").exit_code == 2


# --- gaps --------------------------------------------------------------------------------------------------


def gap(question: str, days_ago: int = 0, call: str = "CA1") -> Gap:
    return Gap(datetime.now(UTC) - timedelta(days=days_ago), call, question, 0.2, "en-US")


def test_gaps_are_put_together_and_counted() -> None:
    put(gaps=(gap("do you rent kayaks", 9), gap("um do you rent kayaks", 1, "CA2"), gap("do you cut keys")))
    found = kb("gaps")
    head, kayaks, keys, summary = found.stdout.splitlines()
    assert head.split() == ["asked", "calls", "last", "question"]
    assert re.match(r"2 +2 +2\d{3}-\d\d-\d\d \d\d:\d\d +do you rent kayaks$", kayaks)
    assert keys.endswith("do you cut keys")
    assert summary == "3 questions without an answer, in 2 groups"
    said = as_json("gaps", "--limit", "1")
    assert said["groups"] == 2 and said["asked"] == 3 and len(said["gaps"]) == 1
    assert as_json("gaps", "--since", "7d")["asked"] == 2
    assert as_json("gaps", "--since", "2000-01-01")["asked"] == 3
    assert as_json("gaps", "--since", "yesterday", code=2)["hint"]


def test_gaps_are_forgotten_only_when_somebody_says_so() -> None:
    put(gaps=(gap("do you rent kayaks"),))
    assert kb("gaps", "--clear").exit_code == 2  # nobody is there to be asked
    assert as_json("gaps", "--clear", code=2)["hint"]
    assert as_json("gaps")["asked"] == 1
    assert kb("gaps", "--clear", "--yes").stdout == "1 question forgotten\n"
    assert kb("gaps").stdout == "no question has been without an answer\n"


# --- all of them -------------------------------------------------------------------------------------------


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = group.commands["kb"].commands
    return found


def test_a_database_that_cannot_be_opened_is_exit_code_3() -> None:
    for words in (["list"], ["show", "a"], ["search", "a"], ["check"], ["gaps"], ["gaps", "--clear", "--yes"]):
        assert as_json(*words, "--database-url", "oracle://x", code=3)["code"] == 3, words


def test_the_page_names_every_command_and_only_options_that_exist() -> None:
    page = (Path(__file__).parents[2] / "docs" / "knowledge.md").read_text("utf-8")
    typed = re.findall(r"voicectl kb ([a-z]+)([^\n`#]*)", page)
    assert {name for name, _ in typed} == set(commands())
    for name, rest in typed:
        options = {option for each in commands()[name].params for option in each.opts}
        assert set(re.findall(r"(?<!\S)--[a-z0-9-]+", rest)) <= options, (name, rest)


def test_documents_are_removed_by_name_folder_or_collection() -> None:
    def left() -> list[str]:
        return [
            each["source"] for each in json.loads(CliRunner().invoke(app, ["kb", "list", "--json"]).stdout)["documents"]
        ]

    shown = CliRunner().invoke(app, ["kb", "remove", "kb/prices.md", "--dry-run"])
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, "would remove kb/prices.md")
    refused = CliRunner().invoke(app, ["kb", "remove", "kb"])
    assert refused.exit_code == 2 and len(left()) == 2
    gone = CliRunner().invoke(app, ["kb", "remove", "--collection", "workshop", "--yes", "--json"])
    assert json.loads(gone.stdout) == {"ok": True, "removed": ["kb/prices.md"], "dry_run": False}
    assert left() == ["kb/opening-hours.md"]
    assert CliRunner().invoke(app, ["kb", "remove", "kb/", "--yes"]).exit_code == 0
    assert left() == []


def test_what_is_not_there_is_not_removed() -> None:
    unknown = CliRunner().invoke(app, ["kb", "remove", "kb/opening-hours.md", "kb/price.md", "--yes"])
    assert unknown.exit_code == 4 and "kb/prices.md" in unknown.stderr
    assert CliRunner().invoke(app, ["kb", "remove"]).exit_code == 2
    assert CliRunner().invoke(app, ["kb", "remove", "--collection", "nowhere", "--yes"]).exit_code == 4
    assert len(json.loads(CliRunner().invoke(app, ["kb", "list", "--json"]).stdout)["documents"]) == 2
