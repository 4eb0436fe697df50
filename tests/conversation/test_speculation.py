"""Replies that are begun before the caller's words are final: rules 2 and 11 of machine.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.turns import Line, Usage

M = Manners()
SO_FAR = "do you open on sunday"
FINAL = "Do you open on Sunday?"
GERMAN = Phrases(switched="Gern.")


def guessing(rig: Rig | None = None, text: str = SO_FAR) -> Rig:
    """A reply has been begun on what the caller has said so far."""
    rig = rig or Rig()
    rig.says(text, final=False)
    rig.wait(M.guess_pause)
    assert rig.asked[-1].early
    return rig


def outcome(rig: Rig) -> list[bool]:
    return [guess.used for guess in rig.of(fx.RecordGuess)]


# --- when it is begun --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "pause"), [(SO_FAR, M.guess_pause), (FINAL, M.guess_pause_at_end)])
def test_it_is_begun_when_the_caller_pauses(text: str, pause: float) -> None:
    rig = Rig()
    rig.says(text, final=False)
    rig.wait(pause - 0.01)
    assert not rig.asked
    rig.wait(0.01)
    assert [(start.early, start.lines) for start in rig.asked] == [(True, (Line("caller", text),))]
    assert not rig.machine.turns


def test_every_further_word_puts_it_off() -> None:
    rig = Rig()
    text = "do you open"
    for word in ("on", "sunday", "mornings"):
        text = f"{text} {word}"
        rig.says(text, final=False)
        rig.wait(M.guess_pause - 0.01)
    assert not rig.asked
    rig.says(text, final=False)  # the same again is no further word
    rig.wait(0.01)
    assert rig.asked[0].lines[-1].text == text


@pytest.mark.parametrize("text", ["do", "do you open on the", "hold on a second"])
def test_it_is_not_begun_on_what_is_no_question_yet(text: str) -> None:
    rig = Rig()
    rig.says(text, final=False)
    rig.wait(1)
    assert not rig.asked and not rig.of(fx.LookUp)


@pytest.mark.parametrize("why", ["manners", "budget", "start", "speaking"])
def test_where_it_is_not_allowed_the_question_is_only_looked_up(why: str) -> None:
    rig = Rig(Manners(guess=why != "manners"), guessing=why != "start")
    if why == "budget":
        rig.post(ev.GuessingAllowed(rig.at, False))
    if why == "speaking":
        rig.says("Tell me all.")
        rig.replies("Red is warm. Blue is cold. Green is calm. Black is plain.")
        rig.audio(True)
    before = len(rig.asked)
    rig.says(SO_FAR, final=False)
    rig.wait(M.guess_pause - 0.01)
    assert not rig.of(fx.LookUp)
    rig.wait(0.01)
    assert len(rig.asked) == before
    assert [look.lines[-1] for look in rig.of(fx.LookUp)] == [Line("caller", SO_FAR)]
    rig.says(FINAL)
    assert len(rig.asked) == before + 1 and not rig.asked[-1].early


def test_it_is_allowed_again_when_the_budget_has_recovered() -> None:
    rig = Rig(guessing=False)
    rig.post(ev.GuessingAllowed(rig.at, True))
    guessing(rig)


def test_only_so_many_are_begun_for_one_turn() -> None:
    rig = Rig()
    for words in ("do you open", "do you open on sunday", "do you open on sunday mornings"):
        rig.says(words, final=False)
        rig.wait(M.guess_pause)
        if rig.machine.live_generation:
            rig.writes("We")
    assert len(rig.asked) == M.guesses == 2
    assert [look.lines[-1].text for look in rig.of(fx.LookUp)] == ["do you open on sunday mornings"]
    rig.says("Do you open on Sunday mornings?")
    rig.replies("We do.")
    rig.hears_all()
    guessing(rig)  # a new turn has new ones


def test_one_that_has_written_nothing_does_not_count() -> None:
    rig = Rig()
    for words in ("do you open", "do you open on sunday", "do you open on sunday mornings"):
        rig.says(words, final=False)
        rig.wait(M.guess_pause)
    assert len(rig.asked) == 3 and not rig.of(fx.LookUp)


def test_there_is_none_beside_a_live_reply() -> None:
    rig = Rig()
    rig.says("Tell me all.")
    rig.says(SO_FAR, final=False)
    rig.wait(M.guess_pause)
    assert len(rig.asked) == 1


# --- when it is confirmed ----------------------------------------------------------------------------------


def test_nothing_of_it_is_heard_before_the_words_are_final() -> None:
    rig = guessing()
    assert rig.writes("We do, ", "from noon. ") == []
    assert rig.finishes("goodbye") == []
    rig.wait(2)
    assert not rig.said and not rig.machine.turns and rig.phase == "listening"


def test_words_that_wait_are_said_as_soon_as_it_is_confirmed() -> None:
    rig = guessing()
    rig.wait(0.2)
    rig.writes("We do, ", "from noon. ")
    rig.wait(0.3)
    out = rig.says(FINAL)
    kinds = [type(effect) for effect in out]
    assert kinds.index(fx.RecordTurn) < kinds.index(fx.Say)
    assert rig.said.startswith("We do, from noon") and rig.phase == "speaking"
    assert len(rig.asked) == 1 and not rig.of(fx.CancelGeneration)
    rig.replies("Until noon.")
    reply = rig.last_turn
    assert rig.told == [("speech", FINAL), ("reply", "We do, from noon. Until noon.")]
    assert (reply.order, reply.at, reply.first_token_at) == (1, pytest.approx(0.85), pytest.approx(0.85))


def test_what_was_gained_is_the_time_until_the_first_word_or_until_the_words_were_final() -> None:
    rig = guessing()
    rig.wait(0.2)
    rig.writes("We do. ")
    rig.wait(0.3)
    rig.says(FINAL)
    rig.finishes()
    assert rig.last_turn.gained_ms == pytest.approx(200)
    (guess,) = rig.of(fx.RecordGuess)
    assert (guess.used, guess.gained_ms, guess.wasted_tokens) == (True, pytest.approx(200), 0)

    rig = guessing()
    rig.wait(0.5)
    rig.says(FINAL)
    rig.wait(0.2)
    rig.replies("We do.")
    assert rig.last_turn.gained_ms == pytest.approx(500)
    assert rig.last_turn.first_token_at == pytest.approx(M.guess_pause + 0.7)


def test_a_reply_that_was_not_begun_early_has_gained_nothing() -> None:
    rig = Rig()
    rig.says(FINAL)
    rig.replies("We do.")
    assert rig.last_turn.gained_ms is None and not rig.of(fx.RecordGuess)


def test_a_model_that_was_through_before_the_caller_is_believed() -> None:
    rig = guessing()
    rig.writes("We do. Goodbye.")
    usage = Usage("m", 100, 7)
    rig.post(ev.ReplyFinished(rig.at, rig.live, closing="goodbye", usage=usage))
    rig.says(FINAL)
    assert (rig.last_turn.said, rig.last_turn.usage, rig.last_turn.done) == ("We do. Goodbye.", usage, True)
    assert [say.last for say in rig.of(fx.Say)].count(True) == 1
    assert rig.phase == "closing"


def test_a_model_that_wanted_tools_gets_them_when_it_is_confirmed() -> None:
    rig = guessing()
    assert rig.calls("a look") == []
    rig.says(FINAL)
    assert [run.call.id for run in rig.of(fx.RunTool)] == ["a"]
    rig.returns("a")
    rig.replies("We do.")
    assert [kind for kind, _ in rig.told] == ["speech", "tool", "reply"]


def test_no_words_yet_is_waited_for_as_for_any_reply() -> None:
    rig = guessing()
    rig.wait(0.5)
    rig.says(FINAL)
    rig.wait(M.filler - 0.01)
    assert len(rig.machine.turns) == 1
    rig.wait(0.01)
    assert rig.last_turn.kind == "filler"
    rig.wait(M.first_token - M.filler)
    assert rig.last_turn.kind == "apology"


@pytest.mark.parametrize("final", [FINAL, "um do you open on Sunday please?", "Hello, do you open on Sunday?"])
def test_words_that_ask_the_same_confirm_it(final: str) -> None:
    rig = guessing()
    rig.says(final)
    assert outcome(rig) == [True] and len(rig.asked) == 1 and rig.told == [("speech", final)]


def test_the_transcript_revised_without_another_meaning_keeps_it() -> None:
    rig = guessing()
    rig.says("Do you open on Sunday", final=False)
    rig.wait(1)
    assert len(rig.asked) == 1 and not rig.of(fx.RecordGuess)


def test_an_interruption_of_nothing_keeps_it() -> None:
    rig = guessing()
    rig.cuts_in("")
    rig.says(FINAL)
    assert outcome(rig) == [True]


# --- when it is not ----------------------------------------------------------------------------------------

NOT_THAT: dict[str, Callable[[Rig], object]] = {
    "other words": lambda rig: rig.says("Do you open on Sundays in winter?"),
    "other words so far": lambda rig: rig.says("do you open on sunday in winter", final=False),
    "no words": lambda rig: rig.says(""),
    "half a sentence": lambda rig: rig.says("Do you open on Sunday and"),
    "a moment": lambda rig: rig.says("Hold on a second."),
    "another language": lambda rig: rig.says("Can we speak German?"),
    "keys": lambda rig: (rig.presses("47"), rig.wait(2)),
    "the end": lambda rig: rig.post(ev.CloseRequested(rig.at, "time_is_up")),
    "hanging up": lambda rig: rig.hangs_up(),
    "time": lambda rig: rig.wait(4),
}


@pytest.mark.parametrize("what", NOT_THAT)
def test_it_is_thrown_away_at(what: str) -> None:
    rig = guessing(Rig(Manners(others={"de-DE": GERMAN})))
    generation = rig.live
    rig.writes("We do, ", "from noon.")
    NOT_THAT[what](rig)
    assert fx.CancelGeneration(generation) in rig.effects
    assert rig.of(fx.RecordGuess) == [fx.RecordGuess(generation, False, 0.0, 5)]
    assert rig.post(ev.ReplyDelta(rig.at, generation, "more")) == []
    assert rig.post(ev.ReplyFinished(rig.at, generation)) == []
    assert "noon" not in rig.said
    assert rig.machine.live_generation != generation


def test_words_never_made_final_are_forgotten_not_sooner_than_after_four_seconds() -> None:
    rig = guessing()
    generation = rig.live
    rig.wait(3.99)
    assert rig.live == generation
    rig.wait(0.01)
    assert rig.machine.live_generation is None
    rig.wait(M.silence)
    assert rig.last_turn.kind == "reprompt"


def test_a_failed_model_is_no_failure_before_the_words_are_final() -> None:
    rig = guessing()
    rig.fails()
    assert outcome(rig) == [False] and not rig.said and not rig.of(fx.RecordIncident)
    rig.says(FINAL)
    assert [start.early for start in rig.asked] == [True, False]
    rig.replies("We do.")
    assert rig.last_turn.said == "We do."


def test_a_model_that_fails_once_it_is_confirmed_is_apologised_for() -> None:
    rig = guessing()
    rig.says(FINAL)
    rig.fails()
    assert rig.last_turn.kind == "apology" and outcome(rig) == [True]


def test_what_was_wasted_is_written_down_with_the_reply_that_came_of_the_question() -> None:
    rig = guessing(text="do you open")
    rig.writes("We do, from noon until six every day.")  # ten tokens by its length
    rig.says("do you open on sunday", final=False)
    rig.wait(M.guess_pause)
    rig.writes("On", " Sun", "day", "s")  # four by its pieces
    rig.says("Do you open on Monday?")
    rig.replies("On Monday we do.")
    assert [guess.wasted_tokens for guess in rig.of(fx.RecordGuess)] == [10, 4]
    assert rig.last_turn.wasted_tokens == 14
    rig.hears_all()
    rig.says("And on Tuesday?")
    rig.replies("Too.")
    assert rig.last_turn.wasted_tokens == 0


def test_a_model_that_was_through_has_told_what_it_cost() -> None:
    rig = guessing()
    rig.writes("We do.")
    rig.post(ev.ReplyFinished(rig.at, rig.live, usage=Usage("m", 100, 42)))
    rig.says("Do you open on Monday?")
    assert rig.of(fx.RecordGuess)[0].wasted_tokens == 42
    assert not rig.of(fx.CancelGeneration)  # there is nothing to stop


def test_a_reply_begun_in_the_old_language_is_not_said_in_the_new_one() -> None:
    rig = guessing(Rig(Manners(others={"de-DE": GERMAN})), "wann haben sie heute offen")
    rig.writes("We open at ten.")
    rig.says("Wann haben Sie heute offen?", lang="de")
    assert outcome(rig) == [False]
    assert (rig.asked[-1].language, rig.asked[-1].early) == ("de-DE", False)


def test_the_last_reply_of_a_call_is_never_one_that_did_not_know_it() -> None:
    rig = guessing(Rig(Manners(max_turns=1)))
    rig.says(FINAL)
    assert outcome(rig) == [False]
    assert [start.notes for start in rig.asked] == [(), ("wind_down",)]
