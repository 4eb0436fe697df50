"""TwiML as Twilio reads it: strictly.

A document that cannot be parsed raises TwimlError with Twilio's code: 11750 too large, 12100 not TwiML, 12300 of the
wrong kind. Attributes of <ConversationRelay> that are unknown only make a warning (12200), so a misspelt one does
nothing at all; known ones with a value out of range, and combinations that cannot work, end the session with 64101
as soon as its socket is open. The table ATTRIBUTES says what may stand in each.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MAX_BYTES = 64 * 1024
# fmt: off
VERBS = frozenset({
    "Connect", "Dial", "Echo", "Enqueue", "Gather", "Hangup", "Leave", "Pause", "Pay", "Play", "Prompt", "Queue",
    "Record", "Redirect", "Refer", "Reject", "Say", "Siprec", "Sms", "Start", "Stop", "Stream",
})
# fmt: on


class TwimlError(ValueError):
    """The document cannot be used; `code` is Twilio's error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Element:
    """A verb, or a noun inside one."""

    name: str
    attributes: dict[str, str]
    text: str
    children: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    verbs: tuple[Element, ...]
    warnings: tuple[str, ...] = ()
    """What Twilio would report as 12200 and otherwise ignore."""


@dataclass(frozen=True, slots=True)
class Relay:
    """What a <ConversationRelay> asks for, defaults filled in."""

    url: str
    dialable: bool
    """The url is one that a socket can be opened to."""
    greeting: str
    greeting_interruptible: str
    tts_language: str
    transcription_language: str
    speech_models: dict[str, str]
    """By language; "" is the provider's own choice."""
    interruptible: str
    sensitivity: str
    report_input: str
    dtmf_detection: bool
    preemptible: bool
    partial_prompts: bool
    eot_threshold: float
    speech_timeout: float | None
    """Seconds; None for auto."""
    ignore_backchannel: bool
    partial_prompt_on_hangup: bool
    application_reconnect: bool
    events: frozenset[str]
    parameters: dict[str, str]
    faults: tuple[str, ...]
    """Why the session must fail with 64101."""
    warnings: tuple[str, ...]

    def flux(self, language: str) -> bool:
        """Whether Deepgram flux listens while this language is spoken."""
        return self.speech_models.get(language, "").startswith("flux")


# --- documents ---------------------------------------------------------------------------------------------


