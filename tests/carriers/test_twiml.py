from __future__ import annotations

import inspect
import random
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields, replace

import pytest
from twilio.twiml import lower_camel
from twilio.twiml.voice_response import Connect, ConversationRelay

from voicectl.carriers import twiml
from voicectl.carriers.attributes import LANGUAGE, RELAY, greeting_in
from voicectl.carriers.checks import check
from voicectl.carriers.numbers import e164
from voicectl.errors import ConfigError
from voicectl.settings import LanguageSettings, RelaySettings, VoiceSettings

URL = "wss://voice.example.com/ws"
ACTION = "https://voice.example.com/action"
# Every attribute of <ConversationRelay> and <Language> that Twilio documents or its SDK knows, but for the old
# alias of ttsLanguageTextNormalization.
DOCUMENTED = set(
    "url welcomeGreeting welcomeGreetingInterruptible language ttsLanguage transcriptionLanguage ttsProvider voice "
    "transcriptionProvider speechModel interruptible interruptSensitivity dtmfDetection reportInputDuringAgentSpeech "
    "preemptible hints profanityFilter partialPrompts eotThreshold speechTimeout deepgramSmartFormat ignoreBackchannel "
    "backgroundNoiseReduction events debug elevenlabsTextNormalization intelligenceService conversationConfiguration "
    "conversationId applicationReconnect turnDetection eagerEotThreshold echoPromptFiltering partialPromptOnHangup "
    "includeInPrompt asrSmartFormat ttsTextNormalization ttsLanguageTextNormalization customerName".split()
)


def relay(settings: RelaySettings | None = None, voice: VoiceSettings | None = None, **changed: str) -> str:
    given = {"url": URL, "action": ACTION, "token": "abc", "greeting": "Hello."} | changed
    return twiml.relay(relay=settings or RelaySettings(), voice=voice or VoiceSettings(), **given)


def session(document: str) -> ET.Element:
    found = ET.fromstring(document).find("Connect/ConversationRelay")
    assert found is not None
    return found


def tree(element: ET.Element) -> list[object]:
    return [element.tag, *map(tree, element)]


def test_the_plain_document() -> None:
    root = ET.fromstring(relay())
    assert tree(root) == ["Response", ["Connect", ["ConversationRelay", ["Parameter"], ["Parameter"]]]]
    assert root[0].attrib == {"action": ACTION, "method": "POST"}
    assert root[0][0].attrib == {
        "url": URL,
        "welcomeGreeting": "Hello.",
        "welcomeGreetingInterruptible": "any",
        "language": "en-US",
        "ttsProvider": "ElevenLabs",
        "transcriptionProvider": "Deepgram",
        "speechModel": "flux",
        "eotThreshold": "0.8",
        "interruptible": "any",
        "interruptSensitivity": "high",
        "reportInputDuringAgentSpeech": "any",
        "dtmfDetection": "true",
        "partialPrompts": "true",
        "preemptible": "false",
        "events": "speaker-events tokens-played",
    }
    assert root[0][0][0].attrib == {"name": "token", "value": "abc"}
    assert root[0][0][1].attrib == {"name": "greeting", "value": "Hello."}
    assert "welcomeGreeting" not in session(relay(greeting="")).attrib  # a resumed call is not greeted again


def test_every_documented_attribute_can_be_set_and_only_once() -> None:
    settings = {row.name for row in fields(RelaySettings)} - {"languages", "parameters"}
    assert set(RELAY) == settings
    assert {*RELAY.values(), "url", "welcomeGreeting", "ttsProvider", "voice"} == DOCUMENTED
    assert set(LANGUAGE) == {row.name for row in fields(LanguageSettings)}
    assert len(set(RELAY.values())) == len(RELAY)


def test_the_sdk_knows_no_attribute_that_we_do_not() -> None:
    """Goes red when a new SDK brings attributes: give them a setting."""
    known = {lower_camel(name) for name in inspect.signature(Connect.conversation_relay).parameters} - {
        "self",
        "kwargs",
    }
    assert known - DOCUMENTED == {"elevenlabsLanguageTextNormalization"}
    own = {lower_camel(name) for name in inspect.signature(ConversationRelay.language).parameters} - {"self", "kwargs"}
    assert own == set(LANGUAGE.values())


def test_every_setting_arrives() -> None:
    def other(kind: str, name: str) -> object:
        if "bool" in kind:
            return True
        return 0.75 if "float" in kind else f"{name}-value"

    rows = [row for row in fields(RelaySettings) if row.name not in ("languages", "parameters")]
    settings = RelaySettings(**{row.name: other(str(row.type), row.name) for row in rows})
    sent = session(relay(settings)).attrib
    for row in rows:
        value = other(str(row.type), row.name)
        assert sent[RELAY[row.name]] == ("true" if value is True else str(value)), row.name
    language = LanguageSettings(**{row.name: other(str(row.type), row.name) for row in fields(LanguageSettings)})
    child = session(relay(RelaySettings(languages=(language,)))).find("Language")
    assert child is not None
    assert set(child.attrib) == set(LANGUAGE.values())


