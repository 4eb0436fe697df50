"""A call that grows long: a warning at a pause, a last reply, and an end that cannot be called off."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Line, Usage

M = Manners()
LONG = Manners(call_seconds=300, silence=1000)  # a warning at 180 s, an end from 270 s on


def warnings(rig: Rig) -> list[str]:
    return [words for kind, words in rig.told if kind == "notice"]


def answered(rig: Rig, at: float) -> None:
    """The caller has asked something and heard the answer; `at` is when that is over."""
    rig.wait(at - 1 - rig.at)
    rig.says("When do you open?")
    rig.replies("At ten.")
    rig.hears_all()


# --- the warning -------------------------------------------------------------------------------------------


def test_the_caller_is_warned_once_and_not_too_early() -> None:
    rig = Rig(LONG)
    answered(rig, 20)
    rig.wait(159.9)
    assert not warnings(rig)
    rig.wait(0.2)
    assert warnings(rig) == [M.phrases.length_warning.replace("{minutes}", "2 minutes")]
    rig.hears_all()
    answered(rig, 220)
    answered(rig, 240)
    assert len(warnings(rig)) == 1


def test_the_warning_waits_for_a_pause() -> None:
    rig = Rig(LONG)
    rig.wait(179.5)
    rig.says("Tell me all.")
    rig.wait(0.6)
    rig.writes("Red is warm. ")
    rig.audio(True)
    rig.wait(2)
    rig.finishes()
    assert not warnings(rig)
    rig.played("Red is warm.")
    rig.audio(False)
    assert len(warnings(rig)) == 1


@pytest.mark.parametrize(("warning", "words"), [(60.0, "a minute"), (90.0, "2 minutes"), (240.0, "4 minutes")])
def test_it_says_how_much_is_left(warning: float, words: str) -> None:
    rig = Rig(Manners(call_seconds=300, warning=warning, silence=1000))
    rig.wait(300 - warning)
    assert warnings(rig) == [M.phrases.length_warning.replace("{minutes}", words)]


@pytest.mark.parametrize("busy", ["sounds", "half a sentence", "a guess", "half a cough"])
def test_the_warning_does_not_cut_into_what_the_caller_says(busy: str) -> None:
    rig = Rig(LONG)
    rig.wait(178)
    if busy == "half a cough":
        rig.says("Tell me all.")
        rig.replies("Red is warm. Blue is cold.")
        rig.audio(True)
        rig.wait(1.5)
        rig.cuts_in("Red is warm.", 900)
        rig.wait(0.6)
    elif busy == "sounds":
        rig.sounds(True)
        rig.wait(2.1)
    elif busy == "half a sentence":
        rig.wait(1.9)
        rig.says("I would like to order the")
        rig.wait(0.2)
    else:
        rig.wait(1.6)
        rig.says("do you open on sunday", final=False)
        rig.wait(0.5)
        assert rig.machine.live_generation is not None
    assert rig.at > 180 and not warnings(rig)


def test_the_warning_does_not_cut_into_words_that_are_not_final() -> None:
    rig = Rig(Manners(call_seconds=300, silence=1000, guess=False))
    rig.wait(179.9)
    rig.says("i would like to know whether", final=False)
    rig.wait(0.3)
    assert not warnings(rig)


@pytest.mark.parametrize(
    "manners",
    [
        Manners(silence=1000),
        Manners(call_seconds=300, warning=0, silence=1000),
        Manners(call_seconds=130, silence=1000),  # it would come in the first seconds
        Manners(call_seconds=300, warning=20, silence=1000),  # the end is told of before that
    ],
)
def test_there_is_no_warning_where_it_means_nothing(manners: Manners) -> None:
    rig = Rig(manners)
    rig.wait(299)
    assert not warnings(rig)


# --- the last reply ----------------------------------------------------------------------------------------


def test_the_last_reply_is_given_at_a_pause_even_if_nothing_is_asked() -> None:
    rig = Rig(LONG)
    answered(rig, 260)
    rig.hears_all()  # the warning
    asked = len(rig.asked)
    rig.wait(269.99 - rig.at)
    assert len(rig.asked) == asked
    rig.wait(0.02)
    assert rig.asked[-1].notes == ("wind_down",)
    rig.replies("You wanted to know when we open: at ten. Goodbye.")
    assert rig.phase == "closing"
    rig.hears_all()
    rig.wait(1)
    assert rig.of(fx.End) == [fx.End("goodbye")] and rig.phase == "ended"


def test_a_question_that_late_gets_the_last_reply() -> None:
    rig = Rig(LONG)
    rig.wait(180)
    rig.hears_all()
    rig.wait(269 - rig.at)
    rig.says("When do you open?")
    assert rig.asked[-1].notes == ()
    rig.wait(1.1)
    rig.says("And on Sunday?")
    assert rig.asked[-1].notes == ("wind_down",)
    rig.replies("Not at all. Goodbye.")
    rig.wait(20)
    assert rig.phase == "ended"


def test_a_caller_who_never_spoke_is_given_no_last_reply() -> None:
    rig = Rig(LONG)
    rig.wait(299)
    assert not rig.asked


@pytest.mark.parametrize("turns", [1, 3])
def test_after_so_many_turns_the_next_reply_is_the_last(turns: int) -> None:
    rig = Rig(Manners(max_turns=turns))
    for _ in range(turns):
        assert all(start.notes == () for start in rig.asked)
        rig.says("When do you open?")
        rig.replies("At ten.")
        if rig.phase != "closing":
            rig.hears_all()
    assert rig.asked[-1].notes == ("wind_down",)
    rig.wait(20)
    assert rig.phase == "ended"


def test_what_needs_no_answer_does_not_count_as_a_turn() -> None:
    rig = Rig(Manners(max_turns=2))
    rig.says("When do you open?")
    rig.replies("At ten.")
    rig.hears_all()
    rig.says("Hold on a second.")
    rig.hears_all()
    rig.says("And on Sunday?")
    assert [start.notes for start in rig.asked] == [(), ("wind_down",)]


@pytest.mark.parametrize(("tokens", "notes"), [(100, ("wind_down",)), (101, ())])
def test_after_so_many_tokens_the_next_reply_is_the_last(tokens: int, notes: tuple[str, ...]) -> None:
    rig = Rig(Manners(max_tokens=tokens))
    rig.says("When do you open?")
    rig.writes("At ten.")
    rig.post(ev.ReplyFinished(rig.at, rig.live, usage=Usage("m", 90, 10, cached_tokens=80)))
    assert rig.phase == "speaking"
    rig.hears_all()
    rig.says("And on Sunday?")
    assert rig.asked[-1].notes == notes


def test_tokens_spent_on_tools_count() -> None:
    rig = Rig(Manners(max_tokens=100))
    rig.says("When do you open?")
    rig.calls("a look", usage=Usage("m", 90, 10))
    rig.returns("a")
    assert rig.asked[-1].notes == ("wind_down",)


# --- how it ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["fails", "empty", "closes without words"])
@pytest.mark.parametrize("asked", [True, False])
def test_a_last_reply_without_words_is_given_some(model: str, asked: bool) -> None:
    rig = Rig(LONG)
    answered(rig, 260)
    rig.hears_all()  # the warning
    rig.wait(270 - rig.at)
    if asked:
        rig.says("And on Sunday?")
    assert rig.asked[-1].notes == ("wind_down",)
    if model == "fails":
        rig.fails()
    else:
        rig.finishes("goodbye" if model == "closes without words" else None)
    assert rig.told[-1] == ("goodbye", M.phrases.wind_down)
    rig.wait(20)
    assert rig.phase == "ended"


def test_a_last_reply_that_breaks_is_the_last_all_the_same() -> None:
    rig = Rig(Manners(max_turns=1))
    rig.says("When do you open?")
    rig.writes("At ten, and ")
    rig.fails()
    rig.wait(20)
    assert rig.phase == "ended" and len(rig.asked) == 1
    assert rig.told[1] == ("reply", "At ten, and ")


def test_a_last_reply_that_is_too_long_offers_nothing_more() -> None:
    rig = Rig(Manners(max_turns=1, max_words=4))
    rig.says("Tell me all.")
    rig.writes("Red is as warm as blood. Blue is cold. ")
    assert rig.last_turn.said.strip() == "Red is as warm as blood." and rig.phase == "closing"
    rig.wait(20)
    assert rig.phase == "ended"


def test_a_caller_cannot_call_the_end_off() -> None:
    rig = Rig(Manners(max_turns=1))
    rig.says("When do you open?")
    rig.replies("At ten. Goodbye.")
    for _ in range(5):
        rig.wait(0.1)
        rig.cuts_in("At")
        rig.says("No wait, I want to know more!")
    assert len(rig.asked) == 1
    rig.wait(3)
    assert rig.of(fx.End) == [fx.End("goodbye")]
    assert rig.machine.lines()[-1].text.startswith("No wait, I want to know more!")


def test_a_caller_who_cuts_every_last_reply_off_gets_no_other_kind_of_reply() -> None:
    rig = Rig(Manners(max_turns=1))
    for _ in range(3):
        rig.says("Tell me all.")
        assert rig.asked[-1].notes == ("wind_down",)
        rig.writes("Red is warm. Blue is cold. ")
        rig.audio(True)
        rig.wait(1)
        rig.cuts_in("Red is warm.", 900)
    rig.wait(0.7)  # no words: the rest, and the last reply goes on
    assert rig.asked[-1].notes == ("wind_down",)
    rig.replies("Goodbye.")
    rig.wait(20)
    assert rig.phase == "ended"


def test_the_clock_of_the_driver_needs_no_last_reply() -> None:
    rig = Rig(LONG)
    rig.says("Tell me all.")
    rig.writes("Red is warm. ")
    rig.post(ev.CloseRequested(rig.at, "time_is_up"))
    assert rig.machine.live_generation is None
    assert rig.told[-1] == ("goodbye", M.phrases.time_is_up)
    assert rig.machine.lines()[0] == Line("caller", "Tell me all.")
    rig.wait(20)
    assert rig.phase == "ended"


def test_a_caller_who_wants_more_after_a_reply_that_was_too_long_gets_it() -> None:
    rig = Rig(Manners(max_words=4))
    rig.says("Tell me all.")
    rig.writes("Red is as warm as blood. Blue is cold. ")
    assert rig.last_turn.failure == "length" and rig.last_turn.said.startswith("Red is as warm as blood. ")
    assert any(rig.last_turn.said.endswith(offer) for offer in M.phrases.go_on)
    rig.hears_all()
    rig.says("Yes.")
    assert len(rig.asked) == 2 and rig.asked[-1].notes == ()
