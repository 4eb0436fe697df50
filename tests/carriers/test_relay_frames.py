from __future__ import annotations

import json
import random

import pytest
from relay_recordings import PRESENT, WHY_SKIPPED, lines

from voicectl.carriers import _relay
from voicectl.carriers._relay import BadFrame, Dtmf, Error, Info, Interrupt, Prompt, Setup, Unknown, decode, to_event
from voicectl.conversation.events import (
    AgentSpeaking,
    CallerInterrupted,
    CallerSpeaking,
    CallerSpoke,
    KeyPressed,
    WordsPlayed,
)

SETUP = {
    "type": "setup",
    "sessionId": "VX1",
    "callSid": "CA1",
    "accountSid": "AC1",
    "from": "+14155550100",
    "to": "+14155550101",
}
recorded = pytest.mark.skipif(not PRESENT, reason=WHY_SKIPPED)


def frame(**fields: object) -> str:
    return json.dumps(fields)


# --- in ----------------------------------------------------------------------------------------------------


@recorded
def test_every_recorded_frame_decodes_to_what_it_says() -> None:
    taken = lines("in")
    assert len(taken) > 200
    for line in taken:
        raw = line["frame"]
        got = decode(json.dumps(raw))
        match got:
            case Setup():
                assert raw == {
                    "type": "setup",
                    "sessionId": got.session_id,
                    "callSid": got.call_sid,
                    "parentCallSid": got.parent_call_sid,
                    "accountSid": got.account_sid,
                    "from": got.caller,
                    "to": got.called,
                    "forwardedFrom": got.forwarded_from,
                    "callerName": got.caller_name,
                    "direction": got.direction,
                    "callType": got.call_type,
                    "callStatus": got.call_status,
                    "customParameters": got.custom_parameters,
                }
                assert got.in_progress == (raw["callStatus"] == "IN_PROGRESS")
            case Prompt(text, lang, last):
                assert raw == {"type": "prompt", "voicePrompt": text, "lang": lang, "last": last}
            case Dtmf(digit):
                assert raw == {"type": "dtmf", "digit": digit}
            case Interrupt(heard, after_ms):
                assert raw == {
                    "type": "interrupt",
                    "utteranceUntilInterrupt": heard,
                    "durationUntilInterruptMs": after_ms,
                }
            case Info(name, value):
                assert raw == {"type": "info", "name": name, "value": value}
            case Error(description):
                assert raw == {"type": "error", "description": description}
                assert got.code == 64107
            case _:
                pytest.fail(f"{raw['type']}: {got}")


def test_what_is_not_known_is_tolerated() -> None:
    assert decode(frame(type="dtmf", digit="1", surprise={"a": [1, 2]})) == Dtmf("1")
    assert decode(frame(type="eagerEndOfTurn", text="x")) == Unknown("eagerEndOfTurn")
    assert decode(frame(type="two words", text="x")) == Unknown("?")
    assert decode(frame(type="info", name="somethingNew", value="7")) == Info("somethingNew", "7")
    assert decode(frame(type="info", name="configUpdated", value={"a": 1})) == Info("configUpdated", '{"a":1}')
    assert decode(frame(type="info", name="somethingNew")) == Info("somethingNew", "")
    assert decode(b'{"digit":"1","type":"dtmf"}') == Dtmf("1")


