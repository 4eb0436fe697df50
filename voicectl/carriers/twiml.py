"""The TwiML that voicectl answers Twilio with. The SDK writes the XML; nothing here puts strings together.

Twilio reads at most 64 kB and gives up on a document that is no XML, with the caller on the line. So whatever the
texts hold, every document parses: characters that XML cannot hold are dropped, and spoken texts are cut.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from twilio.twiml.voice_response import Connect, Dial, VoiceResponse  # type: ignore[import-untyped]

from voicectl.carriers._shapes import clean
from voicectl.carriers.attributes import (
    MAX_GREETING,
    language_attributes,
    own_parameters,
    parameters,
    relay_attributes,
)
from voicectl.carriers.numbers import e164
from voicectl.carriers.voices import say_voice
from voicectl.errors import ConfigError
from voicectl.settings import RelaySettings, VoiceSettings

MAX_TWIML = 64_000
"""Bytes; Twilio says 64 kB."""
MAX_SPOKEN = 3_000
"""Characters of one spoken text: well over three minutes, and below a third of a document if each must be escaped."""

_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")


def relay(
    *, url: str, action: str, token: str, greeting: str, relay: RelaySettings, voice: VoiceSettings, agent: str = ""
) -> str:
    """Connects the caller to our socket.

    `url` is the socket's wss:// address (ws:// on this machine only), `action` the address Twilio asks when the
    session is over, `token` the one-time secret that comes back in `setup`, as do `agent`, who answers, and
    `greeting`, which is spoken at once; leave it "" when a call is resumed, because Twilio speaks it on every socket.
    Raises ValueError when `url` is no address for a socket, ConfigError when the settings make more than 64 kB.
    """
    _check_socket(url)
    response = VoiceResponse()
    connect = Connect(action=clean(action), method="POST")
    attributes: dict[str, Any] = {"url": url, **relay_attributes(relay, voice)}
    spoken = _speakable(greeting, MAX_GREETING)
    if spoken:
        attributes["welcomeGreeting"] = spoken
    session = connect.conversation_relay(**attributes)
    for language in relay.languages:
        session.language(**language_attributes(language))
    for name, value in (*parameters(relay), *own_parameters(token, agent, spoken)):
        session.parameter(name=name, value=value)
    response.append(connect)
    return _document(response)


def say_and_hang_up(message: str, *, voice: VoiceSettings | None = None, language: str = "") -> str:
    """Says `message` and ends the call, in the configured voice where <Say> has it, else in the language's own."""
    response = VoiceResponse()
    _say(response, message, voice, language)
    response.hangup()
    return _document(response)


def hang_up() -> str:
    """Ends the call."""
    response = VoiceResponse()
    response.hangup()
    return _document(response)


def transfer(
    number: str,
    message: str = "",
    *,
    after: str = "",
    ring_seconds: int = 30,
    voice: VoiceSettings | None = None,
    language: str = "",
) -> str:
    """Puts the caller through to `number`, which must come from the settings and never from a caller or a model.

    `message` is said before. `after` is said when the other side does not answer within `ring_seconds` or hangs up
    first, so it must fit both. Raises ConfigError when `number` is not E.164.
    """
    response = VoiceResponse()
    _say(response, message, voice, language)
    dial = Dial(timeout=ring_seconds, answer_on_bridge=True)
    dial.number(e164(number))
    response.append(dial)
    _say(response, after, voice, language)
    response.hangup()
    return _document(response)


def _say(response: VoiceResponse, message: str, voice: VoiceSettings | None, language: str) -> None:
    spoken = _speakable(message)
    if spoken:
        named = {"voice": say_voice(voice) if voice else None, "language": language if language != "multi" else None}
        response.say(spoken, **{name: clean(value) for name, value in named.items() if value})


def _speakable(text: str, most: int = MAX_SPOKEN) -> str:
    """`text` on one line, cut at a blank if it is longer than anybody would listen to."""
    line = " ".join(clean(text).split())
    if len(line) <= most:
        return line
    return line[:most].rpartition(" ")[0] or line[:most]


def _check_socket(url: str) -> None:
    if not re.fullmatch(r"[!-~]+", url):
        raise ValueError("the socket's URL must be printable ASCII without blanks")
    parts = urlsplit(url)
    if not parts.hostname or not (
        parts.scheme == "wss" or (parts.scheme == "ws" and _LOOPBACK.fullmatch(parts.hostname))
    ):
        raise ValueError("the socket's URL must begin with wss://, or with ws:// on this machine")


def _document(response: VoiceResponse) -> str:
    document: str = response.to_xml()
    if len(document.encode()) > MAX_TWIML:
        raise ConfigError("the settings make more TwiML than Twilio reads (64 kB)", "run: voicectl validate-config")
    return document
