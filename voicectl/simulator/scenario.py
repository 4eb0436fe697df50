"""Scenarios: what a simulated caller does, and what is expected of the agent.

    name: Opening hours, with an interruption
    caller: "+15550100001"
    steps:
      - say: When are you open on Saturday?
        expect: {contains: ten, within_ms: 1500}
      - say: And how much is a tune-up?
        interrupt: {after: tune-up}              # cuts in once these words could be heard
        then: Sorry, I meant a full service.
      - wait: 4                                  # says nothing for four seconds
        expect: {matches: "(?i)still there"}
      - keys: "1"
      - say: Bye!
    expect: {ended: goodbye, max_seconds: 90}

A step does one thing: `say`, `keys`, `wait` (seconds of silence) or `hang_up: true`. The caller waits until the agent
has finished, and then `pause` seconds more (0.4), unless the step says otherwise:

- `cut_in: {after: words}` or `cut_in: {seconds: n}`: does not let the agent finish; begins once these words of the
  agent could be heard, or n seconds into its speech. The first step may cut into the greeting.
- `interrupt: …` with `then: words` does so within one step: the caller says or dials, the agent begins to answer, the
  caller cuts in with the words of `then`.

A step's `expect` is about all the agent says from this step until the caller's next step; plain text stands for
`contains`. The scenario's own `expect` is about the whole call, and `settings` are for the server when it runs inside.
The tables below are the complete list of keys.

`contains` and `not` compare whole words, in order, whatever their case and the punctuation between them; number words
up to ninety-nine equal their digits, so "nine thirty" is found in "9:30". `matches` is a Python regular expression,
searched in what was heard with white space made single.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml

from voicectl.errors import NotFoundError, UsageError

Kind = Literal["say", "keys", "wait", "hang_up"]
Ended = Literal["goodbye", "person", "hung_up", "failed"]
"""How a call ended: the agent said goodbye, the agent handed over to a person, the caller hung up, something broke."""

_ENDED: tuple[Ended, ...] = get_args(Ended)
_KINDS: tuple[Kind, ...] = get_args(Kind)

PAUSE = 0.4
"""Seconds between the agent's last word and the caller's first."""
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class CutIn:
    """When the caller stops being polite."""

    after: str = ""
    """Once these words of the agent could be heard."""
    seconds: float = 0.0
    """Without `after`: so long into the agent's speech."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the caller does."""

    kind: Kind
    text: str = ""
    """What is said, or which keys are pressed."""
    seconds: float = 0.0
    """How long a `wait` lasts."""
    pause: float = PAUSE
    cut_in: CutIn | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of the agent's words and manners, within a step or in the whole call. None: do not mind."""

    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    within_ms: float | None = None
    """From the end of the caller's words to the first audio of each answer."""
    first_token_within_ms: float | None = None
    """From the end of the caller's words to the first token of each answer."""
    silent: bool | None = None
    interrupted: bool | None = None
    reprompts: int | None = None
    """How often the agent spoke unasked."""
    ended: Ended | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    actions: tuple[Action, ...]
    expect: Expectation = Expectation()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    expect: Expectation = Expectation()
    caller: str = "+15550100001"
    called: str = "+15550100099"
    seed: int = 1
    """Of the simulated carrier's delays."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """For a server that runs inside: setting paths ("agent.transfer_number") and values."""
    source: str = ""


def load(path: str | Path) -> Scenario:
    """Read one scenario file. Raises NotFoundError, and UsageError naming every fault with its line."""
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"cannot read {path}: {error.strerror}") from None
    if len(raw) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than a megabyte")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    return parse(text, str(path))


def parse(text: str, source: str = "scenario") -> Scenario:
    """A scenario from YAML text. Raises UsageError naming every fault as `source:line`."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UsageError(
            f"{source}:{line}: not YAML: {error.problem or error.context}",
            "put quotes around text that holds one of : ? # , [ ] { }",
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{source}: not YAML: {error}") from None
    reader = _Reader(source)
    scenario = reader.scenario(root)
    if reader.faults or scenario is None:
        many = len(reader.faults)
        raise UsageError(
            ("the scenario has a fault:\n  " if many == 1 else f"the scenario has {many} faults:\n  ")
            + "\n  ".join(text for _, text in sorted(reader.faults)),
            "compare it with the examples in knowledge/conversations",
        )
    return scenario


# --- comparing what was said -------------------------------------------------------------------------------

_SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBERS = {word: value for value, word in enumerate(_SMALL.split())} | {
    word: 10 * (value + 2) for value, word in enumerate(_TENS.split())
}
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def contains(text: str, phrase: str) -> bool:
    """Whether the words of `phrase` are found in `text`, by the rules at the top of this file."""
    hay, needle = _normal(text), _normal(phrase)
    at = hay.find(needle)
    while at >= 0:
        before, after = hay[at - 1 : at], hay[at + len(needle) : at + len(needle) + 1]
        if not (_joined(before, needle[:1]) or _joined(needle[-1:], after)):
            return True
        at = hay.find(needle, at + 1)
    return False


def _normal(text: str) -> str:
    tokens: list[str] = _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold().replace("’", "'"))
    out: list[str] = []
    tens = False
    for token in tokens:
        value = _NUMBERS.get(token)
        if value is None:
            out.append(token)
        elif tens and 0 < value < 10:
            out[-1] = str(int(out[-1]) + value)
        else:
            out.append(str(value))
        tens = value is not None and value >= 20
    return " ".join(out)


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word. Scripts without spaces (Thai, CJK) have no such rule."""
    return left.isalnum() and right.isalnum() and (left < "\u0e00" or right < "\u0e00")


# --- reading YAML, with line numbers -----------------------------------------------------------------------

V = TypeVar("V")


class _Reader:
    """Turns YAML nodes into a scenario, and collects what is wrong with them.

    Values are taken as they are written, not as YAML guesses them: `say: No` is a word and `keys: 007` three keys.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults: list[tuple[int, str]] = []

    def fault(self, node: yaml.Node, text: str) -> None:
        line = node.start_mark.line + 1
        self.faults.append((line, f"{self.source}:{line}: {text}"))

    def scenario(self, root: yaml.Node | None) -> Scenario | None:
        if root is None:
            self.faults.append((1, f"{self.source}:1: nothing in it"))
            return None
        fields = self.mapping(root, _SCENARIO, "scenario")
        if fields is None:
            return None
        if not fields.get("steps"):
            self.fault(root, "a scenario needs `steps`")
        fields.setdefault("name", Path(self.source).stem)
        fields.setdefault("steps", ())
        return Scenario(source=self.source, **fields)

    def mapping(self, node: yaml.Node, table: Mapping[str, _Read], what: str) -> dict[str, Any] | None:
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, f"a {what} is a list of `key: value` lines")
            return None
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in table:
                close = difflib.get_close_matches(name, table, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(table)}"
                self.fault(key, f"a {what} has no {name!r}{hint}")
            elif name in found:
                self.fault(key, f"{name!r} is given twice")
            else:
                try:
                    found[_RENAMED.get(name, name)] = table[name](self, value)
                except ValueError as bad:
                    self.fault(value, f"{name}: {bad}")
        return found

    # readers of one value: raise ValueError with what is wrong

    def text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise ValueError("must be text")
        return str(node.value).strip()

    def phrase(self, node: yaml.Node) -> str:
        text = self.text(node)
        if not _normal(text):
            raise ValueError(f"{text!r} has no word in it")
        return text

    def keys(self, node: yaml.Node) -> str:
        text = self.text(node)
        if set(text) - set("0123456789*#"):
            raise ValueError("must be keys of a telephone: 0-9, * and #")
        return text

    def number(self, node: yaml.Node) -> float:
        try:
            number = float(self.text(node))
        except ValueError:
            raise ValueError("must be a number") from None
        if not 0 <= number <= 1e6:
            raise ValueError("must be a number from 0 to a million")
        return number

    def whole(self, node: yaml.Node) -> int:
        number = self.number(node)
        if number != int(number):
            raise ValueError("must be a whole number")
        return int(number)

    def yes(self, node: yaml.Node) -> bool:
        if not self.flag(node):
            raise ValueError("must be true, or left out")
        return True

    def flag(self, node: yaml.Node) -> bool:
        word = self.text(node).lower()
        if word not in ("true", "yes", "false", "no"):
            raise ValueError("must be true or false")
        return word in ("true", "yes")

    def ended(self, node: yaml.Node) -> Ended:
        word = self.text(node)
        for known in _ENDED:
            if word == known:
                return known
        raise ValueError(f"must be one of {', '.join(_ENDED)}")

    def several(self, node: yaml.Node, one: Callable[[yaml.Node], V]) -> tuple[V, ...]:
        return tuple(one(each) for each in (node.value if isinstance(node, yaml.SequenceNode) else [node]))

    def phrases(self, node: yaml.Node) -> tuple[str, ...]:
        return self.several(node, self.phrase)

    def patterns(self, node: yaml.Node) -> tuple[str, ...]:
        patterns = self.several(node, self.text)
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return patterns

    def cut_in(self, node: yaml.Node) -> CutIn:
        if isinstance(node, yaml.ScalarNode):
            return CutIn(after=self.phrase(node))
        fields = self.mapping(node, _CUT_IN, "cut-in") or {}
        if isinstance(node, yaml.MappingNode) and len(node.value) != 1:
            raise ValueError("give either `after` or `seconds`")
        return CutIn(**fields)

    def expect_of_step(self, node: yaml.Node) -> Expectation:
        return self.expect(node, _EXPECT_OF_STEP, "step's `expect`")

    def expect_of_call(self, node: yaml.Node) -> Expectation:
        return self.expect(node, _EXPECT_OF_CALL, "scenario's `expect`")

    def expect(self, node: yaml.Node, table: Mapping[str, _Read], what: str) -> Expectation:
        if not isinstance(node, yaml.MappingNode):
            return Expectation(contains=self.phrases(node))
        return Expectation(**(self.mapping(node, table, what) or {}))

    def settings(self, node: yaml.Node) -> dict[str, Any]:
        """{agent: {name: Kim}} or {agent.name: Kim} as {"agent.name": "Kim"}; the settings check the values."""
        if not isinstance(node, yaml.MappingNode):
            raise ValueError("must be `section: {name: value}`")
        found: dict[str, Any] = {}
        for key, value in node.value:
            if isinstance(value, yaml.MappingNode):
                found |= {f"{key.value}.{name}": each for name, each in self.settings(value).items()}
            elif isinstance(value, yaml.SequenceNode):
                found[str(key.value)] = self.several(value, self.text)
            else:
                found[str(key.value)] = value.value
        return found

    def steps(self, node: yaml.Node) -> tuple[Step, ...]:
        if not isinstance(node, yaml.SequenceNode):
            raise ValueError("must be a list, each step beginning with a dash")
        return tuple(step for each in node.value if (step := self.step(each)))

    def step(self, node: yaml.Node) -> Step | None:
        faults = len(self.faults)
        fields = self.mapping(node, _STEP, "step")
        if fields is None:
            return None
        kinds = [kind for kind in _KINDS if kind in fields]
        if len(kinds) != 1:
            if len(self.faults) == faults:  # else the missing one is the one that is wrong
                self.fault(node, f"a step needs exactly one of {', '.join(_KINDS)}")
            return None
        (kind,) = kinds
        if kind == "wait" and "cut_in" in fields:
            self.fault(node, "a `wait` cannot cut in")
        if ("interrupt" in fields) != ("then" in fields) or ("interrupt" in fields and kind not in ("say", "keys")):
            self.fault(node, "`interrupt` and `then` belong together, in a step that says or dials something")
        value = fields[kind]
        first = Action(
            kind,
            text=value if kind in ("say", "keys") else "",
            seconds=value if kind == "wait" else 0.0,
            pause=fields.get("pause", PAUSE),
            cut_in=fields.get("cut_in"),
        )
        then = [Action("say", text=fields["then"], cut_in=fields.get("interrupt"))] if "then" in fields else []
        return Step((first, *then), fields.get("expect", Expectation()), node.start_mark.line + 1)


