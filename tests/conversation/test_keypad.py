"""Keys: fields, the menu, and what nobody is to read."""

from __future__ import annotations

import pytest
from rig import Rig

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.history import MASK
from voicectl.conversation.keypad import MOST_KEYS, Entry, KeyField, Keypad, MenuChoice
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.turns import Line, ToolCall

M = Manners()
USUAL = KeyField()
ORDER = KeyField("order number", r"order number", length=4)
PIN = KeyField("PIN", r"your PIN", length=4, sensitive=True)
MENU = (
    MenuChoice("1", "say", "When are you open?"),
    MenuChoice("2", "person", "sales"),
    MenuChoice("3", "goodbye"),
    MenuChoice("4", "language", "de-DE"),
    MenuChoice("9", "repeat"),
)
GERMAN = Phrases(switched="Gern.")
WITH_MENU = Manners(menu=MENU, fields=(ORDER,), others={"de-DE": GERMAN}, can_transfer=True)
GREETING = "Hello, this is the umbrella shop. What can I do for you?"


def pressed(pad: Keypad, keys: str, asked: str = "") -> Entry | None:
    """The entry that the last key completes; no earlier one may complete any."""
    for key in keys[:-1]:
        assert pad.press(key, asked) is None
    return pad.press(keys[-1], asked)


# --- fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "keys", "gives"),
    [
        (KeyField(length=4), "4711", "4711"),
        (KeyField(length=1), "4", "4"),
        (KeyField(), "4711#", "4711"),
        (KeyField(), "#", "#"),
        (KeyField(terminator="*"), "47#11*", "47#11"),
        (KeyField(length=4), "47#", "47"),
        (KeyField(length=4, terminator=""), "47#1", "47#1"),
        (KeyField(backspace="*"), "48*711#", "4711"),
        (KeyField(backspace="*"), "**48**4711#", "4711"),
        (KeyField(length=4, backspace="*"), "471*12", "4712"),
        (KeyField(), "1" * MOST_KEYS, "1" * MOST_KEYS),
    ],
)
def test_a_field_is_complete_at_its_length_or_by_its_terminator(field: KeyField, keys: str, gives: str) -> None:
    pad = Keypad(field)
    assert pressed(pad, keys) == Entry(gives, field)
    assert not pad.waiting and pad.complete() is None


def test_a_field_without_length_and_terminator_is_complete_when_it_is_said_so() -> None:
    pad = Keypad(KeyField(terminator=""))
    assert pressed(pad, "47#11") is None and pad.waiting
    entry = pad.complete()
    assert entry is not None and entry.keys == "47#11"


def test_keys_taken_back_to_the_last_are_none() -> None:
    pad = Keypad(KeyField(backspace="*"))
    assert pressed(pad, "4*") is None
    assert not pad.waiting and pad.complete() is None


def test_a_field_is_told_by_what_the_agent_asked() -> None:
    pad = Keypad(USUAL, (ORDER, PIN))
    assert pressed(pad, "4711", "What is your ORDER NUMBER?") == Entry("4711", ORDER)
    assert pressed(pad, "4711", "Please key in your PIN.") == Entry("4711", PIN)
    assert pressed(pad, "4711#", "What else?") == Entry("4711", USUAL)


def test_a_field_stays_what_it_was_when_its_first_key_came() -> None:
    pad = Keypad(USUAL, (ORDER, PIN))
    assert pad.press("4", "What is your order number?") is None
    assert pressed(pad, "711", "Please key in your PIN.") == Entry("4711", ORDER)


def test_a_field_that_was_opened_goes_before_what_was_said_and_holds_once() -> None:
    pad = Keypad(USUAL, (ORDER, PIN), MENU)
    assert pad.open("PIN") and not pad.open("shoe size")
    assert pad.open("PIN")
    assert pressed(pad, "1711", "What is your order number?") == Entry("1711", PIN)
    assert pressed(pad, "4711", "What is your order number?") == Entry("4711", ORDER)


def test_the_menu_is_for_keys_that_nobody_asked_for() -> None:
    pad = Keypad(USUAL, (ORDER,), MENU)
    assert pad.press("1", "Anything else?") == Entry("1", USUAL, MENU[0])
    assert pressed(pad, "1234", "What is your order number?") == Entry("1234", ORDER)
    assert pressed(pad, "51#", "Anything else?") == Entry("51", USUAL)  # a number may hold a menu's key


