"""Settings as manners of a conversation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from voicectl import settings
from voicectl.conversation.keypad import KeyField, MenuChoice
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import ENGLISH, phrases_for
from voicectl.errors import ConfigError
from voicectl.services.manners import languages, manners, phrases_of, usual_person


def given(
    tmp_path: Path, toml: str = "", *, flags: dict[str, object] | None = None, **more: object
) -> settings.Settings:
    file = tmp_path / "voicectl.toml"
    file.write_text(toml)
    every = {name.replace("__", "."): each for name, each in {**(flags or {}), **more}.items()}
    return settings.load(environ={}, flags=every, file=file)


def test_what_is_not_set_is_as_the_conversation_has_it(tmp_path: Path) -> None:
    made, usual = manners(given(tmp_path)), Manners()
    ours = {"gap", "reply", "call_seconds", "reported"}  # of the models and the carrier
    for field in dataclasses.fields(Manners):
        if field.name not in ours:
            assert getattr(made, field.name) == getattr(usual, field.name), field.name


@pytest.mark.parametrize(
    ("setting", "value", "name", "manner"),
    [
        ("conversation__silence_seconds", 5, "silence", 5.0),
        ("conversation__reprompts", ("Hm?",), "reprompts", 1),
        ("conversation__reprompts", (), "reprompts", 0),
        ("conversation__reprompt_count", 4, "reprompts", 4),
        ("conversation__patience_seconds", 20, "patience", 20.0),
        ("conversation__silence_seconds", 40, "patience", 40.0),
        ("conversation__hold_seconds", 0, "hold", 0.0),
        ("conversation__resume_seconds", 0.9, "resume", 0.9),
        ("conversation__filler_seconds", 0, "filler", 0.0),
        ("conversation__speculate", False, "guess", False),
        ("conversation__warning_seconds", 60, "warning", 60.0),
        ("conversation__wind_down_seconds", 10, "wind_down", 10.0),
        ("conversation__max_call_seconds", 60, "wind_down", 15.0),
        ("conversation__max_call_seconds", 60, "call_seconds", 60.0),
        ("conversation__max_turns", 7, "max_turns", 7),
        ("conversation__max_tokens", 9000, "max_tokens", 9000),
        ("conversation__numbers_for_the_ear", False, "numbers_for_the_ear", False),
        ("agent__max_words", 30, "max_words", 30),
        ("agent__transfer_number", "+442071838750", "can_transfer", True),
        ("agent__pronunciations", ("Leicester=Lester",), "pronunciations", {"Leicester": "Lester"}),
        ("agent__never_say", ("cheap=good value", "guarantee"), "never_say", {"cheap": "good value", "guarantee": ""}),
        ("relay__events", "speaker-events", "reported", False),
        ("relay__events", "tokens-played speaker-events", "reported", True),
    ],
)
def test_each_setting_has_its_manner(setting: str, value: object, name: str, manner: object, tmp_path: Path) -> None:
    assert getattr(manners(given(tmp_path, flags={setting: value})), name) == manner


def test_a_patient_model_is_given_time_by_the_conversation_too(tmp_path: Path) -> None:
    made = manners(given(tmp_path, llm__first_token_seconds=15, llm__total_seconds=60, llm__gap_seconds=9))
    assert made.first_token >= 30 and made.reply > 60 and made.gap > 9


def test_tools_have_their_words_and_their_time(tmp_path: Path) -> None:
    toml = """
[[tools.functions]]
name = "track"
seconds = 40
meanwhile = ["Let me see where it is."]
[[tools.functions]]
name = "quiet"
"""
    made = manners(given(tmp_path, toml))
    assert made.tool_words == {"track": ("Let me see where it is.",)}
    assert made.tool > 40


def test_keys(tmp_path: Path) -> None:
    toml = """
