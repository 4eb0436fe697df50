"""What is heard of the caller: barge-in, transcripts, keys, and who is told what."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from carrier_rig import Rig, connect, knobs, opened

from voicectl.simulator.carrier import CallerCutIn, CallerSaid, CallerStarted, Delays, KeyDialled, Knobs

LONG = "This is a long announcement that nobody will ever hear the end of."
AT_ONCE = {"partials": [(0.0, "Stop that please")], "vad": 0.0, "seconds": 0.5}


def cut(rig: Rig) -> bool:
    return any(frame["type"] == "interrupt" for frame in rig.frames)


# --- barge-in -----------------------------------------------------------------------------------------------


def test_speech_cuts_the_agent_off_in_the_order_recorded() -> None:
    rig = opened(Knobs()).say(LONG + " And more. And more.").wait(2)
    rig.speak("Stop that please", vad=0.05, partials=[(0.2, "Stop"), (0.5, "Stop that please")], final_after=0.4)
    rig.wait(10)
    heard = rig.played()[0]
    assert rig.brief == [
        "agent on",
        "caller on",
        f"played {heard!r}",
        f"interrupt {heard!r}",
        "partial 'Stop'",
        "agent off",
        "partial 'Stop that please'",
        "caller off",
        "final 'Stop that please'",
    ]
    assert [each.heard for each in rig.of(CallerCutIn)] == [heard]


def test_a_key_cuts_the_agent_off_in_the_order_recorded() -> None:
    rig = opened(Knobs()).say(LONG).wait(2).press("5").wait(3)
    heard = rig.played()[0]
    assert rig.brief == ["agent on", "dtmf 5", f"played {heard!r}", f"interrupt {heard!r}", "agent off"]
    at = {line: time for line, (time, _) in zip(rig.brief, rig.timed_frames[1:], strict=True)}
    assert at["dtmf 5"] == at[f"interrupt {heard!r}"]
    assert 0.002 <= at["agent off"] - at["dtmf 5"] <= 0.003


def test_a_cut_brings_the_edge_with_it() -> None:
    rig = opened(Knobs()).say(LONG).wait(2).speak("Stop that", vad=1.0, partials=[(0.2, "Stop")], seconds=1.5).wait(1)
    assert [line.partition(" '")[0] for line in rig.brief[1:5]] == ["caller on", "played", "interrupt", "partial"]


def test_off_comes_before_on_however_quick_the_voice() -> None:
    rig = opened(Knobs(delays=Delays(speech=(0.0, 0.0)))).say(LONG).wait(1).press("5").say("Yes?").wait(3)
    assert rig.brief[-4:] == ["agent off", "agent on", "played 'Yes?'", "agent off"]


def test_the_order_is_the_same_without_delays() -> None:
    rig = opened().say(LONG).wait(2).press("5").say("Yes?")
    assert rig.brief[1:] == ["dtmf 5", *rig.brief[2:4], "agent off", "agent on"]


INTERRUPTIBLE = [
    # TwiML, the message's own, by speech, by key
    ("any", None, True, True),
    ("speech", None, True, False),
    ("dtmf", None, False, True),
    ("none", None, False, False),
    ("true", None, True, True),
    ("false", None, False, False),
    ("none", True, True, True),
    ("dtmf", True, True, True),
    ("any", False, False, False),
    ("speech", False, False, False),
]


@pytest.mark.parametrize(("twiml", "own", "by_speech", "by_key"), INTERRUPTIBLE)
def test_what_may_cut_a_message(twiml: str, own: bool | None, by_speech: bool, by_key: bool) -> None:
    more = {} if own is None else {"interruptible": own}
    assert cut(opened(interruptible=twiml).say(LONG, **more).wait(1).speak("Stop", **AT_ONCE).wait(1)) is by_speech
    assert cut(opened(interruptible=twiml).say(LONG, **more).wait(1).press("1").wait(1)) is by_key


@pytest.mark.parametrize(("twiml", "own", "by_speech", "by_key"), [row for row in INTERRUPTIBLE if row[1] is None])
def test_what_may_cut_the_greeting(twiml: str, own: None, by_speech: bool, by_key: bool) -> None:
    greeting = {"welcomeGreeting": LONG, "welcomeGreetingInterruptible": twiml, "interruptible": "none"}
    if twiml == "none":
        greeting["interruptible"] = "any"
    assert cut(opened(**greeting).wait(1).speak("Stop", **AT_ONCE).wait(1)) is by_speech
    assert cut(opened(**greeting).wait(1).press("1").wait(1)) is by_key


def test_what_is_reported_covers_the_running_chunk_only() -> None:
    rig = opened().say("First of all. Second and third of all.").wait(1.6)
    began = next(at for at, frame in rig.timed_frames if frame.get("name") == "tokensPlayed")
    rig.press("1").wait(1)
    interrupt = next(frame for frame in rig.frames if frame["type"] == "interrupt")
    assert rig.played() == ["First of all.", "Second and third"]
    assert interrupt["utteranceUntilInterrupt"] == "Second and third"
    assert interrupt["durationUntilInterruptMs"] == round((1.6 - (began - rig.timed_frames[1][0])) * 1000)


def test_nothing_playing_nothing_interrupted() -> None:
    rig = opened().press("1").speak("Hello there").wait(5)
    assert not cut(rig)
    rig = opened(Knobs(delays=Delays(speech=(1.0, 1.0)))).say("Wait for it.").wait(0.3).press("1").wait(0.5)
    assert not cut(rig)  # the voice is still being fetched
    rig = opened(knobs()).send(type="sendDigits", digits="111111").wait(1).press("1").speak("Hi", **AT_ONCE).wait(1)
    assert not cut(rig)


def test_a_file_can_be_interrupted() -> None:
    rig = opened().send(type="play", source="https://x.example/a.mp3").wait(1).press("1").wait(3)
    assert rig.brief == ["agent on", "dtmf 1", "interrupt ''", "agent off"]


@pytest.mark.parametrize(
    ("sensitivity", "words", "cuts"),
    [
        ("high", "No", False),
        ("high", "N o.", False),
        ("high", "Yes", True),
        ("medium", "Stop it", False),
        ("medium", "Stop it now", True),
        ("low", "Stop it now", False),
        ("low", "Stop it now, will you please", True),
    ],
)
def test_how_much_speech_it_takes(sensitivity: str, words: str, cuts: bool) -> None:
    rig = opened(interruptSensitivity=sensitivity).say(LONG).wait(1).speak(words, partials=[(0.0, words)]).wait(1)
    assert cut(rig) is cuts


def test_sound_that_is_not_recognised_does_not_cut() -> None:
    rig = opened().say(LONG).wait(1).speak("", seconds=1.0).wait(10)
    assert rig.brief == ["agent on", "caller on", "caller off", f"played {LONG!r}", "agent off"]
    rig = opened().say(LONG).wait(1).speak("mumble mumble", finals=(), seconds=1.0).wait(10)
    assert not cut(rig) and rig.prompts() == []


@pytest.mark.parametrize(
    ("ignore", "words", "cuts"),
    [
        ("true", "Uh-huh.", False),
        ("true", "Okay, yeah", False),
        ("true", "Okay, stop", True),
        ("false", "Uh-huh.", True),
    ],
)
def test_backchannel(ignore: str, words: str, cuts: bool) -> None:
    rig = opened(ignoreBackchannel=ignore, reportInputDuringAgentSpeech="any").say(LONG).wait(1)
    rig.speak(words, partials=[(0.0, words)], final_after=0.2).wait(1)
    assert cut(rig) is cuts
    assert rig.prompts() == ([words] if cuts else [])


def test_backchannel_in_silence_is_an_answer() -> None:
    rig = opened(ignoreBackchannel="true").speak("Okay.").wait(5)
    assert rig.prompts() == ["Okay."]


# --- what an interruption throws away -----------------------------------------------------------------------


def test_everything_queued_is_gone() -> None:
    rig = opened().say("One two three four. Five.").say("Six.").send(type="play", source="https://x.example/a.mp3")
    rig.send(type="text", token="Seven. Eight").wait(0.4).press("1").wait(10)
    assert rig.played() == ["One two"]
    assert rig.brief[-1] == "agent off"
    rig.send(type="text", token=" is new.", last=True).wait(5)
    assert rig.played()[-1] == " is new."  # and not " Eight is new."


@pytest.mark.parametrize(("purge", "played"), [(True, ["One two"]), (False, ["One two", "12"])])
def test_digits_are_thrown_away_too(purge: bool, played: list[str]) -> None:
    rig = opened(knobs(purge_digits=purge)).say("One two three four.").send(type="sendDigits", digits="12")
    rig.wait(0.4).press("1").wait(10)
    assert rig.played() == played
    assert rig.brief.index("agent off") == 4


@pytest.mark.parametrize(
    ("purge", "played"), [(True, ["One two"]), (False, ["One two", "Legal notice.", " Held back"])]
)
def test_and_what_could_not_have_been_interrupted(purge: bool, played: list[str]) -> None:
    rig = opened(knobs(purge_noninterruptible=purge)).say("One two three four.")
    rig.send(type="text", token="Legal notice. Held back", interruptible=False).wait(0.4).press("1").wait(5)
    rig.send(type="text", token="", last=True).wait(5)
    assert rig.played() == played
    assert rig.brief.count("agent on") == (1 if purge else 2)


@pytest.mark.parametrize(
    ("late", "played"), [("spoken", ["One two", " Three. Four.", "New."]), ("dropped", ["One two", "New."])]
)
def test_tokens_that_come_too_late(late: Any, played: list[str]) -> None:
    rig = opened(knobs(late_tokens_same_cycle=late)).send(type="text", token="One two three. And").wait(0.5)
    rig.press("1").send(type="text", token=" Three. Four.", last=True).wait(3).say("New.").wait(3)
    assert "".join(rig.played()) == "".join(played)


def test_tokens_after_a_closed_cycle_are_new_under_either_knob() -> None:
    rig = opened(knobs(late_tokens_same_cycle="dropped")).say("One two three.").wait(0.5).press("1").say("New.").wait(3)
    assert rig.played() == ["One two", "New."]


def test_the_reply_to_a_key_sent_before_its_interrupt_was_read_is_spoken() -> None:
    rig = opened(Knobs()).say(LONG).wait(2).press("1").say("Key one.").wait(5)
    assert rig.brief[-3:] == ["agent on", "played 'Key one.'", "agent off"]


# --- keys ---------------------------------------------------------------------------------------------------


def test_keys_are_380_ms_apart() -> None:
    rig = opened(Knobs()).press("12w#").wait(1).press("*").wait(5)
    times = [at for at, frame in rig.timed_frames if frame["type"] == "dtmf"]
    assert [frame["digit"] for frame in rig.frames[1:]] == ["1", "2", "#", "*"]
    gaps = [round(b - a, 3) for a, b in pairwise(times)]
    assert gaps == [0.38, 0.88, 0.38]


def test_keys_that_no_telephone_has() -> None:
    with pytest.raises(ValueError, match="keys are"):
        opened().press("12x")


@pytest.mark.parametrize("speaking", [True, False])
@pytest.mark.parametrize("report", ["none", "dtmf", "speech", "any"])
@pytest.mark.parametrize("detection", ["true", "false"])
def test_which_keys_are_reported(detection: str, report: str, speaking: bool) -> None:
    rig = opened(dtmfDetection=detection, reportInputDuringAgentSpeech=report, interruptible="none")
    if speaking:
        rig.say(LONG)
    rig.wait(0.5).press("7").wait(0.5)
    told = detection == "true" and (not speaking or report in ("dtmf", "any"))
    assert ("dtmf 7" in rig.brief) is told
    assert [key.key for key in rig.of(KeyDialled)] == ["7"]


@pytest.mark.parametrize(("needs", "cuts"), [(True, False), (False, True)])
def test_a_key_without_detection(needs: bool, cuts: bool) -> None:
    rig = opened(knobs(dtmf_cut_needs_detection=needs), dtmfDetection="false").say(LONG).wait(1).press("1").wait(1)
    assert cut(rig) is cuts
    assert "dtmf 1" not in rig.brief


def test_a_key_that_cuts_in_is_always_reported() -> None:
    rig = opened(reportInputDuringAgentSpeech="none").say(LONG).wait(1).press("1").wait(1)
    assert rig.brief[1] == "dtmf 1"


# --- transcripts --------------------------------------------------------------------------------------------

SENTENCE = "I would like to know whether you have a bicycle for my daughter."


@pytest.mark.parametrize("seed", range(20))
def test_an_utterance(seed: int) -> None:
    rig = opened(Knobs(), seed=seed)
    began = rig.now
    rig.speak(SENTENCE, seconds=4.0).wait(10)
    times = dict(zip(rig.brief, (at for at, _ in rig.timed_frames[1:]), strict=True))
    partials = rig.prompts(last=False)
    assert rig.prompts() == [SENTENCE]
    assert len(partials) > 8 and partials[-1] == SENTENCE
    assert times["caller off"] == times[f"final {SENTENCE!r}"]
    assert times[f"partial {SENTENCE!r}"] == began + 4.0
    assert 0.35 <= times["caller off"] - began - 4.0 <= 0.8
    assert 0.1 <= times["caller on"] - began <= 0.4
    for text in partials:
        assert all(word in SENTENCE for word in text.split())


def test_the_edge_comes_before_the_end_however_short_the_sound() -> None:
    rig = opened(Knobs()).speak("No.", seconds=0.1, vad=1.0, final_after=0.1).wait(5)
    assert rig.brief == ["caller on", "partial 'No.'", "caller off", "final 'No.'"]


def test_partials_may_take_words_back() -> None:
    """The transcript so far is not always the beginning of the next one."""
    revised = 0
    for seed in range(20):
        partials = opened(Knobs(), seed=seed).speak(SENTENCE, seconds=6.0).wait(10).prompts(last=False)
        words = [text.split() for text in partials]
        revised += sum(later[: len(earlier)] != earlier for earlier, later in pairwise(words))
    assert revised > 10


def test_the_first_partial_sometimes_precedes_the_edge() -> None:
    orders = set()
    for seed in range(30):
        brief = opened(Knobs(), seed=seed).speak(SENTENCE).wait(10).brief
        orders.add(brief.index("caller on"))
    assert orders == {0, 1}


@pytest.mark.parametrize(
    ("attributes", "partials"),
    [
        ({}, True),
        ({"partialPrompts": "false"}, False),
        ({"speechModel": "nova-3-general"}, False),
        ({"transcriptionProvider": "Google", "speechModel": "telephony"}, False),
    ],
)
def test_partials_need_flux_and_to_be_asked_for(attributes: dict[str, str], partials: bool) -> None:
    rig = opened(Knobs(), **attributes).speak(SENTENCE).wait(10)
    assert bool(rig.prompts(last=False)) is partials
    assert rig.prompts() == [SENTENCE]


@pytest.mark.parametrize(
    ("attributes", "low", "high"),
    [
        ({}, 0.35, 0.8),
        ({"eotThreshold": "0.5"}, 0.175, 0.4),
        ({"eotThreshold": "0.9"}, 0.4, 0.95),
        ({"speechTimeout": "600"}, 0.35, 0.6),
        ({"speechModel": "nova-3-general"}, 0.35, 0.8),
        ({"speechModel": "nova-3-general", "speechTimeout": "1500"}, 1.5, 1.5),
        ({"speechModel": "nova-3-general", "speechTimeout": "auto"}, 0.35, 0.8),
    ],
)
def test_the_silence_before_a_final(attributes: dict[str, str], low: float, high: float) -> None:
    delays = []
    for seed in range(20):
        rig = opened(Knobs(), seed=seed, **attributes)
        began = rig.now
        rig.speak("Hello.", seconds=1.0).wait(10)
        delays.append(rig.timed_frames[-1][0] - began - 1.0)
    assert low - 1e-9 <= min(delays) and max(delays) <= high + 1e-9


@pytest.mark.parametrize(
    ("attributes", "spoken", "lang"),
    [
        ({}, None, "en"),
        ({"speechModel": "nova-3-general"}, None, "en-US"),
        ({"speechModel": "nova-3-general", "language": "de-DE"}, None, "de-DE"),
        ({"speechModel": "nova-3-general", "language": "de-DE", "transcriptionLanguage": "fr-FR"}, None, "fr-FR"),
        ({"speechModel": "nova-3-general", "transcriptionLanguage": "multi"}, None, "en"),
        ({"speechModel": "nova-3-general", "transcriptionLanguage": "multi"}, "es-ES", "es"),
    ],
)
def test_the_language_of_a_prompt(attributes: dict[str, str], spoken: str | None, lang: str) -> None:
    rig = opened(**attributes).speak("Hello.", lang=spoken).wait(5)
    assert [frame["lang"] for frame in rig.frames if frame["type"] == "prompt" and frame["last"]] == [lang]


def test_switching_the_language_switches_recognition() -> None:
    children = "<Language code='es-ES' speechModel='nova-3-general'/><Language code='en-GB'/>"
    rig = opened(children=children).send(type="language", transcriptionLanguage="es-ES").speak("Hola.").wait(5)
    rig.send(type="language", ttsLanguage="en-GB").speak("Hola.").wait(5)
    rig.send(type="language", transcriptionLanguage="en-GB").speak("Hello.").wait(5)
    rig.send(type="language", transcriptionLanguage="it-IT").speak("Ciao.").wait(5)
    langs = [frame["lang"] for frame in rig.frames if frame["type"] == "prompt" and frame["last"]]
    assert langs == ["es-ES", "es-ES", "en", "it-IT"]
    assert rig.brief[0] == "configUpdated language"


def test_no_confidence_no_nulls() -> None:
    rig = opened().speak("Hello.").wait(5)
    prompt = next(frame for frame in rig.frames if frame["type"] == "prompt")
    assert set(prompt) == {"type", "voicePrompt", "lang", "last"}


def test_silence_brings_nothing() -> None:
    assert opened(Knobs()).wait(600).brief == []


# --- several finals, pauses, continuations ------------------------------------------------------------------


def test_one_utterance_as_two_finals() -> None:
    rig = opened(knobs(split_finals=True)).speak("I would like a bicycle").wait(10)
    assert rig.prompts() == ["I would", "like a bicycle"]
    assert [line for line in rig.brief if line.startswith("caller")] == ["caller on", "caller off"] * 2
    rig.speak("Only three words").wait(10)
    assert rig.prompts()[2:] == ["Only three words"]


def test_finals_of_ones_own() -> None:
    rig = opened(Knobs()).speak("One, two, three", finals=["One,", "two,", "three"], seconds=3.0).wait(10)
    assert rig.prompts() == ["One,", "two,", "three"]
    partials = rig.prompts(last=False)
    assert partials.index("two,") > partials.index("One,")


def test_speaking_on_before_the_final_continues_the_utterance() -> None:
    rig = opened(Knobs()).speak("I would like", seconds=1.0, final_after=0.5).wait(1.3)
    rig.speak("a bicycle.", seconds=1.0, final_after=0.5).wait(1.4)
    assert rig.prompts() == []
    rig.wait(5)
    assert rig.prompts() == ["I would like a bicycle."]
    assert rig.brief.count("caller on") == rig.brief.count("caller off") == 1
    assert len(rig.of(CallerStarted)) == 1


def test_or_before_the_words_are_out() -> None:
    rig = opened(Knobs()).speak("I would like", seconds=1.0).speak("a bicycle.", seconds=1.0).wait(5)
    assert rig.prompts() == ["I would like a bicycle."]


def test_noise_after_words_only_delays_their_final() -> None:
    rig = opened(Knobs()).speak("Hello.", seconds=1.0, final_after=0.5).wait(1.2).speak("", seconds=2.0).wait(1.5)
    assert rig.prompts() == []
    assert rig.wait(5).prompts() == ["Hello."]


def test_words_after_noise() -> None:
    rig = opened(Knobs()).speak("", seconds=1.0).wait(0.5).speak("Hello.").wait(5)
    assert rig.prompts() == ["Hello."]


def test_the_caller_is_audible_while_the_sound_lasts() -> None:
    rig = opened(Knobs()).speak("Hello there.", seconds=1.0).wait(0.9)
    assert rig.call.caller_speaking
    assert not rig.wait(0.2).call.caller_speaking
    assert not rig.wait(5).call.caller_speaking


# --- who is told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", ["none", "dtmf", "speech", "any"])
def test_speech_over_speech_that_cannot_be_cut(report: str) -> None:
    rig = opened(interruptible="none", reportInputDuringAgentSpeech=report).say(LONG).wait(0.5)
    rig.speak("Stop that", seconds=1.0, final_after=0.3).wait(20)
    told = report in ("speech", "any")
    assert not cut(rig)
    assert rig.prompts() == (["Stop that"] if told else [])
    assert bool(rig.prompts(last=False)) is told
    assert "caller on" in rig.brief and "caller off" in rig.brief  # the voice detector is not prompts
    assert [said.reported for said in rig.of(CallerSaid) if said.final] == [told]
    assert rig.played() == [LONG]


@pytest.mark.parametrize(("defer", "prompts"), [(False, []), (True, ["Stop that"])])
def test_or_it_comes_when_the_agent_has_finished(defer: bool, prompts: list[str]) -> None:
    rig = opened(knobs(defer_uncut_speech=defer), interruptible="none").say(LONG).wait(0.5)
    rig.speak("Stop that", seconds=1.0, final_after=0.3).wait(2)
    assert rig.prompts() == []
    rig.wait(5)
    assert rig.prompts() == prompts
    assert rig.brief[-1] == ("final 'Stop that'" if defer else "agent off")


def test_backchannel_never_comes_later() -> None:
    rig = opened(knobs(defer_uncut_speech=True), interruptible="none", ignoreBackchannel="true").say(LONG).wait(0.5)
    rig.speak("Okay.", seconds=1.0, final_after=0.3).wait(20)
    assert rig.prompts() == []


@pytest.mark.parametrize("report", ["none", "any"])
def test_speech_that_cut_in_is_always_told(report: str) -> None:
    rig = opened(reportInputDuringAgentSpeech=report).say(LONG).wait(0.5)
    rig.speak("Stop that now", seconds=1.0, final_after=0.3).wait(0.6)
    assert cut(rig)
    rig.say(LONG, interruptible=False).wait(20)  # even if the agent speaks again before the final
    assert rig.prompts() == ["Stop that now"]


def test_a_final_of_words_before_the_agent_spoke_is_told() -> None:
    rig = opened(interruptible="none").speak("Hello there", seconds=1.0, final_after=2.0).wait(1.5).say(LONG).wait(10)
    assert rig.brief[:2] != [] and rig.prompts() == ["Hello there"]


def test_speech_that_outlasts_the_agent_is_told() -> None:
    rig = opened(interruptible="none").say("Yes yes.").wait(0.1).speak("Hello there", seconds=3.0).wait(10)
    assert rig.prompts() == ["Hello there"]


def test_a_session_hears_only_what_began_in_it() -> None:
    rig = Rig(connect(), after=[connect()]).wait(1)
    rig.speak("Hello there", seconds=5.0).wait(1).send(type="end").wait(20)
    assert len(rig.call.sessions) == 2
    assert rig.prompts() == []
    rig.speak("And again").wait(5)
    assert rig.prompts() == ["And again"]


def test_speech_that_nobody_listens_to() -> None:
    rig = Rig("<Response><Say>Please hold the line for a moment.</Say></Response>", knobs=Knobs(fast=True))
    rig.speak("Hello?").press("1").wait(1.5)
    assert rig.frames == []
    assert len(rig.of(CallerStarted)) == 1


# --- hanging up ---------------------------------------------------------------------------------------------


def test_hanging_up_leaves_no_last_words() -> None:
    rig = opened(Knobs()).say(LONG).wait(1).speak("Stop that", seconds=2.0, vad=0.0, partials=[]).wait(0.2).hang_up()
    rig.finish()
    assert rig.brief == ["agent on", "caller on", "close 1000"]


@pytest.mark.parametrize("last", [True, False])
def test_but_the_unfinished_words_if_they_are_asked_for(last: bool) -> None:
    rig = opened(Knobs(hangup_partial_last=last), partialPromptOnHangup="true")
    rig.speak("I would like", partials=[(0.2, "I"), (0.4, "I would")], seconds=1.0).wait(0.5).hang_up().finish()
    assert rig.brief[-2:] == [f"{'final' if last else 'partial'} 'I would'", "close 1000"]


def test_none_when_there_are_none() -> None:
    rig = opened(Knobs(), partialPromptOnHangup="true").speak("Hello.").wait(5).hang_up().finish()
    assert rig.prompts() == ["Hello."]
    rig = opened(Knobs(), partialPromptOnHangup="true").speak("Hello.", vad=1.0).hang_up().finish()
    assert rig.brief == ["close 1000"]


def test_the_dead_do_not_speak() -> None:
    rig = opened(Knobs()).press("123").speak("Hello?").wait(0.1).hang_up().wait(3)
    assert [key.key for key in rig.of(KeyDialled)] == ["1"]
    assert rig.prompts() == []
    rig = opened(Knobs()).hang_up().speak("Hello?").press("123").wait(0.01)
    rig.finish()
    assert rig.brief == ["close 1000"]
    assert rig.of(KeyDialled) == rig.of(CallerStarted) == []
