"""The ConversationRelay frames: decoded and encoded here and nowhere else.

ConversationRelay speaks JSON text, one object per frame, told apart by `type`. Three kinds of surprise are kept apart:

- **Unknown** is no fault. Twilio adds frame types, info names and keys; an unknown key is ignored, an unknown type
  is `Unknown`, an unknown info name is an `Info` like any other. The reader counts them and goes on.
- **Bad** is a frame that breaks the protocol as documented: not JSON, a known type with a field missing or of another
  shape, text that is no Unicode, more than 64 KiB. It becomes a `BadFrame`, whose `why` is made of fixed words and
  the protocol's own names only, so it can be logged. A few of them are survived; the reader decides when enough is.
- **Hostile** is what a JSON parser chokes on: nesting, numbers of 5,000 digits, lone surrogates. `decode` never
  raises: all of these are bad frames like any other.

Wire structs below carry Twilio's names; the public ones carry ours. Strings lose NUL on the way in, which the
databases behind us cannot hold. msgspec does the parsing: on recorded frames it takes a sixth of pydantic's time
and creates nothing the garbage collector has to look at.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from voicectl.carriers._shapes import clean, is_handoff, is_language
from voicectl.conversation.events import (
    AgentSpeaking,
    CallerInterrupted,
    CallerSpeaking,
    CallerSpoke,
    Event,
    KeyPressed,
    WordsPlayed,
)

MAX_FRAME = 64 * 1024
"""Bytes. ConversationRelay publishes no limit; the largest recorded frame has 400."""

# --- what comes in -----------------------------------------------------------------------------------------


class Setup(Struct, frozen=True, kw_only=True):
    """First frame of every socket. ConversationRelay sends "" for what it does not know."""

    session_id: str
    call_sid: str
    """The same over all sockets of a call. "CA…" from Twilio, other shapes from its look-alikes."""
    account_sid: str
    caller: str
    called: str
    parent_call_sid: str = ""
    forwarded_from: str = ""
    caller_name: str = ""
    direction: str = ""
    """"inbound", "outbound-api"."""
    call_type: str = ""
    call_status: str = ""
    """As sent, "RINGING" or "IN_PROGRESS"; use `in_progress` to compare."""
    custom_parameters: dict[str, str] = {}

    @property
    def in_progress(self) -> bool:
        """The call was answered before this socket opened: an outbound call, or one that had a socket before."""
        return self.call_status.casefold().replace("_", "-") == "in-progress"


class Prompt(Struct, frozen=True, gc=False):
    """What the caller said. `last=False` is a partial: the utterance so far, still to be revised."""

    text: str
    lang: str
    """"en-US", or only "en" with flux and multi: compare the primary subtag."""
    last: bool


class Dtmf(Struct, frozen=True, gc=False):
    """One key: 0-9, *, #, and A-D from the rare telephone that has them."""

    digit: str


class Interrupt(Struct, frozen=True, gc=False):
    """The caller cut the agent off. `heard` and `after_ms` are about the chunk that was playing only."""

    heard: str
    after_ms: int


class Error(Struct, frozen=True, gc=False):
    """Twilio refused a frame of ours, or its configuration. Not for logs: `description` quotes the frame."""

    description: str

    @property
    def code(self) -> int | None:
        """Twilio's error code, e.g. 64107, where the description names one."""
        found = _ERROR_CODE.match(self.description)
        return int(found[1]) if found else None


class Info(Struct, frozen=True, gc=False):
    """A subscribed event. `value` of a name we do not know may be JSON text. A `name` of odd characters is "?"."""

    name: str
    value: str


class Unknown(Struct, frozen=True, gc=False):
    """A frame type we do not know; "?" stands for one of odd characters."""

    type: str


class BadFrame(Struct, frozen=True, gc=False):
    """Not a frame. `why` holds none of its content; `size` is in bytes."""

    why: str
    size: int


Frame = Setup | Prompt | Dtmf | Interrupt | Error | Info | Unknown | BadFrame


class _SetupWire(Struct, tag="setup"):
    sessionId: str
    callSid: str
    accountSid: str
    from_: str = msgspec.field(name="from")
    to: str
    parentCallSid: str = ""
    forwardedFrom: str = ""
    callerName: str = ""
    direction: str = ""
    callType: str = ""
    callStatus: str = ""
    customParameters: dict[str, str] = {}


class _PromptWire(Struct, tag="prompt", gc=False):
    voicePrompt: str
    last: bool
    lang: str = ""


class _DtmfWire(Struct, tag="dtmf", gc=False):
    digit: str


class _InterruptWire(Struct, tag="interrupt", gc=False):
    utteranceUntilInterrupt: str
    durationUntilInterruptMs: int | str


class _ErrorWire(Struct, tag="error", gc=False):
    description: str


class _InfoWire(Struct, tag="info"):
    name: str
    value: Any = ""


class _Tag(Struct):
    type: str


