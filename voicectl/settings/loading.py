"""Settings put together from flags, environment, file and defaults, in that order.

An agent's own value comes before all of these: it says more exactly whom it is for. All faults are found and reported
together, each with the key's path, where the value came from, and what to do. Unknown keys are errors with a guess.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from voicectl.errors import ConfigError
from voicectl.settings.converting import convert
from voicectl.settings.whole import (
    AGENT_GROUPS,
    DEFAULT_AGENT,
    GROUPS,
    SHARED,
    AgentOverlay,
    SettingInfo,
    Settings,
    Source,
    build,
    shared,
    table,
)

DEFAULT_FILE = "voicectl.toml"

_AGENT = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")

Found = dict[str, tuple[Any, str]]
"""Values as they were found, by path, each with where it is from."""


def load(
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: str | os.PathLike[str] | None = None,
) -> Settings:
    """Put the settings together.

    `flags` maps paths ("server.port", "agents.sales.agent.name") to values; None values count as not given. `file`
    defaults to voicectl.toml in the working directory, if there is one. Raises ConfigError naming every fault at once.
    """
    faults: list[str] = []
    environ = os.environ if environ is None else environ
    source = Source(Path(file or DEFAULT_FILE), file is not None, flags or {}, environ)
    source = dataclasses.replace(source, seen=source.stamp())
    found: Found = {path: (value, str(file or DEFAULT_FILE)) for path, value in _read_file(file, faults).items()}
    rows = {row.path: row for row in table()}
    for row in rows.values():
        if row.env and environ.get(row.env, "") != "":
            found[row.path] = (environ[row.env], f"environment {row.env}")
    for path, value in (flags or {}).items():
        if value is not None:
            if path not in rows and path.partition(".")[0] not in ("agents", "phrases"):
                raise KeyError(path)
            found[path] = (value, "command line")
    return _put_together(found, faults, rows, source)


def load_again(source: Source) -> Settings:
    """The settings as they are now. Raises ConfigError."""
    return load(flags=source.flags, environ=source.environ, file=source.file if source.named else None)


def _put_together(found: Found, faults: list[str], rows: Mapping[str, SettingInfo], source: Source) -> Settings:
    values: dict[str, Any] = {}
    words = _Wordings(faults)
    agents = _Agents(faults, rows)
    for path, (raw, origin) in found.items():
        section, _, rest = path.partition(".")
        if section == "agents":
            agents.take(rest, raw, origin)
        elif section == "phrases":
            words.take(path, rest, raw, origin)
        elif path in rows:
            _take(values, path, path, raw, origin, rows[path], faults)
        else:
            faults.append(f"{path}: no such setting (from {origin}){_guess(path, rows)}")
    agents.check()
    if faults:
        raise ConfigError(
            "the configuration has "
            + ("a fault" if len(faults) == 1 else f"{len(faults)} faults")
            + ":\n  "
            + "\n  ".join(faults),
            "mend the values named above; docs/configuration.md lists every setting",
        )
    settings = Settings(**build(values), phrases=words.found, agents=agents.overlays())
    return dataclasses.replace(settings, source=dataclasses.replace(source, started=shared(settings)))


def _take(
    values: dict[str, Any], key: str, path: str, raw: Any, origin: str, row: SettingInfo, faults: list[str]
) -> None:
    try:
        values[key] = convert(row.kind, raw, row)
    except ValueError as bad:
        faults.append(f"{path} = {'(secret)' if row.secret else repr(raw)}: {bad} (from {origin})")


def _guess(path: str, known: Iterable[str], shape: Callable[[str], str] = repr) -> str:
    close = difflib.get_close_matches(path, known, n=1)
    return f"; did you mean {shape(close[0])}?" if close else ""


class _Wordings:
    """[phrases.LANG]. What wordings there are is for the conversation to know."""

    def __init__(self, faults: list[str]) -> None:
        self.found: dict[str, dict[str, str | tuple[str, ...]]] = {}
        self._faults = faults

    def take(self, path: str, rest: str, raw: Any, origin: str) -> None:
        """`rest` is "LANG.NAME"."""
        language, _, name = rest.partition(".")
        if not _LANGUAGE.fullmatch(language) or not name:
            self._faults.append(f"{path}: wordings stand in a language, as in [phrases.en] (from {origin})")
            return
        words = tuple(raw) if isinstance(raw, (list, tuple)) else raw
        if not (isinstance(words, str) or (isinstance(words, tuple) and all(isinstance(each, str) for each in words))):
            self._faults.append(f"{path} = {raw!r}: must be text, or a list of it (from {origin})")
            return
        self.found.setdefault(language, {})[name] = words


class _Agents:
    """[agents.NAME]."""

    def __init__(self, faults: list[str], rows: Mapping[str, SettingInfo]) -> None:
        self._faults = faults
        self._rows = rows
        self._own = [path for path in rows if path.partition(".")[0] in AGENT_GROUPS and path not in SHARED]
        self._values: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, tuple[str, ...]] = {}
        self._words: dict[str, _Wordings] = {}
        self._misnamed: set[str] = set()

    def take(self, path: str, raw: Any, origin: str) -> None:
        """`path` is "NAME.GROUP.KEY", "NAME.phrases.LANG.FIELD" or "NAME.numbers"."""
        name, _, rest = path.partition(".")
        path = f"agents.{path}"
        if not self._is_name(name, origin):
            return
        own = self._values.setdefault(name, {})
        words = self._words.setdefault(name, _Wordings(self._faults))
        if not rest:
            return  # an agent that has nothing of its own
        group = rest.partition(".")[0]
        row = self._rows.get(rest)
        if rest == "numbers":
            self._take_numbers(name, path, raw, origin)
        elif group == "phrases" and rest != "phrases":
            words.take(path, rest.removeprefix("phrases."), raw, origin)
        elif row is not None and rest in SHARED:
            self._faults.append(f"{path}: is the same for all agents; set {rest} (from {origin})")
        elif row is not None and group in AGENT_GROUPS:
            _take(own, rest, path, raw, origin, row, self._faults)
        elif group in GROUPS and group not in AGENT_GROUPS:
            self._faults.append(f"{path}: [{group}] is the same for all agents (from {origin})")
        else:
            guess = _guess(rest, [*self._own, "numbers"], lambda close: repr(f"agents.{name}.{close}"))
            self._faults.append(f"{path}: no such setting (from {origin}){guess}")

    def check(self) -> None:
        """What can only be seen of all agents together."""
        whose: dict[str, str] = {}
        for name, numbers in self._numbers.items():
            for number in numbers:
                other = whose.setdefault(number, name)
                if other != name:
                    self._faults.append(f"agents.{name}.numbers: {number} belongs to agents.{other} already")

    def overlays(self) -> dict[str, AgentOverlay]:
        return {
            name: AgentOverlay(self._numbers.get(name, ()), values, self._words[name].found)
            for name, values in self._values.items()
        }

    def _is_name(self, name: str, origin: str) -> bool:
        if _AGENT.fullmatch(name) and name != DEFAULT_AGENT:
            return True
        if name not in self._misnamed:
            self._misnamed.add(name)
            why = (
                f"{DEFAULT_AGENT!r} is the agent of the settings as they are; set those"
                if name == DEFAULT_AGENT
                else "an agent's name is made of lower-case letters, digits and -, at most 31"
            )
            self._faults.append(f"agents.{name}: {why} (from {origin})")
        return False

    def _take_numbers(self, name: str, path: str, raw: Any, origin: str) -> None:
        numbers = [part.strip() for part in raw.split("|") if part.strip()] if isinstance(raw, str) else raw
        if not isinstance(numbers, (list, tuple)) or not all(isinstance(each, str) for each in numbers):
            self._faults.append(f"{path} = {raw!r}: must be a list of numbers, each in quotes (from {origin})")
            return
        self._numbers[name] = tuple(dict.fromkeys(numbers))


def _read_file(file: str | os.PathLike[str] | None, faults: list[str]) -> dict[str, Any]:
    """The file's values by path."""
    path = Path(file or DEFAULT_FILE)
    if not path.exists():
        if file is not None:
            raise ConfigError(f"there is no settings file {str(path)!r}", "check the path given with --config")
        return {}
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as bad:
        raise ConfigError(f"cannot read {path}: {bad}", "mend the file; it must be TOML in UTF-8") from bad
    flat: dict[str, Any] = {}
    for section, body in document.items():
        if section == "agents" and isinstance(body, dict):
            for name, table_ in body.items():
                flat |= _flat_agent(f"agents.{name}", table_, path, faults)
        elif section == "phrases" and isinstance(body, dict):
            flat |= _flat(section, body, 2)
        elif section in GROUPS and isinstance(body, dict):
            flat |= _flat(section, body, 1)
        else:
            guess = _guess(section, [*GROUPS, "agents", "phrases"], lambda close: f"[{close}]")
            faults.append(f"[{section}]: no such section (from {path}){guess}")
    return flat


def _flat_agent(prefix: str, body: Any, path: Path, faults: list[str]) -> dict[str, Any]:
    if not isinstance(body, dict):
        faults.append(f"[{prefix}]: must be a table (from {path})")
        return {}
    flat: dict[str, Any] = {prefix: None}
    for key, value in body.items():
        if key in GROUPS and isinstance(value, dict):
            flat |= _flat(f"{prefix}.{key}", value, 1)
        elif key == "phrases" and isinstance(value, dict):
            flat |= _flat(f"{prefix}.{key}", value, 2)
        elif isinstance(value, dict):
            guess = _guess(key, [*AGENT_GROUPS, "phrases"], lambda close: f"[{prefix}.{close}]")
            faults.append(f"[{prefix}.{key}]: no such section (from {path}){guess}")
        else:
            flat[f"{prefix}.{key}"] = value
    return flat


def _flat(prefix: str, body: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Nested tables by path, down to `depth`."""
    flat: dict[str, Any] = {}
    for key, value in body.items():
        if depth > 1 and isinstance(value, dict):
            flat |= _flat(f"{prefix}.{key}", value, depth - 1)
        else:
            flat[f"{prefix}.{key}"] = value
    return flat
