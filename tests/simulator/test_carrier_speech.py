"""What the caller hears: the queue, chunks, preemption, and the frames that report it."""

from __future__ import annotations

from typing import Any

import pytest
from carrier_rig import FAST, Rig, connect, knobs, opened

from voicectl.simulator.carrier import AgentPlaying, AgentSaying, AgentSpoke, AgentStopped, Delays, KeyDialled, Knobs
from voicectl.simulator.speech_clock import seconds_to_say

# --- the greeting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_the_greeting_is_audible_soon_after_setup(seed: int) -> None:
    rig = Rig(connect(welcomeGreeting="Hello there. How are you?"), knobs=Knobs(), seed=seed).wait(6)
    (setup_at, _), (on_at, on), (played_at, played), (_, off) = rig.timed_frames
    assert 0.25 <= on_at - setup_at <= 0.75
    assert (on["value"], off["value"]) == ("on", "off")
    assert played["value"] == "Hello there. How are you?"  # one chunk
    assert played_at - on_at == pytest.approx(seconds_to_say("Hello there. How are you?"))


def test_the_greeting_without_its_agent_speaking_on() -> None:
    rig = opened(knobs(greeting_on_missing=True), welcomeGreeting="Hello.").wait(2)
    assert rig.brief == ["played 'Hello.'", "agent off"]
    rig.forget().say("More.").wait(2)
    assert rig.brief == ["agent on", "played 'More.'", "agent off"]


def test_words_sent_during_the_greeting_wait_for_it() -> None:
    rig = opened(Knobs(), welcomeGreeting="Hello there.")
    rig.say("And welcome.").wait(5)
    assert rig.brief == ["agent on", "played 'Hello there.'", "played 'And welcome.'", "agent off"]


# --- talk cycles and chunks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_speech_starts_on_what_is_there(seed: int) -> None:
    """`last` is no start signal; the first sentence is."""
    rig = opened(Knobs(), seed=seed)
    sent = rig.now
    rig.send(type="text", token="Good morning. And").wait(3)
    assert rig.brief == ["agent on", "played 'Good morning.'", "agent off"]
    on, played, off = (at for at, _ in rig.timed_frames[1:])
    assert 0.26 <= on - sent <= 0.45
    assert played - on == pytest.approx(seconds_to_say("Good morning."))
    assert off == played
    rig.send(type="text", token=" goodbye.", last=True).wait(3)
    assert rig.played() == ["Good morning.", " And goodbye."]


def test_chunks_follow_each_other_without_a_gap() -> None:
    rig = opened(Knobs())
    text = "One and two. Three and four. Five."
    rig.say(text).wait(10)
    assert "".join(rig.played()) == text
    ends = [at for at, frame in rig.timed_frames if frame.get("name") == "tokensPlayed"]
    assert ends[1] - ends[0] == pytest.approx(seconds_to_say("Three and four."))
    assert ends[2] - ends[1] == pytest.approx(seconds_to_say("Five."))
    assert rig.brief.count("agent on") == rig.brief.count("agent off") == 1


def test_a_driver_that_comes_late_does_not_stretch_the_speech() -> None:
    rig = opened()
    rig.say("One and two. Three and four. Five.")
    rig.now += 60
    rig.take(rig.call.advance(rig.now))
    said = [each for each in rig.of(AgentSaying)]
    assert said[1].at == said[0].at + said[0].seconds
    assert said[2].at == said[1].at + said[1].seconds
    assert rig.brief[-1] == "agent off"


def test_a_stalled_reply_is_a_silence() -> None:
    rig = opened()
    rig.send(type="text", token="Let me see. ").wait(5).send(type="text", token="Yes.", last=True).wait(5)
    assert rig.brief == ["agent on", "played 'Let me see.'", "agent off", "agent on", "played ' Yes.'", "agent off"]


def test_an_empty_last_token_only_closes_the_cycle() -> None:
    rig = opened()
    rig.send(type="text", token="Hello there")
    assert rig.brief == []
    rig.send(type="text", token="", last=True).wait(3)
    assert rig.brief == ["agent on", "played 'Hello there'", "agent off"]
    rig.forget().send(type="text", token="", last=True).wait(3)
    assert rig.brief == []


