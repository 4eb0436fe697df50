"""`voicectl ingest-kb --watch` as typed: what changes is ingested until somebody ends it."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicectl.cli import app

CLEAN = {name: value for name, value in os.environ.items() if not re.match("VOICECTL|TWILIO|OPENAI", name)}


class Watched:
    """The command, and what it prints, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._readers = [threading.Thread(target=self._read, args=(pipe,)) for pipe in (process.stdout, process.stderr)]
        for each in self._readers:
            each.start()

    def _read(self, pipe: Iterator[str]) -> None:
        for line in pipe:
            self._lines.put(line)

    def until(self, wanted: str) -> list[str]:
        """The lines up to the one that holds `wanted`."""
        seen: list[str] = []
        while not (seen and wanted in seen[-1]):
            try:
                seen.append(self._lines.get(timeout=20))
            except queue.Empty:
                raise AssertionError(f"no {wanted!r} in {seen}, exit code {self.process.poll()}") from None
        return seen

    def end(self) -> str:
        """Wait for its end, and give what is left of what it printed."""
        self.process.wait(20)
        for each in self._readers:
            each.join()
        return "".join(self._lines.get() for _ in range(self._lines.qsize()))


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[Watched]:
    (folder / "voicectl.toml").write_text('[knowledge]\nembedder = "none"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "voicectl", "ingest-kb", "kb", "--watch", *words],
        cwd=folder,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Who starts tests in the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    watched = Watched(process)
    try:
        yield watched
    finally:
        process.kill()
        watched.end()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def test_what_changes_is_ingested_until_it_is_interrupted(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "hours.md").write_text("# Hours\n\nWe open at nine.\n")
    with watching(tmp_path) as watched:
        watched.until("documents: 1 added; the knowledge base holds 1 passage")
        watched.until("watching; Ctrl-C ends it")

        (folder / "hours.md").write_text("# Hours\n\nWe open at ten o'clock.\n")
        watched.until("changed  kb/hours.md")
        watched.until("documents: 1 changed; the knowledge base holds 1 passage")

        # What cannot be read, or is no longer there, is told, and watching goes on.
        (folder / "hours.md").write_bytes(b"\x00")
        watched.until("kb/hours.md was not read")
        (folder / "hours.md").unlink()
        folder.rmdir()
        watched.until("warning: there is no file or folder 'kb'")

        folder.mkdir()
        (folder / "prices.md").write_text("# Prices\n\nA bell costs ten dollars.\n")
        lines = watched.until("documents: 1 added, 1 removed; the knowledge base holds 1 passage")
        assert "added    kb/prices.md\n" in lines and "removed  kb/hours.md\n" in lines

        watched.process.send_signal(signal.SIGINT)
        left = watched.end()
        assert watched.process.returncode == 130
        assert "interrupted" in left and "Traceback" not in left


def test_interrupted_in_the_first_ingest_nothing_has_changed(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number}.md").write_text(f"# Document {number}\n\nText {number}.\n")
    with watching(tmp_path) as watched:
        while not (tmp_path / "voicectl.db").exists():
            assert watched.process.poll() is None
        watched.process.send_signal(signal.SIGINT)
        left = watched.end()
        assert watched.process.returncode == 130
        assert "interrupted" in left and "added" not in left and "Traceback" not in left


def test_a_change_during_the_first_ingest_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["voicectl.cli.ingest_kb"], "WATCH_SECONDS", 0.0)
    (tmp_path / "voicectl.toml").write_text('[knowledge]\nembedder = "none"\n')
    (tmp_path / "kb").mkdir()
    file = tmp_path / "kb" / "hours.md"
    file.write_text("# Hours\n\nWe open at nine.\n")
    from voicectl.services import ingest_kb

    ingest, seen = ingest_kb.ingest, []

    async def edited(*given: object, **rest: object) -> ingest_kb.IngestReport:
        report = await ingest(*given, **rest)  # type: ignore[arg-type]
        seen.append(report)
        if len(seen) == 2:
            raise KeyboardInterrupt
        file.write_text("# Hours\n\nWe open at ten, says whoever edits while others ingest.\n")
        return report

    monkeypatch.setattr(ingest_kb, "ingest", edited)
    enough = threading.Timer(20, os.kill, (os.getpid(), signal.SIGINT))
    enough.start()
    done = CliRunner().invoke(app, ["ingest-kb", "kb", "--watch"])
    enough.cancel()
    assert done.exit_code == 130
    assert [each.changed for each in seen] == [(), ("kb/hours.md",)]


@pytest.mark.parametrize("words", [["--json"], ["--dry-run"], ["https://shop.example/hours"]])
def test_what_cannot_be_watched_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb").mkdir()
    refused = CliRunner().invoke(app, ["ingest-kb", "kb", "--watch", *words])
    assert refused.exit_code == 2
    assert not (tmp_path / "voicectl.db").exists()
