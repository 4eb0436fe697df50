"""Settings: precedence, types, and faults that name their fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicectl import settings
from voicectl.errors import ConfigError


def load(tmp_path: Path, toml: str = "", flags: dict[str, object] | None = None, **environ: str) -> settings.Settings:
    file = tmp_path / "voicectl.toml"
    file.write_text(toml)
    return settings.load(flags=flags, environ=environ, file=file)


def test_flag_then_environment_then_file_then_default(tmp_path: Path) -> None:
    toml = '[server]\npublic_url = "https://file"\nport = 1\n[agent]\nname = "File"'
    assert load(tmp_path).server.port == 8080
    assert load(tmp_path, toml).server.port == 1
    given = load(tmp_path, toml, {"server.public_url": "https://flag"}, VOICECTL_PUBLIC_URL="https://env")
    assert given.server.public_url == "https://flag"
    assert load(tmp_path, toml, {"server.public_url": None}, VOICECTL_PUBLIC_URL="https://env").server.public_url == (
        "https://env"
    )
    assert load(tmp_path, toml, VOICECTL_PUBLIC_URL="").server.public_url == "https://file"


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("[agnet]\nname = 'x'", "did you mean [agent]"),
        ("[agent]\nnmae = 'x'", "did you mean 'agent.name'"),
        ("agent = 3", "[agent]: no such section"),
        ("[server]\nport = 'many'", "must be a whole number"),
        ("[server]\nport = 80.5", "must be a whole number"),
        ("[server]\nport = true", "must be a number"),
        ("[server]\nport = 70000", "at most 65535"),
        ("[llm]\ntemperature = nan", "must be a number"),
        ("[llm]\nkind = 'gpt'", "must be one of auto, openai"),
        ("[relay]\ndtmf_detection = 'perhaps'", "must be true or false"),
        ("[agent]\nrules = 3", "must be a list"),
        ("[agent]\nname = ['a']", "must be text"),
        ('[agent]\nname = "a\\u0000b"', "NUL"),
        ("[[relay.languages]]\ncdoe = 'es-ES'", "did you mean 'code'"),
        ("[relay]\nlanguages = ['es']", "must be a table"),
        ("[agents.sales.agent]\nnmae = 'x'", "agents.sales.agent.nmae: no such setting"),
        ("[agents.sales.agent]\nnmae = 'x'", "did you mean 'agents.sales.agent.name'?"),
        ("[agents.sales]\nnubmers = ['+442071838750']", "did you mean 'agents.sales.numbers'?"),
        ("[agents.sales.agnet]\nname = 'x'", "[agents.sales.agnet]: no such section"),
        ("[agents.sales.agnet]\nname = 'x'", "did you mean [agents.sales.agent]?"),
        ("[agents.sales.server]\nport = 1", "agents.sales.server.port: [server] is the same for all agents"),
        ("[agents.sales.knowledge]\nembedder = 'none'", "the same for all agents; set knowledge.embedder"),
        (
            "[agents.sales.conversation]\nsilence_seconds = 0.1",
            "agents.sales.conversation.silence_seconds = 0.1: must be",
        ),
        ("[agents.Sales]", "agents.Sales: an agent's name is made of lower-case letters"),
        ("[agents.default.agent]\nname = 'x'", "agents.default: 'default' is the agent of the settings as they are"),
        ("[agents]\nsales = 3", "[agents.sales]: must be a table"),
        ("agents = 3", "[agents]: no such section"),
        ("[agents.sales]\nnumbers = [44]", "must be a list of numbers, each in quotes"),
        ("[agents.a]\nnumbers = ['+1', '+2']\n[agents.b]\nnumbers = ['+2']", "+2 belongs to agents.a already"),
        ("[phrases]\ngoodbye = 'x'", "phrases.goodbye: wordings stand in a language"),
        ("[phrases.en]\ngoodbye = 3", "phrases.en.goodbye = 3: must be text, or a list of it"),
        ("[agents.a.phrases.en]\nthinking = ['a', 3]", "agents.a.phrases.en.thinking = ['a', 3]: must be text"),
        ("[agents.a.phrases]\nthinking = 'a'", "agents.a.phrases.thinking: wordings stand in a language"),
    ],
)
def test_faults_name_the_key_the_value_and_the_way_out(tmp_path: Path, toml: str, fault: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, toml)
    assert fault in error.value.message


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, "[server]\nport = -1\n[llm]\nkind = 'x'", VOICECTL_LLM="y")
    assert "2 faults" in error.value.message and "environment VOICECTL_LLM" in error.value.message


@pytest.mark.parametrize(
    "toml", ["[twilio]\nauth_token = ['canary-secret']", "[agents.a.llm]\napi_key = ['canary-secret']"]
)
def test_a_secret_is_not_shown_in_a_fault(tmp_path: Path, toml: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, toml)
    assert "canary" not in error.value.message


@pytest.mark.parametrize("broken", [b"[agent", b"\xff\xfe\x00"])
def test_a_file_that_is_not_toml(tmp_path: Path, broken: bytes) -> None:
    file = tmp_path / "voicectl.toml"
    file.write_bytes(broken)
    with pytest.raises(ConfigError, match="cannot read"):
        settings.load(environ={}, file=file)


def test_types_are_as_declared(tmp_path: Path) -> None:
    given = load(
        tmp_path,
        "[voice]\nspeed = 1\n[agent]\nrules = ['a', 'b']\n[relay]\nhints = ''\n"
        "[[relay.languages]]\ncode = 'es-ES'\nvoice = 'x'",
        VOICECTL_LLM="OPENAI",
    )
    assert given.voice.speed == 1.0 and isinstance(given.voice.speed, float)
    assert given.agent.rules == ("a", "b")
    assert given.llm.kind == "openai"
    assert given.relay.languages[0].code == "es-ES"


AGENTS = """
[agent]
name = "Robin"
company = "Harbour Cycles"
[phrases.en]
goodbye = "Bye."
thinking = ["Hm.", "Well."]

