from __future__ import annotations

from typing import Any

import pytest

from voicectl.carriers.checks import Fault, check
from voicectl.carriers.voices import voice_string
from voicectl.settings import LanguageSettings, RelaySettings, VoiceSettings, load

ANN = "UgBBYS2sOqTuMpoF3BR0"
GOOGLE = VoiceSettings(provider="Google", voice="en-US-Journey-O")


def faults(relay: dict[str, Any], voice: VoiceSettings | None = None) -> set[tuple[str, str]]:
    found = check(RelaySettings(**relay), voice or VoiceSettings())
    for each in found:
        assert isinstance(each, Fault)
        assert each.message and each.hint, each
    return {(each.path, each.severity) for each in found}


def language(**given: Any) -> tuple[LanguageSettings, ...]:
    return (LanguageSettings(**given),)


@pytest.mark.parametrize(
    ("relay", "voice"),
    [
        ({}, VoiceSettings()),
        (
            {"eot_threshold": 0.7, "eager_eot_threshold": 0.5, "speech_timeout": "auto"},
            VoiceSettings(voice=ANN, speed=1.1),
        ),
        ({"language": "multi", "speech_model": "nova-3-general", "partial_prompts": False}, VoiceSettings()),
        ({"language": "es-419", "speech_model": "nova-2-general", "partial_prompts": False}, VoiceSettings()),
        ({"speech_model": "telephony", "transcription_provider": "Google", "partial_prompts": False}, GOOGLE),
        ({"language": "en-GB", "speech_timeout": "600"}, VoiceSettings(provider="Amazon", voice="Amy-Generative")),
        ({"speech_timeout": "5000"}, VoiceSettings(provider="Google", voice="en-US-Chirp3-HD-Aoede")),
        (
            {"events": "tokens-played speaker-events config-updated", "debug": "debugging"},
            VoiceSettings(model="turbo_v2_5"),
        ),
        ({"include_in_prompt": "turn-state prompt-segments"}, VoiceSettings(voice=f"{ANN}-newer_model-0.7_0.0_1.0")),
        ({"hints": "Harbour Cycles, Robin", "parameters": ("tenant=42", "branch=north")}, VoiceSettings()),
        (
            {
                "language": "en-US",
                "languages": (
                    LanguageSettings(code="es-ES", speech_model="nova-3-general"),
                    LanguageSettings(
                        code="de-DE",
                        tts_provider="Google",
                        voice="de-DE-Neural2-B",
                        transcription_provider="Google",
                        speech_model="telephony",
                    ),
                ),
            },
            VoiceSettings(),
        ),
        # The call hears Spanish by what its <Language> says, not by the parent's flux.
        (
            {
                "language": "es-ES",
                "languages": language(code="es-ES", speech_model="nova-3-general"),
                "partial_prompts": False,
            },
            VoiceSettings(),
        ),
        (
            {"conversation_configuration": "conv_configuration_01ab", "intelligence_service": "GA" + "0" * 32},
            VoiceSettings(),
        ),
    ],
)
def test_settings_with_nothing_wrong(relay: dict[str, Any], voice: VoiceSettings) -> None:
    assert faults(relay, voice) == set()


