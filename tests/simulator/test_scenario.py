from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from voicectl.errors import NotFoundError, UsageError
from voicectl.simulator import scenario
from voicectl.simulator.knobs import Knobs
from voicectl.simulator.listening import contains, count
from voicectl.simulator.scenario import parse
from voicectl.simulator.steps import Action, CutIn, Expectation, Step

EXAMPLE = """
name: Opening hours, with an interruption
caller: "+15550100001"
settings: {agent: {name: Kim}, conversation.silence_seconds: 2}
steps:
  - say: When are you open on Saturday?
    expect: {contains: ten, within_ms: 1500}
  - say: And how much is a tune-up?
    interrupt: {after: tune-up}
    then: Sorry, I meant a full service.
    expect: {not: [euro, pounds], matches: '\\$\\d+', interrupted: true}
  - wait: 4
    expect: still there
  - keys: 0071#
    pause: 1.5
  - say: No
    cut_in: {seconds: 0.5}
  - hang_up: true
expect: {ended: goodbye, max_seconds: 90, reprompts: 1}
"""


def test_the_example_as_read() -> None:
    got = parse(EXAMPLE, "hours.yaml")
    assert got.name == "Opening hours, with an interruption"
    assert got.caller == "+15550100001"
    assert got.settings == {"agent.name": "Kim", "conversation.silence_seconds": "2"}
    assert got.expect == Expectation(ended="goodbye", max_seconds=90, reprompts=1)
    assert got.steps == (
        Step((Action("say", "When are you open on Saturday?"),), Expectation(contains=("ten",), within_ms=1500), 6),
        Step(
            (
                Action("say", "And how much is a tune-up?"),
                Action("say", "Sorry, I meant a full service.", cut_in=CutIn(after="tune-up")),
            ),
            Expectation(excludes=("euro", "pounds"), matches=(r"\$\d+",), interrupted=True),
            8,
        ),
        Step((Action("wait", seconds=4),), Expectation(contains=("still there",)), 12),
        Step((Action("keys", "0071#", pause=1.5),), line=14),
        Step((Action("say", "No", cut_in=CutIn(seconds=0.5)),), line=16),
        Step((Action("hang_up"),), line=18),
    )


def test_words_are_words_and_not_what_yaml_makes_of_them() -> None:
    steps = parse("steps: [{say: Yes}, {say: 2024-01-01}, {keys: 010}]").steps
    assert [step.actions[0].text for step in steps] == ["Yes", "2024-01-01", "010"]


TURN_TAKING = """
settings: {agent: {menu: [{key: 1, text: the hours}], rules: [Be brief.]}}
knobs: {split_finals: true, flush_idle_ms: 200, late_tokens_same_cycle: dropped}
model:
  first_token: 0.1
  replies:
    - say: "{result}"     # a comment
steps:
  - say: [My number is, 5 5 5]
    gap: 0.9
    lang: de
  - say: Mm-hm
    cut_in: {seconds: 1}
    over: true
    listening: true
  - noise: 0.5
    cuts: true
    cut_in: {seconds: 1}
    expect: {resumed: true, once: [the rest], fillers: 0}
  - noise: 1
expect: {handed_to: "+15550100077", keys_sent: 12#, language: de-DE}
"""


def test_taking_turns_as_read() -> None:
    got = parse(TURN_TAKING)
    assert [step.actions[0] for step in got.steps] == [
        Action("say", "My number is 5 5 5", parts=("My number is", "5 5 5"), gap=0.9, lang="de"),
        Action("say", "Mm-hm", cut_in=CutIn(seconds=1), cuts=False, listening=True),
        Action("noise", seconds=0.5, cut_in=CutIn(seconds=1), cuts=True),
        Action("noise", seconds=1, cuts=False),
    ]
    assert got.steps[2].expect == Expectation(resumed=True, once=("the rest",), fillers=0)
    assert got.expect == Expectation(handed_to="+15550100077", keys_sent="12#", language="de-DE")
    assert got.knobs == Knobs(split_finals=True, flush_idle_ms=200, late_tokens_same_cycle="dropped")
    assert got.settings == {"agent.menu": ({"key": "1", "text": "the hours"},), "agent.rules": ("Be brief.",)}