_Wire = _SetupWire | _PromptWire | _DtmfWire | _InterruptWire | _ErrorWire | _InfoWire
_WIRES: dict[str, type[Struct]] = {
    "setup": _SetupWire,
    "prompt": _PromptWire,
    "dtmf": _DtmfWire,
    "interrupt": _InterruptWire,
    "error": _ErrorWire,
    "info": _InfoWire,
}

_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_tag = msgspec.json.Decoder(_Tag).decode

_ID = re.compile(r"[!-~]{1,128}")  # one printable word
_PARTY = re.compile(r"[^\x00-\x1f\x7f]{0,512}")  # a number, client:..., sip:..., or nothing
_LANG = re.compile(r"[A-Za-z0-9-]{0,35}")
_KEY = re.compile(r"[0-9*#A-D]")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_ON_OFF = ("on", "off")
_LONGEST_MS = 10**9
# ConversationRelay puts the code ahead of the refused frame, which may hold anything, a code included.
_ERROR_CODE = re.compile(r"[^{]{0,200}?\bcode: ?([0-9]{5})\b")
_BAD_FIELD = re.compile(r"(?:field `|`\$\.)([A-Za-z]{1,40})")


class _Refused(ValueError):
    """A field is well-typed but of the wrong shape; the message is its wire name."""


def decode(raw: str | bytes) -> Frame:
    """The frame in one WebSocket message; bytes are its UTF-8. Never raises."""
    size = len(raw)
    try:
        data = raw.encode() if isinstance(raw, str) else raw
        size = len(data)
        if size > MAX_FRAME:
            return BadFrame("too long", size)
        return _translate(_decode_wire(data))
    except UnicodeError:
        return BadFrame("not Unicode text", size)
    except RecursionError:
        return BadFrame("nested too deeply", size)
    except (msgspec.ValidationError, _Refused) as bad:
        return _diagnose(data, str(bad), size)
    except ValueError:
        return BadFrame("not JSON", size)


def _translate(wire: _Wire) -> Frame:
    """Our frame for theirs, most frequent first."""
    if isinstance(wire, _InfoWire):
        name, value = wire.name, wire.value
        if name in ("agentSpeaking", "clientSpeaking"):
            _require(value in _ON_OFF, "value")
            return Info(name, value)
        if name == "tokensPlayed":
            _require(isinstance(value, str), "value")
            return Info(name, _without_nul(value))
        if not isinstance(value, str):
            value = msgspec.json.encode(value).decode()
        return Info(_label(name), _without_nul(value))
    if isinstance(wire, _PromptWire):
        _require(_LANG.fullmatch(wire.lang), "lang")
        return Prompt(_without_nul(wire.voicePrompt), wire.lang, wire.last)
    if isinstance(wire, _DtmfWire):
        _require(_KEY.fullmatch(wire.digit), "digit")
        return Dtmf(wire.digit)
    if isinstance(wire, _InterruptWire):
        after = wire.durationUntilInterruptMs
        if isinstance(after, str):
            _require(_NUMBER.fullmatch(after), "durationUntilInterruptMs")
            after = int(after)
        _require(0 <= after < _LONGEST_MS, "durationUntilInterruptMs")
        return Interrupt(_without_nul(wire.utteranceUntilInterrupt), after)
    if isinstance(wire, _ErrorWire):
        return Error(_without_nul(wire.description))
    for name in ("sessionId", "callSid", "accountSid"):
        _require(_ID.fullmatch(getattr(wire, name)), name)
    for name in ("from_", "to"):
        _require(_PARTY.fullmatch(getattr(wire, name)), name.rstrip("_"))
    return Setup(
        session_id=wire.sessionId,
        call_sid=wire.callSid,
        account_sid=wire.accountSid,
        caller=wire.from_,
        called=wire.to,
        parent_call_sid=_without_nul(wire.parentCallSid),
        forwarded_from=_without_nul(wire.forwardedFrom),
        caller_name=_without_nul(wire.callerName),
        direction=_without_nul(wire.direction),
        call_type=_without_nul(wire.callType),
        call_status=_without_nul(wire.callStatus),
        custom_parameters={_without_nul(k): _without_nul(v) for k, v in wire.customParameters.items()},
    )


def _require(met: object, field: str) -> None:
    if not met:
        raise _Refused(f"field `{field}`")


def _without_nul(text: str) -> str:
    return text.replace("\0", "") if "\0" in text else text


def _label(name: str) -> str:
    return name if _LABEL.fullmatch(name) else "?"


