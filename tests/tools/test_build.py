"""The tools of an agent as the settings have them, and the built-in ones, through the toolbox."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from voicectl.conversation.turns import Line, Passage, ToolCall
from voicectl.errors import ConfigError, StoreError
from voicectl.ports import CallInfo, Inquiry, Retrieval, ToolContext, ToolOutcome
from voicectl.settings import AgentSettings, KeyFieldSettings, Settings, ToolSettings, ToolsSettings
from voicectl.simulator.virtual_time import run
from voicectl.tools.build import BUILTIN, tools_for
from voicectl.tools.toolbox import Toolbox

CONTEXT = ToolContext(CallInfo("CA0", "VX0", "+15550001", "+15550002"), "en-US", "key-0")
FIELDS = (
    KeyFieldSettings("order number", length=4),
    KeyFieldSettings("account"),
    KeyFieldSettings("PIN", terminator="*"),
    KeyFieldSettings("code", terminator=""),
)
FULL = Settings(agent=AgentSettings(key_fields=FIELDS))


class Documents:
    """A knowledge base that notes what it is asked."""

    def __init__(self, *passages: Passage, broken: bool = False) -> None:
        self.asked: list[Inquiry] = []
        self._found = Retrieval("answer" if passages else "unknown", passages)
        self._broken = broken

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        self.asked.append(inquiry)
        if self._broken:
            raise StoreError("disk I/O error at page 7")
        return self._found


def built(settings: Settings = FULL, agent: str = "default", **more: Any) -> Toolbox:
    given: dict[str, Any] = {"knowledge": Documents(), "languages": ("en-US", "de-DE"), "collections": ("shop",)}
    return tools_for(settings, agent, **{**given, **more})


def names(box: Toolbox) -> list[str]:
    return [spec.name for spec in box.offered("en-US")]


async def use(box: Toolbox, name: str, **arguments: object) -> ToolOutcome:
    return await box.run(ToolCall("c1", name, json.dumps(arguments)), CONTEXT)


@pytest.mark.parametrize(
    ("settings", "more", "left_out"),
    [
        (FULL, {}, ""),
        (FULL, {"languages": ("en-US",)}, "switch_language"),
        (FULL, {"languages": ()}, "switch_language"),
        (FULL, {"knowledge": None}, "search_knowledge"),
        (Settings(), {}, "ask_for_keys"),
        (replace(FULL, tools=ToolsSettings(builtin=BUILTIN[1:])), {}, "search_knowledge"),
    ],
)
def test_what_is_of_no_use_is_not_offered(settings: Settings, more: dict[str, Any], left_out: str) -> None:
    box = built(settings, **more)
    assert names(box) == [name for name in BUILTIN if name != left_out]
    assert box.offered("de-DE") == box.offered("en-US")


def test_something_is_looked_up():
    documents = Documents(Passage(1, "Prices > Chains", "A chain costs twenty pounds.", "p.md"))

    async def main() -> None:
        outcome = await use(built(knowledge=documents), "search_knowledge", query="What does a chain cost?")
        assert outcome == ToolOutcome("Prices > Chains\nA chain costs twenty pounds.")
        assert documents.asked == [Inquiry((Line("caller", "What does a chain cost?"),), "en-US", ("shop",))]

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("documents", "status", "said"),
    [(Documents(), "ok", "Nothing was found"), (Documents(broken=True), "failed", "cannot be looked into")],
)
def test_nothing_is_found(documents: Documents, status: str, said: str) -> None:
    async def main() -> None:
        outcome = await use(built(knowledge=documents), "search_knowledge", query="Chains?")
        assert outcome.status == status and said in outcome.result and "page 7" not in outcome.result

    run(main(), tidy=True)


def test_a_long_passage_leaves_room_for_the_others():
    passages = [Passage(n, f"T{n}", f"Chain {n}. " + "Words and words. " * 200, "p.md") for n in range(3)]

    async def main() -> None:
        result = (await use(built(knowledge=Documents(*passages)), "search_knowledge", query="chain")).result
        assert all(f"T{n}\nChain {n}." in result for n in range(3)) and len(result) < 2_000

    run(main(), tidy=True)


@pytest.mark.parametrize("digits", ["1", "0123456789*#w", "w" * 32])
def test_keys_are_pressed(digits: str) -> None:
    async def main() -> None:
        outcome = await use(built(), "send_keys", digits=digits)
        assert (outcome.digits, outcome.status) == (digits, "ok")

    run(main(), tidy=True)


@pytest.mark.parametrize("digits", ["", "1" * 33, "12a", "1 2", "1\n", "+1", "W", 12, "١"])
def test_keys_that_are_none_are_refused(digits: object) -> None:
    async def main() -> None:
        outcome = await use(built(), "send_keys", digits=digits)
        assert (outcome.digits, outcome.status) == ("", "refused")

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("language", "switched", "status"), [("de-DE", "de-DE", "ok"), ("en-US", "", "ok"), ("fr-FR", "", "refused")]
)
def test_the_language_is_switched(language: str, switched: str, status: str) -> None:
    async def main() -> None:
        outcome = await use(built(), "switch_language", language=language)
        assert (outcome.language, outcome.status) == (switched, status)

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("name", "said"),
    [("order number", "4 keys"), ("account", "hash key"), ("PIN", "star key"), ("code", "key in the code.")],
)
def test_keys_are_asked_for(name: str, said: str) -> None:
    async def main() -> None:
        outcome = await use(built(), "ask_for_keys", field=name)
        assert (outcome.field, outcome.status) == (name, "ok") and said in outcome.result
        assert (await use(built(), "ask_for_keys", field="nothing")).status == "refused"

    run(main(), tidy=True)


# --- tools of the owner's --------------------------------------------------------------------------------------

WEATHER = ToolSettings(
    "weather",
    "The weather.",
    '{"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}',
    python="textwrap:dedent",
    meanwhile=("Let me look outside.",),
)


def own(*tools: ToolSettings) -> Settings:
    return Settings(tools=ToolsSettings((), ("api.example.com",), tools))


def test_a_tool_of_ones_own():
    async def main() -> None:
        box = built(own(WEATHER, replace(WEATHER, name="other", agents=("sales",))))
        (spec,) = box.offered("en-US")
        assert (spec.name, spec.description, spec.meanwhile) == ("weather", "The weather.", ("Let me look outside.",))
        assert spec.parameters == json.loads(WEATHER.parameters)
        assert names(built(own(WEATHER, replace(WEATHER, name="other", agents=("sales",))), "sales")) == [
            "weather",
            "other",
        ]
        await box.aclose()

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (replace(WEATHER, description=" "), "description"),
        (replace(WEATHER, url="https://api.example.com/"), "one of python and url"),
        (replace(WEATHER, python=""), "one of python and url"),
        (replace(WEATHER, python="textwrap:nothing"), "no function"),
        (replace(WEATHER, parameters="{"), "JSON"),
        (replace(WEATHER, python="", url="https://evil.example/"), "allowed_hosts"),
        (replace(WEATHER, python="", url="https://api.example.com/", headers=("K: ${K}",)), "environment variable K"),
    ],
)
def test_what_is_wrong_is_found_at_the_start(tool: ToolSettings, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        built(own(tool), environ={})
    assert "'weather'" in refused.value.message and refused.value.hint


def test_a_built_in_tool_that_there_is_not():
    with pytest.raises(ConfigError, match="did you mean 'send_keys'"):
        built(Settings(tools=ToolsSettings(builtin=("send_key",))))
