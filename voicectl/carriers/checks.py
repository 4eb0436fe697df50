"""What Twilio would refuse or ignore about the settings of a call, found before anybody calls.

Twilio judges attributes only when a caller is already waiting: a wrong value or combination ends the call (64101,
64106), an unknown name or an attribute that does not fit the provider is dropped without a word. Hence two severities:

- "error": the call would fail, or the setting cannot do what it says;
- "warning": the call works, but the setting may do nothing, or something you did not want.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from xml.sax.saxutils import escape

from voicectl.carriers._shapes import LANGUAGE_TAG, NAME, is_language
from voicectl.carriers.attributes import (
    EOT_THRESHOLD,
    OWN_PARAMETER,
    RELAY,
    Attributes,
    is_flux,
    language_attributes,
    listeners,
    parameters,
    relay_attributes,
    uses_flux,
)
from voicectl.carriers.voices import locale, misfit, voice_string
from voicectl.settings import LanguageSettings, RelaySettings, VoiceSettings


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about the settings. `path` is the key in voicectl.toml, e.g. "relay.languages[0].voice"."""

    path: str
    message: str
    hint: str
    severity: Literal["error", "warning"]


def check(relay: RelaySettings, voice: VoiceSettings) -> list[Fault]:
    """Everything about these settings that Twilio would refuse or silently ignore, in no particular order."""
    faults = [*_tables(relay, voice)]
    if faults:  # the rules below take the single values to be sane
        return faults
    rules: tuple[Callable[[RelaySettings, VoiceSettings], Iterator[Fault]], ...] = (
        _language_codes,
        _hearing,
        _flux,
        _speaking,
        _tuning,
        _normalising,
        _interrupting,
        _words,
        _services,
        _custom_parameters,
        _size,
    )
    return [fault for rule in rules for fault in rule(relay, voice)]


def _error(path: str, message: str, hint: str) -> Fault:
    return Fault(path, message, hint, "error")


def _warning(path: str, message: str, hint: str) -> Fault:
    return Fault(path, message, hint, "warning")


def _tables(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """Choices and bounds, which settings built by hand have not been through."""
    yield from _bounds("relay", relay)
    yield from _bounds("voice", voice)
    for at, each in enumerate(relay.languages):
        yield from _bounds(f"relay.languages[{at}]", each)


def _bounds(group: str, settings: RelaySettings | VoiceSettings | LanguageSettings) -> Iterator[Fault]:
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        low, high = field.metadata["low"], field.metadata["high"]
        choices = field.metadata["choices"]
        path = f"{group}.{field.name}"
        if value is None or isinstance(value, (bool, tuple)):
            continue
        if choices and value not in choices:
            yield _error(path, f"{value!r} is not known", "give one of " + ", ".join(c or '""' for c in choices))
        if low is not None and not low <= value <= high:
            yield _error(path, f"{value:g} is out of range", f"give {low:g} to {high:g}")


def _language_codes(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    codes = [("relay.language", relay.language)]
    codes += [("relay.tts_language", relay.tts_language)] if relay.tts_language is not None else []
    if relay.transcription_language is not None:
        codes.append(("relay.transcription_language", relay.transcription_language))
    codes += [(f"relay.languages[{at}].code", each.code) for at, each in enumerate(relay.languages)]
    seen: set[str] = set()
    for path, code in codes:
        if not is_language(code):
            yield _error(path, f"{code!r} is no language", "give a BCP-47 tag such as en-US, or multi")
        elif code != _canonical(code):
            yield _warning(path, f"{code!r} is not how the tag is written", f"write {_canonical(code)!r}")
        if path.startswith("relay.languages["):
            if code.casefold() in seen:
                yield _error(path, f"{code!r} is declared twice", "keep one [[relay.languages]] per language")
            seen.add(code.casefold())


def _canonical(code: str) -> str:
    if LANGUAGE_TAG.fullmatch(code) is None:
        return code.lower()
    first, *rest = code.split("-")
    shapes = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(shapes.get(len(part), str.lower)(part) for part in rest)])