def test_blanks_alone_are_not_spoken() -> None:
    assert opened().say("  \n ").wait(3).brief == []


@pytest.mark.parametrize(("flush_idle_ms", "spoken_at"), [(None, None), (500.0, 0.5)])
def test_words_without_a_sentence_end(flush_idle_ms: float | None, spoken_at: float | None) -> None:
    rig = opened(knobs(flush_idle_ms=flush_idle_ms)).wait(1)
    begun = rig.now
    rig.send(type="text", token="Let me").wait(0.3)
    begun = rig.now
    rig.send(type="text", token=" think").wait(5)
    if spoken_at is None:
        assert rig.brief == []
    else:
        assert rig.brief == ["agent on", "played 'Let me think'", "agent off"]
        assert rig.timed_frames[1][0] == pytest.approx(begun + spoken_at)


def test_an_interruption_takes_them_too() -> None:
    rig = opened(knobs(flush_idle_ms=500.0)).send(type="text", token="One two. Three").wait(0.2).press("1").wait(5)
    assert rig.played() == ["One"]


def test_events_that_nobody_subscribed_to_are_not_sent() -> None:
    rig = opened(welcomeGreeting="Hello.", events="")
    rig.say("One. Two.").speak("Stop it").wait(10)
    assert {frame["type"] for frame in rig.frames} == {"setup", "interrupt", "prompt"}
    assert rig.of(AgentSpoke)  # who watches sees it all the same


@pytest.mark.parametrize(
    ("events", "names"),
    [("speaker-events", {"agentSpeaking", "clientSpeaking"}), ("tokens-played", {"tokensPlayed"})],
)
def test_each_subscription_brings_its_own(events: str, names: set[str]) -> None:
    for attributes in ({"events": events}, {"events": "", "debug": events}):
        rig = opened(**attributes).say("Hello.").wait(3).speak("Hi").wait(5)
        assert {frame["name"] for frame in rig.frames if frame["type"] == "info"} == names


def test_debugging_brings_round_trips() -> None:
    for each in (Knobs(), FAST):
        rig = opened(each, debug="debugging").say("Hello.").wait(3)
        (delay,) = [frame["value"] for frame in rig.frames if frame.get("name") == "roundTripDelayMs"]
        assert isinstance(delay, str) and 109 <= int(delay) <= 148


def test_a_lone_surrogate_in_a_token_cannot_break_the_wire() -> None:
    rig = opened()
    rig.send_raw('{"type":"text","token":"a\\ud800b ünï","last":true}').wait(3)
    assert rig.played() == ["a?b ünï"]


# --- the queue ----------------------------------------------------------------------------------------------


def test_first_in_first_out_whatever_it_is() -> None:
    rig = opened()
    rig.say("One.").send(type="sendDigits", digits="12").send(type="play", source="https://x.example/a.mp3")
    rig.send(type="sendDigits", digits="3w4").say("Two.").wait(20)
    assert rig.brief == [
        "agent on",
        "played 'One.'",
        "agent off",
        "played '12'",
        "agent on",
        "agent off",
        "played '3w4'",
        "agent on",
        "played 'Two.'",
        "agent off",
    ]
    assert [key.key for key in rig.of(KeyDialled) if key.by_agent] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("seed", range(20))
def test_digits_with_an_idle_agent_start_by_themselves(seed: int) -> None:
    rig = opened(Knobs(), seed=seed)
    sent = rig.now
    rig.send(type="sendDigits", digits="1234#").wait(6)
    assert rig.brief == ["played '1234#'"]
    assert 0.2 <= rig.timed_frames[1][0] - sent - 1.9 <= 2.0