def _diagnose(data: bytes, complaint: str, size: int) -> Frame:
    """Why JSON is not one of our frames. Only here is a frame read twice."""
    try:
        kind = _decode_tag(data).type
    except msgspec.ValidationError as bad:
        return BadFrame("not an object" if str(bad).startswith("Expected `object`") else "no type", size)
    except RecursionError:
        return BadFrame("nested too deeply", size)
    except ValueError:
        return BadFrame("not JSON", size)
    wire = _WIRES.get(kind)
    if wire is None:
        return Unknown(_label(kind))
    # msgspec names the field in its message, next to words that may come from the frame: keep only a name we know.
    found = _BAD_FIELD.search(complaint)
    known = found is not None and found[1] in wire.__struct_encode_fields__
    return BadFrame(f"{kind}: bad {found[1]}" if found and known else f"{kind}: bad field", size)


def to_event(frame: Frame, at: float) -> Event | None:
    """What the frame means to the conversation, `at` seconds into the call; None if nothing."""
    match frame:
        case Info("agentSpeaking", value):
            return AgentSpeaking(at, value == "on")
        case Info("tokensPlayed", value):
            return WordsPlayed(at, value)
        case Info("clientSpeaking", value):
            return CallerSpeaking(at, value == "on")
        case Prompt(text, lang, last):
            return CallerSpoke(at, text, last, lang)
        case Interrupt(heard, after_ms):
            return CallerInterrupted(at, heard, after_ms)
        case Dtmf(digit) if digit not in "ABCD":
            return KeyPressed(at, digit)
    return None


# --- what goes out -----------------------------------------------------------------------------------------

_encode = msgspec.json.Encoder().encode
_TEXT_HEAD = '{"type":"text","token":'
_KEYS = re.compile(r"[0-9w#*]+")
_SOURCE = re.compile(r"https?://[!-~]+")
_MOST_LOOPS = 1000


def text(
    token: str,
    *,
    last: bool,
    lang: str | None = None,
    interruptible: bool | None = None,
    preemptible: bool | None = None,
) -> str:
    """Words to be spoken. `token` may be any text, also ""; its spacing is kept. `last` closes the talk cycle.

    None leaves what the TwiML says. `interruptible` is a boolean here, where True means any and False none;
    `preemptible` marks these very words as the ones that later words may cut off. Raises ValueError for a `lang`
    that is no language.
    """
    if not token.isprintable():
        token = clean(token)
    tail = ',"last":true' if last else ',"last":false'
    if lang is not None:
        tail += f',"lang":"{_language(lang)}"'
    if interruptible is not None:
        tail += ',"interruptible":true' if interruptible else ',"interruptible":false'
    if preemptible is not None:
        tail += ',"preemptible":true' if preemptible else ',"preemptible":false'
    return f"{_TEXT_HEAD}{_encode(token).decode()}{tail}}}"


def play(source: str, *, loop: int = 1, interruptible: bool | None = None, preemptible: bool = False) -> str:
    """Audio to be fetched from the URL `source` and played `loop` times; 0 means 1000 times.

    Raises ValueError when `source` is no http(s) URL or `loop` is not within 0 and 1000.
    """
    if not _SOURCE.fullmatch(source):
        raise ValueError("play: source must be an http or https URL without blanks")
    if isinstance(loop, bool) or not 0 <= loop <= _MOST_LOOPS:
        raise ValueError(f"play: loop must be a number from 0 to {_MOST_LOOPS}")
    frame: dict[str, object] = {"type": "play", "source": source, "loop": loop, "preemptible": preemptible}
    if interruptible is not None:
        frame["interruptible"] = interruptible
    return _encode(frame).decode()


def send_digits(digits: str) -> str:
    """Keys to be pressed: 0-9, *, # and w, which waits half a second. Raises ValueError for anything else."""
    if not _KEYS.fullmatch(digits):
        raise ValueError("send_digits: digits must be one or more of 0-9 w # *")
    return _encode({"type": "sendDigits", "digits": digits}).decode()


def language(*, tts: str | None = None, transcription: str | None = None) -> str:
    """The language spoken and heard from now on; what is queued keeps its own.

    Raises ValueError when neither is given or one is no language.
    """
    frame = {"type": "language"}
    if tts is not None:
        frame["ttsLanguage"] = _language(tts)
    if transcription is not None:
        frame["transcriptionLanguage"] = _language(transcription)
    if len(frame) == 1:
        raise ValueError("language: give tts, transcription or both")
    return _encode(frame).decode()


def end(handoff: str | None = None) -> str:
    """Ends the session at once; Twilio then asks our action URL, with `handoff` as HandoffData.

    Whether queued words are still spoken is undocumented: wait until they have been played. `handoff` is a JSON
    object as text, or one lower-case word: nothing else comes back through `signature.SignatureCheck`. Raises
    ValueError otherwise.
    """
    frame = {"type": "end"}
    if handoff is not None:
        if not is_handoff(handoff):
            raise ValueError("end: handoff must be a JSON object as text, or one lower-case word")
        frame["handoffData"] = handoff
    return _encode(frame).decode()


def _language(code: str) -> str:
    if not is_language(code):
        raise ValueError("a language must be a BCP-47 tag such as en-US, or multi")
    return code