def _hearing(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """Recognition: provider and model must fit each other, and the language."""
    for path, code, provider, model, mine in listeners(relay):
        if _is_deepgram(model) and provider == "Google":
            yield _error(
                path, f"Google has no speech model {model!r}", 'give "telephony" or "long", or listen with Deepgram'
            )
        elif _is_google(model) and provider == "Deepgram":
            yield _error(
                path,
                f"Deepgram has no speech model {model!r}",
                'give "flux" or "nova-3-general", or listen with Google',
            )
        elif not NAME.fullmatch(model):
            yield _error(path, f"{model!r} is no speech model", 'give a name such as "flux" or "nova-3-general"')
        if code == "multi" and not (provider == "Deepgram" and model in ("nova-2-general", "nova-3-general")):
            yield (_error if mine else _warning)(
                path,
                f"language multi is recognised by Deepgram nova only, not by {provider} {model}",
                'set transcription_provider = "Deepgram" and speech_model = "nova-3-general"',
            )
        elif is_flux(provider, model) and code != "multi" and code.partition("-")[0].lower() != "en":
            yield _warning(
                path,
                f"flux is only known to understand English, not {code}",
                'set speech_model = "nova-3-general"',
            )
    for path, code, provider, hints in _hinted(relay):
        if any(not phrase.strip() for phrase in hints.split(",")):
            yield _warning(path, "an empty phrase among the hints", "separate phrases by single commas")
        if provider == "Google" and code.casefold() == "cs-cz":
            yield _warning(
                path,
                "Google is known to refuse hints for cs-CZ (64101)",
                "leave the hints out, or listen with Deepgram",
            )


def _hinted(relay: RelaySettings) -> Iterator[tuple[str, str, str, str]]:
    if relay.hints:
        yield "relay.hints", relay.transcription_language or relay.language, relay.transcription_provider, relay.hints
    for at, each in enumerate(relay.languages):
        if each.hints:
            provider = each.transcription_provider or relay.transcription_provider
            yield f"relay.languages[{at}].hints", each.code, provider, each.hints


def _is_deepgram(model: str) -> bool:
    return model.startswith(("flux", "nova", "enhanced", "base"))


def _is_google(model: str) -> bool:
    return model.startswith(("telephony", "long", "short", "chirp", "latest_", "phone_call", "command_and"))


def _flux(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """What only flux has: thresholds for the end of a turn, and partial prompts that can be relied on."""
    if not uses_flux(relay):
        for name in ("eot_threshold", "eager_eot_threshold"):
            if getattr(relay, name) is not None:
                yield _error(
                    f"relay.{name}",
                    f"only Deepgram flux has {RELAY[name]}",
                    f'remove relay.{name}, or set relay.speech_model = "flux"',
                )
        if relay.partial_prompts:
            yield _warning(
                "relay.partial_prompts",
                f"partial prompts are only promised with Deepgram flux, not with {relay.speech_model}",
                'set relay.partial_prompts = false, or relay.speech_model = "flux"',
            )
    limit = relay.eot_threshold or EOT_THRESHOLD
    if relay.eager_eot_threshold is not None and relay.eager_eot_threshold >= limit:
        yield _error(
            "relay.eager_eot_threshold",
            f"the early guess at {relay.eager_eot_threshold:g} would come no earlier than eot_threshold {limit:g}",
            f"give less than {limit:g}",
        )


def _speaking(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """Voices: provider, voice and language must fit one another."""
    spoken = relay.tts_language or relay.language
    default = voice_string(voice) or ""
    own = {each.code.casefold() for each in relay.languages}
    speakers = [] if spoken.casefold() in own else [("voice.voice", spoken, voice.provider, default, True)]
    for at, each in enumerate(relay.languages):
        mine = each.code.casefold() == spoken.casefold()
        provider = each.tts_provider or voice.provider
        speakers.append((f"relay.languages[{at}].voice", each.code, provider, each.voice or default, mine))
    bad = misfit(voice.provider, default) if default else None
    if bad:
        yield _error("voice.voice", *bad)
    for path, code, provider, name, mine in speakers:
        bad_here = misfit(provider, name) if name else None
        if bad_here and path != "voice.voice" and (name != default or bad is None):
            yield _error(path, *bad_here)
        if code == "multi" and provider != "ElevenLabs":
            yield (_error if mine else _warning)(
                path,
                f"language multi is spoken by ElevenLabs only, not by {provider}",
                'set the provider to "ElevenLabs"',
            )
        speaks = locale(provider, name)
        if speaks and code != "multi" and speaks.casefold() != code.casefold():
            yield _warning(path, f"the voice {name!r} speaks {speaks}, the language is {code}", f"give a {code} voice")


def _tuning(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """Model, speed, stability and similarity are parts of an ElevenLabs voice string."""
    for name in ("model", "speed", "stability", "similarity"):
        if getattr(voice, name) in (None, ""):
            continue
        if voice.provider != "ElevenLabs":
            yield _error(
                f"voice.{name}", f"only ElevenLabs voices have a {name}, not {voice.provider}", f"remove voice.{name}"
            )
        elif "-" in voice.voice:
            yield _error(
                f"voice.{name}",
                "voice.voice already says model or tuning",
                f"remove voice.{name}, or give the voice id alone",
            )


def _normalising(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    if relay.elevenlabs_text_normalization is not None:
        if voice.provider != "ElevenLabs":
            yield _warning(
                "relay.elevenlabs_text_normalization", f"{voice.provider} ignores it", "set relay.text_normalization"
            )
        if relay.text_normalization is not None:
            yield _warning(
                "relay.elevenlabs_text_normalization", "relay.text_normalization wins over it", "keep one of the two"
            )
    if relay.deepgram_smart_format is not None:
        if relay.transcription_provider != "Deepgram":
            yield _warning("relay.deepgram_smart_format", "Google ignores it", "set relay.smart_format")
        if relay.smart_format is not None:
            yield _warning("relay.deepgram_smart_format", "relay.smart_format wins over it", "keep one of the two")


def _interrupting(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    if relay.dtmf_detection:
        return
    for name in ("interruptible", "welcome_greeting_interruptible", "report_input_during_agent_speech"):
        if getattr(relay, name) == "dtmf":
            yield _warning(
                f"relay.{name}", "keys may do nothing while they are not detected", "set relay.dtmf_detection = true"
            )


_EVENTS = ("speaker-events", "tokens-played", "config-updated")
_DEBUG = ("debugging", "speaker-events", "tokens-played")
_IN_PROMPT = ("turn-state", "prompt-segments")


def _words(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    """Attributes that hold words of a fixed set, or a number written as text."""
    for name, known in (("events", _EVENTS), ("debug", _DEBUG), ("include_in_prompt", _IN_PROMPT)):
        words = (getattr(relay, name) or "").split()
        for word in words:
            if word not in known:
                yield _error(f"relay.{name}", f"{word!r} is not known", "give any of " + " ".join(known))
        if len(set(words)) != len(words):
            yield _warning(f"relay.{name}", "a word is there twice", "keep one of them")
    subscribed = {*relay.events.split(), *(relay.debug or "").split()}
    if "tokens-played" not in subscribed:
        yield _warning(
            "relay.events", "without tokens-played, what the caller heard can only be estimated", "add tokens-played"
        )
    if "speaker-events" not in subscribed:
        yield _warning(
            "relay.events", "without speaker-events, the end of speech can only be estimated", "add speaker-events"
        )
    timeout = relay.speech_timeout
    if timeout not in (None, "auto") and not (re.fullmatch("[0-9]{3,4}", timeout) and 600 <= int(timeout) <= 5000):
        yield _error("relay.speech_timeout", f"{timeout!r} is out of range", "give 600 to 5000 milliseconds, or auto")


def _services(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    configuration = relay.conversation_configuration
    if configuration and not re.fullmatch(r"conv_configuration_[A-Za-z0-9]+", configuration):
        yield _error(
            "relay.conversation_configuration",
            f"{configuration!r} is no configuration of Conversation Orchestrator",
            "give the id that begins with conv_configuration_",
        )
    for name in ("conversation_id", "intelligence_service", "background_noise_reduction"):
        value = getattr(relay, name)
        if value and not NAME.fullmatch(value):
            yield _error(
                f"relay.{name}", f"{value!r} is no id or name", "use letters, digits, dot, dash and underscore"
            )
    if relay.background_noise_reduction:
        yield _warning(
            "relay.background_noise_reduction", "Twilio has not published its values", "try it with one call first"
        )
    if relay.application_reconnect:
        yield _warning(
            "relay.application_reconnect",
            "voicectl resumes lost calls by itself and does not know what Twilio replays",
            "remove relay.application_reconnect",
        )


_SECRET_NAME = re.compile(r"(?i)(?:password|passwd|secret|api_?key|auth|pin|cvv|cvc|ssn|card|iban)(?![a-z])")
_SECRET_VALUE = re.compile(r"(?i)sk-[\w-]{12,}|[0-9a-f]{32,}|(?:[0-9][ -]?){13,19}|eyJ[\w-]{10,}\..*")


def _custom_parameters(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    seen: set[str] = set()
    for at, (name, value) in enumerate(parameters(relay)):
        path = f"relay.parameters[{at}]"
        if "=" not in relay.parameters[at] or not NAME.fullmatch(name):
            yield _error(path, "a custom parameter is written name=value", "use letters, digits, . _ - in the name")
        if OWN_PARAMETER.fullmatch(name):
            yield _error(path, f"{name!r} is voicectl's own parameter", "choose another name")
        if name in seen:
            yield _error(path, f"{name!r} is there twice", "keep one of them")
        seen.add(name)
        if len(name) + len(value) > 500:
            yield _error(path, f"{name!r} is too long", "keep name and value together below 500 characters")
        if _SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(value):
            yield _warning(
                path,
                f"{name!r} looks like a secret; parameters are kept in Twilio's logs",
                "pass an id, and look the secret up on this side",
            )


# TwiML ends at 64 kB. The greeting, which is there twice, and the URLs need at most 26 kB of it, whatever characters
# they are made of.
_MOST_BYTES = 36_000


def _size(relay: RelaySettings, voice: VoiceSettings) -> Iterator[Fault]:
    elements: list[Attributes] = [relay_attributes(relay, voice), *map(language_attributes, relay.languages)]
    elements += [{"name": name, "value": value} for name, value in parameters(relay)]
    quotes = {'"': "&quot;", "\n": "&#10;", "\t": "&#09;", "\r": "&#13;"}
    size = sum(
        30 + sum(len(k) + 4 + len(escape(str(v), quotes).encode()) for k, v in each.items()) for each in elements
    )
    if size > _MOST_BYTES:
        yield _error("relay", f"these settings make {size:,} bytes of TwiML", "shorten the hints and the parameters")