def test_words_held_back_go_before_what_is_sent_after_them() -> None:
    rig = opened()
    rig.send(type="text", token="Listen").send(type="play", source="https://x.example/a.mp3")
    rig.send(type="text", token=" to that", last=True).wait(10)
    assert rig.played() == ["Listen", " to that"]
    assert [type(each) for each in rig.of((AgentSaying, AgentPlaying))] == [AgentSaying, AgentPlaying, AgentSaying]  # type: ignore[arg-type]


@pytest.mark.parametrize(("reports", "played"), [(False, []), (True, ["https://x.example/a.mp3"])])
def test_a_file_reports_no_tokens(reports: bool, played: list[str]) -> None:
    rig = opened(knobs(play_reports_tokens=reports))
    rig.send(type="play", source="https://x.example/a.mp3").wait(5)
    assert rig.played() == played
    assert [rig.brief[0], rig.brief[-1]] == ["agent on", "agent off"]


@pytest.mark.parametrize(("loop", "times"), [({}, 1), ({"loop": 1}, 1), ({"loop": 3}, 3), ({"loop": 0}, 1000)])
def test_loops(loop: dict[str, int], times: int) -> None:
    rig = opened(knobs(play_seconds=1.5)).send(type="play", source="https://x.example/a.mp3", **loop)
    (playing,) = rig.of(AgentPlaying)
    rig.wait(times * 1.5 - 0.1)
    assert rig.of(AgentStopped) == []
    rig.wait(0.2)
    assert rig.of(AgentStopped)[0].at == pytest.approx(playing.at + times * 1.5)


def test_speech_can_be_made_to_take_no_time() -> None:
    rig = opened(knobs(pace=0.0)).say("One. Two. Three.")
    assert rig.brief == ["agent on", "played 'One.'", "played ' Two.'", "played ' Three.'", "agent off"]


# --- languages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize(
    "frame",
    [
        {"type": "text", "token": "Hallo.", "lang": "not a language"},
        {"type": "language", "ttsLanguage": "???"},
        {"type": "language", "transcriptionLanguage": "e"},
    ],
    ids=str,
)
def test_a_language_that_is_none(frame: dict[str, Any], closes: bool) -> None:
    rig = opened(knobs(bad_lang_closes=closes)).send(**frame).wait(3)
    assert rig.brief == (["error", "close 1000"] if closes else ["error"])
    assert "64101" in rig.frames[1]["description"]
    if closes:
        assert rig.finish().fetched("action")[0].form["ErrorCode"] == "64101"


@pytest.mark.parametrize("lang", ["de-DE", "en", "multi", "zh-Hant-TW"])
def test_a_language_that_was_not_declared_is_spoken(lang: str) -> None:
    assert opened().say("Hallo.", lang=lang).wait(3).played() == ["Hallo."]


# --- preemption ---------------------------------------------------------------------------------------------

LONG = "This is a long announcement that nobody will ever hear the end of."


@pytest.mark.parametrize("seed", range(5))
def test_a_marked_message_is_cut_by_the_next_cycle(seed: int) -> None:
    rig = opened(Knobs(), seed=seed)
    rig.say(LONG + " And a second sentence.", preemptible=True).wait(2)
    sent = rig.now
    rig.say("News!").wait(10)
    assert rig.brief[0] == "agent on"
    fragment = rig.played()[0]
    assert LONG.startswith(fragment) and fragment != LONG
    assert rig.brief[1:] == [f"played {fragment!r}", "played 'News!'", "agent off"]
    assert 0.085 <= rig.timed_frames[2][0] - sent <= 0.1
    assert rig.of(AgentSpoke)[0].cut


@pytest.mark.parametrize(
    ("first", "second", "cut"),
    [
        ({}, {}, False),
        ({"preemptible": True}, {}, True),
        ({"preemptible": True}, {"preemptible": True}, True),
        ({}, {"preemptible": True}, False),  # the new message's own flag means nothing
        ({"preemptible": False}, {}, False),
    ],
)
def test_which_message_gives_way(first: dict[str, bool], second: dict[str, bool], cut: bool) -> None:
    rig = opened().say(LONG, **first).wait(1).say("News!", **second).wait(20)
    assert (rig.played()[0] != LONG) is cut
    assert rig.played()[-1] == "News!"