[agents.sales]
numbers = ["+442071838750", "+442071838751"]
[agents.sales.agent]
name = "Kim"
[[agents.sales.agent.destinations]]
name = "workshop"
number = "+442071838752"
[agents.sales.conversation]
silence_seconds = 5
[agents.sales.phrases.en]
goodbye = "Cheerio."
[agents.sales.phrases.de]
goodbye = "Tschüs."

[agents.quiet]
"""


def test_an_agent_has_its_own_values_and_otherwise_those_of_all(tmp_path: Path) -> None:
    whole = load(tmp_path, AGENTS)
    assert list(whole.agents) == ["sales", "quiet"]
    assert whole.agents["sales"].numbers == ("+442071838750", "+442071838751")
    sales = whole.for_agent("sales")
    assert (sales.agent.name, sales.agent.company) == ("Kim", "Harbour Cycles")
    assert sales.agent.destinations[0].number == "+442071838752"
    assert sales.conversation.silence_seconds == 5.0
    assert sales.phrases == {"en": {"goodbye": "Cheerio.", "thinking": ("Hm.", "Well.")}, "de": {"goodbye": "Tschüs."}}
    base = whole.for_agent("default")
    assert base.agent.name == "Robin" and base.phrases["en"]["goodbye"] == "Bye." and "de" not in base.phrases
    assert whole.for_agent("quiet") == base
    assert whole.agent.name == "Robin" and whole.phrases == base.phrases  # nothing is laid over the base itself
    with pytest.raises(KeyError):
        whole.for_agent("Sales")


def test_an_agent_s_own_value_comes_before_flag_and_environment(tmp_path: Path) -> None:
    toml = "[agents.sales.llm]\nmodel = 'own'"
    given = load(tmp_path, toml, {"agents.sales.agent.name": "Flag", "agent.name": "All"}, VOICECTL_LLM_MODEL="env")
    assert (given.llm.model, given.for_agent("sales").llm.model) == ("env", "own")
    assert (given.agent.name, given.for_agent("sales").agent.name) == ("All", "Flag")


def test_settings_can_be_put_together_again(tmp_path: Path) -> None:
    given = load(tmp_path, AGENTS, {"server.port": 1}, VOICECTL_LLM_MODEL="env")
    assert given.source is not None
    before = given.source.stamp()
    assert settings.load_again(given.source) == given
    (tmp_path / "voicectl.toml").write_text("[agents.sales.agent]\nname = 'Alex'")
    again = settings.load_again(given.source)
    assert (again.for_agent("sales").agent.name, again.server.port, again.llm.model) == ("Alex", 1, "env")
    assert given.source.stamp() != before
    (tmp_path / "voicectl.toml").unlink()
    assert given.source.stamp() is None
    with pytest.raises(ConfigError):
        settings.load_again(given.source)
