"""The rules at the top of machine.py, one by one."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.keypad import KeyField
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Line
from voicectl.errors import ConversationError

M = Manners()


def ended(rig: Rig) -> list[str]:
    return [effect.closing for effect in rig.effects if isinstance(effect, fx.End)]


def test_a_question_is_recorded_then_answered_then_the_caller_has_the_floor() -> None:
    rig = Rig()
    out = rig.says("When do you open?")
    kinds = [type(effect) for effect in out]
    assert kinds.index(fx.RecordTurn) < kinds.index(fx.StartGeneration)
    assert rig.phase == "thinking"
    rig.writes("We open ", "at ten.")
    assert rig.phase == "speaking"
    out = rig.finishes()
    kinds = [type(effect) for effect in out]
    last = next(at for at, effect in enumerate(out) if isinstance(effect, fx.Say) and effect.last)
    assert kinds.index(fx.RecordTurn) < last  # rule 4
    assert rig.said == "We open at ten."
    assert [e.last for e in rig.of(fx.Say)].count(True) == 1
    rig.hears_all()
    assert rig.phase == "listening"
    assert rig.last_turn.heard == rig.last_turn.said == rig.last_turn.generated == "We open at ten."


def test_the_model_is_shown_the_conversation_as_it_was_heard() -> None:
    rig = Rig(greeting="Hello!")
    rig.hears_all()
    rig.says("Tell me everything.")
    rig.replies("One is red. Two is blue. Three is green.")
    rig.audio(True)
    rig.wait(1)
    rig.played("One is red.")
    rig.wait(0.5)
    rig.played("Two is")
    rig.cuts_in("Two is", 500)
    rig.says("Stop.")
    start = rig.of(fx.StartGeneration)[-1]
    assert isinstance(start, fx.StartGeneration)
    assert start.lines == (
        Line("agent", "Hello!"),
        Line("caller", "Tell me everything."),
        Line("agent", "One is red. Two is", cut=True),
        Line("caller", "Stop."),
    )


def test_nothing_of_a_cancelled_reply_is_said() -> None:
    rig = Rig()
    rig.says("Go on.")
    generation = rig.live
    rig.writes("First words ")
    rig.audio(True)
    rig.cuts_in("First")
    assert rig.machine.live_generation is None
    assert rig.post(ev.ReplyDelta(rig.at, generation, "and more")) == []
    assert rig.post(ev.ReplyFinished(rig.at, generation)) == []
    assert rig.post(ev.Failed(rig.at, "llm", "stall", generation)) == []
    assert "more" not in rig.said
    assert [e.last for e in rig.of(fx.Say)].count(True) == 1  # the talk cycle was closed all the same


def test_a_late_word_of_an_older_reply_does_not_get_into_the_newer_one() -> None:
    rig = Rig()
    rig.says("One?")
    old = rig.live
    rig.says("Two?")
    assert rig.post(ev.ReplyDelta(rig.at, old, "old words")) == []
    assert rig.post(ev.ReplyFinished(rig.at, old)) == []
    assert rig.post(ev.Failed(rig.at, "llm", "stall", old)) == []
    rig.replies("New words.")
    assert rig.said == "New words."


def test_a_reply_of_which_nothing_was_said_is_not_interrupted() -> None:
    rig = Rig()
    rig.says("Question one.")
    rig.replies("A long answer to the first question.")
    rig.audio(True)
    rig.says("Question two.")
    generation = rig.live
    rig.cuts_in("A long")
    assert rig.live == generation
    rig.replies("Second answer.")
    assert rig.machine.turns[1].interrupted and rig.machine.turns[1].heard == "A long"
    assert rig.said.endswith("Second answer.")


def test_the_reply_to_a_key_survives_that_keys_interruption() -> None:
    rig = Rig(Manners(key_field=KeyField(length=1)), greeting="This is a long greeting.")
    rig.audio(True)
    rig.presses("9")
    rig.writes("Key nine.")
    rig.played("This")
    rig.cuts_in("This", 15)
    rig.finishes()
    rig.audio(False)
    assert rig.machine.turns[0].heard == "This" and rig.machine.turns[0].interrupted
    rig.wait(0.3)
    rig.audio(True)
    rig.wait(0.7)
    rig.played("Key nine.")
    rig.audio(False)
    reply = rig.last_turn
    assert (reply.heard, reply.interrupted) == ("Key nine.", False)
    assert rig.phase == "listening"


def test_a_whole_reply_to_a_key_survives_that_keys_interruption_too() -> None:
    rig = Rig(Manners(key_field=KeyField(length=1)), greeting="This is a long greeting.")
    rig.audio(True)
    rig.presses("9")
    rig.replies("Key nine.")
    rig.played("This")
    out = rig.cuts_in("This", 15)
    assert fx.Unsay(keep=2) in out and rig.phase == "speaking"
    rig.audio(False)
    rig.wait(0.3)
    rig.hears_all()
    assert (rig.last_turn.heard, rig.last_turn.interrupted) == ("Key nine.", False)
    assert rig.machine.turns[0].heard == "This"


def test_an_interruption_by_voice_just_outside_the_echo_of_a_key_does_cut() -> None:
    rig = Rig(Manners(key_field=KeyField(length=1)))
    rig.presses("9")
    rig.writes("Some words ")
    rig.audio(True)
    rig.wait(M.key_echo + 0.01)
    rig.cuts_in("Some")
    assert rig.machine.live_generation is None


def test_newest_words_win_while_a_reply_is_written() -> None:
    rig = Rig()
    rig.says("One?")
    first = rig.live
    rig.says("No, two?")
    assert rig.live != first
    assert fx.CancelGeneration(first) in rig.effects
    rig.writes("Answering ")
    rig.says("No, three!")
    turns = rig.machine.turns
    assert [(t.role, t.generated) for t in turns] == [
        ("caller", "One?"),
        ("caller", "No, two?"),
        ("agent", "Answering "),
        ("caller", "No, three!"),
    ]
    assert [t.order for t in turns] == [0, 1, 2, 3]
    assert turns[2].failure == "overrun"


def test_silence_is_counted_from_the_end_of_what_was_heard() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.replies("Hello there, what can I do for you today?")
    rig.audio(True)
    rig.wait(10)
    rig.played("Hello there, what can I do for you today?")
    rig.audio(False)
    assert rig.wait(M.silence - 0.01) == []
    rig.wait(0.02)
    assert rig.last_turn.kind == "reprompt"
    assert rig.said.endswith(M.phrases.reprompts[0])


def test_without_any_report_the_speaking_time_is_estimated() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.replies("Hello there, what can I do for you today?")
    rig.wait(1)
    assert rig.phase == "speaking"
    rig.wait(2.5)
    assert rig.phase == "listening"
    assert rig.last_turn.heard == rig.last_turn.said
    rig.wait(M.silence)
    assert rig.last_turn.kind == "reprompt"


def test_a_silent_caller_is_asked_again_and_then_told_goodbye() -> None:
    rig = Rig()
    rig.wait(120)
    said = [turn.generated for turn in rig.machine.turns]
    assert said == [*M.phrases.reprompts, M.phrases.silent_goodbye]
    assert ended(rig) == ["goodbye"]
    assert rig.phase == "ended"
    assert not rig.timers


def test_words_reset_the_count_of_silences() -> None:
    rig = Rig()
    rig.wait(M.silence + 0.1)
    rig.hears_all()
    rig.says("Yes, I'm here.")
    rig.replies("Good.")
    rig.hears_all()
    rig.wait(M.silence + 0.1)
    assert rig.last_turn.generated == M.phrases.reprompts[0]


@pytest.mark.parametrize(
    "sound", [ev.CallerSpeaking(0, True), ev.CallerSpoke(0, "I was", False), ev.KeyPressed(0, "4")]
)
def test_sounds_and_keys_stop_the_silence_clock(sound: ev.Event) -> None:
    rig = Rig()
    rig.wait(M.silence - 0.1)
    rig.post(type(sound)(rig.at, *[getattr(sound, n) for n in sound.__slots__[1:]]))  # type: ignore[arg-type]
    rig.wait(1.5)
    assert not rig.of(fx.Say)


def test_noise_without_words_does_not_hold_the_call_for_ever() -> None:
    rig = Rig()
    rig.post(ev.CallerSpeaking(rig.at, True))
    rig.wait(M.noise - 0.1)
    assert not rig.of(fx.Say)
    rig.wait(0.2)
    assert rig.last_turn.kind == "reprompt"


def test_a_failed_reply_is_apologised_for_and_the_owner_told() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.fails("auth")
    assert rig.said == M.phrases.apology
    assert rig.of(fx.RecordIncident) == [fx.RecordIncident("llm", "auth", "apologised", 1)]


def test_a_reply_that_breaks_after_words_is_closed_honestly_and_not_said_again() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.writes("We have three ")
    rig.fails("truncated")
    assert rig.said == "We have three " + M.phrases.lost_thread
    assert rig.machine.turns[1].failure == "truncated"
    assert [e.last for e in rig.of(fx.Say)].count(True) == 2


def test_the_machine_itself_bounds_a_reply_without_a_first_word() -> None:
    rig = Rig(Manners(filler=0))
    rig.says("Hello?")
    assert not [e for e in rig.wait(M.first_token - 0.01) if isinstance(e, fx.Say)]
    rig.wait(0.02)
    assert rig.said == M.phrases.apology


def test_the_machine_itself_bounds_a_stall_and_the_whole_reply() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.writes("Well ")
    rig.wait(M.gap - 0.1)
    rig.writes("then ")
    rig.wait(M.gap - 0.1)
    assert rig.phase == "speaking" and rig.machine.live_generation
    rig.wait(0.2)
    assert rig.said == "Well then " + M.phrases.lost_thread

    rig = Rig()
    rig.says("Hello?")
    for _ in range(int(M.reply)):
        if rig.machine.live_generation:
            rig.writes("and ")
        rig.wait(1)
    assert rig.machine.live_generation is None
    assert rig.machine.turns[1].failure == "timeout"


@pytest.mark.parametrize("person", [True, False])
def test_after_three_failed_replies_the_agent_gives_up(person: bool) -> None:
    rig = Rig(Manners(can_transfer=person))
    for _ in range(M.max_failures):
        rig.says("Hello?")
        rig.fails()
        rig.wait(8)
        if rig.phase == "ended":
            break
    assert ended(rig) == (["person"] if person else ["goodbye"])
    assert rig.said.endswith(M.phrases.give_up_person if person else M.phrases.give_up)


def test_an_empty_reply_is_a_failure() -> None:
    rig = Rig()
    rig.says("Hello?")
    rig.finishes()
    assert rig.said == M.phrases.apology


def test_the_goodbye_is_heard_before_the_call_ends() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Thanks for calling, goodbye.", "goodbye")
    assert rig.phase == "closing" and not ended(rig)
    rig.audio(True)
    rig.wait(5)
    assert not ended(rig)
    rig.played("Thanks for calling, goodbye.")
    rig.audio(False)
    rig.wait(M.afterglow - 0.1)
    assert not ended(rig)  # the caller may have more to say
    rig.wait(0.2)
    assert ended(rig) == ["goodbye"]


def test_a_model_that_closes_without_words_is_given_some() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.finishes("goodbye")
    assert rig.said == M.phrases.goodbye
    rig.wait(10)
    assert ended(rig) == ["goodbye"]


def test_the_caller_can_call_the_goodbye_off_by_asking_for_more() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Goodbye then.", "goodbye")
    rig.audio(True)
    rig.wait(0.3)
    rig.says("Wait, one more thing.")
    rig.replies("Of course.")
    rig.audio(False)
    rig.wait(M.silence - 0.5)
    assert not ended(rig) and rig.phase in ("speaking", "listening")


def test_saying_goodbye_too_does_not_start_the_goodbyes_again() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Goodbye then.", "goodbye")
    rig.hears_all()
    rig.says("Bye-bye, thank you!")
    rig.wait(0.5)
    assert ended(rig) == ["goodbye"]
    assert len(rig.of(fx.StartGeneration)) == 1


def test_a_goodbye_cut_off_by_a_cough_still_ends_the_call() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Goodbye then, have a good day.", "goodbye")
    rig.audio(True)
    rig.wait(0.4)
    rig.cuts_in("Goodbye")
    rig.audio(False)
    assert not ended(rig)
    rig.wait(M.silence + 1)
    assert ended(rig) == ["goodbye"]


def test_the_time_cap_closes_with_words_and_cannot_be_called_off() -> None:
    rig = Rig()
    rig.says("Tell me a story.")
    rig.writes("Once upon ")
    rig.post(ev.CloseRequested(rig.at, "time_is_up"))
    assert rig.said.endswith(M.phrases.time_is_up)
    rig.says("But I wasn't finished!")
    assert rig.machine.live_generation is None
    rig.wait(15)
    assert ended(rig) == ["goodbye"]


def test_handing_to_a_person_needs_a_person() -> None:
    rig = Rig(Manners(can_transfer=True))
    rig.says("A human please.")
    rig.finishes("person")
    assert rig.said == M.phrases.person
    rig.wait(10)
    assert ended(rig) == ["person"]

    rig = Rig()
    rig.says("A human please.")
    rig.finishes("person")
    assert rig.said == M.phrases.no_person
    rig.wait(M.silence)
    assert not ended(rig)


def test_keys_belong_together_until_the_terminator_a_length_or_a_pause() -> None:
    rig = Rig()
    rig.presses("12")
    rig.wait(M.key_field.timeout - 0.1)
    rig.presses("34")
    assert not rig.of(fx.StartGeneration)
    rig.wait(M.key_field.timeout + 0.1)
    assert rig.last_turn.generated == "1234"
    assert rig.of(fx.StartGeneration)[-1].lines[-1] == Line("caller", "(pressed keys: 1234)")  # type: ignore[attr-defined]

    rig = Rig()
    rig.presses("77#")
    assert rig.last_turn.generated == "77" and rig.live

    rig = Rig(Manners(key_field=KeyField(length=3)))
    rig.presses("123")
    assert rig.last_turn.generated == "123" and rig.live


def test_keys_and_then_words_are_answered_once() -> None:
    rig = Rig()
    rig.presses("42")
    rig.says("That is my order number.")
    assert [t.generated for t in rig.machine.turns] == ["42", "That is my order number."]
    assert len(rig.of(fx.StartGeneration)) == 1
    assert "keys" not in rig.timers


def test_keys_typed_over_a_reply_come_after_it_in_the_record() -> None:
    rig = Rig()
    rig.says("Tell me more.")
    rig.writes("Well, the thing is ")
    rig.presses("5")
    rig.says("Forget it.")
    assert [t.order for t in rig.machine.turns] == [0, 1, 2, 3]
    assert [t.kind for t in rig.machine.turns] == ["speech", "reply", "keys", "speech"]


def test_replies_end_at_a_sentence_when_they_grow_too_long() -> None:
    rig = Rig(Manners(max_words=10))
    rig.says("Tell me more.")
    generation = rig.live
    for word in "One two three four five six. Seven eight nine ten eleven. Twelve thirteen.".split(" "):
        if rig.machine.live_generation:
            rig.writes(word + " ")
    assert rig.said in [f"One two three four five six. Seven eight nine ten eleven. {more}" for more in M.phrases.go_on]
    assert fx.CancelGeneration(generation) in rig.effects
    assert rig.last_turn.failure == "length"


def test_a_reply_that_arrives_all_at_once_is_cut_too() -> None:
    rig = Rig(Manners(max_words=10))
    rig.says("Tell me more.")
    rig.writes("This is a sentence of seven words. " * 100)
    assert rig.said.startswith("This is a sentence of seven words. This is a sentence of seven words. ")
    assert rig.said.endswith(M.phrases.go_on) and rig.said.count("seven") == 2
    rig = Rig(Manners(max_words=10))
    rig.says("Tell me more.")
    rig.writes("word " * 1000)
    assert 10 <= rig.said.split().count("word") <= 21
    assert rig.machine.live_generation is None


def test_a_call_that_closes_with_a_reply_that_is_too_long_still_closes() -> None:
    rig = Rig(Manners(max_words=3))
    rig.says("Bye.")
    rig.writes("Goodbye now then dear [")
    rig.finishes("goodbye")
    assert rig.phase == "closing" and [e.last for e in rig.of(fx.Say)].count(True) == 1


def test_hanging_up_in_mid_speech_keeps_what_was_reckoned_heard() -> None:
    rig = Rig()
    rig.says("Tell me more.")
    rig.writes("The quick brown fox jumps over the lazy dog while the spike keeps talking.")
    rig.audio(True)
    rig.wait(1.5)
    rig.post(ev.CallEnded(rig.at, "hung_up"))
    turn = rig.last_turn
    assert turn.said.startswith(turn.heard) and 10 < len(turn.heard) < 50
    assert turn.interrupted
    assert not rig.timers and rig.phase == "ended"
    assert rig.post(ev.CallerSpoke(rig.at, "Hello?")) == []


def test_interruptions_of_nothing_do_nothing() -> None:
    rig = Rig(greeting="Hello there.")
    rig.hears_all()
    before = list(rig.machine.turns)
    rig.cuts_in("there.")
    rig.cuts_in("")
    assert rig.machine.turns == before
    assert rig.phase == "listening"
    rig.wait(M.silence + 0.1)
    assert rig.last_turn.kind == "reprompt"


def test_misuse_raises() -> None:
    machine = Conversation(M)
    with pytest.raises(ConversationError):
        machine.handle(ev.CallerSpoke(0, "Hello"))
    machine.handle(ev.CallStarted(0))
    with pytest.raises(ConversationError):
        machine.handle(ev.CallStarted(0))


def test_a_stale_timer_has_no_effect() -> None:
    rig = Rig()
    due = rig.timers["silence"]
    assert rig.post(ev.TimerFired(due, "silence", due - 1)) == []
    assert rig.post(ev.TimerFired(due, "keys", due)) == []
    assert rig.post(ev.TimerFired(due, "silence", due)) != []
    assert rig.post(ev.TimerFired(due, "silence", due)) == []


def test_a_goodbye_that_is_answered_in_time_is_called_off() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Goodbye then.", "goodbye")
    rig.hears_all()
    rig.wait(1.0)
    rig.post(ev.CallerSpeaking(rig.at, True))
    rig.wait(1.5)
    assert not ended(rig)
    rig.says("Oh wait, what about Sunday?")
    assert rig.live


def test_goodbyes_called_off_for_ever_come_to_an_end() -> None:
    rig = Rig()
    for _ in range(6):
        if rig.phase == "ended":
            break
        rig.says("Hmm.")
        if rig.machine.live_generation:
            rig.replies("Goodbye then.", "goodbye")
            rig.hears_all()
        rig.wait(0.5)
    rig.wait(5)
    assert ended(rig) == ["goodbye"]


def test_agreeing_to_be_put_through_does_not_stop_it() -> None:
    rig = Rig(Manners(can_transfer=True))
    rig.says("A person please.")
    rig.finishes("person")
    rig.audio(True)
    rig.wait(0.5)
    rig.says("Yes please, thank you.")
    assert len(rig.of(fx.StartGeneration)) == 1
    rig.played(M.phrases.person)
    rig.audio(False)
    rig.wait(1)
    assert ended(rig) == ["person"]


def test_a_key_cuts_a_streaming_reply_off_like_a_voice_does() -> None:
    rig = Rig()
    rig.says("Tell me more.")
    rig.writes("The first one is red. ", "The second ")
    rig.audio(True)
    rig.presses("5")
    rig.cuts_in("The first")
    assert rig.machine.live_generation is None
    assert rig.last_turn.failure == "interrupted"


def test_a_voice_detector_without_partial_prompts_is_believed() -> None:
    rig = Rig()
    rig.says("Tell me more.")
    rig.replies("A long answer that goes on and on.")
    rig.audio(True)
    rig.wait(0.5)
    rig.post(ev.CallerSpeaking(rig.at, True))
    rig.cuts_in("A long")
    rig.audio(False)
    rig.wait(M.silence + 1)
    assert rig.last_turn.kind == "reply"  # no "are you still there" over a caller who is talking
    rig.wait(M.noise)
    assert rig.last_turn.kind == "reprompt"


def test_a_model_that_thinks_aloud_is_not_waited_for_longer() -> None:
    rig = Rig(Manners(filler=0))
    rig.says("Hello?")
    for _ in range(int(M.first_token) + 2):
        if rig.machine.live_generation:
            rig.writes("\n")
        rig.wait(1)
    assert rig.said == M.phrases.apology


def test_keys_are_kept_when_the_caller_hangs_up_in_the_middle() -> None:
    rig = Rig()
    rig.presses("4711")
    rig.post(ev.CallEnded(rig.at, "hung_up"))
    assert [t.generated for t in rig.machine.turns] == ["4711"]


def test_keys_wait_for_the_words_that_come_with_them_and_are_bounded() -> None:
    rig = Rig()
    rig.presses("42")
    rig.wait(1.5)
    rig.says("is my", final=False)
    rig.wait(1.5)
    assert not rig.of(fx.StartGeneration)
    rig.says("that is my number")
    assert len(rig.of(fx.StartGeneration)) == 1
    rig = Rig()
    rig.presses("1" * 1000)
    assert max(len(t.generated) for t in rig.machine.turns) == 64


def test_nobody_asks_for_the_caller_while_keys_are_being_pressed() -> None:
    rig = Rig(Manners(key_field=KeyField(timeout=10)))
    rig.presses("42")
    rig.wait(9)
    assert not rig.of(fx.Say)


def test_a_greeting_without_a_report_of_its_beginning_is_given_time() -> None:
    slow = Rig(Manners(reported=True), greeting="A long greeting, spoken slowly. " * 5)
    slow.wait(14)
    assert not slow.of(fx.Say)
    slow.played(slow.machine.turns[0].said)
    slow.audio(False)
    slow.wait(M.silence + 0.1)
    assert slow.last_turn.kind == "reprompt"


def test_words_that_never_left_are_not_shown_to_the_model_later() -> None:
    rig = Rig()
    rig.says("One?")
    rig.replies("We open at ten.")
    rig.says("Two?")
    assert fx.Unsay() in rig.effects
    rig.post(ev.WordsUnsaid(rig.at, 1, len("We open at ten.")))
    assert rig.machine.turns[1].said == "" and rig.machine.turns[1].failure == "overrun"
    rig.says("Three?")
    assert [line.text for line in rig.of(fx.StartGeneration)[-1].lines] == ["One? Two? Three?"]  # type: ignore[attr-defined]


def test_a_call_goes_on_after_its_socket_with_its_history() -> None:
    first = Rig()
    first.says("My name is Ann.")
    first.replies("Hello Ann.")
    first.hears_all()
    first.post(ev.CallEnded(first.at, "socket_lost"))
    second = Conversation(M)
    second.handle(ev.CallStarted(0.0, "", tuple(first.machine.turns)))
    out = second.handle(ev.CallerSpoke(1.0, "Are you back?"))
    start = next(effect for effect in out if isinstance(effect, fx.StartGeneration))
    assert [line.text for line in start.lines] == ["My name is Ann.", "Hello Ann.", "Are you back?"]
    assert second.turns[0].order == 2


def test_a_hand_off_under_way_is_not_turned_into_a_goodbye_by_the_clock() -> None:
    rig = Rig(Manners(can_transfer=True))
    rig.says("A person please.")
    rig.finishes("person")
    rig.post(ev.CloseRequested(rig.at, "time_is_up"))
    rig.wait(10)
    assert ended(rig) == ["person"] and M.phrases.time_is_up not in rig.said


def test_prices_and_titles_are_not_cut_at_the_limit() -> None:
    rig = Rig(Manners(max_words=6))
    rig.says("How much?")
    for token in ["It ", "costs ", "just ", "$", "4", ".", "50", " today", ".", " More"]:
        if rig.machine.live_generation:
            rig.writes(token)
    assert rig.said.startswith("It costs just four dollars and fifty cents today. ")
    assert rig.said.endswith(M.phrases.go_on)


def test_no_reply_is_longer_than_two_hundred_words() -> None:
    rig = Rig(Manners(max_words=200))
    rig.says("Tell me more.")
    for _ in range(400):
        if rig.machine.live_generation:
            rig.writes("word ")
    said = rig.said.split()
    assert said.count("word") == 200 and rig.machine.live_generation is None


def test_text_without_words_is_bounded_too() -> None:
    rig = Rig(Manners(max_words=20))
    rig.says("Tell me more.")
    for _ in range(100):
        if rig.machine.live_generation:
            rig.writes("abcdefghij" * 5)
    assert len(rig.said) <= 20 * 15 + 50


def test_failures_in_a_row_are_counted_only_in_a_row() -> None:
    rig = Rig()
    for _ in range(4):
        rig.says("Hello?")
        rig.fails()
        rig.wait(6)
        rig.says("And?")
        rig.writes("Well, this is ")
        rig.audio(True)
        rig.cuts_in("Well")
    assert M.phrases.give_up not in rig.said


def test_nobody_is_asked_for_while_audio_is_going_out() -> None:
    rig = Rig()
    rig.wait(M.silence - 0.1)
    rig.audio(True)
    rig.wait(1)
    assert not rig.of(fx.Say)


def test_the_end_of_older_audio_is_not_the_end_of_words_that_are_still_to_come() -> None:
    rig = Rig(greeting="Hello!")
    rig.hears_all()
    rig.says("Hello?")
    rig.replies("We are open from ten to six.")
    rig.audio(False)  # the queue ran dry just before our words arrived
    assert rig.phase == "speaking" and rig.last_turn.heard == ""
    rig.audio(True)
    rig.wait(1)
    rig.played("We are")
    rig.cuts_in("We are")
    assert (rig.last_turn.heard, rig.last_turn.interrupted) == ("We are", True)


def test_an_empty_transcript_is_no_turn_and_the_silence_goes_on() -> None:
    rig = Rig()
    rig.says("   ")
    assert not rig.machine.turns
    rig.wait(M.silence + 0.1)
    assert rig.last_turn.kind == "reprompt"


def test_a_whole_reply_begins_the_count_of_failures_anew() -> None:
    rig = Rig()
    for _ in range(3):
        rig.says("Hello?")
        rig.fails()
        rig.says("And now?")
        rig.replies("Yes, now it works.")
    assert M.phrases.give_up not in rig.said


def test_a_caller_who_is_making_sounds_as_the_goodbye_ends_is_waited_for() -> None:
    rig = Rig()
    rig.says("That's all.")
    rig.replies("Goodbye then.", "goodbye")
    rig.audio(True)
    rig.post(ev.CallerSpeaking(rig.at, True))
    rig.wait(0.5)
    rig.played("Goodbye then.")
    rig.audio(False)
    rig.wait(M.afterglow + 0.5)
    assert not ended(rig)
    rig.wait(M.silence)
    assert ended(rig) == ["goodbye"]


def test_words_that_never_left_are_never_heard() -> None:
    rig = Rig()
    rig.says("One?")
    rig.replies("We open at ten.")
    rig.says("Two?")
    rig.post(ev.WordsUnsaid(rig.at, 1, len("We open at ten.")))
    rig.replies("At six.")
    rig.wait(10)  # nothing is reported: all that was handed over counts as heard
    assert rig.machine.turns[1].heard == ""
    assert rig.machine.turns[3].heard == "At six."