@pytest.mark.parametrize("script", ["\n  first_token: 0.1\n  replies: [Hi]\n", " {replies: [Hi]} # so"])
def test_the_models_script_keeps_its_place(script: str) -> None:
    before = "name: x\n\nmodel:"
    got = parse(f"{before}{script}\nsteps: [{{say: Hi}}]").model
    assert yaml.safe_load(got)["replies"] == ["Hi"]
    assert got.splitlines().index(next(line for line in got.splitlines() if "replies" in line)) == (
        before + script
    ).splitlines().index(next(line for line in (before + script).splitlines() if "replies" in line))


def test_the_name_defaults_to_the_file() -> None:
    assert parse("steps: [{say: Hi}]", "a/b/hours.yaml").name == "hours"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "s.yaml:1: nothing in it"),
        ("steps: [", "s.yaml:1: not YAML: expected the node content"),
        ("- say: Hi", "s.yaml:1: a scenario is a list of `key: value` lines"),
        ("name: x", "s.yaml:1: a scenario needs `steps`"),
        ("step:\n- say: Hi", "s.yaml:1: a scenario has no 'step'; did you mean 'steps'?"),
        ("steps: []\nsteps: []", "s.yaml:2: 'steps' is given twice"),
        ("steps:\n- say: Hi\n  sya: Ho", "s.yaml:3: a step has no 'sya'; did you mean 'say'?"),
        ("steps:\n- say: Hi\n  colour: red", "s.yaml:3: a step has no 'colour'; known: say, keys, noise, wait,"),
        ("steps:\n- say: Hi\n  keys: 1", "s.yaml:2: a step needs exactly one of say, keys, noise, wait, hang_up"),
        ("steps:\n- pause: 1", "s.yaml:2: a step needs exactly one of"),
        ("steps:\n- just words", "s.yaml:2: a step is a list of `key: value` lines"),
        ("steps:\n- say: ''", "s.yaml:2: say: must be text"),
        ("steps:\n- say: [a]", "s.yaml:2: say: must be text, or a list of several parts"),
        ("steps:\n- keys: 12a", "s.yaml:2: keys: must be keys of a telephone"),
        ("steps:\n- wait: soon", "s.yaml:2: wait: must be a number"),
        ("steps:\n- wait: -1", "s.yaml:2: wait: must be a number from 0"),
        ("steps:\n- wait: nan", "s.yaml:2: wait: must be a number from 0"),
        ("steps:\n- wait: 1\n  cut_in: hello", "s.yaml:2: a `wait` cannot cut in"),
        ("steps:\n- wait: 1\n  over: true", "s.yaml:2: `over` belongs to `say`"),
        ("steps:\n- say: Hi\n  cuts: true", "s.yaml:2: `cuts` belongs to `noise`"),
        ("steps:\n- say: Hi\n  over: true", "s.yaml:2: `over` needs a `cut_in`"),
        ("steps:\n- say: Hi\n  gap: 1", "s.yaml:2: `gap` belongs to a `say` of several parts"),
        ("steps: [{say: Hi}]\nknobs: {pase: 1}", "s.yaml:2: a carrier's `knobs` has no 'pase'; did you mean 'pace'?"),
        ("steps: [{say: Hi}]\nknobs: {fast: 1}", "s.yaml:2: fast: must be true or false"),
        ("steps: [{say: Hi}]\nknobs: {dial_status: dead}", "s.yaml:2: dial_status: must be one of completed, busy"),
        ("steps: [{say: Hi}]\nmodel: Hello", "s.yaml:2: model: must be a script of replies"),
        ("steps:\n- hang_up: no", "s.yaml:2: hang_up: must be true, or left out"),
        ("steps:\n- say: Hi\n  then: Ho", "s.yaml:2: `interrupt` and `then` belong together"),
        ("steps:\n- say: Hi\n  cut_in: {after: a, seconds: 2}", "s.yaml:3: cut_in: give either `after` or `seconds`"),
        ("steps:\n- say: Hi\n  cut_in: '...'", "s.yaml:3: cut_in: '...' has no word in it"),
        ("steps:\n- say: Hi\n  expect:\n    contain: a", "s.yaml:4: a step's `expect` has no 'contain'; did you mean"),
        ("steps:\n- say: Hi\n  expect: {ended: goodbye}", "s.yaml:3: a step's `expect` has no 'ended'"),
        ("steps:\n- say: Hi\n  expect: {matches: '('}", "s.yaml:3: matches: '(' is no regular expression"),
        ("steps:\n- say: Hi\n  expect: {reprompts: 1.5}", "s.yaml:3: reprompts: must be a whole number"),
        ("steps:\n- say: Hi\n  expect: {silent: maybe}", "s.yaml:3: silent: must be true or false"),
        ("steps: [{say: Hi}]\nexpect: {ended: well}", "s.yaml:2: ended: must be one of goodbye, person"),
    ],
)
def test_faults_are_named_with_their_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "s.yaml")
    assert said in caught.value.message
    assert caught.value.code == 2


