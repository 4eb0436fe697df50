"""Voices: how each provider's are written, and the string that asks ElevenLabs for a tuned one.

ConversationRelay takes one string per voice. ElevenLabs packs the tuning into it: VoiceID, VoiceID-model or
VoiceID-model-speed_stability_similarity, each number with its decimal point. Google and Amazon voices are written as
for <Say>, but without the "Google." or "Polly." in front; Twilio drops the call over such a prefix.
"""

from __future__ import annotations

import re

from voicectl.settings import VoiceSettings

ELEVENLABS_VOICE = "UgBBYS2sOqTuMpoF3BR0"
"""The voice ConversationRelay speaks with by default."""
ELEVENLABS_MODEL = "flash_v2_5"
"""The model ConversationRelay speaks with by default."""
# ElevenLabs' own defaults. The tuning string has no way to leave one of the three out.
_SPEED, _STABILITY, _SIMILARITY = 1.0, 0.5, 0.75

_NUMBER = r"([0-9]\.[0-9]{1,3})"
_ELEVENLABS = re.compile(rf"[A-Za-z0-9]{{10,40}}(?:-[a-z][a-z0-9_]*[a-z0-9](?:-{_NUMBER}_{_NUMBER}_{_NUMBER})?)?")
_GOOGLE = re.compile(r"([a-z]{2,3}-[A-Za-z0-9]{2,4})-[A-Za-z0-9-]+")
_AMAZON = re.compile(r"[^\W\d_]{2,14}(?:-[A-Z][A-Za-z-]+)?")
_PREFIX = re.compile(r"(?:Google|Polly|Amazon|ElevenLabs)\.", re.IGNORECASE)
_SHAPES = {
    "ElevenLabs": (_ELEVENLABS, f"a voice id such as {ELEVENLABS_VOICE}, alone or with -model-1.0_0.5_0.75 behind it"),
    "Google": (_GOOGLE, "a name such as en-US-Journey-O or en-US-Chirp3-HD-Aoede"),
    "Amazon": (_AMAZON, "a name such as Joanna-Neural"),
}
_RANGES = (("speed", 0.7, 1.2), ("stability", 0.0, 1.0), ("similarity", 0.0, 1.0))


def voice_string(voice: VoiceSettings) -> str | None:
    """The `voice` attribute for these settings; None for the provider's default voice.

    With ElevenLabs, any of speed, stability and similarity sends all three, and a model with them; what is not set
    is filled in as 1.0, 0.5, 0.75, flash_v2_5 and Twilio's default voice.
    """
    if voice.provider != "ElevenLabs":
        return voice.voice or None
    tuned = (voice.speed, voice.stability, voice.similarity)
    parts = [voice.voice or ELEVENLABS_VOICE]
    if tuned != (None, None, None):
        given = (default if value is None else value for value, default in zip(tuned, _DEFAULTS, strict=True))
        parts += [voice.model or ELEVENLABS_MODEL, "_".join(map(_decimal, given))]
    elif voice.model:
        parts.append(voice.model)
    elif not voice.voice:
        return None
    return "-".join(parts)


_DEFAULTS = (_SPEED, _STABILITY, _SIMILARITY)


def _decimal(value: float) -> str:
    """At most three digits behind the point, at least one, and never an exponent."""
    text = f"{value:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def say_voice(voice: VoiceSettings) -> str | None:
    """The same voice as <Say> names it; None, for <Say>'s own default, where it has no such voice."""
    prefix = {"Google": "Google.", "Amazon": "Polly."}.get(voice.provider)
    return prefix + voice.voice if prefix and voice.voice else None


def misfit(provider: str, voice: str) -> tuple[str, str] | None:
    """(what is wrong, what to write) when `voice` is none of the provider's; None when it can be one."""
    prefix = _PREFIX.match(voice)
    if prefix:
        return f"ConversationRelay takes no {prefix[0]!r} in front of a voice", f"write {voice[prefix.end() :]!r}"
    shape, example = _SHAPES[provider]
    found = shape.fullmatch(voice)
    if found is None:
        others = [name for name, (other, _) in _SHAPES.items() if other.fullmatch(voice)]
        looks = f"; it looks like a voice of {others[0]}" if others else ""
        return f"{voice!r} is no voice of {provider}{looks}", f"give {example}"
    if provider == "ElevenLabs" and found[1]:
        for (name, low, high), text in zip(_RANGES, found.groups(), strict=True):
            if not low <= float(text) <= high:
                return f"{name} {text} in {voice!r} is out of range", f"give {low} to {high}"
    return None


def locale(provider: str, voice: str) -> str | None:
    """The language a voice's name says it speaks, where names do that."""
    found = _GOOGLE.fullmatch(voice) if provider == "Google" else None
    return found[1] if found else None
