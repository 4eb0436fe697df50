"""Frames of the application: which are taken, which are answered with an error, and when it is too much."""

from __future__ import annotations

import json
from typing import Any

import pytest
from carrier_rig import Rig, knobs, opened
from hypothesis import given
from hypothesis import strategies as st

from voicectl.simulator import app_frames
from voicectl.simulator.carrier import Alert, CloseSocket, Knobs

MALFORMED: list[str | bytes] = [
    "this is not json",
    "",
    "[]",
    "null",
    '"text"',
    "{}",
    '{"type":null}',
    '{"type":7}',
    '{"type":["text"]}',
    '{"type":"say","token":"x"}',
    '{"type":"interrupt"}',
    '{"type":"clear"}',
    '{"type":"Text","token":"x"}',
    '{"type":"text","token":"x"',
    '{"type":"text","token":NaN}',
    '{"type":"play","source":"https://x.example/a","loop":Infinity}',
    "[" * 100_000,
    '{"type":"text","token":"x","n":' + "1" * 5000 + "}",
    b'{"type":"text","token":"x","last":true}',
    b"\xff\xfe",
]
INVALID: list[dict[str, Any]] = [
    {"type": "text"},
    {"type": "text", "token": None},
    {"type": "text", "token": 7},
    {"type": "text", "token": ["x"]},
    {"type": "text", "token": "x", "last": "true"},
    {"type": "text", "token": "x", "last": 1},
    {"type": "text", "token": "x", "last": None},
    {"type": "text", "token": "x", "lang": 7},
    {"type": "text", "token": "x", "interruptible": "any"},
    {"type": "text", "token": "x", "preemptible": 0},
    {"type": "play"},
    {"type": "play", "source": ""},
    {"type": "play", "source": "a.mp3"},
    {"type": "play", "source": "ftp://x.example/a.mp3"},
    {"type": "play", "source": "https:///a.mp3"},
    {"type": "play", "source": "https://[/a.mp3"},
    {"type": "play", "source": "https://x.example/a", "loop": -1},
    {"type": "play", "source": "https://x.example/a", "loop": 1.5},
    {"type": "play", "source": "https://x.example/a", "loop": True},
    {"type": "play", "source": "https://x.example/a", "loop": "2"},
    {"type": "play", "source": "https://x.example/a", "interruptible": "none"},
    {"type": "sendDigits"},
    {"type": "sendDigits", "digits": ""},
    {"type": "sendDigits", "digits": 12},
    {"type": "sendDigits", "digits": "12A"},
    {"type": "sendDigits", "digits": "1 2"},
    {"type": "sendDigits", "digits": "1W2"},
    {"type": "language"},
    {"type": "language", "language": "es-ES"},
    {"type": "language", "ttsLanguage": None},
    {"type": "language", "ttsLanguage": "es-ES", "transcriptionLanguage": 7},
    {"type": "end", "handoffData": {"reason": "x"}},
    {"type": "end", "handoffData": None},
]
VALID: list[dict[str, Any]] = [
    {"type": "text", "token": ""},
    {"type": "text", "token": "x", "last": False, "lang": "en-US", "interruptible": True, "preemptible": False},
    {"type": "text", "token": "x", "something": {"else": [1, None]}},
    {"type": "play", "source": "http://x.example/a.wav", "loop": 0, "preemptible": True, "interruptible": False},
    {"type": "sendDigits", "digits": "0123456789w#*"},
    {"type": "language", "ttsLanguage": "es-ES"},
    {"type": "language", "transcriptionLanguage": "es-ES", "voice": "x", "hints": []},
    {"type": "end"},
    {"type": "end", "handoffData": ""},
    {"type": "end", "reason": "not documented"},
    {"type": "config", "whatever": 1},
    {"type": "hints"},
]


@pytest.mark.parametrize("raw", MALFORMED, ids=lambda raw: repr(raw)[:40])
def test_malformed_frames(raw: str | bytes) -> None:
    with pytest.raises(app_frames.BadFrame) as bad:
        app_frames.read(raw)
    assert not bad.value.known


@pytest.mark.parametrize("frame", INVALID, ids=str)
def test_invalid_fields(frame: dict[str, Any]) -> None:
    with pytest.raises(app_frames.BadFrame) as bad:
        app_frames.read(json.dumps(frame))
    assert bad.value.known


@pytest.mark.parametrize("frame", VALID, ids=str)
def test_valid_frames(frame: dict[str, Any]) -> None:
    assert app_frames.read(json.dumps(frame)) == frame


@given(st.one_of(st.text(), st.binary()))
def test_no_other_exception(raw: str | bytes) -> None:
    with pytest.raises(app_frames.BadFrame):
        app_frames.read(raw)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = sorted({name for required, optional in app_frames.TYPES.values() for name in (*required, *optional)})