def test_the_twiml_may_mark_everything() -> None:
    rig = opened(preemptible="true").say(LONG).wait(1).say("News!").wait(20)
    assert rig.played()[0] != LONG
    rig = opened(preemptible="true").say(LONG, preemptible=False).wait(1).say("News!").wait(20)
    assert rig.played()[0] == LONG


def test_tokens_of_one_cycle_do_not_cut_each_other() -> None:
    rig = opened()
    for token in ("One and a half. ", "Two and a half. ", "Three."):
        rig.send(type="text", token=token, preemptible=True, last=token == "Three.").wait(0.3)
    assert rig.wait(10).played() == ["One and a half.", " Two and a half.", " Three."]


def test_a_cycle_still_open_is_cut_by_a_file() -> None:
    rig = opened().send(type="text", token=LONG + " And", preemptible=True).wait(1)
    rig.send(type="play", source="https://x.example/a.mp3").wait(10)
    assert len(rig.played()) == 1 and rig.played()[0] != LONG
    assert "interrupt" not in str(rig.brief)


def test_a_file_can_be_cut_too() -> None:
    rig = opened().send(type="play", source="https://x.example/a.mp3", loop=0, preemptible=True).wait(5)
    rig.say("News!").wait(5)
    assert rig.brief == ["agent on", "played 'News!'", "agent off"]


@pytest.mark.parametrize(("preempts", "played"), [(False, [LONG, "1"]), (True, ["This is a long", "1"])])
def test_digits_preempt_or_wait(preempts: bool, played: list[str]) -> None:
    rig = opened(knobs(digits_preempt=preempts)).say(LONG, preemptible=True).wait(0.6)
    rig.send(type="sendDigits", digits="1").wait(20)
    assert rig.played() == played
    assert rig.brief.index("agent off") < rig.brief.index("played '1'")


@pytest.mark.parametrize(("drop", "played"), [(True, ["Firm.", "News!"]), (False, ["Firm.", "Soft.", "News!"])])
def test_preemptible_speech_behind_speech_that_is_not(drop: bool, played: list[str]) -> None:
    rig = opened(knobs(drop_queued_preemptible=drop))
    rig.say("Firm.").say("Soft.", preemptible=True).wait(0.1).say("News!").wait(10)
    assert rig.played() == played


def test_an_empty_token_cuts_nothing() -> None:
    rig = opened().say(LONG, preemptible=True).wait(1).send(type="text", token="", last=True).wait(20)
    assert rig.played() == [LONG]


@pytest.mark.parametrize("drop", [True, False])
def test_all_chunks_of_the_cut_message_are_dropped(drop: bool) -> None:
    rig = opened(knobs(drop_queued_preemptible=drop))
    rig.say("One two three. Four. Five.", preemptible=True).wait(0.1).say("News!").wait(10)
    assert rig.played() == ["One", "News!"]


def test_a_marked_message_that_was_not_audible_yet_is_never_heard() -> None:
    rig = opened(Knobs()).say(LONG, preemptible=True).wait(0.05).say("News!").wait(10)
    assert rig.brief == ["agent on", "played 'News!'", "agent off"]


def test_the_agent_stays_on_until_the_replacement_has_its_words() -> None:
    rig = opened().say(LONG, preemptible=True).wait(1)
    rig.send(type="text", token="Well").wait(5)
    assert rig.brief == ["agent on", "played 'This is a long announcement'"]
    rig.send(type="text", token=" then.", last=True).wait(5)
    assert rig.brief[2:] == ["played 'Well then.'", "agent off"]


def test_or_until_it_turns_out_to_have_none() -> None:
    rig = opened(Knobs()).say(LONG, preemptible=True).wait(1)
    rig.send(type="text", token=" ").wait(1)
    assert rig.brief[-1].startswith("played")
    rig.send(type="text", token=" ", last=True).wait(1)
    assert rig.brief[-1] == "agent off"
    rig = opened(Knobs()).say(LONG, preemptible=True).wait(1).say(" ").wait(1)
    assert rig.brief[-1] == "agent off"


