"""Tools that the reply model calls: rule 12 of machine.py, and what the caller hears meanwhile."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.history import NO_RESULT
from voicectl.conversation.keypad import KeyField
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.turns import Line, ToolCall, ToolStatus, ToolUse, Usage

M = Manners()
LOST = "I lost my red umbrella today."
LET_ME = "Let me see where it is."
WITH_WORDS = Manners(tool_words={"look": (LET_ME,)})


def looking(*tools: str, manners: Manners | None = None, words: str = "") -> Rig:
    """The caller has asked for something, and the model has called tools for it."""
    rig = Rig(manners)
    rig.says(LOST)
    rig.calls(*(tools or ("a look",)), words=words)
    return rig


def uses(rig: Rig) -> list[ToolUse]:
    return [turn.tool for turn in rig.machine.turns if turn.tool is not None]


def fillers(rig: Rig) -> list[float]:
    return [turn.at for turn in rig.machine.turns if turn.kind == "filler"]


# --- a round -----------------------------------------------------------------------------------------------


def test_a_call_is_recorded_run_and_shown_to_the_model_with_its_result() -> None:
    rig = Rig()
    rig.says(LOST)
    out = rig.calls("a look")
    call = ToolCall("a", "look", "{}")
    kinds = [type(effect) for effect in out]
    assert kinds.index(fx.RecordTurn) < kinds.index(fx.RunTool)
    assert rig.of(fx.RunTool) == [fx.RunTool(call, 1, 0)]
    assert uses(rig) == [ToolUse(call)] and rig.phase == "thinking"
    rig.wait(0.5)
    rig.returns("a", "It is here.")
    use = ToolUse(call, "It is here.", "ok", 0.5)
    assert rig.of(fx.RecordTurn)[-1].turn.tool == use
    start = rig.asked[-1]
    assert (start.continues, start.early, start.notes) == (True, False, ())
    assert start.lines == (Line("caller", LOST, tools=(use,)),)
    rig.replies("It is here, at the desk.")
    assert [kind for kind, _ in rig.told] == ["speech", "tool", "reply"]


def test_tools_called_together_run_together_and_are_waited_for_until_the_last() -> None:
    rig = looking("a look", "b ask")
    assert [run.call.id for run in rig.of(fx.RunTool)] == ["a", "b"]
    rig.wait(0.2)
    rig.returns("b", "two")
    assert len(rig.asked) == 1
    rig.wait(0.2)
    rig.returns("a", "one")
    assert len(rig.asked) == 2
    # In the order they were called in, whichever was first to come back.
    assert [(use.call.id, use.result) for use in rig.asked[-1].lines[-1].tools] == [("a", "one"), ("b", "two")]


def test_a_tool_that_comes_back_twice_counts_once() -> None:
    rig = looking("a look", "b ask")
    rig.returns("a", "one")
    assert rig.returns("a", "again") == []
    assert rig.returns("never called") == []
    assert len(rig.asked) == 1
    rig.returns("b")
    assert len(rig.asked) == 2 and uses(rig)[0].result == "one"


def test_words_before_a_call_are_said_and_the_call_hangs_on_them() -> None:
    rig = looking(words="I will look for it. ")
    assert rig.said.strip() == "I will look for it." and [say.last for say in rig.of(fx.Say)].count(True) == 1
    rig.returns("a", "here")
    assert [(line.text, len(line.tools)) for line in rig.asked[-1].lines] == [(LOST, 0), ("I will look for it.", 1)]


def test_what_the_round_cost_is_written_down_once() -> None:
    usage = Usage("m", 50, 5)
    rig = Rig()
    rig.says(LOST)
    rig.calls("a look", "b ask", usage=usage)
    assert [turn.usage for turn in rig.machine.turns] == [None, usage, None]
    rig = Rig()
    rig.says(LOST)
    rig.calls("a look", words="I will look for it. ", usage=usage)
    assert [turn.usage for turn in rig.machine.turns] == [None, usage, None]


def test_ids_that_a_model_uses_again_are_told_apart() -> None:
    rig = looking("a look", "a look")
    assert [run.call.id for run in rig.of(fx.RunTool)] == ["a", "a.2"]
    rig.returns("a.2", "two")
    rig.returns("a", "one")
    rig.calls("a look")
    assert rig.of(fx.RunTool)[-1].call.id == "a.3"
    rig.returns("a.3", "three")
    assert [use.result for use in uses(rig)] == ["one", "two", "three"]
    rig.post(ev.ReplyFinished(rig.at, rig.live, calls=(ToolCall("", "look", "{}"), ToolCall("", "ask", "{}"))))
    ids = [run.call.id for run in rig.of(fx.RunTool)]
    assert all(ids) and len(set(ids)) == 5


# --- wrong, late, too many ---------------------------------------------------------------------------------


def test_wrong_calls_are_explained_once_and_then_there_are_no_tools() -> None:
    rig = looking()
    rig.returns("a", "There is no such thing.", "refused")
    assert rig.asked[-1].notes == ()
    rig.calls("b look")
    rig.returns("b", "Nor this.", "refused")
    assert rig.asked[-1].notes == ("no_tools",)
    rig.replies("I cannot look for it.")
    rig.hears_all()
    rig.says("And my hat?")
    rig.calls("c look")
    rig.returns("c", "Nor that.", "refused")
    assert rig.asked[-1].notes == ()  # a new turn has new patience


@pytest.mark.parametrize("status", ["ok", "failed"])
def test_tools_that_fail_are_not_called_wrongly(status: ToolStatus) -> None:
    rig = looking()
    for id in ("b", "c", "d"):
        rig.returns(rig.of(fx.RunTool)[-1].call.id, "It said no.", status)
        rig.calls(f"{id} look")
    assert [start.notes for start in rig.asked] == [()] * 4
    incidents = [(incident.part, incident.kind) for incident in rig.of(fx.RecordIncident)]
    assert incidents == ([] if status == "ok" else [("tool", "failed")] * 3)


def test_a_model_that_never_has_enough_is_told_to_answer_and_then_not_obeyed_any_more() -> None:
    rig = looking("c0 look")
    for number in range(1, M.tool_rounds):
        rig.returns(f"c{number - 1}")
        assert rig.asked[-1].notes == ()
        rig.calls(f"c{number} look")
    rig.returns(f"c{M.tool_rounds - 1}")
    assert rig.asked[-1].notes == ("no_tools",)
    rig.calls("more look")
    assert len(rig.of(fx.RunTool)) == M.tool_rounds
    assert rig.last_turn.kind == "apology"


def test_a_tool_that_is_late_has_failed_and_its_result_is_not_heard_of_any_more() -> None:
    rig = looking("a look", "b ask", manners=Manners(filler=0))
    rig.returns("b", "two")
    rig.wait(M.tool - 0.01)
    assert len(rig.asked) == 1
    rig.wait(0.01)
    assert len(rig.asked) == 2
    late, in_time = rig.asked[-1].lines[-1].tools
    assert (late.status, late.seconds, in_time.result) == ("timeout", M.tool, "two") and late.result
    assert [(incident.part, incident.kind) for incident in rig.of(fx.RecordIncident)] == [("tool", "timeout")]
    assert rig.returns("a", "at last") == []
    assert uses(rig)[0].status == "timeout"


def test_a_new_round_has_all_the_time_again() -> None:
    rig = looking(manners=Manners(filler=0))
    rig.wait(M.tool - 1)
    rig.returns("a")
    rig.calls("b look")
    rig.wait(M.tool - 0.01)
    assert not rig.of(fx.RecordIncident)
    rig.wait(0.01)
    assert uses(rig)[1].status == "timeout"


# --- the caller meanwhile ----------------------------------------------------------------------------------


def test_what_comes_back_after_the_caller_has_spoken_again_is_kept_and_not_spoken() -> None:
    rig = looking("a look", "b ask")
    rig.returns("b", "two")
    rig.says("Never mind, when do you open?")
    assert [use.result for use in rig.asked[-1].lines[0].tools] == [NO_RESULT, "two"]
    generation = rig.live
    out = rig.returns("a", "It is here.")
    assert [effect.turn.tool.result for effect in out if isinstance(effect, fx.RecordTurn) and effect.turn.tool] == [
        "It is here."
    ]
    assert rig.live == generation and len(rig.asked) == 2
    rig.replies("At ten.")
    rig.hears_all()
    rig.says("And my umbrella?")
    assert [use.result for use in rig.asked[-1].lines[0].tools] == ["It is here.", "two"]


def test_a_deed_that_the_caller_has_talked_over_is_not_done() -> None:
    rig = looking(manners=Manners(others={"de-DE": Phrases()}, fields=(KeyField("PIN", length=4),)))
    rig.says("Never mind, when do you open?")
    rig.post(ev.ToolReturned(rig.at, "a", "Done.", digits="12", language="de-DE", field="PIN"))
    assert not rig.of(fx.SendDigits) and not rig.of(fx.SwitchLanguage) and rig.machine.language == "en-US"
    (use,) = uses(rig)
    assert use.status == "failed" and use.result != "Done."
    rig.presses("1")
    rig.wait(2)
    assert rig.told[-1] == ("keys", "1")


def test_a_deed_in_time_is_done() -> None:
    rig = looking(manners=Manners(others={"de-DE": Phrases()}, fields=(KeyField("PIN", length=4),)))
    out = rig.post(ev.ToolReturned(rig.at, "a", "Done.", digits="12", language="de-DE", field="PIN"))
    kinds = [type(effect) for effect in out]
    assert fx.SendDigits("12") in out and fx.SwitchLanguage("de-DE") in out
    assert kinds.index(fx.SwitchLanguage) < kinds.index(fx.StartGeneration)
    assert rig.asked[-1].language == "de-DE"
    rig.replies("Bitte.")
    rig.hears_all()
    rig.presses("1234")
    assert rig.told[-1] == ("keys", "PIN: 1234")


def test_a_language_that_the_call_does_not_have_is_not_switched_to() -> None:
    rig = looking()
    rig.post(ev.ToolReturned(rig.at, "a", "Done.", language="fr-FR"))
    assert not rig.of(fx.SwitchLanguage) and len(rig.asked) == 2


def test_an_agreeing_word_leaves_the_tool_at_work() -> None:
    rig = looking()
    rig.wait(M.filler)
    rig.hears_all()
    rig.says("Okay.")
    rig.returns("a", "It is here.")
    assert rig.asked[-1].continues and [kind for kind, _ in rig.told] == ["speech", "tool", "filler"]


def test_a_call_that_ends_meanwhile_keeps_what_was_called() -> None:
    rig = looking()
    rig.hangs_up()
    assert rig.returns("a") == []
    assert rig.machine.lines()[-1].tools[0].result == NO_RESULT


def test_a_call_that_has_to_close_meanwhile_closes() -> None:
    rig = looking()
    rig.post(ev.CloseRequested(rig.at, "shutdown"))
    rig.returns("a", "It is here.")
    assert len(rig.asked) == 1 and uses(rig)[0].result == "It is here."
    rig.wait(20)
    assert rig.phase == "ended" and rig.said == M.phrases.shutting_down


def test_calls_of_the_last_reply_are_not_run() -> None:
    rig = Rig(Manners(max_turns=1))
    rig.says(LOST)
    rig.calls("a look")
    assert not rig.of(fx.RunTool) and not uses(rig)
    assert rig.last_turn.said == M.phrases.wind_down
    rig = Rig(Manners(max_turns=1))
    rig.says(LOST)
    rig.calls("a look", words="I am sorry, we have to finish. Goodbye.")
    assert not rig.of(fx.RunTool) and rig.last_turn.said == "I am sorry, we have to finish. Goodbye."
    rig.wait(20)
    assert rig.phase == "ended"


# --- what is heard meanwhile -------------------------------------------------------------------------------


def test_a_tool_with_words_of_its_own_has_them_said_at_once() -> None:
    rig = looking(manners=WITH_WORDS)
    assert (rig.last_turn.kind, rig.last_turn.said) == ("filler", LET_ME)
    assert rig.of(fx.Say) == [fx.Say(LET_ME, True, 2, preemptible=True)]


def test_a_tool_without_words_is_bridged_when_it_keeps_the_caller_waiting() -> None:
    rig = looking()
    rig.wait(M.filler - 0.01)
    assert not fillers(rig)
    rig.wait(0.01)
    assert fillers(rig) == [M.filler]


def test_words_of_the_reply_go_before_those_of_the_tool() -> None:
    rig = looking(manners=WITH_WORDS, words="I will look for it. ")
    assert not fillers(rig)


def test_a_further_filler_comes_every_four_seconds_and_not_sooner() -> None:
    rig = looking(manners=WITH_WORDS)
    rig.hears_all()
    rig.wait(2.99)
    assert fillers(rig) == [0.0]
    rig.wait(0.02)
    assert fillers(rig) == [0.0, 4.0]
    rig.wait(4)
    assert fillers(rig) == [0.0, 4.0, 8.0]


def test_a_second_round_of_the_same_turn_does_not_begin_the_words_again() -> None:
    rig = looking(manners=WITH_WORDS)
    rig.hears_all()
    rig.returns("a")
    rig.calls("b look")
    assert fillers(rig) == [0.0]


def test_a_tool_that_is_quick_is_not_bridged() -> None:
    rig = looking()
    rig.wait(0.5)
    rig.returns("a")
    rig.wait(0.5)
    rig.replies("It is here.")
    assert not fillers(rig)


def test_the_first_words_of_the_reply_cut_a_filler_off() -> None:
    rig = looking(manners=WITH_WORDS)
    rig.audio(True)
    rig.wait(0.5)
    rig.returns("a")
    rig.replies("It is here.")
    filler, reply = rig.machine.turns[-2:]
    assert filler.interrupted and 0 < len(filler.heard) < len(LET_ME)
    assert (reply.said, reply.order, reply.interrupted) == ("It is here.", filler.order + 1, False)
    assert rig.machine.lines()[-1] == Line("agent", "It is here.")  # the model never reads fillers


def test_a_filler_of_an_older_question_does_not_come_early_to_the_next_one() -> None:
    rig = looking(manners=WITH_WORDS)
    rig.hears_all()
    rig.wait(2.9)
    rig.says("And what about my green hat?")
    rig.wait(M.filler - 0.01)
    assert fillers(rig) == [0.0]
    rig.wait(0.01)
    assert len(fillers(rig)) == 2


def test_no_fillers_means_none() -> None:
    rig = looking(manners=Manners(filler=0, tool_words=WITH_WORDS.tool_words))
    rig.wait(M.tool - 0.1)
    assert len(fillers(rig)) <= 1


def test_a_caller_who_is_making_sounds_is_not_talked_over_with_a_filler() -> None:
    rig = looking()
    rig.sounds(True)
    rig.wait(3)
    assert not fillers(rig)
    rig.sounds(False)
    rig.wait(M.filler)
    assert len(fillers(rig)) == 1


def test_the_silence_clock_stands_while_tools_are_at_work() -> None:
    rig = looking(manners=Manners(filler=0))
    rig.wait(M.tool - 0.1)
    assert [kind for kind, _ in rig.told] == ["speech", "tool"]
