"""What is wrong with agents is found before anybody calls, with its path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicectl import settings
from voicectl.services.agent_checks import faults

DESTINATION = '[[agent.destinations]]\nname = "{}"\nnumber = "+442071838750"\n'
FIELD = '[[agent.key_fields]]\nname = "PIN"\n'
MENU = '[[agent.menu]]\nkey = "1"\n'


def found(tmp_path: Path, toml: str) -> list[str]:
    file = tmp_path / "voicectl.toml"
    file.write_text(toml)
    return faults(settings.load(environ={}, file=file))


CASES = [
    ('[agent]\ntransfer_number = "12"', "agent.transfer_number: '12' is not a telephone number"),
    ('[relay]\nspeech_model = "telephony"', "relay.speech_model: Deepgram has no speech model"),
    ('[relay]\nlanguage = "multi"', "relay.speech_model: language multi is recognised by Deepgram nova only"),
    (
        '[relay]\nlanguage = "multi"\nspeech_model = "nova-3-general"\n[voice]\nprovider = "Google"',
        "voice.voice: language multi is spoken by ElevenLabs only",
    ),
    (DESTINATION.format("Sales"), "agent.destinations[0].name: 'Sales' is no name of a destination"),
    (DESTINATION.format("sales1"), "agent.destinations[0].name: 'sales1' is no name of a destination"),
    (DESTINATION.format(""), "agent.destinations[0].name: '' is no name of a destination"),
    (DESTINATION.format("goodbye"), "agent.destinations[0].name: 'goodbye' means something else"),
    (DESTINATION.format("person"), "agent.destinations[0].name: 'person' means something else"),
    (DESTINATION.format("sales") * 2, "agent.destinations[1].name: 'sales' is there twice"),
    ('[[agent.destinations]]\nname = "sales"', "agent.destinations[0].number: '' is not a telephone number"),
    ("[[agent.key_fields]]\nlength = 4", "agent.key_fields[0].name: missing"),
    (FIELD * 2, "agent.key_fields[1].name: 'PIN' is there twice"),
    (FIELD + 'asked_by = "(PIN"', "agent.key_fields[0].asked_by: '(PIN' is no regular expression"),
    (FIELD + 'terminator = "12"', "agent.key_fields[0].terminator: '12' is no key"),
    (FIELD + 'backspace = "x"', "agent.key_fields[0].backspace: 'x' is no key"),
    (FIELD + 'backspace = "#"', "agent.key_fields[0].backspace: '#' is the terminator too"),
    (MENU, "agent.menu[0].text: missing"),
    (MENU.replace("1", "A") + 'does = "repeat"', "agent.menu[0].key: 'A' is no key"),
    ((MENU + 'does = "repeat"\n') * 2, "agent.menu[1].key: '1' is there twice"),
    (MENU + 'does = "person"', "agent.menu[0].does: nobody is there"),
    (MENU + 'does = "person"\ntext = "boss"\n' + DESTINATION.format("sales"), "there is no destination 'boss'"),
    (MENU + 'does = "language"\ntext = "de-DE"', "agent.menu[0].text: 'de-DE' is no language of the call"),
    ('[agent]\nnever_say = ["a", "A=b"]', "agent.never_say[1] = 'A=b': is there twice"),
    ('[agent]\npronunciations = ["a"]', "agent.pronunciations[0] = 'a': how is it said?"),
    ('[agent]\ngoodbye = "Bye {x}"', "agent.goodbye: nothing stands for {x}"),
    ('[conversation]\nreprompts = ["Hm?", ""]', "conversation.reprompts: a wording is empty"),
    ('[agent]\ntimezone = "Mars/Olympus"', "agent.timezone: 'Mars/Olympus' is no time zone"),
    ('[agent]\ntimezone = "../etc/passwd"', "agent.timezone: '../etc/passwd' is no time zone"),
    ('[phrases.en]\ngodbye = "x"', "phrases.en.godbye: no such words (did you mean 'goodbye'?)"),
    ('[phrases.de]\nperson = "{x}"', "phrases.de.person: nothing stands for {x}"),
]


@pytest.mark.parametrize(("toml", "fault"), CASES)
def test_a_fault_has_its_path(toml: str, fault: str, tmp_path: Path) -> None:
    assert [each for each in found(tmp_path, toml) if fault in each], found(tmp_path, toml)


@pytest.mark.parametrize(("toml", "fault"), CASES)
def test_an_agent_s_own_fault_has_the_agent_s_path(toml: str, fault: str, tmp_path: Path) -> None:
    own = re.sub(r"^(\[+)", r"\1agents.sales.", toml, flags=re.MULTILINE)
    wrong = found(tmp_path, own)
    assert wrong and all(each.startswith("agents.sales.") for each in wrong)
    assert [each for each in wrong if fault in each], wrong


def test_what_all_agents_have_is_told_once(tmp_path: Path) -> None:
    toml = '[agent]\ntransfer_number = "12"\n[agents.a]\n[agents.b.agent]\nname = "Kim"'
    assert len(found(tmp_path, toml)) == 1


def test_all_faults_are_told(tmp_path: Path) -> None:
    toml = '[agent]\ntransfer_number = "12"\ntimezone = "x"\n[agents.a]\nnumbers = ["12", "client:ann"]\n'
    toml += '[agents.a.agent]\ntransfer_number = "13"'
    assert [each.split(":")[0] for each in found(tmp_path, toml)] == [
        "agent.transfer_number",
        "agent.timezone",
        "agents.a.agent.transfer_number",
        "agents.a.numbers",
    ]


def test_nothing_is_wrong_with_what_works(tmp_path: Path) -> None:
    toml = f"""
[relay]
language = "en-GB"
[[relay.languages]]
code = "de-DE"
[agent]
timezone = "Europe/London"
never_say = ["cheap=good value"]
pronunciations = ["Leicester=Lester"]
{DESTINATION.format("work-shop")}
{FIELD}
asked_by = "your PIN"
{MENU}does = "language"
text = "de-DE"
[[agent.menu]]
key = "2"
does = "person"
text = "work-shop"
[agents.sales]
numbers = ["+442071838750", "sip:sales@example.com"]
[agents.sales.phrases.de]
goodbye = "Tschüs."
"""
    assert found(tmp_path, toml) == []
    assert found(tmp_path, "") == []
