"""TwiML, read as strictly as Twilio reads it."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.twiml.voice_response import Connect, VoiceResponse

from voicectl.simulator import twiml

URL = "wss://voice.example.com/relay"
VOICE = "UgBBYS2sOqTuMpoF3BR0"


def relay(children: str = "", *, allow_ws: bool = False, **attributes: str) -> twiml.Relay:
    given = {"url": URL} | attributes
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in given.items())
    xml = f"<Response><Connect><ConversationRelay {written}>{children}</ConversationRelay></Connect></Response>"
    return twiml.relay(twiml.parse(xml).verbs[0].children[0], allow_ws=allow_ws)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 12100),
        (b"no xml", 12100),
        (b"<Response><Say>Hi</Response>", 12100),
        (b"<Answer/>", 12100),
        (b"<Response>\xff</Response>", 12100),
        (b'<?xml version="1.0" encoding="wonky"?><Response/>', 12100),
        (b'<!DOCTYPE Response [<!ENTITY a "b">]><Response><Say>&a;</Say></Response>', 12100),
        (b'<!DOCTYPE Response SYSTEM "http://example.com/x.dtd"><Response/>', 12100),
        (b"<Response>&unknown;</Response>", 12100),
        (b"<Response>" + b" " * 64 * 1024 + b"</Response>", 11750),
    ],
)
def test_documents_that_cannot_be_used(body: bytes, code: int) -> None:
    with pytest.raises(twiml.TwimlError) as refused:
        twiml.parse(body)
    assert refused.value.code == code


@pytest.mark.parametrize("kind", ["text/xml", "application/xml; charset=utf-8", "TEXT/XML", "text/html"])
def test_kinds_of_answer_that_are_read(kind: str) -> None:
    assert twiml.parse("<Response/>", kind).verbs == ()


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain", "audio/mpeg"])
def test_kinds_that_are_not(kind: str) -> None:
    with pytest.raises(twiml.TwimlError) as refused:
        twiml.parse("<Response/>", kind)
    assert refused.value.code == 12300


def test_exactly_64_kb_is_allowed() -> None:
    frame = "<Response></Response>"
    assert twiml.parse("<Response>" + " " * (64 * 1024 - len(frame)) + "</Response>").verbs == ()


@given(st.binary(max_size=200))
def test_nothing_else_is_ever_raised(noise: bytes) -> None:
    for body in (noise, b"<Response>" + noise + b"</Response>"):
        try:
            twiml.parse(body)
        except twiml.TwimlError:
            pass


def test_deep_nesting_is_no_crash() -> None:
    body = b"<Response>" + b"<Say>" * 5000 + b"</Say>" * 5000 + b"</Response>"
    with pytest.raises(twiml.TwimlError):
        twiml.parse(body)


def test_verbs_and_their_text() -> None:
    document = twiml.parse(
        "<Response><Say>Hello &amp; <break/> welcome</Say><Dial><Number>+1 2</Number></Dial><Sing/></Response>"
    )
    assert [(verb.name, verb.text) for verb in document.verbs] == [("Say", "Hello & welcome"), ("Dial", "+1 2")]
    assert document.warnings == ("<Sing> is no verb",)


def test_defaults() -> None:
    read = relay()
    assert read.faults == read.warnings == ()
    assert (read.greeting, read.greeting_interruptible) == ("", "any")
    assert (read.tts_language, read.transcription_language) == ("en-US", "en-US")
    assert (read.interruptible, read.sensitivity, read.report_input) == ("any", "high", "none")
    assert not read.dtmf_detection and not read.preemptible and not read.partial_prompts
    assert (read.eot_threshold, read.speech_timeout) == (0.8, None)
    assert read.events == frozenset() and read.parameters == {}


def test_what_twilios_sdk_writes_is_understood() -> None:
    response, connect = VoiceResponse(), Connect(action="/after")
    noun = connect.conversation_relay(
        url=URL,
        welcome_greeting='Hello & "welcome"',
        dtmf_detection=True,
        events="speaker-events tokens-played",
        speech_model="flux",
        eot_threshold="0.7",
        eager_eot_threshold=0.4,
        speechTimeout="auto",
        deepgramSmartFormat=True,
        ignoreBackchannel=True,
        backgroundNoiseReduction="auto",
    )
    noun.language(code="es-ES", tts_provider="Google", voice="es-ES-Standard-A")
    noun.parameter(name="token", value="a&b")
    noun.add_child("Failover")
    response.append(connect)
    read = twiml.relay(twiml.parse(str(response)).verbs[0].children[0])
    assert read.faults == read.warnings == ()
    assert read.greeting == 'Hello & "welcome"'
    assert read.parameters == {"token": "a&b"}
    assert read.events == {"speaker-events", "tokens-played"}
    assert read.eot_threshold == 0.7
    assert read.dtmf_detection and read.ignore_backchannel


GOOD = [
    {"interruptible": "none"},
    {"interruptible": "true"},
    {"interruptible": "false"},
    {"welcomeGreetingInterruptible": "dtmf"},
    {"welcomeGreetingInterruptible": "false"},
    {"interruptSensitivity": "low"},
    {"reportInputDuringAgentSpeech": "speech"},
    {"dtmfDetection": "True"},
    {"ttsProvider": "elevenlabs"},
    {"ttsProvider": "amazon", "voice": "Joanna-Neural"},
    {"ttsProvider": "Google", "voice": "en-US-Chirp3-HD-Aoede"},
    {"voice": VOICE},
    {"voice": f"{VOICE}-flash_v2_5"},
    {"voice": f"{VOICE}-flash_v2_5-1.0_0.8_0.6"},
    {"voice": f"{VOICE}-0.7_0.0_1.0"},
    {"transcriptionProvider": "google", "speechModel": "telephony"},
    {"transcriptionProvider": "Deepgram", "speechModel": "nova-3-general"},
    {"speechModel": "some-model-of-next-year"},
    {"eotThreshold": "0.5"},
    {"eotThreshold": "0.9", "eagerEotThreshold": "0.3"},
    {"speechTimeout": "auto"},
    {"speechTimeout": "600"},
    {"speechTimeout": "5000"},
    {"language": "multi"},
    {"language": "pt-BR"},
    {"language": "zh-Hant-TW"},
    {"ttsLanguage": "es-419"},
    {"events": ""},
    {"events": "speaker-events tokens-played config-updated"},
    {"debug": "debugging speaker-events"},
    {"ttsTextNormalization": "auto"},
    {"includeInPrompt": "turn-state prompt-segments"},
    {"hints": "Ångström, O'Neill"},
]


@pytest.mark.parametrize("attributes", GOOD, ids=str)
def test_attributes_that_are_right(attributes: dict[str, str]) -> None:
    assert relay(**attributes).faults == ()


BAD = [
    {"url": ""},
    {"url": "ws://voice.example.com/relay"},
    {"url": "https://voice.example.com/relay"},
    {"url": "wss://"},
    {"url": "wss:///relay"},
    {"url": "wss://voice.example.com/re lay"},
    {"url": "wss://voice.example.com:port/"},
    {"url": "wss://[::1/relay"},
    {"interruptible": "sometimes"},
    {"interruptible": "Any"},
    {"welcomeGreetingInterruptible": "yes"},
    {"interruptSensitivity": "extreme"},
    {"reportInputDuringAgentSpeech": "true"},
    {"dtmfDetection": "yes"},
    {"ttsProvider": "Deepgram"},
    {"transcriptionProvider": "Whisper"},
    {"eotThreshold": "0.45"},
    {"eotThreshold": "0.95"},
    {"eotThreshold": "high"},
    {"eotThreshold": "nan"},
    {"eotThreshold": "0.5", "eagerEotThreshold": "0.5"},
    {"eagerEotThreshold": "0.2"},
    {"eagerEotThreshold": "0.85"},  # the default of eotThreshold is 0.8
    {"speechTimeout": "599"},
    {"speechTimeout": "5001"},
    {"speechTimeout": "1.5"},
    {"language": "english please"},
    {"ttsLanguage": ""},
    {"events": "speaker_events"},
    {"events": "all"},
    {"debug": "verbose"},
    {"ttsTextNormalization": "maybe"},
    {"includeInPrompt": "everything"},
    # impossible together
    {"voice": "Google.en-US-Neural2-F"},
    {"voice": "en-US-Journey-O"},
    {"voice": "Joanna-Neural"},
    {"voice": f"{VOICE}-flash_v2_5-1.3_0.8_0.6"},
    {"voice": f"{VOICE}-flash_v2_5-0.6_0.8_0.6"},
    {"voice": f"{VOICE}-flash_v2_5-1.0_1.1_0.6"},
    {"voice": f"{VOICE}-flash_v2_5-1.0_0.8_1.1"},
    {"voice": f"{VOICE}-flash_v2_5-1_0.8_0.6"},
    {"ttsProvider": "Google", "voice": VOICE},
    {"ttsProvider": "Amazon", "voice": "Polly.Joanna-Neural"},
    {"ttsProvider": "Amazon", "voice": "en-US-Journey-O"},
    {"transcriptionProvider": "Deepgram", "speechModel": "telephony"},
    {"transcriptionProvider": "Google", "speechModel": "flux"},
    {"transcriptionProvider": "Google", "speechModel": "nova-3-general"},
    {"language": "multi", "speechModel": "flux"},
    {"transcriptionLanguage": "multi", "transcriptionProvider": "Google"},
    {"ttsLanguage": "multi", "ttsProvider": "Google"},
    {"language": "cs-CZ", "transcriptionProvider": "Google", "hints": "Vltava"},
]


@pytest.mark.parametrize("attributes", BAD, ids=str)
def test_attributes_that_are_wrong(attributes: dict[str, str]) -> None:
    read = relay(**attributes)
    assert len(read.faults) == 1
    assert read.dialable is ("url" not in attributes)


def test_unencrypted_sockets_only_where_they_are_asked_for() -> None:
    assert relay(url="ws://127.0.0.1:8080/relay", allow_ws=True).faults == ()
    assert not relay(url="http://127.0.0.1:8080/relay", allow_ws=True).dialable


def test_unknown_attributes_are_only_warned_of() -> None:
    read = relay("<Sound/><Parameter value='x'/>", interruptByDtmf="true", dtmfdetection="true")
    assert read.faults == ()
    assert len(read.warnings) == 4
    assert not read.dtmf_detection


@pytest.mark.parametrize(
    "language",
    [
        "<Language/>",
        "<Language code=''/>",
        "<Language code='es-ES'/><Language code='es-ES'/>",
        "<Language code='es-ES' ttsProvider='Google' voice='Joanna'/>",
        "<Language code='es-ES' transcriptionProvider='Google' speechModel='nova-3-general'/>",
    ],
)
def test_languages_that_are_wrong(language: str) -> None:
    assert relay(language).faults


def test_languages_bring_their_own_models() -> None:
    read = relay("<Language code='es-ES' speechModel='nova-3-general'/><Language code='de-DE'/>", speechModel="flux")
    assert read.faults == ()
    assert [code for code in ("en-US", "es-ES", "de-DE", "fr-FR") if read.flux(code)] == ["en-US", "de-DE"]


@pytest.mark.parametrize(
    ("attributes", "tts", "stt"),
    [
        ({"language": "de-DE"}, "de-DE", "de-DE"),
        ({"language": "de-DE", "ttsLanguage": "fr-FR"}, "fr-FR", "de-DE"),
        ({"language": "de-DE", "transcriptionLanguage": "it-IT"}, "de-DE", "it-IT"),
    ],
)
def test_which_language(attributes: dict[str, str], tts: str, stt: str) -> None:
    read = relay(**attributes)
    assert (read.tts_language, read.transcription_language) == (tts, stt)


def test_every_documented_attribute_is_known() -> None:
    documented = """
        url welcomeGreeting welcomeGreetingInterruptible language ttsLanguage transcriptionLanguage ttsProvider voice
        transcriptionProvider speechModel interruptible interruptSensitivity dtmfDetection reportInputDuringAgentSpeech
        preemptible hints profanityFilter partialPrompts eotThreshold speechTimeout deepgramSmartFormat
        ignoreBackchannel backgroundNoiseReduction events debug elevenlabsTextNormalization intelligenceService
        conversationConfiguration conversationId applicationReconnect turnDetection eagerEotThreshold
        echoPromptFiltering partialPromptOnHangup includeInPrompt asrSmartFormat ttsTextNormalization
        ttsLanguageTextNormalization elevenlabsLanguageTextNormalization customerName
    """
    assert set(documented.split()) == set(twiml.ATTRIBUTES)
