"""`voicectl replay-call` as typed. The server inside runs in virtual time, a running server does not."""

from __future__ import annotations

import asyncio
import io
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from voicectl import settings
from voicectl.cli import app
from voicectl.simulator import virtual_time

CONVERSATIONS = Path(__file__).parents[2] / "knowledge" / "conversations"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, and nothing configured."""
    for row in settings.table():
        if row.env:
            monkeypatch.delenv(row.env, raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def replay(*words: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["replay-call", *map(str, words)], input=typed)


def scenario(folder: Path, text: str, name: str = "s.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


# --- conversations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(CONVERSATIONS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_sample_companys_conversations_go_as_expected(path: Path) -> None:
    got = replay("--fast", "--json", path)
    (call,) = json.loads(got.stdout)["calls"]
    assert [check for check in call["checks"] if not check["met"]] == []
    assert got.exit_code == 0
    assert call["checks"], "a conversation that expects nothing shows nothing"


def test_alone_it_plays_the_demo_and_leaves_nothing_behind(elsewhere: Path) -> None:
    got = replay("--fast")
    assert got.exit_code == 0, got.output
    lines = got.stdout.splitlines()
    assert lines[0] == "A call to Harbour Cycles"
    assert re.match(r" +\d\.\d  agent   Hello, this is Robin, the automated assistant at Harbour Cycles\.", lines[1])
    assert re.search(r"^ +transcript \d+ ms · first token \d+ ms · first audio \d+ ms$", got.stdout, re.M)
    assert re.search(r"agent   .*\[not heard: .*\]\n.*\n +\d+\.\d  caller  cuts in: ", got.stdout)
    assert re.search(r"^(\d+) of \1 expectations met$", got.stdout, re.M)
    assert list(elsewhere.iterdir()) == []


def test_the_demo_is_the_sample_companys_whoever_you_are(elsewhere: Path) -> None:
    (elsewhere / "voicectl.toml").write_text('[agent]\ncompany = "Acme"\n[knowledge]\npaths = ["nothing-here"]\n')
    assert "assistant at Harbour Cycles" in replay("--fast").stdout


def test_one_run_is_like_the_other() -> None:
    path = CONVERSATIONS / "interruption.yaml"
    assert replay("--fast", "--json", path).stdout == replay("--fast", "--json", path).stdout


def test_a_failed_expectation_exits_1_and_shows_what_was_said(elsewhere: Path) -> None:
    path = scenario(elsewhere, "steps:\n- say: When are you open on Saturday?\n  expect: [nine, midnight]")
    got = replay("--fast", path)
    assert got.exit_code == 1
    assert got.stdout.splitlines()[-4:] == [
        "1 of 2 expectations met",
        "FAILED    s.yaml:2".replace("s.yaml", str(path)),
        "expected  contains 'midnight'",
        "said      On Saturday we're open nine AM to five PM.",
    ]
    told = json.loads(replay("--fast", "--json", path).stdout)
    assert told["ok"] is False
    assert [check["met"] for check in told["calls"][0]["checks"]] == [True, False]


def test_a_folder_of_conversations(elsewhere: Path) -> None:
    scenario(elsewhere, "steps: [{hang_up: true}]", "b.yaml")
    scenario(elsewhere, "steps: [{hang_up: true, expect: {silent: false}}]", "a.yml")
    scenario(elsewhere, "no scenario", "c.txt")
    got = replay("--fast", elsewhere)
    assert got.exit_code == 1
    assert got.stdout.splitlines()[-3:] == [
        f"FAILED  {elsewhere}/a.yml",
        f"ok      {elsewhere}/b.yaml",
        "1 of 2 conversations as expected",
    ]


def test_your_settings_and_the_scenarios(elsewhere: Path) -> None:
    (elsewhere / "voicectl.toml").write_text('[agent]\ncompany = "Acme"\nname = "Kim"\n')
    path = scenario(elsewhere, "settings: {agent: {name: Lee}}\nsteps: [{wait: 1}]\nexpect: This is Lee, at Acme")
    got = replay("--fast", path)
    assert "this is Lee, the automated assistant at Acme" in got.stdout


def test_your_database_is_used_if_there_is_one(elsewhere: Path) -> None:
    path = scenario(elsewhere, "steps: [{say: 'What is the password of the day?', expect: swordfish}]")
    assert replay("--fast", path).exit_code == 1
    assert not (elsewhere / "voicectl.db").exists()
    (elsewhere / "facts.md").write_text("# The password\n\nThe password of the day is swordfish.\n")
    assert CliRunner().invoke(app, ["ingest-kb", "facts.md"]).exit_code == 0
    assert replay("--fast", path).exit_code == 0


# --- wrong use ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--fast", "--interactive"], 2, "--fast is for scenarios"),
        (["--interactive", "s.yaml"], 2, "--interactive takes no files"),
        (["--fast", "--url", "http://127.0.0.1:1"], 2, "--fast needs the server inside"),
        (["missing.yaml"], 4, "cannot read missing.yaml"),
        (["empty"], 4, "no scenario (*.yaml) in empty"),
        (["bad.yaml"], 2, "bad.yaml:1: a scenario has no 'stepz'; did you mean 'steps'?"),
        (["--fast", "unsettled.yaml"], 2, "there is no setting 'agent.nam'; did you mean 'agent.name'?"),
        (["--fast", "unsettling.yaml"], 3, "relay.partial_prompts"),
        (["--url", "ftp://127.0.0.1", "s.yaml"], 2, "is not the address of a server"),
        (["--url", "http://127.0.0.1:9", "s.yaml"], 3, "there is no auth token to sign for http://127.0.0.1:9 with"),
    ],
)
def test_wrong_use(elsewhere: Path, words: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario(elsewhere, "steps: [{say: Hi}]")
    scenario(elsewhere, "stepz: [{say: Hi}]", "bad.yaml")
    scenario(elsewhere, "settings: {agent.nam: Kim}\nsteps: [{say: Hi}]", "unsettled.yaml")
    scenario(elsewhere, "settings: {relay.partial_prompts: perhaps}\nsteps: [{say: Hi}]", "unsettling.yaml")
    (elsewhere / "empty").mkdir()
    if "ftp://127.0.0.1" in words:
        monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret")
    got = replay(*words)
    assert (got.exit_code, said in got.stderr, got.stdout) == (code, True, ""), got.output
    told = json.loads(replay("--json", *words).stdout)
    assert (told["ok"], told["code"]) == (False, code)


def test_virtual_time_needs_a_model_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    got = replay("--fast")
    assert (got.exit_code, "VOICECTL_LLM=offline" in got.stderr) == (2, True)


# --- at the keyboard ---------------------------------------------------------------------------------------


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real time is virtual."""
    monkeypatch.setattr(asyncio, "run", virtual_time.run)