# --- keys in a call ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [1.0, 3.0])
def test_a_pause_ends_the_keys_not_too_early_and_every_key_puts_it_off(timeout: float) -> None:
    rig = Rig(Manners(key_field=KeyField(timeout=timeout)))
    for key in "47":
        rig.presses(key)
        rig.wait(timeout - 0.01)
        assert not rig.asked
    rig.wait(0.01)
    assert rig.asked[0].lines == (Line("caller", "(pressed keys: 47)"),)


def test_the_model_reads_what_the_keys_are_for() -> None:
    rig = Rig(Manners(fields=(ORDER,)), greeting="What is your order number?")
    rig.hears_all()
    rig.presses("4711")
    assert rig.told[-1] == ("keys", "order number: 4711")
    assert rig.asked[-1].lines[-1] == Line("caller", "(pressed keys for order number: 4711)")


def test_keys_taken_back_leave_the_floor_to_the_caller() -> None:
    rig = Rig(Manners(key_field=KeyField(backspace="*")))
    rig.presses("4*")
    rig.wait(M.silence - 0.01)
    assert not rig.machine.turns
    rig.wait(0.02)
    assert [kind for kind, _ in rig.told] == ["reprompt"]


def test_keys_taken_back_while_a_reply_is_awaited_leave_the_reply() -> None:
    rig = Rig(Manners(key_field=KeyField(backspace="*")))
    rig.says("When do you open?")
    generation = rig.live
    rig.presses("4*")
    rig.wait(1)
    assert rig.live == generation and len(rig.machine.turns) == 1


def test_words_complete_the_keys_and_both_are_answered_once() -> None:
    rig = Rig()
    rig.presses("47")
    rig.says("That is my number.")
    assert rig.told == [("keys", "47"), ("speech", "That is my number.")] and len(rig.asked) == 1
    rig.wait(3)
    assert len(rig.asked) == 1


# --- what nobody is to read --------------------------------------------------------------------------------


def test_sensitive_keys_are_masked_wherever_they_are_stored_and_real_for_the_model() -> None:
    rig = Rig(Manners(fields=(PIN,)), greeting="Please key in your PIN.")
    rig.hears_all()
    rig.presses("4711")
    assert rig.asked[-1].lines[-1].text == "(pressed keys for PIN: 4711)"
    rig.calls("a look")
    rig.returns("a")
    rig.replies("Thank you.")
    rig.hears_all()
    rig.says("And now?")
    rig.cuts_in("")
    rig.replies("Nothing.")
    rig.hangs_up()
    stored = [record.turn for record in rig.of(fx.RecordTurn)]
    assert [turn.generated for turn in stored if turn.kind == "keys"] == ["PIN: " + 4 * MASK]
    assert not any("4711" in str(turn) for turn in stored)
    assert "(pressed keys for PIN: 4711)" in [line.text for line in rig.machine.lines()]


def test_sensitive_keys_that_a_tool_is_given_are_masked_too() -> None:
    rig = Rig(Manners(fields=(PIN,)), greeting="Please key in your PIN.")
    rig.hears_all()
    rig.presses("4711")
    call = ToolCall("a", "check", '{"pin": "4711"}')
    rig.post(ev.ReplyFinished(rig.at, rig.live, "tool_calls", calls=(call,)))
    assert rig.of(fx.RunTool)[0].call == call  # the tool sees it
    rig.returns("a", "4711 is right.")
    assert [use.result for use in rig.asked[-1].lines[-1].tools] == ["4711 is right."]
    rig.replies("Four seven one one, so 4711, is right.")
    rig.hears_all()
    rig.hangs_up()
    assert not any("4711" in str(record.turn) for record in rig.of(fx.RecordTurn))


