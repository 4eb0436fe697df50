"""The calls of tests/calls, all of them, the way somebody would type it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from voicectl import settings
from voicectl.cli import app

CALLS = Path(__file__).parents[1] / "calls"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and nothing configured."""
    for row in settings.table():
        if row.env:
            monkeypatch.delenv(row.env, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replay(*paths: Path) -> tuple[int, dict[str, Any]]:
    got = CliRunner().invoke(app, ["replay-call", "--fast", "--json", *map(str, paths)])
    return got.exit_code, json.loads(got.stdout)


def test_every_call_goes_as_it_must() -> None:
    code, told = replay(CALLS)
    calls = told["calls"]
    unmet = [
        (call["scenario"], check["where"], check["expected"], check["said"])
        for call in calls
        for check in call["checks"]
        if not check["met"]
    ]
    assert unmet == []
    assert code == 0
    assert len(calls) == len(list(CALLS.glob("*.yaml"))) >= 100
    assert [call["source"] for call in calls if not call["checks"]] == [], "a call that expects nothing shows nothing"
    assert len({call["scenario"] for call in calls}) == len(calls), "what a call is for is said by its name alone"
    scores = told["scores"]
    assert scores["yields"]["rate"] >= 0.9
    assert scores["yields"]["seconds"] <= 0.6
    assert scores["backchannel_selectivity"]["rate"] >= 0.6
    assert scores["responses"]["rate"] >= 0.9
    assert scores["interrupts"]["rate"] <= 0.05


def test_no_call_leaves_anything_for_the_next(elsewhere: Path) -> None:
    one, other = CALLS / "020-interruption-stops.yaml", CALLS / "001-silence-statement.yaml"
    alone = [replay(path)[1]["calls"][0] for path in (one, other)]
    together = replay(one, other, one)[1]["calls"]
    assert together == [*alone, alone[0]]
    assert list(elsewhere.iterdir()) == []


def test_documents_are_read_once_and_for_each_kind_of_settings_anew(elsewhere: Path) -> None:
    (elsewhere / "facts").mkdir()
    (elsewhere / "facts" / "facts.md").write_text("# The password\n\nThe password of the day is swordfish.\n")
    asks = "steps: [{say: 'What is the password of the day?', expect: EXPECTED}]"
    known = elsewhere / "known.yaml"
    known.write_text(
        f"settings: {{knowledge: {{paths: [{elsewhere}/facts]}}}}\n" + asks.replace("EXPECTED", "swordfish")
    )
    unknown = elsewhere / "unknown.yaml"
    unknown.write_text(asks.replace("EXPECTED", "{not: swordfish}"))
    assert replay(unknown, known, unknown, known)[0] == 0


def test_faults_of_an_inline_script_are_told_with_name_and_line(elsewhere: Path) -> None:
    path = elsewhere / "script.yaml"
    path.write_text("name: x\nmodel:\n  replies:\n    - sya: Hi\nsteps: [{say: Hi}]\n")
    code, told = replay(path)
    assert (code, "script.yaml, line 4: a reply has no key 'sya'" in told["error"]) == (3, True), told
