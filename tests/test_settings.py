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


def test_a_secret_is_not_shown_in_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, "[twilio]\nauth_token = ['canary-secret']")
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
