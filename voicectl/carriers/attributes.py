"""Settings to the attributes of <ConversationRelay>, its <Language>s and its <Parameter>s.

Defaults that depend on the age of a Twilio account are always sent as explicit values. Whether Twilio will like what
is sent is for checks.py to say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import count
from typing import NamedTuple

from voicectl.carriers._shapes import clean
from voicectl.carriers.voices import voice_string
from voicectl.settings import LanguageSettings, RelaySettings, VoiceSettings

TOKEN_PARAMETER = "token"
"""The <Parameter> that carries voicectl's one-time token."""
AGENT_PARAMETER = "agent"
"""The one that carries the name of the agent that answers."""
GREETING_PARAMETER = "greeting"
"""The one that carries the words Twilio speaks by itself; what is longer goes on in greeting.2, greeting.3."""
OWN_PARAMETER = re.compile(r"token|agent|greeting(?:\.[0-9]+)?")
_PART = 400
"""Characters of one parameter's value: with its name it stays below 500."""
MAX_GREETING = 1_000
"""Characters: over a minute."""

RELAY = {
    "language": "language",
    "tts_language": "ttsLanguage",
    "transcription_language": "transcriptionLanguage",
    "transcription_provider": "transcriptionProvider",
    "speech_model": "speechModel",
    "interruptible": "interruptible",
    "welcome_greeting_interruptible": "welcomeGreetingInterruptible",
    "interrupt_sensitivity": "interruptSensitivity",
    "report_input_during_agent_speech": "reportInputDuringAgentSpeech",
    "dtmf_detection": "dtmfDetection",
    "partial_prompts": "partialPrompts",
    "preemptible": "preemptible",
    "ignore_backchannel": "ignoreBackchannel",
    "hints": "hints",
    "profanity_filter": "profanityFilter",
    "eot_threshold": "eotThreshold",
    "eager_eot_threshold": "eagerEotThreshold",
    "speech_timeout": "speechTimeout",
    "smart_format": "asrSmartFormat",
    "background_noise_reduction": "backgroundNoiseReduction",
    "turn_detection": "turnDetection",
    "echo_prompt_filtering": "echoPromptFiltering",
    "partial_prompt_on_hangup": "partialPromptOnHangup",
    "include_in_prompt": "includeInPrompt",
    "text_normalization": "ttsTextNormalization",
    "language_text_normalization": "ttsLanguageTextNormalization",
    "elevenlabs_text_normalization": "elevenlabsTextNormalization",
    "deepgram_smart_format": "deepgramSmartFormat",
    "events": "events",
    "debug": "debug",
    "application_reconnect": "applicationReconnect",
    "intelligence_service": "intelligenceService",
    "conversation_configuration": "conversationConfiguration",
    "conversation_id": "conversationId",
    "customer_name": "customerName",
}
LANGUAGE = {
    "code": "code",
    "tts_provider": "ttsProvider",
    "voice": "voice",
    "transcription_provider": "transcriptionProvider",
    "speech_model": "speechModel",
    "hints": "hints",
    "smart_format": "asrSmartFormat",
    "text_normalization": "ttsTextNormalization",
    "language_text_normalization": "ttsLanguageTextNormalization",
}
# ConversationRelay's default; Deepgram's own is 0.7.
EOT_THRESHOLD = 0.8

Attributes = dict[str, str | bool]


def relay_attributes(relay: RelaySettings, voice: VoiceSettings) -> Attributes:
    """Attributes of <ConversationRelay> by name, but for `url` and `welcomeGreeting`."""
    sent = _sent(relay, RELAY)
    sent["ttsProvider"] = voice.provider
    spoken = voice_string(voice)
    if spoken:
        sent["voice"] = clean(spoken)
    if "eotThreshold" not in sent and uses_flux(relay):
        sent["eotThreshold"] = str(EOT_THRESHOLD)
    return sent


def language_attributes(language: LanguageSettings) -> Attributes:
    """Attributes of one <Language>; what is not set is inherited from <ConversationRelay>."""
    return _sent(language, LANGUAGE)


def parameters(relay: RelaySettings) -> list[tuple[str, str]]:
    """(name, value) of each <Parameter> of the settings."""
    pairs = (clean(each).partition("=") for each in relay.parameters)
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def own_parameters(token: str, agent: str, greeting: str) -> list[tuple[str, str]]:
    """(name, value) of each <Parameter> that voicectl sends to itself. `greeting` is on one line."""
    found = [(TOKEN_PARAMETER, clean(token))]
    if agent:
        found.append((AGENT_PARAMETER, clean(agent)))
    parts = textwrap.wrap(greeting, _PART, break_on_hyphens=False)
    names = (GREETING_PARAMETER if at == 1 else f"{GREETING_PARAMETER}.{at}" for at in count(1))
    return [*found, *zip(names, parts, strict=False)]


def greeting_in(parameters: Mapping[str, str]) -> str:
    """The greeting that the parameters of a call carry."""
    parts = [parameters.get(GREETING_PARAMETER, "")]
    while more := parameters.get(f"{GREETING_PARAMETER}.{len(parts) + 1}", ""):
        parts.append(more)
    return " ".join(parts)[:MAX_GREETING]


def _sent(settings: RelaySettings | LanguageSettings, names: dict[str, str]) -> Attributes:
    sent: Attributes = {}
    for name, attribute in names.items():
        value = getattr(settings, name)
        if isinstance(value, bool):
            sent[attribute] = value
        elif value is not None and (text := clean(str(value))):
            sent[attribute] = text
    return sent


class Listener(NamedTuple):
    """Who recognises speech of one language, as ConversationRelay works it out from parent and <Language>."""

    path: str
    """Where the model is set, for messages."""
    language: str
    provider: str
    model: str
    first: bool
    """The call begins with this one."""


def listeners(relay: RelaySettings) -> Iterator[Listener]:
    heard = relay.transcription_language or relay.language
    if heard.casefold() not in {each.code.casefold() for each in relay.languages}:
        yield Listener("relay.speech_model", heard, relay.transcription_provider, relay.speech_model, True)
    for at, each in enumerate(relay.languages):
        yield Listener(
            f"relay.languages[{at}].speech_model",
            each.code,
            each.transcription_provider or relay.transcription_provider,
            each.speech_model or relay.speech_model,
            each.code.casefold() == heard.casefold(),
        )


def is_flux(provider: str, model: str) -> bool:
    return provider == "Deepgram" and model.startswith("flux")


def uses_flux(relay: RelaySettings) -> bool:
    """Some language of the call is heard by Deepgram flux."""
    return any(is_flux(each.provider, each.model) for each in listeners(relay))