def test_digits_in_between_are_a_silence() -> None:
    rig = opened().say(LONG, preemptible=True).send(type="sendDigits", digits="1").wait(1)
    rig.send(type="text", token="Well").wait(5)
    assert rig.brief[2:] == ["agent off", "played '1'"]


def test_an_interruption_may_come_before_the_replacement() -> None:
    rig = opened(Knobs()).say(LONG, preemptible=True).wait(1).say("News!").wait(0.05).press("1").say("Yes?").wait(5)
    assert rig.brief[1] == "dtmf 1"
    assert rig.played()[1:] == ["Yes?"]


# --- flags within one cycle ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_chunk", "cuts"), [(True, False), (False, True)])
def test_flags_that_change_within_a_cycle(per_chunk: bool, cuts: bool) -> None:
    rig = opened(knobs(flags_per_chunk=per_chunk))
    rig.send(type="text", token="Yes. ", interruptible=True)
    rig.send(type="text", token="This must be heard to its end.", interruptible=False, last=True)
    rig.wait(0.6).speak("Stop that", partials=[(0.0, "Stop that")]).wait(5)
    assert ("interrupt" in str(rig.brief)) is cuts


# --- end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_end_closes_within_100_ms_when_idle(seed: int) -> None:
    for drains in (False, True):
        rig = opened(Knobs(end_drains_queue=drains), seed=seed)
        sent = rig.now
        rig.send(type="end").wait(0.1)
        assert rig.brief == ["close 1000"]
        assert rig.now - sent <= 0.1 + 1e-9


def test_end_cuts_what_is_queued() -> None:
    rig = opened().say("Goodbye and thank you. See you.").wait(1).send(type="end").wait(5)
    assert rig.brief == ["agent on", "close 1000"]
    assert [(spoke.text, spoke.cut) for spoke in rig.of(AgentSpoke)] == [("Goodbye and thank", True)]
    assert len(rig.of(AgentStopped)) == 1


def test_or_waits_until_it_has_been_said() -> None:
    rig = opened(Knobs(end_drains_queue=True)).say("Goodbye and thank you. See you.").send(type="text", token="Really")
    rig.send(type="sendDigits", digits="1").send(type="end").wait(10)
    assert rig.brief == [
        "agent on",
        "played 'Goodbye and thank you.'",
        "played ' See you.'",
        "played 'Really'",
        "agent off",
        "played '1'",
        "close 1000",
    ]


def test_draining_stops_when_the_caller_cuts_in_or_leaves() -> None:
    rig = opened(knobs(end_drains_queue=True)).say(LONG).send(type="end").wait(0.5).speak("Stop it").wait(2)
    assert rig.brief[-1] == "close 1000"
    assert rig.finish().fetched("action")[0].form["SessionStatus"] == "ended"
    rig = opened(knobs(end_drains_queue=True)).say(LONG).send(type="end").wait(0.5).hang_up().finish()
    assert rig.fetched("action")[0].form["SessionStatus"] == "completed"


# --- what onlookers see -------------------------------------------------------------------------------------


def test_what_is_playing_by_the_clock() -> None:
    rig = opened().say("Good morning to you. Bye.").wait(0.5)
    assert rig.call.agent_speaking
    assert rig.call.playing == "Good morning"
    assert [(each.text, each.seconds) for each in rig.of(AgentSaying)] == [
        ("Good morning to you.", seconds_to_say("Good morning to you."))
    ]
    rig.wait(10)
    assert not rig.call.agent_speaking
    assert rig.call.playing == ""
    assert [(spoke.text, spoke.cut) for spoke in rig.of(AgentSpoke)] == [
        ("Good morning to you.", False),
        (" Bye.", False),
    ]


def test_delays_are_ones_own() -> None:
    rig = opened(Knobs(delays=Delays(speech=(2.0, 2.0))))
    sent = rig.now
    rig.say("Hello.").wait(5)
    assert rig.timed_frames[1][0] == pytest.approx(sent + 2.0)
