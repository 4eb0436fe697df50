"""The conversation as the reply model is shown it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from voicectl.conversation.history import MASK, NO_RESULT, History, heard_of
from voicectl.conversation.turns import Line, Role, ToolCall, ToolStatus, ToolUse, Turn, TurnKind


def history(*turns: Turn, earlier: tuple[Turn, ...] = ()) -> History:
    made = History()
    made.begin(earlier)
    for turn in turns:
        made.turns.append(replace(turn, order=made.next_order))
    return made


def caller(text: str, kind: TurnKind = "speech") -> Turn:
    return Turn(0, "caller", kind, 0.0, text, heard=text, done=True)


def agent(text: str, kind: TurnKind = "reply", *, heard: str | None = None, resumes: int | None = None) -> Turn:
    """`heard`: it was cut off after these words."""
    cut = heard is not None
    return Turn(0, "agent", kind, 0.0, text, heard=heard or "", said=text, interrupted=cut, done=True, resumes=resumes)


def tool(id: str, result: str = "", status: ToolStatus = "waiting") -> Turn:
    use = ToolUse(ToolCall(id, "look", "{}"), result, status)
    return Turn(0, "agent", "tool", 0.0, "", tool=use)


def shown(*turns: Turn) -> list[tuple[Role, str]]:
    return [(line.role, line.text) for line in history(*turns).lines()]


def test_what_was_said_and_not_heard_is_not_shown() -> None:
    lines = history(caller("Tell me all."), agent("One is red. Two is blue.", heard="One is red.")).lines()
    assert lines == (Line("caller", "Tell me all."), Line("agent", "One is red.", cut=True))
    assert history(caller("Tell me all."), agent("One is red.", heard="")).lines() == (Line("caller", "Tell me all."),)


def test_what_is_still_to_be_heard_counts_as_heard() -> None:
    turn = agent("One is red.")
    assert turn.heard == "" and heard_of(turn) == "One is red."
    assert shown(turn) == [("agent", "One is red.")]


def test_fillers_are_never_shown_nor_said_last() -> None:
    turns = (caller("Where is it?"), agent("One moment.", "filler"), agent("Here."))
    assert shown(*turns) == [("caller", "Where is it?"), ("agent", "Here.")]
    assert history(*turns[:2]).last_words() == ""


def test_what_the_caller_said_in_several_turns_is_one_line() -> None:
    assert shown(caller("I would like the"), caller("red one, please.")) == [
        ("caller", "I would like the red one, please.")
    ]
    assert shown(caller("When do you open?"), caller("And on Sunday?")) == [
        ("caller", "When do you open? And on Sunday?")
    ]


def test_words_with_an_answer_between_them_are_two_lines() -> None:
    turns = (caller("When do you open?"), agent("At ten."), caller("And on Sunday?"))
    assert [role for role, _ in shown(*turns)] == ["caller", "agent", "caller"]
    unheard = (caller("When do you open?"), agent("At ten.", heard=""), caller("And on Sunday?"))
    assert shown(*unheard) == [("caller", "When do you open? And on Sunday?")]


def test_keys_are_a_line_of_their_own() -> None:
    turns = (caller("My number is"), caller("471", "keys"), caller("That is it."))
    assert shown(*turns) == [
        ("caller", "My number is"),
        ("caller", "(pressed keys: 471)"),
        ("caller", "That is it."),
    ]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("4711", "(pressed keys: 4711)"),
        ("*9#", "(pressed keys: *9#)"),
        ("order number: 4711", "(pressed keys for order number: 4711)"),
        ("order: old: 4711", "(pressed keys for order: old: 4711)"),
        (f"PIN: {4 * MASK}", f"(pressed keys for PIN: {4 * MASK})"),
        (4 * MASK, f"(pressed keys: {4 * MASK})"),
        ("When are you open?", "When are you open?"),
    ],
)
def test_keys_as_the_model_reads_them(keys: str, text: str) -> None:
    assert shown(caller(keys, "keys")) == [("caller", text)]


def test_spoken_digits_are_no_keys() -> None:
    assert shown(caller("4711")) == [("caller", "4711")]


def test_the_rest_of_what_was_cut_off_joins_its_beginning() -> None:
    first = agent("One is red. Two is blue.", heard="One is red.")
    turns = (caller("Tell me all."), first, agent("Two is blue.", resumes=1))
    assert history(*turns).lines()[1:] == (Line("agent", "One is red. Two is blue."),)
    again = (*turns[:2], agent("Two is blue.", heard="Two is", resumes=1))
    assert history(*again).lines()[1:] == (Line("agent", "One is red. Two is", cut=True),)


def test_a_rest_after_nothing_that_was_heard_is_a_line_of_its_own() -> None:
    first = agent("One is red.", heard="")
    assert shown(caller("Tell me all."), first, agent("One is red.", resumes=1)) == [
        ("caller", "Tell me all."),
        ("agent", "One is red."),
    ]


def test_tools_hang_on_the_line_they_followed_in_their_order() -> None:
    turns = (
        caller("Where is it?"),
        tool("a", "one", "ok"),
        tool("b", "two", "failed"),
        agent("I will look again."),
        tool("c", "three", "ok"),
        agent("Here."),
    )
    lines = history(*turns).lines()
    assert [[use.result for use in line.tools] for line in lines] == [["one", "two"], ["three"], []]
    assert [line.text for line in lines] == ["Where is it?", "I will look again.", "Here."]


def test_no_call_of_a_tool_is_shown_without_a_result() -> None:
    lines = history(caller("Where is it?"), tool("a"), tool("b", "", "timeout"), caller("Hello?")).lines()
    assert [use.result for use in lines[0].tools] == [NO_RESULT, ""]
    assert lines[1] == Line("caller", "Hello?")  # not joined to words that a tool has followed


def test_a_tool_that_comes_back_is_noted_with_the_time_it_took() -> None:
    made = history(replace(caller("Where is it?"), at=1.0), replace(tool("a"), at=2.0))
    turn = made.tool_turn("a")
    assert turn is not None
    changed = made.returned(turn, "here", "ok", 3.5)
    assert (changed.tool, changed.finished_at) == (ToolUse(ToolCall("a", "look", "{}"), "here", "ok", 1.5), 3.5)
    assert made[1] == changed and made.tool_turn("a") is None and made.tool_turn("b") is None


def test_the_call_goes_on_where_its_earlier_socket_ended() -> None:
    earlier = (replace(caller("Hello."), order=4), replace(tool("a", "one", "ok"), order=5))
    made = history(agent("Hello."), earlier=earlier)
    assert (made.first_order, made.next_order) == (6, 7)
    assert 6 in made and 5 not in made and 7 not in made
    assert [line.text for line in made.lines()] == ["Hello.", "Hello."]
    assert made.call_ids() == {"a"} and made.caller_turn() == -1


def test_an_utterance_across_two_sockets_is_one_line() -> None:
    made = history(caller("red one, please."), earlier=(replace(caller("I would like the"), order=0),))
    assert [line.text for line in made.lines()] == ["I would like the red one, please."]


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ((), ""),
        ((agent("Hello.", "greeting"),), "Hello."),
        ((agent("Which one?"), agent("Are you there?", "reprompt")), "Which one?"),
        ((caller("Hi."), agent("Which one?"), agent("Shall I?")), "Which one? Shall I?"),
        ((caller("Hi."), agent("Which one? I mean", heard="Which one?")), "Which one?"),
        ((agent("Which one?"), caller("Red.")), "Which one?"),
        ((agent("Which one?"), caller("Red."), agent("Bye.", heard="")), ""),
        ((agent("Hello."), caller("Hi."), agent("Sorry.", "apology")), "Sorry."),
    ],
)
def test_what_the_agent_said_last(turns: tuple[Turn, ...], words: str) -> None:
    assert history(*turns).last_words() == words