def test_languages_and_parameters() -> None:
    settings = RelaySettings(
        languages=(LanguageSettings(code="es-ES", speech_model="nova-3-general"), LanguageSettings(code="fr-FR")),
        parameters=("tenant=42", "note = a=b "),
    )
    found = session(relay(settings, agent="sales"))
    assert [child.attrib for child in found] == [
        {"code": "es-ES", "speechModel": "nova-3-general"},
        {"code": "fr-FR"},
        {"name": "tenant", "value": "42"},
        {"name": "note", "value": "a=b"},
        {"name": "token", "value": "abc"},
        {"name": "agent", "value": "sales"},
        {"name": "greeting", "value": "Hello."},
    ]
    assert [child.tag for child in found] == ["Language"] * 2 + ["Parameter"] * 5


@pytest.mark.parametrize("length", [0, 5, 399, 400, 401, 1_000, 1_500])
def test_what_is_spoken_at_once_comes_back_as_it_was(length: int) -> None:
    words = ("Good morning, this is Kim – " * 60)[:length]
    found = session(relay(greeting=words, agent="sales"))
    sent = {child.attrib["name"]: child.attrib["value"] for child in found.iter("Parameter")}
    assert greeting_in(sent) == found.attrib.get("welcomeGreeting", "")
    assert length == 0 or len(greeting_in(sent)) >= min(len(words.strip()), 990)
    assert all(len(name) + len(value) < 500 for name, value in sent.items())
    assert greeting_in({**sent, "greeting.99": "more"}) == greeting_in(sent)


def test_the_end_of_turn_threshold_is_sent_wherever_flux_listens_and_nowhere_else() -> None:
    nova = RelaySettings(speech_model="nova-3-general")
    spanish = LanguageSettings(code="es-ES", speech_model="flux")
    assert "eotThreshold" not in session(relay(nova)).attrib
    assert session(relay(replace(nova, languages=(spanish,)))).attrib["eotThreshold"] == "0.8"
    assert session(relay(RelaySettings(eot_threshold=0.7))).attrib["eotThreshold"] == "0.7"


@pytest.mark.parametrize(
    "url", ["", "https://x.example/ws", "ws://x.example/ws", "wss:///ws", "wss://x.example/a b", "wss://x\0"]
)
def test_addresses_no_socket_can_be_opened_to(url: str) -> None:
    with pytest.raises(ValueError, match="socket's URL"):
        relay(url=url)


def test_on_this_machine_the_socket_needs_no_tls() -> None:
    for url in ("ws://127.0.0.1:8080/ws", "ws://localhost/ws", "ws://[::1]:8080/ws"):
        assert session(relay(url=url)).attrib["url"] == url


def test_say_and_hang_up() -> None:
    root = ET.fromstring(twiml.say_and_hang_up("Good  bye\n& <thanks>"))
    assert tree(root) == ["Response", ["Say"], ["Hangup"]]
    assert root[0].text == "Good bye & <thanks>"
    assert root[0].attrib == {}
    voices = {
        VoiceSettings(provider="Google", voice="en-US-Journey-O"): {
            "voice": "Google.en-US-Journey-O",
            "language": "en-US",
        },
        VoiceSettings(provider="Amazon", voice="Joanna-Neural"): {"voice": "Polly.Joanna-Neural", "language": "en-US"},
        VoiceSettings(voice="UgBBYS2sOqTuMpoF3BR0"): {"language": "en-US"},
    }
    for voice, attributes in voices.items():
        assert ET.fromstring(twiml.say_and_hang_up("Bye.", voice=voice, language="en-US"))[0].attrib == attributes
    assert ET.fromstring(twiml.say_and_hang_up("Bye.", language="multi"))[0].attrib == {}
    assert tree(ET.fromstring(twiml.say_and_hang_up(" \0 "))) == ["Response", ["Hangup"]]
    assert tree(ET.fromstring(twiml.hang_up())) == ["Response", ["Hangup"]]


def test_transfer() -> None:
    root = ET.fromstring(twiml.transfer("+14155550100", "One moment.", after="Goodbye.", ring_seconds=20))
    assert tree(root) == ["Response", ["Say"], ["Dial", ["Number"]], ["Say"], ["Hangup"]]
    assert root[1].attrib == {"timeout": "20", "answerOnBridge": "true"}
    assert root[1][0].text == "+14155550100"
    assert tree(ET.fromstring(twiml.transfer("+14155550100"))) == ["Response", ["Dial", ["Number"]], ["Hangup"]]
    with pytest.raises(ConfigError):
        twiml.transfer("4155550100")


@pytest.mark.parametrize(
    "number",
    [
        *[
            "",
            "+",
            "911",
            "14155550100",
            "+0155550100",
            "+1415555010012345",
            "+123456",
            "+1 415 555 0100",
            "+1415555010a",
        ],
        *[
            "tel:+14155550100",
            "sip:ann@example.com",
            "+14155550100,,1",
            "+14155550100;ext=1",
            "+14155550100\n",
            "＋14155550100",
        ],
        *["+1415555٠١٠٠", "+14155550100w1", "client:ann"],
    ],
)
def test_numbers_that_cannot_be_dialled(number: str) -> None:
    with pytest.raises(ConfigError):
        e164(number)


