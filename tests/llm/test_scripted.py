"""The scripted model: replies from a file, at the pace it names; a bad file is refused with its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from model_rig import CALL, ask, collect

from voicectl.errors import ConfigError
from voicectl.llm.scripted import ScriptedModel
from voicectl.ports import ReplyModel
from voicectl.simulator.virtual_time import run

SCRIPT = r"""
first_token: 0.5
per_token: 0.1
replies:
  - We open at nine.
  - say: Goodbye, and thank you.
    when: \b(bye|goodbye)\b
    closing: goodbye
  - say: Let me think about that.
    when: think
    fail: stall
    after: 3
  - say: At once.
    when: quick
    first_token: 0
    per_token: 0
  - {when: person, closing: person}
  - {when: broken, fail: auth}
  - And we close at five.
"""


def load(tmp_path: Path, text: str, name: str = "script.yaml") -> ScriptedModel:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return ScriptedModel.load(path)


def test_lines_of_text_in_order_and_round_again(tmp_path: Path) -> None:
    model = load(tmp_path, "# a comment\nFirst reply.\n\n  Second reply.  \n", "script.txt")

    async def main() -> None:
        said = [(await collect(model)).text for _ in range(3)]
        assert said == ["First reply.", "Second reply.", "First reply."]

    run(main(), tidy=True)


def test_each_call_hears_the_script_from_its_beginning(tmp_path: Path) -> None:
    model = load(tmp_path, "First.\nSecond.\n", "script.txt")

    async def main() -> None:
        assert (await collect(model)).text == "First."
        other = ask(call=replace(CALL, sid="CA1"))
        assert (await collect(model, other)).text == "First."
        assert (await collect(model)).text == "Second."

    run(main(), tidy=True)


def test_the_pace_is_human_unless_told_otherwise(tmp_path: Path) -> None:
    async def main() -> None:
        got = await collect(load(tmp_path, "One two three four.", "script.txt"))
        assert got.seconds == pytest.approx(0.3 + 3 * 0.02)
        assert got.pieces == ["One", " two", " three", " four."]
        model = load(tmp_path, SCRIPT)
        assert (await collect(model)).seconds == pytest.approx(0.5 + 3 * 0.1)
        assert (await collect(model, ask("Be quick!"))).seconds == 0
        assert (await collect(model, ask("What do you think?"))).seconds == pytest.approx(0.5 + 3 * 0.1)  # and fails
        assert (await collect(model, ask("A person!"))).seconds == pytest.approx(0.5)

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("question", "text", "kind", "closing"),
    [
        ("Hello?", "We open at nine.", "ok", None),
        ("Okay, GOODBYE then", "Goodbye, and thank you.", "ok", "goodbye"),
        ("Goodbyes are hard", "We open at nine.", "ok", None),
        ("What do you think?", "Let me think", "stall", None),
        ("A person please", "", "ok", "person"),
        ("Is it broken?", "", "auth", None),
    ],
)
def test_what_the_caller_says_decides(tmp_path: Path, question: str, text: str, kind: str, closing: str | None) -> None:
    async def main() -> None:
        got = await collect(load(tmp_path, SCRIPT), ask(question))
        assert (got.text, got.kind) == (text, kind)
        assert (got.end.closing if got.end else None) == closing

    run(main(), tidy=True)


def test_the_words_are_counted(tmp_path: Path) -> None:
    async def main() -> None:
        got = await collect(load(tmp_path, SCRIPT))
        assert got.end is not None
        assert got.end.usage is not None
        assert (got.end.usage.model, got.end.usage.completion_tokens) == ("scripted", 4)

    run(main(), tidy=True)


def test_a_script_with_nothing_to_say_here(tmp_path: Path) -> None:
    async def main() -> None:
        model: ReplyModel = load(tmp_path, "replies:\n  - {say: Bye., when: bye}\n")
        assert (await collect(model)).kind == "empty"

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 0, "holds no reply"),
        ("replies: [", 1, ""),
        ("first_token: 1\n\treplies: [x]", 2, ""),
        ("- just\n- a list", 1, "no mapping"),
        ("first_token: 1", 1, "no replies"),
        ("replies: hello", 1, "no list"),
        ("replies: []", 1, "no list"),
        ("replies:\n  - One.\n  - say: Two.\n    wen: x", 4, "no key 'wen'"),
        ("replies:\n  - One.\nfirst_tokn: 3", 3, "no key 'first_tokn'"),
        ("first_token: soon\nreplies: [x]", 1, "no time"),
        ("first_token: -1\nreplies: [x]", 1, "no time"),
        ("per_token: .nan\nreplies: [x]", 1, "no time"),
        ("per_token: true\nreplies: [x]", 1, "no time"),
        ("replies:\n  - say: A\n    when: '('", 3, "no regular expression"),
        ("replies:\n  - say: A\n    closing: never", 3, "'never'"),
        ("replies:\n  - say: A\n    fail: badly", 3, "'badly'"),
        ("replies:\n  - say: A\n    fail: stall\n    after: some", 4, "no number"),
        ("replies:\n  - say: A\n    say: B", 3, "twice"),
        ("replies:\n  - One.\n  - {when: x}", 3, "says nothing"),
        ("replies:\n  - 42", 2, "no text"),
        ("replies:\n  - [a, b]", 2, "no mapping"),
        ("replies:\n  - !!python/object:os.system x", 2, ""),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert what in refused.value.message
    assert "script.yaml" in refused.value.message
    if line:
        assert f"line {line}:" in refused.value.message
    assert refused.value.hint


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Grüße".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    for name in ("missing.txt", "latin.txt", "empty.txt"):
        with pytest.raises(ConfigError, match=name) as refused:
            ScriptedModel.load(tmp_path / name)
        assert refused.value.hint