def test_setup_of_a_look_alike() -> None:
    """Telnyx: fewer keys, longer ids, lower case."""
    got = decode(frame(**{**SETUP, "callSid": "v2:" + "x" * 70, "callStatus": "active", "callLegId": "1"}))
    assert isinstance(got, Setup)
    assert got.call_sid == "v2:" + "x" * 70
    assert not got.in_progress
    for status in ("IN_PROGRESS", "in-progress", "In_Progress"):
        again = decode(frame(**{**SETUP, "callStatus": status}))
        assert isinstance(again, Setup) and again.in_progress


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "not JSON"),
        ("this is not json #1", "not JSON"),
        ("[]", "not an object"),
        ("7", "not an object"),
        ("{}", "no type"),
        ('{"type":7}', "no type"),
        ('{"type":"prompt","last":true}', "prompt: bad voicePrompt"),
        ('{"type":"prompt","voicePrompt":"4111","last":"true"}', "prompt: bad last"),
        ('{"type":"prompt","voicePrompt":null,"last":true}', "prompt: bad voicePrompt"),
        ('{"type":"prompt","voicePrompt":"x","last":true,"lang":"en US"}', "prompt: bad lang"),
        ('{"type":"dtmf","digit":"12"}', "dtmf: bad digit"),
        ('{"type":"dtmf","digit":"\\u0661"}', "dtmf: bad digit"),
        ('{"type":"info","name":"agentSpeaking","value":"maybe"}', "info: bad value"),
        ('{"type":"info","name":"tokensPlayed","value":7}', "info: bad value"),
        (
            '{"type":"interrupt","utteranceUntilInterrupt":"x","durationUntilInterruptMs":"-1"}',
            "interrupt: bad durationUntilInterruptMs",
        ),
        (
            '{"type":"interrupt","utteranceUntilInterrupt":"x","durationUntilInterruptMs":' + "9" * 5000 + "}",
            "interrupt: bad durationUntilInterruptMs",
        ),
        (json.dumps({**SETUP, "callSid": "CA 1"}), "setup: bad callSid"),
        (json.dumps({**SETUP, "callSid": "C" * 129}), "setup: bad callSid"),
        (json.dumps({**SETUP, "from": "x\n"}), "setup: bad from"),
        (json.dumps({**SETUP, "customParameters": {"a": 1}}), "setup: bad customParameters"),
        ('{"type":"info","name":"a","value":NaN}', "not JSON"),
        ('{"type":"dtmf","digit":"1","x":' + "[" * 30_000, "nested too deeply"),
        ('{"type":"prompt","voicePrompt":"\\ud800","last":true}', "not JSON"),
        ('{"type":"prompt","voicePrompt":"\ud800","last":true}', "not Unicode text"),
        (b'{"type":"prompt","voicePrompt":"\xff","last":true}', "not Unicode text"),
        ('{"type":"dtmf","digit":"1","type":"prompt"}', "prompt: bad field"),
    ],
)
def test_bad_frames_say_why_and_nothing_else(raw: str | bytes, why: str) -> None:
    size = len(raw.encode("utf-8", "surrogatepass")) if isinstance(raw, str) and "\ud800" not in raw else len(raw)
    assert decode(raw) == BadFrame(why, size)


def test_a_frame_may_have_64_kib_and_no_more() -> None:
    empty = len(frame(type="prompt", voicePrompt="", last=True))
    most = _relay.MAX_FRAME - empty
    assert decode(frame(type="prompt", voicePrompt="x" * most, last=True)) == Prompt("x" * most, "", True)
    assert decode(frame(type="prompt", voicePrompt="x" * (most + 1), last=True)) == BadFrame("too long", 65_537)
    wide = '{"type":"prompt","voicePrompt":"' + "é" * 33_000 + '","last":true}'
    assert decode(wide) == BadFrame("too long", len(wide.encode()))


def test_strings_lose_nul() -> None:
    assert decode(r'{"type":"prompt","voicePrompt":"a\u0000b","last":true}') == Prompt("ab", "", True)
    assert decode(r'{"type":"info","name":"tokensPlayed","value":"\u0000"}') == Info("tokensPlayed", "")
    got = decode(frame(**{**SETUP, "callerName": "A\0", "customParameters": {"k\0": "\0v"}}))
    assert isinstance(got, Setup)
    assert (got.caller_name, got.custom_parameters) == ("A", {"k": "v"})


def test_duration_may_be_a_number_as_text() -> None:
    raw = '{"type":"interrupt","utteranceUntilInterrupt":"We are","durationUntilInterruptMs":"%s"}'
    assert decode(raw % "684") == Interrupt("We are", 684)
    for wrong in ("", "-1", " 684", "6_8", "1e3", "٦", "9" * 10, "9" * 5000):
        got = decode(raw % wrong)
        assert isinstance(got, BadFrame) and got.why == "interrupt: bad durationUntilInterruptMs"


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ('Invalid message received, code: 64107, {"foo":1}', 64107),
        ("Invalid message: unknown type: foo", None),
        ('Invalid message received, {"type":"text","token":"code: 12345"}', None),
        ("x" * 10_000 + "code: 64107", None),
    ],
)
def test_the_code_of_an_error_is_in_its_text(description: str, code: int | None) -> None:
    got = decode(frame(type="error", description=description))
    assert isinstance(got, Error)
    assert got.code == code


def test_what_frames_mean_to_the_conversation() -> None:
    meaning = {
        frame(type="prompt", voicePrompt="Hold", lang="en", last=False): CallerSpoke(2.5, "Hold", False, "en"),
        frame(type="prompt", voicePrompt="Hold.", lang="en", last=True): CallerSpoke(2.5, "Hold.", True, "en"),
        frame(type="dtmf", digit="#"): KeyPressed(2.5, "#"),
        frame(type="dtmf", digit="A"): None,
        frame(type="interrupt", utteranceUntilInterrupt="We", durationUntilInterruptMs=9): CallerInterrupted(
            2.5, "We", 9
        ),
        frame(type="info", name="agentSpeaking", value="on"): AgentSpeaking(2.5, True),
        frame(type="info", name="agentSpeaking", value="off"): AgentSpeaking(2.5, False),
        frame(type="info", name="clientSpeaking", value="on"): CallerSpeaking(2.5, True),
        frame(type="info", name="clientSpeaking", value="off"): CallerSpeaking(2.5, False),
        frame(type="info", name="tokensPlayed", value=" on"): WordsPlayed(2.5, " on"),
        frame(type="info", name="roundTripDelayMs", value="148"): None,
        frame(type="info", name="configUpdated", value={}): None,
        frame(type="error", description="x"): None,
        frame(type="other"): None,
        frame(**SETUP): None,
        "?": None,
    }
    for raw, event in meaning.items():
        assert to_event(decode(raw), 2.5) == event, raw


