"""What a caller says in several goes is held until it is whole, and answered once (rule 10 of machine.py)."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.keypad import KeyField
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Line

M = Manners()
HALF = "I would like to order the"
OTHER = "big red umbrella."
WHOLE = "I would like to order the big red umbrella."


def test_half_a_sentence_is_held_and_then_answered_as_it_is() -> None:
    rig = Rig()
    rig.says(HALF)
    rig.wait(M.hold - 0.01)
    assert not rig.machine.turns and not rig.asked
    rig.wait(0.01)
    assert rig.told == [("speech", HALF)]
    assert rig.asked[0].lines == (Line("caller", HALF),)


def test_a_whole_sentence_is_not_held() -> None:
    rig = Rig()
    rig.says(WHOLE)
    assert len(rig.asked) == 1 and "hold" not in rig.timers


def test_the_other_half_makes_it_one_turn_answered_at_once() -> None:
    rig = Rig()
    rig.says(HALF)
    rig.wait(M.hold - 0.01)
    rig.says(OTHER)
    assert rig.told == [("speech", WHOLE)] and len(rig.asked) == 1
    rig.wait(1.1)
    assert len(rig.machine.turns) == 1 and len(rig.asked) == 1


def test_after_the_hold_the_other_half_is_a_turn_of_its_own_and_one_line_with_the_first() -> None:
    rig = Rig()
    rig.says(HALF)
    rig.wait(M.hold)
    first = rig.live
    rig.says(OTHER)
    assert [words for _, words in rig.told] == [HALF, OTHER]
    assert fx.CancelGeneration(first) in rig.effects
    assert rig.asked[-1].lines == (Line("caller", WHOLE),)


def test_three_pieces_are_held_from_the_last_of_them() -> None:
    rig = Rig()
    rig.says("I would like to")
    rig.wait(0.9)
    rig.says("order the")
    rig.wait(M.hold - 0.01)
    assert not rig.machine.turns
    rig.says(OTHER)
    assert rig.told == [("speech", WHOLE)]


def test_words_under_way_hold_it_for_longer() -> None:
    rig = Rig(Manners(guess=False))
    rig.says(HALF)
    rig.wait(0.9)
    rig.says("big", final=False)
    rig.wait(1.5)
    rig.says("big red", final=False)
    rig.wait(1.5)
    assert not rig.machine.turns
    rig.says(OTHER)
    assert rig.told == [("speech", WHOLE)] and len(rig.asked) == 1


def test_words_that_are_never_made_final_do_not_hold_it_for_ever() -> None:
    rig = Rig(Manners(guess=False))
    rig.says(HALF)
    rig.wait(0.9)
    rig.says("big", final=False)
    rig.wait(3.99)
    assert not rig.machine.turns
    rig.wait(0.02)
    assert rig.told == [("speech", HALF)] and len(rig.asked) == 1


def test_a_guess_is_made_on_all_of_the_pieces() -> None:
    rig = Rig()
    rig.says(HALF)
    rig.wait(0.5)
    rig.says("big red umbrella", final=False)
    rig.wait(M.guess_pause)
    assert rig.asked[0].early and rig.asked[0].lines == (Line("caller", WHOLE.rstrip(".")),)
    rig.says(OTHER)
    assert rig.told == [("speech", WHOLE)] and len(rig.asked) == 1
    assert [guess.used for guess in rig.of(fx.RecordGuess)] == [True]


def test_who_hangs_up_on_half_a_sentence_is_recorded_and_not_answered() -> None:
    rig = Rig()
    rig.says(HALF)
    out = rig.hangs_up()
    assert [effect.turn.generated for effect in out if isinstance(effect, fx.RecordTurn)] == [HALF]
    assert not rig.asked and not rig.said


def test_half_a_sentence_before_the_clock_runs_out_is_recorded_and_not_answered() -> None:
    rig = Rig()
    rig.says(HALF)
    rig.post(ev.CloseRequested(rig.at, "time_is_up"))
    assert rig.told == [("speech", HALF), ("goodbye", M.phrases.time_is_up)]
    rig.wait(20)
    assert rig.phase == "ended" and not rig.asked


@pytest.mark.parametrize("between", [0.1, 0.8])
def test_keys_after_half_a_sentence_are_answered_together_with_it(between: float) -> None:
    rig = Rig()
    rig.says("My number is")
    for key in "471":
        rig.wait(between)
        rig.presses(key)
    rig.wait(M.key_field.timeout - 0.01)
    assert not rig.asked
    rig.wait(0.01)
    assert rig.told == [("speech", "My number is"), ("keys", "471")]
    assert [line.text for line in rig.asked[0].lines] == ["My number is", "(pressed keys: 471)"]
    assert len(rig.asked) == 1


def test_a_key_that_leaves_no_key_does_not_leave_the_sentence_without_an_answer() -> None:
    rig = Rig(Manners(key_field=KeyField(backspace="*")))
    rig.says("When do you open?")
    rig.says("And the")
    rig.presses("*")
    rig.wait(M.hold)
    assert rig.machine.live_generation is not None and rig.asked[-1].lines[-1].text.endswith("And the")


def test_an_agreeing_word_after_half_a_sentence_belongs_to_it() -> None:
    rig = Rig()
    rig.says("The one that I want is the")
    rig.says("Right.")
    assert [kind for kind, _ in rig.told] == ["speech"]
    assert rig.told[0][1].lower().startswith("the one that i want is the right")


def test_nobody_is_asked_for_while_half_a_sentence_is_held() -> None:
    rig = Rig(Manners(silence=0.5))
    rig.says(HALF)
    rig.wait(M.hold)
    assert [kind for kind, _ in rig.told] == ["speech"]


def test_half_a_sentence_after_an_interruption_is_held_and_the_rest_of_the_reply_is_not_said() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.replies("Red is warm. Blue is cold.")
    rig.audio(True)
    rig.wait(1)
    rig.cuts_in("Red is warm.", 900)
    rig.says("And what about the")
    rig.wait(M.hold)
    assert [words for _, words in rig.told[2:]] == ["And what about the"] and len(rig.asked) == 2


def test_half_a_sentence_over_the_agent_stops_it_at_once() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.writes("Red is warm. Blue is cold. ")
    generation = rig.live
    rig.audio(True)
    out = rig.says("And what about the")
    assert fx.Unsay(-1) in out and fx.CancelGeneration(generation) in out
    assert rig.last_turn.failure == "overrun"
    rig.audio(False)
    rig.wait(M.hold - 0.01)
    assert len(rig.asked) == 1
    rig.wait(0.01)
    assert len(rig.asked) == 2 and rig.told[-1] == ("speech", "And what about the")


def test_half_a_sentence_over_a_goodbye_is_not_held_and_calls_it_off() -> None:
    rig = Rig()
    rig.says("Goodbye.")
    rig.replies("Goodbye.", "goodbye")
    rig.says(HALF)
    assert rig.told[-1] == ("speech", HALF) and len(rig.asked) == 2


@pytest.mark.parametrize("text", [HALF, WHOLE])
def test_nothing_is_held_where_that_is_switched_off(text: str) -> None:
    rig = Rig(Manners(hold=0))
    rig.says(text)
    assert len(rig.asked) == 1


def test_a_number_said_in_groups_is_one_turn() -> None:
    rig = Rig(greeting="What is your telephone number?")
    rig.hears_all()
    rig.says("Five five five")
    rig.wait(0.8)
    assert not rig.asked
    rig.says("one two three four five six seven.")
    rig.wait(M.hold)
    assert [kind for kind, _ in rig.told] == ["greeting", "speech"] and len(rig.asked) == 1


def test_the_language_of_what_was_held_is_kept() -> None:
    rig = Rig()
    rig.says(HALF, lang="en-GB")
    rig.wait(M.hold)
    assert rig.last_turn.lang == "en-GB"


@pytest.mark.parametrize("text", ["Where is my order?", "Where's my parcel?", "Where is it?"])
def test_a_question_to_the_agent_is_no_wish_for_a_moment(text: str) -> None:
    rig = Rig()
    rig.says(text)
    assert rig.told == [("speech", text)] and len(rig.asked) == 1


def test_who_asks_for_a_moment_gets_it_once_and_is_left_in_peace() -> None:
    rig = Rig()
    rig.says("Hold on a second.")
    assert rig.last_turn.kind == "notice" and rig.last_turn.said in M.phrases.take_your_time and not rig.asked
    rig.hears_all()
    rig.says("One moment please.")
    assert [kind for kind, _ in rig.told] == ["speech", "notice", "speech"]
    rig.wait(M.patience - 0.01)
    assert rig.last_turn.kind == "speech"
    rig.wait(0.02)
    assert rig.last_turn.kind == "reprompt"
    rig.hears_all()
    rig.wait(M.silence)  # patience is for once
    assert [kind for kind, _ in rig.told].count("reprompt") == 2


def test_who_is_back_after_a_moment_is_answered() -> None:
    rig = Rig()
    rig.says("Hold on a second.")
    rig.hears_all()
    rig.wait(8)
    rig.says("I have it here, it is a red one.")
    rig.replies("Good.")
    rig.hears_all()
    rig.wait(M.silence)
    assert [kind for kind, _ in rig.told] == ["speech", "notice", "speech", "reply", "reprompt"]