def test_lines_from_a_pipe(virtual: None) -> None:
    typed = "When are you open on Saturday?\n\n/keys 12#\n/wait 1\n/bad\n/keys x\nThank you, bye\n"
    got = replay("--interactive", typed=typed)
    assert got.exit_code == 0, got.output
    said = [line[9:] for line in got.stdout.splitlines() if re.match(r" +\d+\.\d  ", line)]
    assert [line.split()[0] for line in said] == "agent caller agent agent caller agent caller agent the".split()
    assert said[2].endswith("On Saturday we're open nine AM to five PM.")
    assert said[3].endswith("Are you still there?")
    assert said[4] == "caller  presses 12#"
    assert said[-1].startswith("the call is over: goodbye")
    assert got.stderr.count("/hangup") == 3, "told at the beginning, and again after each line that made no sense"


def test_hanging_up_by_hand_and_the_report_for_machines(virtual: None) -> None:
    got = replay("--interactive", "--json", typed="/hangup\nNobody hears this\n")
    told = json.loads(got.stdout)
    assert told["ok"] is True
    assert told["calls"][0]["ended"] == "hung_up"
    assert [each["who"] for each in told["calls"][0]["said"]] == ["agent"]
    assert "Robin" in got.stderr, "who types must see what is said"


# --- a running server --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A `serve` without a token, in a thread, and what it tells of itself."""
    from voicectl.server import serving

    folder = tmp_path_factory.mktemp("server")
    stop, told = threading.Event(), []
    up = threading.Event()

    async def main() -> None:
        given = settings.load(
            environ={},
            flags={"server.port": 0, "server.operator_port": 0, "database.url": f"sqlite:///{folder}/v.db"},
            file="/dev/null",
        )
        async with serving.serving(given):
            (kept,) = serving.STATE.glob("serve-*.json")
            told.append(json.loads(kept.read_text()))
            up.set()
            await asyncio.to_thread(stop.wait)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(serving, "STATE", folder / ".voicectl")
        thread = threading.Thread(target=lambda: asyncio.run(main()))
        thread.start()
        assert up.wait(30)
        yield told[0]
        stop.set()
        thread.join(30)


SHORT = "steps: [{hang_up: true, cut_in: {seconds: 0.3}}]\nexpect: {contains: Hello, ended: hung_up}"


def test_a_running_server_is_called_with_the_token_it_made(server: dict[str, Any], elsewhere: Path) -> None:
    (elsewhere / ".voicectl").mkdir()
    (elsewhere / ".voicectl" / f"serve-{server['url'].rsplit(':', 1)[1]}.json").write_text(json.dumps(server))
    path = scenario(elsewhere, "settings: {agent: {name: Kim}}\n" + SHORT)
    got = replay("--url", server["url"], path)
    assert got.exit_code == 0, got.output
    assert "Hello," in got.stdout
    assert "its settings are for a server inside" in got.stderr


def test_a_running_server_refuses_another_token(
    server: dict[str, Any], elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "another")
    monkeypatch.setenv("VOICECTL_PUBLIC_URL", server["public_url"])
    got = replay("--url", server["url"], scenario(elsewhere, SHORT))
    assert got.exit_code == 3
    assert "refused our signature" in got.stderr
    assert "TWILIO_AUTH_TOKEN" in got.stderr


def test_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "voicectl", "replay-call"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # a shell's "&" ignores it
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "A call to Harbour Cycles\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "interrupted\n")


def test_nobody_answers(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret")
    got = replay("--json", "--url", "http://127.0.0.1:9", scenario(elsewhere, SHORT))
    told = json.loads(got.stdout)
    assert (got.exit_code, told["code"]) == (5, 5)
    assert "voicectl serve" in told["hint"]


def test_the_keyboard_reads_files_pipes_and_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os
    import sys

    from voicectl.cli._keyboard import Keyboard

    async def lines() -> list[str]:
        keyboard = Keyboard()
        got = []
        with keyboard.listening():
            while (line := await keyboard.line()) is not None:
                got.append(line)
        return got

    def read() -> list[str]:
        return virtual_time.run(lines(), tidy=True)

    reading, writing = os.pipe()
    os.write(writing, "One\nTwo is longer\nThrée".encode())
    os.close(writing)
    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert read() == ["One", "Two is longer", "Thrée"]
    (tmp_path / "lines").write_text("One\nTwo\n")
    with (tmp_path / "lines").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert read() == ["One", "Two"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("One"))
    assert read() == ["One"]
    monkeypatch.setattr(sys, "stdin", None)
    assert read() == []