@pytest.mark.parametrize(
    ("relay", "voice", "path", "severity"),
    [
        # single values, from settings built by hand
        ({"transcription_provider": "Whisper"}, {}, "relay.transcription_provider", "error"),
        ({"interruptible": "true"}, {}, "relay.interruptible", "error"),
        ({"interrupt_sensitivity": "max"}, {}, "relay.interrupt_sensitivity", "error"),
        ({"text_normalization": "yes"}, {}, "relay.text_normalization", "error"),
        ({"eot_threshold": 0.95}, {}, "relay.eot_threshold", "error"),
        ({"eot_threshold": float("nan")}, {}, "relay.eot_threshold", "error"),
        ({"eager_eot_threshold": 0.2}, {}, "relay.eager_eot_threshold", "error"),
        ({}, {"speed": 1.3}, "voice.speed", "error"),
        ({}, {"stability": -0.1}, "voice.stability", "error"),
        ({}, {"similarity": 1.01}, "voice.similarity", "error"),
        ({}, {"provider": "Deepgram"}, "voice.provider", "error"),
        ({}, {"model": "eleven_v3"}, "voice.model", "error"),
        ({"languages": language(code="es-ES", tts_provider="Azure")}, {}, "relay.languages[0].tts_provider", "error"),
        # languages
        ({"language": "english"}, {}, "relay.language", "error"),
        ({"tts_language": "en_US"}, {}, "relay.tts_language", "error"),
        ({"transcription_language": ""}, {}, "relay.transcription_language", "error"),
        ({"language": "en-us"}, {}, "relay.language", "warning"),
        ({"language": "Multi", "speech_model": "nova-3-general"}, {}, "relay.language", "error"),
        ({"languages": language(code="")}, {}, "relay.languages[0].code", "error"),
        ({"languages": (*language(code="en-GB"), *language(code="en-gb"))}, {}, "relay.languages[1].code", "error"),
        # who listens
        ({"transcription_provider": "Google"}, {}, "relay.speech_model", "error"),
        ({"transcription_provider": "Google", "speech_model": "nova-3-general"}, {}, "relay.speech_model", "error"),
        ({"speech_model": "telephony"}, {}, "relay.speech_model", "error"),
        ({"speech_model": "nova 3"}, {}, "relay.speech_model", "error"),
        ({"speech_model": ""}, {}, "relay.speech_model", "error"),
        ({"language": "multi"}, {}, "relay.speech_model", "error"),
        ({"transcription_language": "multi", "speech_model": "nova-2-phonecall"}, {}, "relay.speech_model", "error"),
        ({"language": "de-DE"}, {}, "relay.speech_model", "warning"),
        ({"languages": language(code="de-DE")}, {}, "relay.languages[0].speech_model", "warning"),
        (
            {"languages": language(code="de-DE", transcription_provider="Google")},
            {},
            "relay.languages[0].speech_model",
            "error",
        ),
        ({"languages": language(code="multi")}, {}, "relay.languages[0].speech_model", "warning"),
        ({"hints": "Ann,,Bob"}, {}, "relay.hints", "warning"),
        (
            {"language": "cs-CZ", "transcription_provider": "Google", "speech_model": "long", "hints": "Škoda"},
            {},
            "relay.hints",
            "warning",
        ),
        # flux
        ({"speech_model": "nova-3-general", "eot_threshold": 0.7}, {}, "relay.eot_threshold", "error"),
        ({"speech_model": "nova-3-general", "eager_eot_threshold": 0.5}, {}, "relay.eager_eot_threshold", "error"),
        ({"speech_model": "nova-3-general"}, {}, "relay.partial_prompts", "warning"),
        ({"eot_threshold": 0.6, "eager_eot_threshold": 0.6}, {}, "relay.eager_eot_threshold", "error"),
        ({"eager_eot_threshold": 0.8}, {}, "relay.eager_eot_threshold", "error"),
        # who speaks
        ({}, {"voice": "en-US-Journey-O"}, "voice.voice", "error"),
        ({}, {"voice": "Google.en-US-Journey-O", "provider": "Google"}, "voice.voice", "error"),
        ({}, {"voice": "Polly.Joanna-Neural", "provider": "Amazon"}, "voice.voice", "error"),
        ({}, {"voice": ANN, "provider": "Google"}, "voice.voice", "error"),
        ({}, {"voice": "Joanna-Neural", "provider": "Google"}, "voice.voice", "error"),
        ({}, {"voice": ANN, "provider": "Amazon"}, "voice.voice", "error"),
        ({}, {"voice": f"{ANN}-1.0_0.5_0.5"}, "voice.voice", "error"),
        ({}, {"voice": f"{ANN}-flash_v2_5-1_1_1"}, "voice.voice", "error"),
        ({}, {"voice": f"{ANN}-flash_v2_5-1.3_0.5_0.5"}, "voice.voice", "error"),
        ({}, {"voice": f"{ANN}-flash_v2_5-1.0_0.5_1.5"}, "voice.voice", "error"),
        ({}, {"voice": f"{ANN}-flash_v2_5", "speed": 1.0}, "voice.speed", "error"),
        ({}, {"voice": f"{ANN}-flash_v2_5", "model": "turbo_v2"}, "voice.model", "error"),
        ({}, {"provider": "Google", "speed": 1.0}, "voice.speed", "error"),
        ({}, {"provider": "Amazon", "model": "turbo_v2"}, "voice.model", "error"),
        ({"language": "en-GB"}, {"provider": "Google", "voice": "en-US-Journey-O"}, "voice.voice", "warning"),
        ({"tts_language": "multi"}, {"provider": "Google"}, "voice.voice", "error"),
        (
            {"languages": language(code="es-ES", speech_model="nova-3-general", tts_provider="Google", voice=ANN)},
            {},
            "relay.languages[0].voice",
            "error",
        ),
        (  # the parent's voice is inherited by a language that another provider speaks
            {"languages": language(code="es-ES", speech_model="nova-3-general", tts_provider="Google")},
            {"voice": ANN},
            "relay.languages[0].voice",
            "error",
        ),
        # normalisation and formatting
        (
            {"elevenlabs_text_normalization": "on"},
            {"provider": "Google"},
            "relay.elevenlabs_text_normalization",
            "warning",
        ),
        (
            {"elevenlabs_text_normalization": "on", "text_normalization": "off"},
            {},
            "relay.elevenlabs_text_normalization",
            "warning",
        ),
        ({"deepgram_smart_format": True, "smart_format": False}, {}, "relay.deepgram_smart_format", "warning"),
        (
            {"deepgram_smart_format": True, "transcription_provider": "Google", "speech_model": "long"},
            {},
            "relay.deepgram_smart_format",
            "warning",
        ),
        # keys
        ({"dtmf_detection": False, "interruptible": "dtmf"}, {}, "relay.interruptible", "warning"),
        # words
        ({"events": "speaker-events, tokens-played"}, {}, "relay.events", "error"),
        ({"events": "agentSpeaking tokens-played speaker-events"}, {}, "relay.events", "error"),
        ({"events": "speaker-events"}, {}, "relay.events", "warning"),
        ({"events": "tokens-played"}, {}, "relay.events", "warning"),
        ({"events": "tokens-played speaker-events tokens-played"}, {}, "relay.events", "warning"),
        ({"debug": "verbose"}, {}, "relay.debug", "error"),
        ({"include_in_prompt": "confidence"}, {}, "relay.include_in_prompt", "error"),
        ({"speech_timeout": "599"}, {}, "relay.speech_timeout", "error"),
        ({"speech_timeout": "5001"}, {}, "relay.speech_timeout", "error"),
        ({"speech_timeout": "1.5"}, {}, "relay.speech_timeout", "error"),
        ({"speech_timeout": "Auto"}, {}, "relay.speech_timeout", "error"),
        # services
        ({"conversation_configuration": "01ab"}, {}, "relay.conversation_configuration", "error"),
        ({"intelligence_service": "my service"}, {}, "relay.intelligence_service", "error"),
        ({"application_reconnect": True}, {}, "relay.application_reconnect", "warning"),
        ({"background_noise_reduction": "on"}, {}, "relay.background_noise_reduction", "warning"),
        # parameters
        ({"parameters": ("tenant",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("my tenant=42",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("=42",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("token=42",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("agent=sales",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("greeting=Hi",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("greeting.2=Hi",)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("a=1", "a=2")}, {}, "relay.parameters[1]", "error"),
        ({"parameters": ("a=" + "x" * 500,)}, {}, "relay.parameters[0]", "error"),
        ({"parameters": ("api_key=42",)}, {}, "relay.parameters[0]", "warning"),
        ({"parameters": ("a=sk-abcdefghijklmnop",)}, {}, "relay.parameters[0]", "warning"),
        ({"parameters": ("a=" + "0123456789abcdef" * 2,)}, {}, "relay.parameters[0]", "warning"),
        ({"parameters": ("a=4111 1111 1111 1111",)}, {}, "relay.parameters[0]", "warning"),
    ],
)
def test_what_twilio_would_refuse_or_ignore(
    relay: dict[str, Any], voice: dict[str, Any], path: str, severity: str
) -> None:
    assert (path, severity) in faults(relay, VoiceSettings(**voice))


def test_a_fault_is_told_once() -> None:
    voice = VoiceSettings(voice="en-US-Journey-O")
    languages = tuple(LanguageSettings(code=f"en-{c}") for c in ("GB", "AU", "NZ"))
    assert [each.path for each in check(RelaySettings(languages=languages), voice)] == ["voice.voice"]


def test_messages_say_what_to_do() -> None:
    [fault] = check(RelaySettings(), VoiceSettings(voice="Google.en-US-Journey-O", provider="Google"))
    assert fault.message == "ConversationRelay takes no 'Google.' in front of a voice"
    assert fault.hint == "write 'en-US-Journey-O'"
    [fault] = check(RelaySettings(), VoiceSettings(voice="Joanna-Neural"))
    assert "looks like a voice of Amazon" in fault.message


@pytest.mark.parametrize(
    ("voice", "sent"),
    [
        ({}, None),
        ({"voice": ANN}, ANN),
        ({"model": "turbo_v2"}, f"{ANN}-turbo_v2"),
        ({"voice": "NYC9WEgkq1u4jiqBseQ9", "model": "turbo_v2_5"}, "NYC9WEgkq1u4jiqBseQ9-turbo_v2_5"),
        ({"speed": 1.0, "stability": 0.8, "similarity": 0.6}, f"{ANN}-flash_v2_5-1.0_0.8_0.6"),
        ({"speed": 1.1}, f"{ANN}-flash_v2_5-1.1_0.5_0.75"),
        ({"stability": 0.0}, f"{ANN}-flash_v2_5-1.0_0.0_0.75"),
        ({"similarity": 1, "model": "flash_v2"}, f"{ANN}-flash_v2-1.0_0.5_1.0"),
        ({"speed": 0.98765, "stability": 0.00001}, f"{ANN}-flash_v2_5-0.988_0.0_0.75"),
        ({"provider": "Google"}, None),
        ({"provider": "Google", "voice": "en-US-Journey-O"}, "en-US-Journey-O"),
        ({"provider": "Amazon", "voice": "Joanna-Neural", "speed": 1.0}, "Joanna-Neural"),
    ],
)
def test_voice_strings(voice: dict[str, Any], sent: str | None) -> None:
    assert voice_string(VoiceSettings(**voice)) == sent


def test_the_defaults_come_out_of_an_empty_file_without_a_fault() -> None:
    settings = load(environ={})
    assert check(settings.relay, settings.voice) == []