[conversation]
key_terminator = "*"
key_timeout_seconds = 4
key_length = 6
[agent]
transfer_number = "+442071838750"
[[agent.key_fields]]
name = "PIN"
asked_by = "your PIN"
length = 4
sensitive = true
[[agent.menu]]
key = "1"
text = "When are you open?"
"""
    made = manners(given(tmp_path, toml))
    assert made.key_field == KeyField(terminator="*", timeout=4.0, length=6)
    assert made.fields == (KeyField("PIN", "your PIN", 4, "#", 3.0, "*", True),)
    zero = MenuChoice("0", "person")
    assert made.menu == (MenuChoice("1", "say", "When are you open?"), zero)
    assert zero not in manners(given(tmp_path, toml, agent__zero_for_person=False)).menu
    own = manners(given(tmp_path, toml + '[[agent.menu]]\nkey = "0"\ndoes = "repeat"')).menu
    assert [choice.does for choice in own] == ["say", "repeat"]
    assert manners(given(tmp_path)).menu == ()  # nobody is there


def test_somebody_is_there_who_has_a_name_only(tmp_path: Path) -> None:
    toml = '[[agent.destinations]]\nname = "sales"\nnumber = "+442071838751"'
    made = given(tmp_path, toml)
    assert manners(made).can_transfer and usual_person(made.agent) == "+442071838751"
    both = given(tmp_path, toml, agent__transfer_number="+442071838750")
    assert usual_person(both.agent) == "+442071838750"
    assert usual_person(given(tmp_path).agent) == ""


@pytest.mark.parametrize(
    ("toml", "offered"),
    [
        ("", ("en-US",)),
        ('language = "de-DE"', ("de-DE",)),
        ('tts_language = "en-GB"', ("en-GB",)),
        ('[[relay.languages]]\ncode = "es-ES"\n[[relay.languages]]\ncode = "de-DE"', ("en-US", "es-ES", "de-DE")),
        ('[[relay.languages]]\ncode = "es-ES"\n[[relay.languages]]\ncode = "en-US"', ("en-US", "es-ES")),
        ('[[relay.languages]]\ncode = "multi"', ("en-US",)),
        ('language = "multi"', ("en-US",)),
        ('language = "multi"\n[[relay.languages]]\ncode = "fr-FR"', ("fr-FR",)),
        ('language = "multi"\ntts_language = "de-DE"', ("de-DE",)),
        ('language = "en-GB"\ntranscription_language = "multi"', ("en-GB",)),
    ],
)
def test_the_languages_of_a_call(toml: str, offered: tuple[str, ...], tmp_path: Path) -> None:
    made = given(tmp_path, f"[relay]\n{toml}")
    assert languages(made.relay) == offered
    manner = manners(made)
    assert (manner.language, *manner.others) == offered


def test_words_are_those_of_the_language_until_the_owner_has_others(tmp_path: Path) -> None:
    german = given(tmp_path, relay__language="de-DE")
    assert manners(german).phrases == phrases_for("de") != ENGLISH  # not the English goodbye of the settings
    own = given(tmp_path, relay__language="de-DE", agent__goodbye="Servus.", conversation__reprompts=("Hallo?",))
    assert manners(own).phrases.goodbye == "Servus." and manners(own).phrases.reprompts == ("Hallo?",)
    assert phrases_of(own, "en-US") == ENGLISH
    assert manners(own).reprompts == 1


def test_the_more_exact_words_win(tmp_path: Path) -> None:
    toml = """
[agent]
goodbye = "Bye."
[[relay.languages]]
code = "de-AT"
[[relay.languages]]
code = "de-DE"
[phrases.en]
goodbye = "Cheers."
[phrases.de]
goodbye = "Tschüs."
person = "Moment, bitte."
[phrases.DE-at]
goodbye = "Servus."
"""
    made = manners(given(tmp_path, toml))
    assert made.words("en-US").goodbye == "Cheers."
    assert (made.words("de-AT").goodbye, made.words("de-AT").person) == ("Servus.", "Moment, bitte.")
    assert made.words("de-DE").goodbye == "Tschüs."
    assert made.words("de-DE").apology == phrases_for("de").apology


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        ({"agent__never_say": ("=x",)}, "agent.never_say[0] = '=x': there is no word"),
        ({"agent__never_say": ("cheap=",)}, "what is said instead?"),
        ({"agent__never_say": ("ok", "Cheap", "cheap=x")}, "agent.never_say[2] = 'cheap=x': is there twice"),
        ({"agent__pronunciations": ("Leicester",)}, "agent.pronunciations[0] = 'Leicester': how is it said?"),
        ({"agent__goodbye": "Bye {name}"}, "nothing stands for {name}"),
    ],
)
def test_what_means_nothing_is_refused(flags: dict[str, object], fault: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        manners(given(tmp_path, flags=flags))
    assert fault in refused.value.message
