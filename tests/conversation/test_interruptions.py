"""What an interruption is, and what becomes of words that were cut off: rules 5, 6 and 10 of machine.py."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Line, Passage

M = Manners()
STORY = "Red is warm. Blue is cold. Green is calm."
FIRST = "Red is warm."
REST = "Blue is cold. Green is calm."


def speaking(rig: Rig | None = None, story: str = STORY, *, whole: bool = True) -> Rig:
    """The agent is being heard, one second into a reply that the model has (`whole`) finished writing."""
    rig = rig or Rig()
    rig.says("Tell me all.")
    rig.writes(story + ("" if whole else " "))
    if whole:
        rig.finishes()
    rig.audio(True)
    rig.wait(1.0)
    return rig


def cut(rig: Rig | None = None, *, whole: bool = True) -> Rig:
    """The same, and a sound has cut it off after its first sentence."""
    rig = speaking(rig, whole=whole)
    rig.cuts_in(FIRST, 900)
    return rig


def test_the_agent_stops_at_once_and_only_what_was_heard_counts() -> None:
    rig = speaking(whole=False)
    generation = rig.live
    out = rig.cuts_in(FIRST, 900)
    kinds = [type(effect) for effect in out]
    assert fx.CancelGeneration(generation) in out and fx.Unsay(-1) in out
    assert kinds.index(fx.RecordTurn) < kinds.index(fx.Say)
    assert fx.Say("", True, 1) in out
    turn = rig.last_turn
    assert (turn.heard, turn.interrupted, turn.failure) == (FIRST, True, "interrupted")
    assert rig.machine.live_generation is None
    assert rig.machine.lines()[-1] == Line("agent", FIRST, cut=True)


def test_a_cough_lets_the_rest_be_said_once_when_no_words_have_followed() -> None:
    rig = cut()
    rig.wait(M.resume - 0.01)
    assert len(rig.machine.turns) == 2
    rig.wait(0.01)
    turn = rig.last_turn
    assert (turn.kind, turn.said, turn.resumes) == ("reply", REST, 1)
    assert rig.effects.count(fx.Say(REST, True, 2)) == 1
    assert rig.phase == "speaking"
    # To the model it is one thing that the agent said, and nobody has cut it off.
    assert rig.machine.lines() == (Line("caller", "Tell me all."), Line("agent", STORY))
    rig.hears_all()
    rig.wait(2.9)
    assert len(rig.machine.turns) == 3 and len(rig.asked) == 1


@pytest.mark.parametrize("final", [True, False])
def test_words_that_follow_in_time_make_it_an_interruption(final: bool) -> None:
    rig = cut()
    rig.wait(M.resume - 0.01)
    rig.says("stop that please now", final=final)
    rig.wait(6)
    assert not any(turn.resumes is not None for turn in rig.machine.turns)
    assert rig.machine.turns[1].heard == FIRST and rig.machine.turns[1].interrupted


def test_who_coughs_again_into_the_rest_is_waited_for() -> None:
    rig = cut()
    rig.wait(M.resume)
    rig.audio(True)
    rig.wait(0.9)
    rig.cuts_in("Blue is cold.", 800)
    rig.wait(M.silence - 0.01)
    assert len(rig.machine.turns) == 3 and rig.machine.lines()[-1].cut
    rig.wait(M.resume + 0.01)
    assert rig.last_turn.kind == "reprompt"


def test_a_new_turn_of_the_caller_gives_a_new_reply_the_same_right() -> None:
    rig = cut()
    rig.wait(M.resume)
    rig.hears_all()
    cut(rig)
    rig.wait(M.resume)
    assert rig.told[-2:] == [("reply", STORY), ("reply", REST)]


def test_a_cough_while_the_reply_is_still_written_is_followed_by_what_there_was_and_a_new_generation() -> None:
    rig = cut(whole=False)
    rig.wait(M.resume - 0.01)
    assert len(rig.asked) == 1
    rig.wait(0.01)
    start = rig.asked[-1]
    assert (start.notes, start.continues, start.early) == (("resume",), True, False)
    assert [(line.role, line.text.rstrip("."), line.cut) for line in start.lines] == [
        ("caller", "Tell me all", False),
        ("agent", STORY.rstrip("."), False),
    ]
    rig.replies("Black is plain.")
    # What a sentence ends with may wait for what follows: a full stop is not missed.
    assert [words.strip(" .") + "." for _, words in rig.told[1:]] == [STORY, REST, "Black is plain."]
    assert [say.last for say in rig.of(fx.Say)].count(True) == 3


def test_a_reply_whose_first_words_were_all_heard_goes_on_after_a_cough_too() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.writes(FIRST + " ")
    rig.audio(True)
    rig.wait(1)
    rig.played(FIRST)
    rig.cuts_in(FIRST, 900)
    rig.wait(M.resume)
    assert [start.notes for start in rig.asked] == [(), ("resume",)]


def test_a_sound_before_the_first_word_of_a_reply_does_not_stop_it() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    generation = rig.live
    rig.cuts_in("")
    rig.wait(M.resume)
    assert rig.live == generation and not rig.of(fx.CancelGeneration)


def test_sounds_that_go_on_are_not_talked_over_but_not_waited_for_for_ever() -> None:
    rig = speaking()
    rig.sounds(True)
    rig.cuts_in(FIRST, 900)
    rig.wait(M.noise - 0.01)
    assert len(rig.machine.turns) == 2
    rig.wait(1)
    assert [turn.kind for turn in rig.machine.turns[2:]] == ["reprompt"]
    rig.hears_all()
    rig.sounds(False)
    rig.wait(M.resume)
    assert len(rig.machine.turns) == 3  # by now nobody remembers where the agent was


def test_when_the_sounds_end_the_rest_is_said_soon() -> None:
    rig = speaking()
    rig.sounds(True)
    rig.cuts_in(FIRST, 900)
    rig.wait(2.0)
    rig.sounds(False)
    assert len(rig.machine.turns) == 2
    rig.wait(M.resume)
    assert rig.last_turn.said == REST


def test_words_out_of_sounds_that_go_on_are_a_turn() -> None:
    rig = speaking()
    rig.sounds(True)
    rig.cuts_in(FIRST, 900)
    rig.wait(2.0)
    rig.says("Stop that please.")
    rig.sounds(False)
    rig.wait(1.0)
    assert rig.told[2] == ("speech", "Stop that please.") and len(rig.asked) == 2


def test_a_second_interruption_of_nothing_changes_nothing() -> None:
    rig = cut()
    rig.wait(0.5)
    rig.cuts_in(FIRST, 900)
    assert rig.machine.turns[1].heard == FIRST
    rig.wait(0.21)
    assert rig.last_turn.said == REST


def test_what_was_heard_to_its_end_cannot_be_interrupted() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.replies(STORY)
    rig.hears_all()
    out = rig.cuts_in(STORY, 3000)
    assert not [effect for effect in out if isinstance(effect, fx.RecordTurn | fx.Say)]
    assert not rig.last_turn.interrupted and rig.last_turn.heard == STORY
    rig.wait(M.silence - 0.01)
    assert len(rig.machine.turns) == 2
    rig.wait(0.01)
    assert rig.last_turn.kind == "reprompt"


def test_an_interruption_before_any_turn_leaves_the_floor_to_the_caller() -> None:
    rig = Rig()
    assert fx.SetTimer("silence", M.silence) in rig.cuts_in("")
    assert not rig.machine.turns


def test_words_cut_off_by_a_key_are_not_said_again() -> None:
    rig = speaking()
    rig.presses("4")
    rig.wait(0.02)
    rig.cuts_in(FIRST, 900)
    rig.wait(1.9)
    assert rig.told[1:] == [("reply", STORY)]
    rig.wait(0.1)
    assert rig.told[2:] == [("keys", "4")] and len(rig.asked) == 2


def test_a_filler_that_is_cut_off_is_not_said_again_and_the_reply_still_comes() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.wait(M.filler)
    assert rig.last_turn.kind == "filler"
    generation = rig.live
    rig.audio(True)
    rig.wait(0.2)
    rig.cuts_in("Red", 100)
    rig.wait(M.resume)
    assert rig.live == generation and len(rig.machine.turns) == 2
    rig.replies(STORY)
    assert rig.last_turn.said == STORY
    rig.hears_all()
    assert rig.last_turn.heard == STORY and not rig.last_turn.interrupted


def test_words_before_a_tool_that_are_cut_off_are_not_said_again_and_the_result_is_spoken() -> None:
    rig = Rig()
    rig.says("I lost my red umbrella today.")
    rig.calls("a look", words="I will look for your red umbrella. ")
    rig.audio(True)
    rig.wait(0.5)
    rig.cuts_in("I will", 300)
    rig.wait(M.resume)
    rig.returns("a")
    assert rig.asked[-1].notes == () and rig.asked[-1].continues
    assert rig.asked[-1].lines[-1].text == "I will"
    rig.replies("It is here.")
    assert [words.strip() for kind, words in rig.told if kind == "reply"] == [
        "I will look for your red umbrella.",
        "It is here.",
    ]


def test_the_rest_of_the_greeting_is_said() -> None:
    rig = Rig(greeting=STORY)
    rig.audio(True)
    rig.wait(1)
    rig.cuts_in(FIRST, 900)
    rig.wait(M.resume)
    assert (rig.last_turn.said, rig.last_turn.resumes) == (REST, 0)
    assert rig.machine.lines() == (Line("agent", STORY),)


def test_the_rest_of_a_reprompt_and_of_a_notice_is_said() -> None:
    rig = Rig()
    rig.wait(M.silence)
    rig.audio(True)
    rig.wait(0.3)
    rig.cuts_in(rig.last_turn.said.split()[0], 200)
    rig.wait(M.resume)
    assert rig.last_turn.resumes == 0
    rig.hears_all()
    rig.says("Hold on a second.")
    notice = rig.last_turn
    assert notice.kind == "notice"
    rig.audio(True)
    rig.wait(0.3)
    rig.cuts_in(notice.said.split()[0], 200)
    rig.wait(M.resume)
    assert rig.last_turn.resumes == notice.order


def test_a_goodbye_that_is_cut_off_is_not_said_again_and_the_call_ends() -> None:
    rig = Rig()
    rig.says("Goodbye.")
    rig.replies("Goodbye, and thank you for your call.", "goodbye")
    rig.audio(True)
    rig.wait(0.5)
    rig.cuts_in("Goodbye,", 400)
    rig.wait(10)
    assert rig.phase == "ended" and len(rig.machine.turns) == 2
    assert [end.closing for end in rig.of(fx.End)] == ["goodbye"]


def test_two_turns_that_were_cut_off_are_said_in_their_order() -> None:
    rig = Rig(Manners(can_transfer=True))
    rig.says("Tell me all.")
    rig.writes(STORY)
    passages = (Passage(1, "Colours", STORY, "colours.md"),)
    rig.post(ev.ReplyFinished(rig.at, rig.live, closing="person", passages=passages))
    confirm = M.phrases.confirm_person
    assert rig.told[-1] == ("reply", confirm)
    rig.audio(True)
    rig.wait(1)
    rig.cuts_in(FIRST, 900)
    rig.wait(M.resume)
    assert [(turn.said, turn.resumes) for turn in rig.machine.turns[3:]] == [(REST, 1), (confirm, 2)]


def test_without_patience_for_coughs_there_is_none() -> None:
    rig = speaking(Rig(Manners(resume=0)))
    rig.cuts_in(FIRST, 900)
    rig.wait(M.silence - 0.01)
    assert len(rig.machine.turns) == 2


# --- agreeing noises ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["Okay.", "uh-huh", "Yeah, yeah."])
@pytest.mark.parametrize("whole", [True, False])
def test_agreeing_noises_while_the_agent_speaks_are_no_turn(noise: str, whole: bool) -> None:
    rig = speaking(whole=whole)
    out = rig.says(noise.lower(), final=False) + rig.says(noise)
    assert not [e for e in out if isinstance(e, fx.Unsay | fx.RecordTurn | fx.StartGeneration | fx.CancelGeneration)]
    assert len(rig.asked) == 1
    rig.wait(0.5)
    assert rig.phase == "speaking"


def test_an_agreeing_noise_that_cut_the_agent_off_lets_it_go_on_at_once() -> None:
    rig = cut()
    rig.wait(0.3)
    rig.says("Okay.")
    assert rig.last_turn.said == REST and len(rig.asked) == 1


def test_an_agreeing_noise_that_may_become_more_is_waited_for_longer() -> None:
    rig = cut()
    rig.wait(0.3)
    rig.says("okay", final=False)
    rig.wait(2 * M.resume - 0.01)
    assert len(rig.machine.turns) == 2
    rig.wait(0.02)
    assert rig.last_turn.said == REST


def test_an_agreeing_noise_that_becomes_a_question_is_one() -> None:
    rig = cut()
    rig.says("okay", final=False)
    rig.wait(0.3)
    rig.says("okay but what about black", final=False)
    rig.wait(0.3)
    rig.says("Okay, but what about black?")
    rig.replies("Black is plain.")
    assert [words for _, words in rig.told] == [
        "Tell me all.",
        STORY,
        "Okay, but what about black?",
        "Black is plain.",
    ]


def test_an_agent_that_is_agreed_with_goes_on_three_times_and_then_lets_the_caller_speak() -> None:
    words = "Red is warm. Blue is cold. Green is calm. Black is plain. White is bright. Pink is sweet."
    rig = speaking(story=words)
    for sentence in ("Red is warm.", "Blue is cold.", "Green is calm."):
        rig.cuts_in(sentence, 900)
        rig.says("Okay.")
        assert rig.last_turn.resumes is not None and rig.phase == "speaking"
        rig.audio(True)
        rig.wait(0.9)
    turns = len(rig.machine.turns)
    rig.cuts_in("Black is plain.", 900)
    rig.says("Okay.")
    assert len(rig.machine.turns) == turns and rig.phase == "listening"
    rig.wait(M.silence)
    assert rig.last_turn.kind == "reprompt"


ASKS = "We have both. Would you like the red one? It is the cheaper one by far."


def test_yes_to_a_question_that_was_heard_is_an_answer() -> None:
    rig = speaking(story=ASKS)
    rig.cuts_in("We have both. Would you like the red one?", 900)
    rig.says("Yeah.")
    assert rig.told[-1] == ("speech", "Yeah.") and len(rig.asked) == 2


def test_yes_to_a_question_that_was_heard_is_an_answer_without_an_interruption_too() -> None:
    rig = speaking(story=ASKS)
    rig.played("We have both. Would you like the red one?")
    rig.says("Yeah.")
    assert rig.told[-1] == ("speech", "Yeah.") and len(rig.asked) == 2


def test_yes_before_the_question_was_heard_is_none() -> None:
    rig = speaking(story=ASKS)
    rig.cuts_in("We have both.", 500)
    rig.says("Yeah.")
    assert rig.last_turn.said == "Would you like the red one? It is the cheaper one by far."
    assert len(rig.asked) == 1


def test_an_agreeing_noise_while_a_reply_is_awaited_leaves_the_question_standing() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    generation = rig.live
    rig.wait(0.4)
    rig.says("Okay.")
    assert rig.live == generation and len(rig.machine.turns) == 1


def test_an_agreeing_noise_into_silence_is_a_turn() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.replies(STORY)
    rig.hears_all()
    rig.says("Okay.")
    assert rig.told[-1] == ("speech", "Okay.") and len(rig.asked) == 2


# --- words over the agent ----------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False])
def test_words_over_the_agent_win_also_without_an_interruption(whole: bool) -> None:
    rig = speaking(whole=whole)
    old = rig.machine.live_generation
    out = rig.says("What about black?")
    assert fx.Unsay(-1) in out
    assert (old is None) or fx.CancelGeneration(old) in out
    assert rig.machine.turns[1].failure == ("" if whole else "overrun")
    rig.replies("Black is plain.")
    assert rig.told[-2:] == [("speech", "What about black?"), ("reply", "Black is plain.")]


def test_half_words_over_the_agent_do_not_stop_it() -> None:
    rig = speaking(whole=False)
    generation = rig.live
    out = rig.says("what about", final=False)
    assert not [effect for effect in out if isinstance(effect, fx.Unsay | fx.CancelGeneration)]
    assert rig.live == generation


@pytest.mark.parametrize(("words", "stays"), [("Okay, goodbye.", True), ("No wait, when do you open?", False)])
def test_words_over_a_goodbye_take_it_back_only_if_they_call_it_off(words: str, stays: bool) -> None:
    rig = Rig()
    rig.says("That was all, goodbye.")
    rig.replies("Goodbye, and thank you for your call.", "goodbye")
    rig.audio(True)
    out = rig.says(words)
    assert (fx.Unsay(-1) not in out) is stays
    assert len(rig.asked) == (1 if stays else 2)
    rig.audio(False)
    rig.wait(5)
    assert (rig.phase == "ended") is stays
