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

A step does one thing: `say`, `keys`, `noise` (seconds of sound without words: a cough), `wait` (seconds of silence) or
`hang_up: true`. The caller waits until the agent has finished, and then `pause` seconds more (0.4), unless the step
says otherwise:

- `cut_in: {after: words}` or `cut_in: {seconds: n}`: does not let the agent finish; begins once these words of the
  agent could be heard, or n seconds into its speech. The first step may cut into the greeting.
- `interrupt: …` with `then: words` does so within one step: the caller says or dials, the agent begins to answer, the
  caller cuts in with the words of `then`.
- `say: [words, words, words]`: one breath of which the carrier makes several final transcripts, with `gap` seconds of
  silence between them (0.4).
- `over: true`: the words are spoken over the agent and do not cut it off, though they are reported.
- `listening: true`: the words only show that the caller listens (mm-hm); no answer to them is waited for.
- `lang: de`: the language of the words, as the carrier reports it.
- `cuts: true`: a noise that cuts the agent off, as words would.

A step's `expect` is about all that the agent begins to say from this step until the caller's next step; plain text
stands for `contains`. The scenario's own `expect` is about the whole call. For a server that runs inside, `settings`
are its settings, and `model` is the script of its reply model (llm/scripted.py); `knobs` are the simulated carrier's
(knobs.py). The tables below are the complete list of keys.

`contains`, `not` and `once` compare words as listening.py has it; `matches` is a Python regular expression, searched
in what was heard with white space made single.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import yaml

from voicectl.errors import NotFoundError, UsageError
from voicectl.simulator.knobs import Knobs
from voicectl.simulator.listening import normal
from voicectl.simulator.steps import GAP, PAUSE, Action, CutIn, Ended, Expectation, Kind, Scenario, Step

_ENDED: tuple[Ended, ...] = get_args(Ended)
_KINDS: tuple[Kind, ...] = get_args(Kind)
_MAX_BYTES = 1_000_000


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
    reader = _Reader(source, text)
    scenario = reader.scenario(root)
    if reader.faults or scenario is None:
        many = len(reader.faults)
        raise UsageError(
            ("the scenario has a fault:\n  " if many == 1 else f"the scenario has {many} faults:\n  ")
            + "\n  ".join(text for _, text in sorted(reader.faults)),
            "compare it with the examples in knowledge/conversations",
        )
    return scenario


# --- reading YAML, with line numbers -----------------------------------------------------------------------

V = TypeVar("V")


class _Reader:
    """Turns YAML nodes into a scenario, and collects what is wrong with them.

    Values are taken as they are written, not as YAML guesses them: `say: No` is a word and `keys: 007` three keys.
    """

    def __init__(self, source: str, written: str) -> None:
        self.source = source
        self.written = written
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
        if not normal(text):
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

    def one_of(self, node: yaml.Node, known: tuple[V, ...]) -> V:
        word = self.text(node)
        if word not in known:
            raise ValueError(f"must be one of {', '.join(map(str, known))}")
        return known[known.index(word)]

    def ended(self, node: yaml.Node) -> Ended:
        return self.one_of(node, _ENDED)

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
            else:
                found[str(key.value)] = self.plain(value)
        return found

    def plain(self, node: yaml.Node) -> Any:
        """Text, and lists and tables of it."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.plain(each) for each in node.value)
        if isinstance(node, yaml.MappingNode):
            return {str(key.value): self.plain(value) for key, value in node.value}
        return node.value

    def model(self, node: yaml.Node) -> str:
        """The script as it is written, at the line where it is written."""
        if not isinstance(node, yaml.MappingNode):
            raise ValueError("must be a script of replies: `replies:` and a list of them")
        start = node.start_mark
        script = self.written[start.index : node.end_mark.index].rstrip()
        return "\n" * start.line + " " * start.column + script + "\n"

    def knobs(self, node: yaml.Node) -> Knobs:
        return Knobs(**(self.mapping(node, _KNOBS, "carrier's `knobs`") or {}))

    def line(self, node: yaml.Node) -> tuple[str, ...]:
        """What is said: one transcript or several."""
        parts = self.several(node, self.text)
        if isinstance(node, yaml.SequenceNode) and len(parts) < 2:
            raise ValueError("must be text, or a list of several parts")
        return parts

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
        for name, of in (("gap", "say"), ("over", "say"), ("listening", "say"), ("lang", "say"), ("cuts", "noise")):
            if name in fields and kind != of:
                self.fault(node, f"`{name}` belongs to `{of}`")
        said = fields["say"] if kind == "say" else ()
        if "gap" in fields and len(said) < 2:
            self.fault(node, "`gap` belongs to a `say` of several parts: say: [words, words]")
        if "over" in fields and "cut_in" not in fields:
            self.fault(node, "`over` needs a `cut_in`: when does the caller begin to speak?")
        first = Action(
            kind,
            text=" ".join(said) if kind == "say" else fields[kind] if kind == "keys" else "",
            seconds=fields[kind] if kind in ("wait", "noise") else 0.0,
            pause=fields.get("pause", PAUSE),
            cut_in=fields.get("cut_in"),
            parts=said if len(said) > 1 else (),
            gap=fields.get("gap", GAP),
            cuts=False if "over" in fields or (kind == "noise" and "cuts" not in fields) else fields.get("cuts"),
            listening="listening" in fields,
            lang=fields.get("lang", ""),
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
    "model": _Reader.model,
    "knobs": _Reader.knobs,
    "steps": _Reader.steps,
    "expect": _Reader.expect_of_call,
}
_STEP: dict[str, _Read] = {
    "say": _Reader.line,
    "keys": _Reader.keys,
    "noise": _Reader.number,
    "wait": _Reader.number,
    "hang_up": _Reader.yes,
    "pause": _Reader.number,
    "cut_in": _Reader.cut_in,
    "interrupt": _Reader.cut_in,
    "then": _Reader.text,
    "gap": _Reader.number,
    "over": _Reader.yes,
    "listening": _Reader.yes,
    "lang": _Reader.text,
    "cuts": _Reader.yes,
    "expect": _Reader.expect_of_step,
}
_CUT_IN: dict[str, _Read] = {"after": _Reader.phrase, "seconds": _Reader.number}
_EXPECT: dict[str, _Read] = {
    "contains": _Reader.phrases,
    "not": _Reader.phrases,
    "matches": _Reader.patterns,
    "once": _Reader.phrases,
    "within_ms": _Reader.number,
    "first_token_within_ms": _Reader.number,
    "fillers": _Reader.whole,
    "reprompts": _Reader.whole,
}
_EXPECT_OF_STEP = _EXPECT | {"silent": _Reader.flag, "interrupted": _Reader.flag, "resumed": _Reader.flag}
_EXPECT_OF_CALL = _EXPECT | {
    "ended": _Reader.ended,
    "handed_to": _Reader.text,
    "keys_sent": _Reader.keys,
    "language": _Reader.text,
    "max_seconds": _Reader.number,
}
_RENAMED = {"not": "excludes"}


def _knob(kind: Any) -> _Read:
    """How a knob of this type is read."""
    if kind is bool:
        return _Reader.flag
    if get_origin(kind) is Literal:
        return lambda reader, node: reader.one_of(node, get_args(kind))
    return _Reader.whole if int in (kind, *get_args(kind)) else _Reader.number


_KNOBS: dict[str, _Read] = {
    name: _knob(kind) for name, kind in get_type_hints(Knobs).items() if not dataclasses.is_dataclass(kind)
}

__all__ = ["Scenario", "load", "parse"]