def test_of_a_secret_that_begins_with_another_one_nothing_is_left() -> None:
    rig = Rig(Manners(key_field=KeyField(sensitive=True)))
    for keys in ("4#", "47#", "471#", "4711#", "47112#"):
        rig.presses(keys)
    rig.calls("a look", words="So it is code 47112, and not 4711. ")
    stored = rig.machine.turns[-2].order
    (said,) = {record.turn.generated for record in rig.of(fx.RecordTurn) if record.turn.order == stored}
    assert said == f"So it is code {5 * MASK}, and not {4 * MASK}. "


@pytest.mark.parametrize("end", ["hangs up", "words"])
def test_sensitive_keys_that_are_not_complete_are_masked_too(end: str) -> None:
    rig = Rig(Manners(fields=(PIN,)), greeting="Please key in your PIN.")
    rig.hears_all()
    rig.presses("471")
    if end == "words":
        rig.says("I forgot the last one.")
    else:
        rig.hangs_up()
    assert [r.turn.generated for r in rig.of(fx.RecordTurn) if r.turn.kind == "keys"] == ["PIN: " + 3 * MASK]


def test_sensitive_keys_without_a_field_of_their_own_are_masked_too() -> None:
    rig = Rig(Manners(key_field=KeyField(length=2, sensitive=True)))
    rig.presses("47")
    assert [record.turn.generated for record in rig.of(fx.RecordTurn)] == [2 * MASK]
    assert rig.asked[0].lines[0].text == "(pressed keys: 47)"


def test_other_keys_are_stored_as_they_are() -> None:
    rig = Rig(Manners(fields=(ORDER, PIN)), greeting="What is your order number?")
    rig.hears_all()
    rig.presses("4711")
    assert rig.of(fx.RecordTurn)[-1].turn.generated == "order number: 4711"


# --- the menu ----------------------------------------------------------------------------------------------


def after_greeting(key: str, manners: Manners = WITH_MENU) -> Rig:
    rig = Rig(manners, greeting=GREETING)
    rig.hears_all()
    rig.presses(key)
    return rig


def test_a_key_that_says_something_is_a_turn_of_these_words() -> None:
    rig = after_greeting("1")
    assert rig.told[1:] == [("keys", "When are you open?")]
    assert rig.asked[0].lines[-1] == Line("caller", "When are you open?")


def test_a_key_for_a_person_puts_the_caller_through() -> None:
    rig = after_greeting("2")
    assert rig.told[1:] == [("keys", "2"), ("goodbye", M.phrases.person)]
    rig.hears_all()
    rig.wait(1)
    assert rig.of(fx.End) == [fx.End("person", "sales")] and not rig.asked


def test_a_key_for_a_person_where_there_is_none_says_so() -> None:
    rig = after_greeting("2", Manners(menu=MENU))
    assert rig.told[-1] == ("notice", M.phrases.no_person)
    rig.hears_all()
    rig.wait(2)
    assert rig.phase == "listening" and not rig.of(fx.End)


def test_a_key_for_goodbye_ends_the_call() -> None:
    rig = after_greeting("3")
    assert rig.told[-1] == ("goodbye", M.phrases.goodbye)
    rig.wait(20)
    assert rig.of(fx.End) == [fx.End("goodbye")]


def test_a_key_for_a_language_switches_and_says_so_in_it() -> None:
    rig = after_greeting("4")
    assert rig.of(fx.SwitchLanguage) == [fx.SwitchLanguage("de-DE")]
    assert rig.told[-1] == ("notice", "Gern.") and rig.last_turn.lang == "de-DE"
    kinds = [type(effect) for effect in rig.effects]
    assert kinds.index(fx.SwitchLanguage) < kinds.index(fx.Say)


def test_a_key_to_repeat_says_the_last_words_again() -> None:
    rig = after_greeting("9")
    assert rig.told[-1] == ("notice", GREETING) and not rig.asked
    rig.hears_all()
    rig.says("When do you open?")
    rig.replies("At ten.")
    rig.hears_all()
    rig.presses("9")
    assert rig.told[-1] == ("notice", "At ten.")


def test_a_key_to_repeat_what_was_cut_off_says_all_of_it() -> None:
    rig = Rig(WITH_MENU)
    rig.says("Tell me all.")
    rig.replies("Red is warm. Blue is cold.")
    rig.audio(True)
    rig.wait(1)
    rig.cuts_in("Red is warm.", 900)
    rig.wait(M.resume)
    rig.hears_all()
    rig.presses("9")
    assert rig.told[-1] == ("notice", "Red is warm. Blue is cold.")