# --- out ---------------------------------------------------------------------------------------------------


@recorded
def test_what_we_send_is_what_was_sent_in_recorded_calls() -> None:
    kinds = set()
    for line in lines("out"):
        if "raw" in line:
            continue
        sent = line["frame"]
        kinds.add(sent["type"])
        match sent["type"]:
            case "text":
                flags = {name: sent[name] for name in ("preemptible", "interruptible", "lang") if name in sent}
                made = _relay.text(sent["token"], last=sent["last"], **flags)
            case "sendDigits":
                made = _relay.send_digits(sent["digits"])
            case _:
                made = _relay.end(sent["handoffData"])
        assert json.loads(made) == sent
    assert kinds == {"text", "sendDigits", "end"}


def test_every_field_can_be_sent() -> None:
    assert json.loads(_relay.text("One, ", last=False)) == {"type": "text", "token": "One, ", "last": False}
    assert json.loads(_relay.text("", last=True, lang="es-ES", interruptible=False, preemptible=True)) == {
        "type": "text",
        "token": "",
        "last": True,
        "lang": "es-ES",
        "interruptible": False,
        "preemptible": True,
    }
    assert json.loads(_relay.text("", last=True, interruptible=True, preemptible=False)) == {
        "type": "text",
        "token": "",
        "last": True,
        "interruptible": True,
        "preemptible": False,
    }
    assert json.loads(_relay.play("https://cdn.example/a.mp3", loop=0, interruptible=False, preemptible=True)) == {
        "type": "play",
        "source": "https://cdn.example/a.mp3",
        "loop": 0,
        "preemptible": True,
        "interruptible": False,
    }
    assert json.loads(_relay.language(tts="es-ES", transcription="multi")) == {
        "type": "language",
        "ttsLanguage": "es-ES",
        "transcriptionLanguage": "multi",
    }
    assert json.loads(_relay.language(transcription="de")) == {"type": "language", "transcriptionLanguage": "de"}
    assert json.loads(_relay.end()) == {"type": "end"}
    assert json.loads(_relay.end("person")) == {"type": "end", "handoffData": "person"}


def test_misuse_raises() -> None:
    wrong = [
        lambda: _relay.text("x", last=True, lang="en US"),
        lambda: _relay.text("x", last=True, lang='en","x":"'),
        lambda: _relay.play(""),
        lambda: _relay.play("ftp://cdn.example/a.mp3"),
        lambda: _relay.play("https://cdn.example/a b.mp3"),
        lambda: _relay.play("https://cdn.example/a.mp3", loop=-1),
        lambda: _relay.play("https://cdn.example/a.mp3", loop=1001),
        lambda: _relay.play("https://cdn.example/a.mp3", loop=True),
        lambda: _relay.send_digits(""),
        lambda: _relay.send_digits("12W"),
        lambda: _relay.send_digits("١"),
        lambda: _relay.language(),
        lambda: _relay.language(tts="english please"),
        lambda: _relay.end(""),
        lambda: _relay.end("Two words"),
        lambda: _relay.end("[1]"),
        lambda: _relay.end('{"a":"\ud800"}'),
        lambda: _relay.end('{"a":' + "[" * 3000 + "]" * 3000 + "}"),
        lambda: _relay.end(json.dumps({"a": "x" * 5000})),
    ]
    for each in wrong:
        with pytest.raises(ValueError):
            each()


def test_any_text_makes_a_frame_that_twilio_can_read() -> None:
    dice = random.Random(20)
    alphabet = [
        *map(chr, range(0x20)),
        '"',
        "\\",
        "/",
        "\x7f",
        "\x85",
        "\ud800",
        "\udfff",
        "\ufffe",
        "\uffff",
        "\u2028",
    ]
    alphabet += ["a", " ", "é", "你", "\U0001f600", "\U0001f468\u200d\U0001f469", "</Say>", "&"]
    for _ in range(20_000):
        token = "".join(dice.choices(alphabet, k=dice.randrange(12)))
        raw = _relay.text(token, last=dice.random() < 0.5)
        raw.encode()  # can be sent
        kept = "".join(c for c in token if c in "\t\n\r" or (c >= " " and not "\x7f" <= c <= "\x9f"))
        kept = "".join(c for c in kept if not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
        assert json.loads(raw)["token"] == kept