def test_all_faults_are_named_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(UsageError) as caught:
        parse("steps:\n- keys: x\n- wait: y\n  payse: 1\n- say: Hi\nexpect: {ended: 3}", "s.yaml")
    lines = caught.value.message.splitlines()
    assert lines[0] == "the scenario has 4 faults:"
    assert [line.split(":")[1] for line in lines[1:]] == ["2", "3", "4", "6"]


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(EXAMPLE)
    assert scenario.load(path).source == str(path)
    with pytest.raises(NotFoundError, match=r"cannot read .*two.yaml: No such file"):
        scenario.load(tmp_path / "two.yaml")
    path.write_bytes(b"name: \xff")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        scenario.load(path)
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(UsageError, match="larger than a megabyte"):
        scenario.load(path)


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("We are open from ten to four.", "ten", True),
        ("We are open from 10 to 4.", "ten", True),
        ("We are open from 10:00 to 4.", "ten", True),
        ("We are often open.", "ten", False),
        ("It is 110 dollars", "10", False),
        ("It costs $65, all in.", "sixty-five", True),
        ("It costs sixty five dollars", "65 dollars", True),
        ("It costs sixty or five dollars", "65", False),
        ("From nine thirty on", "9:30", True),
        ("Call nine five five", "9 5 5", True),
        ("It costs twenty, eleven with a card", "31", False),
        ("Are you STILL there?", "still there", True),
        ("A tune-up, then.", "tune up", True),
        ("A tuned bike", "tune", False),
        ("We don’t know", "don't", True),
        ("営業時間は十時からです", "十時", True),
        ("เปิดสิบโมง", "สิบโมง", True),
        ("often ten", "ten", True),
        ("It costs two hundred and ninety-five dollars", "295", True),
        ("It costs two hundred ninety-five", "295", True),
        ("Two hundred and a bike", "200", True),
        ("Two hundred and a bike", "202", False),
        ("", "ten", False),
    ],
)
def test_words_compare_as_a_listener_would(text: str, phrase: str, found: bool) -> None:
    assert contains(text, phrase) is found


@pytest.mark.parametrize(
    ("text", "phrase", "times"),
    [
        ("Take your time. Take your time!", "take your time", 2),
        ("Your time, your timer", "your time", 1),
        ("no no no no", "no no", 2),
        ("Nine. 9. Ninety-nine.", "nine", 2),
        ("Something", "", 0),
    ],
)
def test_words_are_counted(text: str, phrase: str, times: int) -> None:
    assert count(text, phrase) == times