def test_a_key_of_no_meaning_is_said_to_have_none_and_a_number_is_collected() -> None:
    rig = Rig(WITH_MENU)
    rig.presses("7")
    assert not rig.asked
    rig.wait(WITH_MENU.key_field.timeout + 0.1)
    assert rig.told == [("keys", "7"), ("notice", WITH_MENU.phrases.no_such_key)] and not rig.asked
    rig.hears_all()
    rig.presses("77#")
    assert rig.told[-1] == ("keys", "77") and len(rig.asked) == 1


@pytest.mark.parametrize("key", "12349")
def test_what_a_menu_key_does_is_not_cut_by_that_keys_own_interruption(key: str) -> None:
    rig = Rig(WITH_MENU, greeting=GREETING)
    rig.audio(True)
    rig.wait(1)
    rig.presses(key)
    if key == "1":
        rig.replies("At ten.")
    answer = rig.last_turn
    rig.wait(0.05)
    rig.played("Hello, this is")
    out = rig.cuts_in("Hello, this is", 900)
    rig.audio(False)
    assert fx.Unsay(answer.order) in out
    assert not rig.machine.turns[answer.order].interrupted
    assert (rig.machine.turns[0].heard, rig.machine.turns[0].interrupted) == ("Hello, this is", True)
    rig.wait(0.3)
    rig.hears_all()
    assert rig.machine.turns[answer.order].heard == answer.said
    rig.wait(2)
    assert (rig.phase == "ended") == (key in "23")


def test_a_voice_that_cuts_in_later_does_cut_what_a_menu_key_does() -> None:
    rig = Rig(WITH_MENU, greeting=GREETING)
    rig.hears_all()
    rig.presses("9")
    rig.audio(True)
    rig.wait(M.key_echo + 0.05)
    rig.cuts_in("Hello,", 200)
    assert rig.last_turn.interrupted and rig.last_turn.heard == "Hello,"


@pytest.mark.parametrize("key", "149")
def test_a_menu_key_is_a_sign_of_life(key: str) -> None:
    rig = Rig(WITH_MENU, greeting=GREETING)
    rig.hears_all()
    for _ in range(2):
        rig.wait(M.silence)
        assert rig.last_turn.kind == "reprompt"
        rig.hears_all()
    rig.presses(key)
    if key == "1":
        rig.replies("At ten.")
    rig.hears_all()
    rig.wait(M.silence)
    assert rig.last_turn.kind == "reprompt" and rig.last_turn.said not in (M.phrases.offer_person,)


def test_a_menu_key_ends_the_patience_that_was_asked_for() -> None:
    rig = Rig(WITH_MENU, greeting="Hello.")
    rig.hears_all()
    rig.says("Hold on a second.")
    rig.hears_all()
    rig.presses("9")
    rig.hears_all()
    rig.wait(M.silence - 0.01)
    assert rig.last_turn.kind == "notice"
    rig.wait(0.02)
    assert rig.last_turn.kind == "reprompt"


def test_a_menu_key_stops_a_reply_that_is_being_written_and_a_tool() -> None:
    rig = Rig(WITH_MENU)
    rig.says("I lost my red umbrella today.")
    rig.calls("a look")
    rig.presses("3")
    rig.returns("a")
    assert len(rig.asked) == 1 and rig.told[-1] == ("goodbye", M.phrases.goodbye)
    rig = Rig(WITH_MENU)
    rig.says("Tell me all.")
    rig.writes("Red is warm. ")
    generation = rig.live
    rig.presses("3")
    assert fx.CancelGeneration(generation) in rig.effects and rig.machine.live_generation is None
    rig.wait(20)
    assert rig.phase == "ended"


def test_a_key_over_a_goodbye_calls_it_off_and_is_read_by_the_model() -> None:
    rig = Rig(WITH_MENU)
    rig.says("Goodbye.")
    rig.replies("Goodbye.", "goodbye")
    rig.presses("7")
    rig.wait(2)
    assert rig.told[-1] == ("keys", "7") and len(rig.asked) == 2
