"""Settings in, wired services out."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicectl import bootstrap, settings
from voicectl.errors import ConfigError


def given(tmp_path: Path, **flags: object) -> settings.Settings:
    file = tmp_path / "voicectl.toml"
    file.write_text("")
    return settings.load(environ={}, flags={name.replace("__", "."): value for name, value in flags.items()}, file=file)


def test_the_model_is_the_one_that_can_answer(tmp_path: Path) -> None:
    assert bootstrap.reply_model(given(tmp_path)).name == "offline"
    with_key = bootstrap.reply_model(given(tmp_path, llm__api_key="sk-x"))
    assert with_key.name.startswith("openai") and with_key.name.endswith("offline")
    assert "offline" in bootstrap.reply_model(given(tmp_path, llm__base_url="http://127.0.0.1:9/v1")).name
    assert bootstrap.reply_model(given(tmp_path, llm__api_key="sk-x", llm__kind="offline")).name == "offline"
    script = tmp_path / "replies.txt"
    script.write_text("Hello.\n")
    scripted = bootstrap.reply_model(given(tmp_path, llm__kind="scripted", llm__script=str(script)))
    assert scripted.name == "scripted"
    with pytest.raises(ConfigError, match="script"):
        bootstrap.reply_model(given(tmp_path, llm__kind="scripted"))


def test_local_settings_stay_on_this_machine(tmp_path: Path) -> None:
    local = bootstrap.local(given(tmp_path), 8080)
    assert local.server.host == "127.0.0.1" and len(local.twilio.auth_token) > 20
    assert bootstrap.local(given(tmp_path), 8080).twilio.auth_token != local.twilio.auth_token
    real = bootstrap.local(given(tmp_path, twilio__auth_token="t", server__public_url="https://x.example"), 8080)
    assert (real.server.host, real.server.public_url, real.twilio.auth_token) == ("0.0.0.0", "https://x.example", "t")
