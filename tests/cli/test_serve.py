"""`voicectl serve` as typed: what it prints, where it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLEAN = {name: value for name, value in os.environ.items() if not re.match("VOICECTL|TWILIO|OPENAI", name)}


def voicectl(*words: str) -> list[str]:
    return [sys.executable, "-m", "voicectl", *words]


@contextmanager
def serving(folder: Path, *words: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a folder of its own, and what it had printed when it was up."""
    process = subprocess.Popen(
        voicectl("serve", "--port", "0", "--operator-port", "0", *words),
        cwd=folder,
        env={**CLEAN, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        printed = ""
        while "Ctrl-C" not in printed and '"phone"' not in printed:
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"it ended: {printed}{process.stderr.read() if process.stderr else ''}")
            printed += line
        yield process, printed
    finally:
        process.kill()
        process.communicate()


def test_with_nothing_configured_it_answers_on_this_machine_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, printed):
        address = re.search(r"answers calls at (http://127\.0\.0\.1:\d+)/", printed)
        assert address and re.search(r"http://127\.0\.0\.1:\d+/\?key=", printed)
        assert "offline" in printed and "OPENAI_API_KEY" in printed and "TWILIO_AUTH_TOKEN" in printed
        assert int(re.search(r"(\d+) passages", printed)[1]) > 50  # type: ignore[index]
        assert "replay-call" in printed
        kept = tmp_path / ".voicectl" / f"serve-{address[1].rsplit(':', 1)[1]}.json"
        state = json.loads(kept.read_text())
        assert state["url"] == address[1] and state["auth_token"]
        assert kept.stat().st_mode & 0o777 == 0o600
        with urllib.request.urlopen(address[1] + "/readyz") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert not kept.exists()
        assert process.stderr is not None and process.stderr.read() == ""


def test_json_prints_one_object(tmp_path: Path) -> None:
    with serving(tmp_path, "--json") as (process, printed):
        assert json.loads(printed)["ok"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout is not None and process.stdout.read() == ""


def test_a_real_auth_token_is_not_written_anywhere(tmp_path: Path) -> None:
    secret = "a-real-auth-token-canary"
    environ = {"TWILIO_AUTH_TOKEN": secret, "VOICECTL_PUBLIC_URL": "https://voice.example.com"}
    with serving(tmp_path, "--host", "127.0.0.1", **environ) as (process, printed):
        assert secret not in printed
        process.send_signal(signal.SIGINT)
        process.wait(20)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def refuse(folder: Path, *words: str, **environ: str) -> tuple[int, str]:
    done = subprocess.run(
        voicectl("serve", *words), cwd=folder, env={**CLEAN, **environ}, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "" or "--json" in words
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr + done.stdout


def test_it_refuses_to_start_over_faults_and_names_them_all(tmp_path: Path) -> None:
    (tmp_path / "voicectl.toml").write_text('[relay]\nspeech_modle = "x"\n[llm]\ntemperature = 9\n')
    code, said = refuse(tmp_path)
    assert code == 3
    assert "relay.speech_modle" in said and "relay.speech_model" in said and "llm.temperature" in said


@pytest.mark.parametrize(
    ("environ", "words", "names"),
    [
        ({"TWILIO_AUTH_TOKEN": "x" * 32}, [], "VOICECTL_PUBLIC_URL"),
        ({"VOICECTL_PUBLIC_URL": "http://voice.example.com"}, [], "https://"),
        ({"VOICECTL_LLM": "openai"}, [], "OPENAI_API_KEY"),
        ({"VOICECTL_LLM": "scripted"}, [], "llm.script"),
        ({"VOICECTL_DATABASE_URL": "mysql://x/y"}, [], "sqlite"),
        ({}, ["--config", "nowhere.toml"], "nowhere.toml"),
        ({}, ["--host", "0.0.0.0"], "TWILIO_AUTH_TOKEN"),
        ({}, ["--operator-host", "0.0.0.0"], "SSH tunnel"),
        ({}, ["--public-url", "https://[bad"], "https://"),
    ],
)
def test_each_fault_names_its_fix(tmp_path: Path, environ: dict[str, str], words: list[str], names: str) -> None:
    code, said = refuse(tmp_path, *words, **environ)
    assert code == 3 and names in said, said


def test_a_damaged_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    damaged = tmp_path / "voicectl.db"
    damaged.write_bytes(b"this is not a database" * 100)
    code, said = refuse(tmp_path)
    assert code == 3 and "voicectl.db" in said
    assert damaged.read_bytes() == b"this is not a database" * 100


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, said = refuse(tmp_path, "--port", str(taken.getsockname()[1]), "--json")
        assert code == 3
        answer = json.loads(said[said.index("{") :])
        assert answer["ok"] is False and "in use" in answer["error"] and answer["code"] == 3


def test_wrong_usage_is_two(tmp_path: Path) -> None:
    code, said = refuse(tmp_path, "--prot", "8080")
    assert code == 2 and "--port" in said
    code, said = refuse(tmp_path, "--prot", "8080", "--json")
    answer = json.loads(said[said.index('{"ok"') :])
    assert code == 2 and answer["code"] == 2


def test_a_signal_during_the_start_ends_it(tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    for n in range(3000):
        (tmp_path / "knowledge" / f"{n}.md").write_text(f"# Document {n}\n\nSome text about number {n}.\n" * 5)
    process = subprocess.Popen(
        voicectl("serve", "--port", "0", "--operator-port", "0", "--json"),
        cwd=tmp_path,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (tmp_path / "voicectl.db").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert json.loads(out)["code"] == 130


def test_a_directory_that_cannot_be_written_to_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".voicectl").write_text("a file where the folder should be")
    with serving(tmp_path) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