def test_a_number_in_another_notation_is_shown_as_it_should_be() -> None:
    for number in ("+1 (415) 555-0100", "1.415.555.0100", "+1–415–555–0100"):
        with pytest.raises(ConfigError) as refused:
            e164(number)
        assert refused.value.hint == "write +14155550100"
    assert e164("+14155550100") == "+14155550100"
    assert e164("+442079460000") == "+442079460000"


# --- any text ----------------------------------------------------------------------------------------------

ALPHABET = [
    *map(chr, range(0x20)),
    *"<>&\"'",
    "]]>",
    "<!--",
    "-->",
    "<?xml",
    "&amp;",
    "&#0;",
    "&#x1b;",
    "</Say>",
    "\x7f",
    "\x85",
]
ALPHABET += [
    "\ud800",
    "\udfff",
    "\ufffe",
    "\uffff",
    "\u2028",
    "\u202e",
    "\ufeff",
    "a",
    "Z",
    " ",
    "é",
    "你",
    "\U0001f600",
    "=",
]


def any_text(dice: random.Random) -> str:
    return "".join(dice.choices(ALPHABET, k=dice.choice((0, 1, 3, 10, 10, 40, 5000))))


def test_any_text_gives_the_same_tree() -> None:
    dice = random.Random(5)

    def clean(text: str) -> str:
        kept = "".join(c for c in text if (c in "\t\n\r" or c >= " ") and not "\x7f" <= c <= "\x9f")
        return "".join(c for c in kept if not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")

    for _ in range(600):
        greeting, token, hints, name, value, code, spoken = (any_text(dice) for _ in range(7))
        settings = RelaySettings(
            hints=hints[:500],
            customer_name=name[:500],
            languages=(LanguageSettings(code="en-US", hints=code[:500]),),
            parameters=(f"a={value[:500]}",),
        )
        document = relay(settings, greeting=greeting, token=token[:500], action=ACTION + token[:50])
        assert len(document.encode()) <= 64_000
        root = ET.fromstring(document)
        found = root[0][0]
        parts = [["Parameter"] for child in found if child.attrib.get("name", "").startswith("greeting")]
        assert tree(root) == [
            "Response",
            ["Connect", ["ConversationRelay", ["Language"], ["Parameter"], ["Parameter"], *parts]],
        ]
        line = " ".join(clean(greeting).split())
        said = found.attrib.get("welcomeGreeting", "")
        assert line.startswith(said) and (said == line or 500 < len(said) <= 1_000)
        sent = {child.attrib["name"]: child.attrib["value"] for child in found.iter("Parameter")}
        assert greeting_in(sent).replace(" ", "") == said.replace(" ", "")[: len(greeting_in(sent).replace(" ", ""))]
        assert len(greeting_in(sent)) >= len(said)
        assert found.attrib.get("customerName", "") == clean(name[:500])
        assert found.attrib.get("hints", "") == clean(hints[:500])
        assert found[1].attrib == {"name": "a", "value": clean(value[:500]).strip()}
        assert found[2].attrib == {"name": "token", "value": clean(token[:500])}

        for document in (twiml.say_and_hang_up(spoken), twiml.transfer("+14155550100", spoken)):
            assert len(document.encode()) <= 64_000
            root = ET.fromstring(document)
            line = " ".join(clean(spoken).split())
            assert [child.tag for child in root if child.tag == "Say"] == (["Say"] if line else [])
            if line:
                assert line.startswith(root[0].text or "?")


def test_what_passes_the_check_fits_into_a_document() -> None:
    """The greeting is cut; the rest is the settings', and the check says when it is too much."""

    def settings(phrases: int) -> RelaySettings:
        return RelaySettings(hints=", ".join(['"Müller & Söhne"'] * phrases))

    def too_much(phrases: int) -> bool:
        return ("relay", "error") in {(each.path, each.severity) for each in check(settings(phrases), VoiceSettings())}

    most = next(phrases for phrases in range(100, 5_000, 10) if too_much(phrases + 10))
    for greeting in ('"' * 70_000, "\U0001f600" * 70_000, '" ' * 70_000):
        document = relay(settings(most), greeting=greeting, action=ACTION + "&" * 1_000, token="x" * 40)
        assert 30_000 < len(document.encode()) <= 64_000
    with pytest.raises(ConfigError, match="64 kB"):
        relay(settings(5_000))


def test_the_frames_and_the_checks_need_no_sdk() -> None:
    """`voicectl --help` and validate-config must stay quick."""
    code = (
        "import sys, voicectl.carriers._relay, voicectl.carriers.checks, voicectl.carriers.signature;"
        "sys.exit(any(name.split('.')[0] in ('twilio', 'requests', 'pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