_Read = Callable[[_Reader, yaml.Node], Any]

_SCENARIO: dict[str, _Read] = {
    "name": _Reader.text,
    "caller": _Reader.text,
    "called": _Reader.text,
    "seed": _Reader.whole,
    "settings": _Reader.settings,
    "steps": _Reader.steps,
    "expect": _Reader.expect_of_call,
}
_STEP: dict[str, _Read] = {
    "say": _Reader.text,
    "keys": _Reader.keys,
    "wait": _Reader.number,
    "hang_up": _Reader.yes,
    "pause": _Reader.number,
    "cut_in": _Reader.cut_in,
    "interrupt": _Reader.cut_in,
    "then": _Reader.text,
    "expect": _Reader.expect_of_step,
}
_CUT_IN: dict[str, _Read] = {"after": _Reader.phrase, "seconds": _Reader.number}
_EXPECT: dict[str, _Read] = {
    "contains": _Reader.phrases,
    "not": _Reader.phrases,
    "matches": _Reader.patterns,
    "within_ms": _Reader.number,
    "first_token_within_ms": _Reader.number,
    "reprompts": _Reader.whole,
}
_EXPECT_OF_STEP = _EXPECT | {"silent": _Reader.flag, "interrupted": _Reader.flag}
_EXPECT_OF_CALL = _EXPECT | {"ended": _Reader.ended, "max_seconds": _Reader.number}
_RENAMED = {"not": "excludes"}

__all__ = ["PAUSE", "Action", "CutIn", "Ended", "Expectation", "Scenario", "Step", "contains", "load", "parse"]