class _Builder(ElementTree.TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise TwimlError(12100, "document types and entities are not allowed")


def parse(body: bytes | str, content_type: str = "text/xml") -> Document:
    """Read a document. Raises TwimlError."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("text/xml", "application/xml", "text/html"):
        raise TwimlError(12300, f"the answer is {kind or 'of no stated kind'}, not XML")
    raw = body.encode("utf-8", "replace") if isinstance(body, str) else body
    if len(raw) > MAX_BYTES:
        raise TwimlError(11750, f"the document has {len(raw)} bytes, at most {MAX_BYTES} are allowed")
    try:
        root = ElementTree.fromstring(raw, ElementTree.XMLParser(target=_Builder()))
        if root.tag != "Response":
            raise TwimlError(12100, f"the document is <{root.tag}>, not <Response>")
        verbs = tuple(_element(each) for each in root)
    except (ElementTree.ParseError, LookupError, ValueError, RecursionError) as bad:
        if isinstance(bad, TwimlError):
            raise
        raise TwimlError(12100, f"the document cannot be parsed: {bad}") from bad
    unknown = tuple(f"<{verb.name}> is no verb" for verb in verbs if verb.name not in VERBS)
    return Document(tuple(verb for verb in verbs if verb.name in VERBS), unknown)


def _element(node: ElementTree.Element) -> Element:
    children = tuple(_element(each) for each in node)
    return Element(node.tag, dict(node.attrib), " ".join("".join(node.itertext()).split()), children)


# --- <ConversationRelay> -----------------------------------------------------------------------------------

Check = Callable[[str], Any]
"""Turns an attribute's text into its value; ValueError says what is allowed."""


def is_language(tag: str) -> bool:
    """A BCP-47 tag, or `multi`."""
    return re.fullmatch(r"multi|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag) is not None


def _text(value: str) -> str:
    return value


def _boolean(value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return value.lower() == "true"


def _language(value: str) -> str:
    if not is_language(value):
        raise ValueError("must be a BCP-47 tag or multi")
    return value


def _one_of(*choices: str, fold: bool = False) -> Check:
    def check(value: str) -> str:
        for choice in choices:
            if value == choice or (fold and value.lower() == choice.lower()):
                return choice
        raise ValueError("must be one of " + ", ".join(choices))

    return check


def _some_of(*choices: str) -> Check:
    def check(value: str) -> frozenset[str]:
        if not set(value.split()) <= set(choices):
            raise ValueError("must be some of " + ", ".join(choices) + ", separated by blanks")
        return frozenset(value.split())

    return check


def _between(low: float, high: float) -> Check:
    def check(value: str) -> float:
        if re.fullmatch(r"\d+(\.\d+)?", value) is None or not low <= float(value) <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    return check


def _speech_timeout(value: str) -> float | None:
    if value == "auto":
        return None
    if re.fullmatch(r"\d{3,4}", value) is None or not 600 <= int(value) <= 5000:
        raise ValueError("must be auto, or milliseconds from 600 to 5000")
    return int(value) / 1000


def _input(value: str) -> str:
    value = {"true": "any", "false": "none"}.get(value.lower(), value)
    return str(_one_of("none", "dtmf", "speech", "any")(value))


_tts = _one_of("ElevenLabs", "Google", "Amazon", fold=True)
_stt = _one_of("Deepgram", "Google", fold=True)
_normalization = _one_of("on", "auto", "off")

ATTRIBUTES: Mapping[str, tuple[Check, Any]] = {
    # attribute: (what may stand in it, its default)
    "url": (_text, ""),
    "welcomeGreeting": (_text, ""),
    "welcomeGreetingInterruptible": (_input, "any"),
    "language": (_language, "en-US"),
    "ttsLanguage": (_language, None),
    "transcriptionLanguage": (_language, None),
    "ttsProvider": (_tts, "ElevenLabs"),
    "voice": (_text, None),
    "transcriptionProvider": (_stt, "Deepgram"),
    "speechModel": (_text, None),
    "interruptible": (_input, "any"),
    "interruptSensitivity": (_one_of("low", "medium", "high"), "high"),
    "dtmfDetection": (_boolean, False),
    "reportInputDuringAgentSpeech": (_one_of("none", "dtmf", "speech", "any"), "none"),
    "preemptible": (_boolean, False),
    "hints": (_text, ""),
    "profanityFilter": (_boolean, None),
    "partialPrompts": (_boolean, False),
    "eotThreshold": (_between(0.5, 0.9), 0.8),
    "eagerEotThreshold": (_between(0.3, 0.9), None),
    "speechTimeout": (_speech_timeout, None),
    "deepgramSmartFormat": (_boolean, True),
    "asrSmartFormat": (_boolean, None),
    "ignoreBackchannel": (_boolean, False),
    "backgroundNoiseReduction": (_text, None),
    "events": (_some_of("speaker-events", "tokens-played", "config-updated"), frozenset()),
    "debug": (_some_of("debugging", "speaker-events", "tokens-played"), frozenset()),
    "elevenlabsTextNormalization": (_normalization, "off"),
    "ttsTextNormalization": (_normalization, None),
    "ttsLanguageTextNormalization": (_boolean, None),
    "elevenlabsLanguageTextNormalization": (_boolean, None),
    "intelligenceService": (_text, None),
    "conversationConfiguration": (_text, None),
    "conversationId": (_text, None),
    "customerName": (_text, None),
    "applicationReconnect": (_boolean, False),
    "turnDetection": (_boolean, False),
    "echoPromptFiltering": (_boolean, False),
    "partialPromptOnHangup": (_boolean, False),
    "includeInPrompt": (_some_of("turn-state", "prompt-segments"), frozenset()),
}
LANGUAGE_ATTRIBUTES: Mapping[str, Check] = {"code": _language} | {
    name: ATTRIBUTES[name][0]
    for name in (
        "ttsProvider",
        "voice",
        "transcriptionProvider",
        "speechModel",
        "hints",
        "asrSmartFormat",
        "ttsTextNormalization",
        "ttsLanguageTextNormalization",
    )
}


def relay(element: Element, *, allow_ws: bool = False) -> Relay:
    """Read a <ConversationRelay>. Never raises: what is wrong is in `faults`."""
    faults: list[str] = []
    warnings: list[str] = []
    checks = {name: check for name, (check, _) in ATTRIBUTES.items()}
    given = _checked(element, checks, faults, warnings)
    values = {name: default for name, (_, default) in ATTRIBUTES.items()} | given
    dialable = _is_socket_url(values["url"], allow_ws)
    if not dialable:
        faults.append(f"url {values['url']!r} must start with wss://")

    parameters: dict[str, str] = {}
    languages: dict[str, dict[str, Any]] = {}
    for child in element.children:
        if child.name == "Parameter":
            if child.attributes.get("name"):
                parameters[child.attributes["name"]] = child.attributes.get("value", "")
            else:
                warnings.append("<Parameter> without a name")
        elif child.name == "Language":
            language = _checked(child, LANGUAGE_ATTRIBUTES, faults, warnings)
            code = language.pop("code", None)
            if code is None:
                faults.append("<Language> needs a code")
            elif code in languages:
                faults.append(f"<Language> {code} stands there twice")
            else:
                languages[code] = language
        elif child.name != "Failover":
            warnings.append(f"<{child.name}> is no part of <ConversationRelay>")

    tts_language = values["ttsLanguage"] or values["language"]
    transcription_language = values["transcriptionLanguage"] or values["language"]
    faults += _impossible(values, tts_language, transcription_language)
    for code, language in languages.items():
        own = {name: value for name, value in values.items() if name not in ("voice", "speechModel", "hints")}
        faults += [f"<Language> {code}: {fault}" for fault in _impossible(own | language, code, code)]
    models = {code: language.get("speechModel") or values["speechModel"] for code, language in languages.items()}
    models.setdefault(transcription_language, values["speechModel"])
    return Relay(
        url=values["url"],
        dialable=dialable,
        greeting=values["welcomeGreeting"],
        greeting_interruptible=values["welcomeGreetingInterruptible"],
        tts_language=tts_language,
        transcription_language=transcription_language,
        speech_models={code: model or "" for code, model in models.items()},
        interruptible=values["interruptible"],
        sensitivity=values["interruptSensitivity"],
        report_input=values["reportInputDuringAgentSpeech"],
        dtmf_detection=values["dtmfDetection"],
        preemptible=values["preemptible"],
        partial_prompts=values["partialPrompts"],
        eot_threshold=values["eotThreshold"],
        speech_timeout=values["speechTimeout"],
        ignore_backchannel=values["ignoreBackchannel"],
        partial_prompt_on_hangup=values["partialPromptOnHangup"],
        application_reconnect=values["applicationReconnect"],
        events=values["events"] | values["debug"],
        parameters=parameters,
        faults=tuple(faults),
        warnings=tuple(warnings),
    )


def _is_socket_url(url: str, allow_ws: bool) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    return url.startswith(("wss://", "ws://") if allow_ws else "wss://") and bool(host) and not re.search(r"\s", url)


def _checked(element: Element, checks: Mapping[str, Check], faults: list[str], warnings: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, raw in element.attributes.items():
        check = checks.get(name)
        if check is None:
            warnings.append(f"<{element.name}> has no attribute {name}")
            continue
        try:
            values[name] = check(raw)
        except ValueError as bad:
            faults.append(f"{name}={raw!r} {bad}")
    return values


# --- combinations that cannot work -------------------------------------------------------------------------

_ELEVENLABS = re.compile(
    r"[A-Za-z0-9]{20}(-[a-z0-9]+(_[a-z0-9]+)*)??(-(?P<speed>\d\.\d+)_(?P<stability>\d\.\d+)_(?P<similarity>\d\.\d+))?"
)
_VOICES = {
    "ElevenLabs": _ELEVENLABS,
    "Google": re.compile(r"[a-z]{2,3}-[A-Za-z]{2,4}-[A-Za-z0-9-]+"),
    "Amazon": re.compile(r"[^\W\d_]+(-(Neural|Generative|Long-Form|Standard))?"),
}
_MODELS = {
    "Deepgram": re.compile(r"(nova|flux|enhanced|base|whisper)\b.*", re.IGNORECASE),
    "Google": re.compile(r"(telephony|long|short|chirp|latest|medical|command|phone_call|default|video)\b.*", re.I),
}


def _impossible(values: Mapping[str, Any], tts_language: str, transcription_language: str) -> list[str]:
    """What is wrong with attributes that are each right."""
    faults: list[str] = []
    tts, stt = values["ttsProvider"], values["transcriptionProvider"]
    voice, model = values.get("voice"), values.get("speechModel") or ""
    if voice:
        match = _VOICES[tts].fullmatch(voice)
        if match is None:
            faults.append(f"Invalid values ({tts}/{tts_language}/{voice}) for tts settings")
        elif tts == "ElevenLabs" and match["speed"]:
            speed, *others = (float(match[name]) for name in ("speed", "stability", "similarity"))
            if not 0.7 <= speed <= 1.2 or not all(0 <= each <= 1 for each in others):
                faults.append(f"voice {voice!r}: speed is 0.7 to 1.2, stability and similarity are 0.0 to 1.0")
    other = "Google" if stt == "Deepgram" else "Deepgram"
    if model and _MODELS[other].fullmatch(model):
        faults.append(f"speechModel {model!r} is not one of {stt}")
    if tts_language == "multi" and tts != "ElevenLabs":
        faults.append("ttsLanguage multi needs ElevenLabs")
    if transcription_language == "multi":
        if stt != "Deepgram":
            faults.append("transcriptionLanguage multi needs Deepgram")
        elif model not in ("", "nova-2-general", "nova-3-general"):
            faults.append("transcriptionLanguage multi needs nova-2-general or nova-3-general")
    eager = values.get("eagerEotThreshold")
    if eager is not None and eager >= values["eotThreshold"]:
        faults.append("eagerEotThreshold must be below eotThreshold")
    if stt == "Google" and transcription_language == "cs-CZ" and values.get("hints"):
        faults.append("hints are not supported by Google for cs-CZ")
    return faults