@given(st.sampled_from(sorted(app_frames.TYPES)), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=5))
def test_any_field_may_hold_anything(kind: str, fields: dict[str, Any]) -> None:
    try:
        frame = app_frames.read(json.dumps({"type": kind, **fields}))
    except app_frames.BadFrame as bad:
        assert bad.known
    else:
        assert frame["type"] == kind


# --- on the wire --------------------------------------------------------------------------------------------


def test_the_error_quotes_the_frame() -> None:
    rig = opened().send_raw('{"foo":1}').wait(1)
    assert rig.frames[1] == {"type": "error", "description": 'Invalid message received, code: 64107, {"foo":1}'}
    assert rig.say("Still here.").wait(5).played() == ["Still here."]


def test_a_binary_frame_is_malformed() -> None:
    rig = opened().send_raw(b'{"type":"text","token":"x","last":true}').wait(1)
    assert rig.brief == ["error"]


@pytest.mark.parametrize("seed", range(10))
def test_an_error_comes_after_90_ms(seed: int) -> None:
    rig = opened(Knobs(), seed=seed)
    sent = rig.now
    rig.send_raw("what?").wait(1)
    assert 0.085 <= rig.timed_frames[1][0] - sent <= 0.1


def test_errors_keep_their_order_and_place() -> None:
    """Reactions do not overtake each other, however their delays are drawn."""
    for seed in range(20):
        rig = opened(Knobs(), seed=seed)
        for n in range(5):
            rig.send_raw(f"bad {n}")
        rig.send(type="end").wait(1)
        assert [frame["description"][-5:] for frame in rig.frames[1:]] == [f"bad {n}" for n in range(5)]
        assert rig.brief[-1] == "close 1000"


def bad_ones(rig: Rig, count: int, raw: str = "what?") -> Rig:
    for _ in range(count):
        rig.send_raw(raw)
    return rig.wait(1)


def test_ten_in_a_row_close_the_socket() -> None:
    rig = bad_ones(opened(), 9)
    assert rig.brief == ["error"] * 9
    bad_ones(rig, 1)
    assert rig.brief == [*["error"] * 10, "close 1007"]
    assert rig.of(CloseSocket) == [CloseSocket(1007, "Too many consecutive malformed messages.")]


def test_what_comes_after_the_tenth_is_not_looked_at() -> None:
    rig = opened(Knobs())
    for _ in range(25):
        rig.send_raw("what?")
    rig.say("Hello.").wait(2)
    assert rig.brief == [*["error"] * 10, "close 1007"]


def test_a_good_frame_starts_the_count_anew() -> None:
    rig = bad_ones(opened(), 9).send(type="text", token="")
    assert bad_ones(rig, 9).brief == ["error"] * 18
    assert bad_ones(rig, 1).brief[-1] == "close 1007"


@pytest.mark.parametrize(("counts", "last"), [(True, "close 1007"), (False, "error")])
def test_whether_a_bad_field_counts(counts: bool, last: str) -> None:
    rig = bad_ones(opened(knobs(count_validation_failures=counts)), 12, '{"type":"text"}')
    assert rig.brief[-1] == last
    assert rig.brief.count("error") == (10 if counts else 12)
    if not counts:  # and does not start the count anew either
        assert bad_ones(bad_ones(bad_ones(rig, 5), 1, '{"type":"text"}'), 5).brief[-1] == "close 1007"


def test_the_socket_may_go_before_the_close() -> None:
    rig = opened(Knobs())
    for _ in range(10):
        rig.send_raw("what?")
    rig.close(1006).finish()
    assert rig.of(CloseSocket) == []
    assert rig.fetched("action")[0].form["ErrorCode"] == "64105"
    rig = opened(Knobs()).send(type="end", handoffData="x").close(1000).finish()
    assert rig.of(CloseSocket) == []
    assert rig.fetched("action")[0].form["SessionStatus"] == "ended"


def test_after_end_nothing_is_listened_to() -> None:
    rig = opened(Knobs()).send(type="end", handoffData="first").say("More.").send_raw("what?")
    rig.send(type="end", handoffData="second").wait(3)
    assert rig.brief == ["close 1000"]
    assert rig.fetched("action")[0].form["HandoffData"] == "first"


def test_the_close_of_end() -> None:
    rig = opened().send(type="end").wait(1)
    assert rig.of(CloseSocket) == [CloseSocket(1000, "Closing websocket session")]


@pytest.mark.parametrize("kind", ["config", "hints"])
@pytest.mark.parametrize(("events", "told"), [("config-updated", True), ("", False)])
def test_frames_of_unknown_schema(kind: str, events: str, told: bool) -> None:
    rig = opened(events=events).send(type=kind, interruptible="none").wait(1)
    assert rig.brief == ([f"configUpdated {kind}"] if told else [])
    assert kind in rig.of(Alert)[-1].text
