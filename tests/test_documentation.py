"""Documentation that can drift is checked against the code. `python tests/test_documentation.py` writes the
configuration reference anew."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from pathlib import Path

import pytest

from voicectl import settings
from voicectl.cli import app
from voicectl.conversation.phrases import Phrases

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "configuration.md"
README = (ROOT / "README.md").read_text("utf-8")

HEAD = """# Configuration

Every setting can stand in `voicectl.toml` in the working directory (or the file named with `--config`). Where a
variable is named, the environment comes before the file; a flag comes before both. Lists are TOML arrays; in the
environment their items are separated by `|`. Unknown keys are refused, with a guess at what was meant.

This page is written from the settings table in `voicectl/settings/` by `python tests/test_documentation.py`.
"""

TAIL = """## [phrases.LANG]

What the agent says by itself in a language, `[phrases.en]` or `[phrases.de-DE]`, where it is not to say voicectl's own
words. Each has the shape it has in `voicectl/conversation/phrases/`: <names>.

## [agents.NAME]

Another agent for some of your numbers. Its name is made of lower-case letters, digits and `-`. A call is answered by
the agent that the webhook's address names (`?agent=NAME`), else by the one that has the number that was called, else by
the one of the settings above.

| key | what it is |
| --- | --- |
| `numbers` | Numbers, in E.164 form, whose calls it answers. A number belongs to one agent only. |

Any setting of <groups> can be another one for the agent, in `[agents.NAME.GROUP]`, except <shared>; its own wordings
stand in `[agents.NAME.phrases.LANG]`. An agent's own value comes before everything else, the environment included.

    [agents.sales]
    numbers = ["+442071838750"]

    [agents.sales.agent]
    name = "Kim"

A running server notices when the file has changed: the next call is answered by the agents as they are then. A file
with a fault changes nothing, and the log says what is wrong. [server], [database], [twilio] and [telemetry] stay as
they were at the start.
"""


def reference() -> str:
    parts = [HEAD]
    group = ""
    for row in settings.table():
        section, name = row.path.split(".")
        if section != group:
            parts += _tables(group)
            group = section
            parts.append(f"\n## [{section}]\n\n| key | default | what it is |\n| --- | --- | --- |\n")
        bounds = ""
        if row.low is not None and row.high is not None:
            bounds = f" {row.low:g} to {row.high:g}."
        elif row.low is not None:
            bounds = f" At least {row.low:g}."
        choices = _choices(row.choices)
        env = f" `{row.env}`" if row.env else ""
        help_text = row.help.replace("|", "\\|")
        parts.append(f"| `{name}`{env} | {_default(row)} | {help_text}.{choices}{bounds} |\n")
    parts.append("\n" + _tail())
    return "".join(parts)


def _tables(group: str) -> list[str]:
    """What stands in the tables of a group's lists."""
    found = []
    for row in settings.table():
        item = next(iter(typing.get_args(row.kind)), None)
        if row.path.startswith(f"{group}.") and dataclasses.is_dataclass(item):
            rows = "".join(
                f"| `{field.name}` | {_default(field)} | {field.metadata['help'].replace('|', chr(92) + '|')}."
                f"{_choices(field.metadata['choices'])} |\n"
                for field in dataclasses.fields(item)
            )
            intro = "\nWhat is left out is as in [relay].\n" if group == "relay" else ""
            head = "\n| key | default | what it is |\n| --- | --- | --- |\n"
            found.append(f"\n### [[{row.path}]]\n{intro}{head}{rows}")
    return found


def _tail() -> str:
    shared = ", ".join(f"`{path}`" for path in sorted(settings.SHARED))
    groups = ", ".join(f"[{group}]" for group in settings.AGENT_GROUPS)
    names = ", ".join(f"`{field.name}`" for field in dataclasses.fields(Phrases))
    return TAIL.replace("<groups>", groups).replace("<shared>", shared).replace("<names>", names)


def _choices(choices: tuple[str, ...]) -> str:
    return f" One of: {', '.join(f'`{each}`' for each in choices if each)}." if choices else ""


def _default(row: settings.SettingInfo | dataclasses.Field[typing.Any]) -> str:
    if row.default in (None, "", ()):
        return ""
    if isinstance(row.default, tuple):
        return "; ".join(f"`{each}`" for each in row.default)
    return f"`{str(row.default).lower() if isinstance(row.default, bool) else row.default}`"


def test_the_configuration_reference_is_that_of_the_code() -> None:
    assert REFERENCE.read_text("utf-8") == reference(), "run: python tests/test_documentation.py"


def commands() -> dict[str, typing.Any]:
    groups = {str(group.typer_instance.info.name): None for group in app.registered_groups if group.typer_instance}
    return {str(command.name): command.callback for command in app.registered_commands} | groups


def test_the_readme_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"^\| `voicectl ([a-z-]+)", README, re.MULTILINE))
    assert named == set(commands())
    for command in re.findall(r"`voicectl ([a-z-]+)", README):
        assert command in commands()


@pytest.mark.parametrize("page", [*ROOT.glob("docs/*.md"), ROOT / "README.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_environment_variable_in_the_pages_is_a_setting() -> None:
    known = {row.env for row in settings.table()} | {"VOICECTL_TEST_PROFILE"}
    for page in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]:
        for name in re.findall(r"\b(?:VOICECTL|TWILIO|OPENAI)_[A-Z_]+\b", page.read_text("utf-8")):
            assert name in known, (page.name, name)


def test_every_setting_is_explained_and_typed() -> None:
    for row in settings.table():
        assert len(row.help) > 10 and not row.help.endswith("."), row.path
        assert row.kind in (str, int, float, bool) or isinstance(row.kind, types.UnionType | types.GenericAlias)


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    from voicectl import errors
    from voicectl.cli._console import INTERRUPTED

    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")}
    assert table == codes | {0, INTERRUPTED}


if __name__ == "__main__":
    REFERENCE.parent.mkdir(exist_ok=True)
    REFERENCE.write_text(reference(), "utf-8")
