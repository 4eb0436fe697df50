"""Anything may happen to a call at any time: it never raises, keeps its promises, and comes to an end."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

from carrier_rig import Rig, connect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicectl.simulator.carrier import CloseSocket, DropSocket, Fetch, Knobs, OpenSocket, SendFrame

EXAMPLES = 5_000 if os.environ.get("VOICECTL_TEST_PROFILE") == "long" else 250

WORDS = ["one", "two.", "three,", "so", "and", "four", "five!", "six:", "seven", "", " "]
tokens = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
flags = st.fixed_dictionaries(
    {}, optional={"interruptible": st.booleans(), "preemptible": st.booleans(), "last": st.booleans()}
)
media = st.fixed_dictionaries(
    {"type": st.just("play"), "source": st.just("https://x.example/a")},
    optional={"loop": st.integers(0, 2), "preemptible": st.booleans(), "interruptible": st.booleans()},
)
frames = st.one_of(
    st.builds(lambda token, more: {"type": "text", "token": token, **more}, tokens, flags),
    st.builds(lambda token, more: {"type": "text", "token": token, **more}, tokens, flags),
    media,
    st.builds(lambda digits: {"type": "sendDigits", "digits": digits}, st.text("0123w#*", min_size=1, max_size=4)),
    st.sampled_from(
        [
            {"type": "language", "ttsLanguage": "de-DE"},
            {"type": "language", "transcriptionLanguage": "?"},
            {"type": "end", "handoffData": "x"},
            {"type": "config"},
            {"type": "text"},
            {"type": "nonsense"},
        ]
    ),
)
utterances = st.fixed_dictionaries(
    {"text": tokens},
    optional={
        "seconds": st.floats(0, 5),
        "finals": st.lists(tokens, max_size=3),
        "partials": st.lists(st.tuples(st.floats(0, 5), tokens), max_size=4),
        "vad": st.floats(0, 2),
        "final_after": st.floats(0, 3),
        "lang": st.sampled_from(["es-ES", "en"]),
    },
)
steps = st.one_of(
    st.tuples(st.just("send"), frames),
    st.tuples(st.just("send"), frames),
    st.tuples(st.just("send_raw"), st.one_of(st.text(max_size=3), st.binary(max_size=3))),
    st.tuples(st.just("speak"), utterances),
    st.tuples(st.just("press"), st.text("0123456789*#w", max_size=4)),
    st.tuples(st.just("wait"), st.floats(0, 4)),
    st.tuples(st.just("wait"), st.floats(0, 4)),
    st.tuples(st.sampled_from(["close", "drop", "hang_up", "refuse", "open", "answer", "fail"]), st.none()),
)
choices: dict[str, list[Any]] = {
    field.name: [True, False] for field in dataclasses.fields(Knobs) if isinstance(field.default, bool)
} | {
    "flush_idle_ms": [None, 500.0],
    "late_tokens_same_cycle": ["spoken", "dropped"],
    "dial_status": ["completed", "busy"],
    "drop_after_frames": [None, 3, 10],
    "pace": [1.0, 1.0, 0.0],
    "max_call_seconds": [14400.0, 60.0],
    "reconnect_attempts": [1, 3],
}
all_knobs = st.fixed_dictionaries({}, optional={name: st.sampled_from(each) for name, each in choices.items()}).map(
    lambda given: Knobs(**given)
)
relays = st.fixed_dictionaries(
    {},
    optional={
        "welcomeGreeting": st.just("Hello there. How are you?"),
        "interruptible": st.sampled_from(["none", "dtmf", "speech", "any"]),
        "reportInputDuringAgentSpeech": st.sampled_from(["none", "any"]),
        "preemptible": st.sampled_from(["true", "false"]),
        "ignoreBackchannel": st.just("true"),
        "partialPromptOnHangup": st.just("true"),
        "applicationReconnect": st.just("true"),
        "speechModel": st.just("nova-3-general"),
        "speechTimeout": st.just("700"),
        "eotThreshold": st.sampled_from(["0.5", "7"]),
        "action": st.none(),
    },
).map(lambda given: connect(**given))
documents = st.one_of(
    relays,
    relays,
    st.sampled_from(
        ["<Response><Say>Hm.</Say><Dial action='/d'>+1</Dial></Response>", "<Response><Reject/></Response>", "?"]
    ),
)
plays = st.fixed_dictionaries(
    {
        "twiml": relays,
        "after": st.lists(documents, max_size=3),
        "knobs": all_knobs,
        "seed": st.integers(0, 1000),
        "sockets": st.booleans(),
        "fetches": st.booleans(),
        "fallback_url": st.sampled_from([None, "https://voice.example.com/fallback"]),
        "direction": st.sampled_from(["inbound", "outbound-api"]),
    }
)


def act(rig: Rig, what: str, how: Any) -> None:
    """One step; what has no place at the moment is tried all the same."""
    call, now = rig.call, rig.now
    if what == "send":
        rig.send(**how)
    elif what == "speak":
        rig.speak(**how)
    elif what == "refuse":
        rig.take(call.socket_refused(503, now))
    elif what == "open":
        rig.take(call.socket_opened(now))
    elif what in ("answer", "fail"):
        for fetch in rig.of(Fetch)[-2:]:
            body = rig.answer(fetch)
            answer = call.answered(fetch.id, 200, "text/xml", body, now) if what == "answer" else None
            rig.take(call.fetch_failed(fetch.id, "no route", now) if answer is None else answer)
    elif how is None:
        getattr(rig, what)()
    else:
        getattr(rig, what)(how)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plays, st.lists(steps, max_size=40))
def test_any_call(play: dict[str, Any], script: list[tuple[str, Any]]) -> None:
    logs = []
    for _ in range(2):
        rig = Rig(**play)
        for what, how in script:
            act(rig, what, how)
            if rig.over:
                break
        if not rig.over:
            rig.fetches = True
            rig.hang_up().finish()
        logs.append(rig.log)
    assert logs[0] == logs[1]
    check(rig, play["knobs"])


def check(rig: Rig, knobs: Knobs) -> None:
    """What holds of every call, whatever happened."""
    assert rig.call.due is None and not rig.call.agent_speaking and not rig.call.caller_speaking
    connected = False
    frames: list[list[dict[str, Any]]] = []
    for _, action in rig.log:
        if isinstance(action, OpenSocket):
            assert not connected
            frames.append([])
        elif isinstance(action, (CloseSocket, DropSocket)):
            connected = False
        elif isinstance(action, SendFrame):
            frame = json.loads(action.text)
            assert frames
            frames[-1].append(frame)
            assert len(frames[-1]) > 1 or frame["type"] == "setup" or not knobs.reconnect_new_setup
    for sent in frames:
        assert sum(frame["type"] == "setup" for frame in sent) <= 1
        assert all(None not in frame.values() for frame in sent)
    reconnected = any("applicationReconnect" in document for document in (rig.twiml, *rig.after))
    if not reconnected:
        for sent in frames:
            check_order(sent, knobs)


def check_order(sent: list[dict[str, Any]], knobs: Knobs) -> None:
    """`on`, then tokens, then `off`; nothing interrupted in silence."""
    agent = caller = False
    greeting_told = not knobs.greeting_on_missing
    for frame in sent:
        name, value = frame.get("name"), frame.get("value")
        if name == "agentSpeaking":
            assert agent is (value == "off") or not greeting_told
            greeting_told = greeting_told or value == "off"
            agent = value == "on"
        elif name == "clientSpeaking":
            assert caller is (value == "off")
            caller = value == "on"
        elif name == "tokensPlayed" and not set(value) <= set("0123456789w#*"):  # digits are no speech
            assert agent or not greeting_told
        elif frame["type"] == "interrupt":
            assert agent or not greeting_told
            assert frame["durationUntilInterruptMs"] >= 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.booleans(), flags, st.floats(0, 3)), max_size=15),
    all_knobs,
    st.lists(st.floats(0, 20), max_size=3),
)
def test_nothing_is_said_twice_or_out_of_order(
    replies: list[tuple[int, bool, dict[str, bool]], float], knobs: Knobs, cuts: list[float]
) -> None:
    """Every word is numbered: what is heard is a subsequence of what was sent, cut or not."""
    knobs = dataclasses.replace(knobs, drop_after_frames=None, refuse_configuration=False, max_call_seconds=14400.0)
    rig = Rig(connect(), knobs=knobs).wait(2).forget()
    number = 0
    pending = sorted(cuts)
    for count, stops, more, pause in replies:
        words = []
        for _ in range(count):
            number += 1
            words.append(f" w{number}{'.' if stops else ''}")
        rig.send(type="text", token="".join(words), **more).wait(pause)
        while pending and pending[0] < rig.now:
            pending.pop(0)
            rig.press("1")
    rig.wait(200)
    heard = [int(word.strip("w.")) for text in rig.played() for word in text.split()]
    assert heard == sorted(set(heard))
    if not cuts and not any(more.get("preemptible") for _, _, more, _ in replies) and replies:
        closed = max((i for i, (_, _, more, _) in enumerate(replies) if more.get("last")), default=-1)
        assert len(heard) >= sum(count for count, *_ in replies[: closed + 1])
