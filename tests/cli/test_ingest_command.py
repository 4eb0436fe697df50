"""`voicectl ingest-kb` as typed: what it prints, where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicectl.cli import app


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VOICECTL_DATABASE_URL", raising=False)
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    return folder


def ingest_kb(*words: str) -> Result:
    return CliRunner().invoke(app, ["ingest-kb", *words])


def test_it_says_what_it_did(elsewhere: Path) -> None:
    first = ingest_kb("kb")
    assert first.exit_code == 0
    assert first.stdout.startswith("added    kb/hours.md\ndocuments: 1 added; the knowledge base holds 1 passage\n")
    assert "answers from a confidence of 0.20 on" in first.stdout
    assert first.stderr == ""
    assert ingest_kb("kb").stdout.startswith("documents: 1 unchanged; the knowledge base holds 1 passage\n")


def test_json_is_one_object() -> None:
    found = ingest_kb("kb", "--json")
    assert found.stderr == ""
    assert json.loads(found.stdout) == {
        "ok": True,
        "added": ["kb/hours.md"],
        "changed": [],
        "renamed": [],
        "removed": [],
        "unchanged": [],
        "failed": [],
        "warnings": [],
        "suspicious": [],
        "ignored": 0,
        "passages": 1,
        "threshold": 0.2,
        "without_meaning": "",
        "dry_run": False,
    }


def test_a_dry_run_changes_nothing() -> None:
    assert "dry run" in ingest_kb("kb", "--dry-run").stdout
    assert json.loads(ingest_kb("kb", "--json").stdout)["added"] == ["kb/hours.md"]


def test_files_that_could_not_be_read_are_named_and_the_exit_code_is_1(elsewhere: Path) -> None:
    (elsewhere / "photo.md").write_bytes(b"\x89PNG\x00")
    found = ingest_kb("kb")
    assert found.exit_code == 1
    assert "warning: kb/photo.md was not read: it is not text" in found.stderr
    assert "1 added, 1 not read" in found.stdout
    found = ingest_kb("kb", "--json")
    said = json.loads(found.stdout)
    assert (found.exit_code, said["ok"], said["code"]) == (1, False, 1)
    assert said["failed"][0]["source"] == "kb/photo.md" and said["hint"]


def test_what_is_not_there_is_exit_code_4() -> None:
    found = ingest_kb("nowhere", "--json")
    assert found.exit_code == 4
    assert json.loads(found.stdout) == {
        "ok": False,
        "error": "there is no file or folder 'nowhere'",
        "hint": "check the path",
        "code": 4,
    }


def test_wrong_usage_is_exit_code_2() -> None:
    assert ingest_kb().exit_code == 2


def test_the_database_can_be_named(tmp_path: Path) -> None:
    assert ingest_kb("kb", "--database-url", f"sqlite:///{tmp_path}/other.db").exit_code == 0
    assert (tmp_path / "other.db").exists() and not (tmp_path / "voicectl.db").exists()
    assert ingest_kb("kb", "--database-url", "oracle://x").exit_code == 3
