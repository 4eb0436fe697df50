from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.spoken import speakable
from voicectl.conversation.turns import Closing, Line, Passage
from voicectl.llm import offline
from voicectl.llm.offline import OfflineModel
from voicectl.ports import CallInfo, ReplyEnd, ReplyRequest

HOURS = Passage(
    1, "Opening hours > When is the shop open?", "Saturday: 9 AM to 5 PM.\nSunday: 11 AM to 4 PM.", "hours.md", 1.0
)
GREETING = Line("agent", "Hello, this is Robin. How can I help you?")
MORE = Line("agent", "You're welcome. Is there anything else I can help with?")


def request(
    *lines: Line | str, passages: tuple[Passage, ...] = (), sid: str = "CA1", failed: bool = False
) -> ReplyRequest:
    """Plain strings are the caller's."""
    spoken = tuple(Line("caller", line) if isinstance(line, str) else line for line in lines)
    call = CallInfo(sid, "VX1", "+12075550100", "+12075550142")
    return ReplyRequest(call, spoken, passages, failed)


def pieces(asked: ReplyRequest, *, can_transfer: bool = False) -> list[str | ReplyEnd]:
    async def run() -> list[str | ReplyEnd]:
        model = OfflineModel("Robin", "Harbour Cycles", can_transfer)
        await model.warm_up()
        try:
            return [piece async for piece in model.reply(asked)]
        finally:
            await model.close()

    return asyncio.run(run())


def reply(asked: ReplyRequest, *, can_transfer: bool = False) -> tuple[str, Closing | None]:
    *said, end = pieces(asked, can_transfer=can_transfer)
    assert isinstance(end, ReplyEnd)
    return "".join(map(str, said)), end.closing


def test_it_streams_words_and_ends_with_its_end() -> None:
    *said, end = pieces(request("are you open on sunday", passages=(HOURS,)))
    assert said == ["On", " Sunday", " we're", " open", " 11", " AM", " to", " 4", " PM."]
    assert isinstance(end, ReplyEnd)
    assert (end.reason, end.closing, end.usage and end.usage.model) == ("stop", None, "offline")


def test_it_says_when_it_does_not_know_and_what_it_can_do() -> None:
    said, closing = reply(request("do you sell submarines"))
    assert re.search("don't have an answer|don't know|not something I know", said) and "hours" in said
    said, closing = reply(request("do you sell submarines"), can_transfer=True)
    assert said.endswith("?") and re.search("put (you|me) through", said) and closing is None


def test_knowledge_that_failed_is_not_an_answer_of_no() -> None:
    said, _ = reply(request("are you open on sunday", passages=(HOURS,), failed=True))
    assert "11 AM" not in said and re.search("look that up|get at our information", said)


def test_it_greets_and_is_honest_about_itself() -> None:
    assert reply(request(GREETING, "hello"))[0].startswith("H")
    said, _ = reply(request(GREETING, "are you a robot"))
    assert "automated assistant" in said and "computer" in said
    assert "Robin" in reply(request(GREETING, "what's your name"))[0]


def test_goodbyes_close_the_call() -> None:
    for words in ("bye", "that's all thank you", "okay thanks bye bye"):
        said, closing = reply(request(GREETING, "do you rent bikes", Line("agent", "Yes."), words))
        assert closing == "goodbye" and re.search("goodbye", said, re.IGNORECASE)


def test_no_is_goodbye_only_after_is_there_anything_else() -> None:
    assert reply(request(MORE, "no thank you"))[1] == "goodbye"
    assert reply(request(GREETING, "no"))[1] == "goodbye"
    said, closing = reply(request(Line("agent", "We could deliver it."), "no"))
    assert closing is None and "else" in said


def test_a_person_is_had_for_the_asking_if_there_is_one() -> None:
    for words in ("can I talk to a person", "representative", "(pressed keys: 0)"):
        said, closing = reply(request(GREETING, words), can_transfer=True)
        assert closing == "person" and "through" in said
        said, closing = reply(request(GREETING, words))
        assert closing is None and re.search("can't put you through|nobody can take", said)


def test_yes_takes_up_what_was_offered() -> None:
    offer = Line("agent", "I'm sorry, I don't have an answer to that. Shall I put you through to a person?")
    assert reply(request(offer, "yes please"), can_transfer=True)[1] == "person"
    assert reply(request(offer, "no thanks"), can_transfer=True)[1] is None
    assert reply(request(MORE, "yes"))[0].endswith("?")


def test_it_repeats_what_it_said_in_reply() -> None:
    lines = (GREETING, "are you open on sunday", Line("agent", "On Sunday we're open 11 AM to 4 PM."))
    assert reply(request(*lines, "can you repeat that"))[0] == "On Sunday we're open 11 AM to 4 PM."
    after_silence = (*lines, Line("agent", "Are you still there?"), "sorry what did you say")
    assert reply(request(*after_silence))[0] == "On Sunday we're open 11 AM to 4 PM."
    assert reply(request("what"))[0].startswith("I haven't said much")


def test_yes_to_shall_i_say_that_again_answers_again() -> None:
    lost = Line("agent", "Sorry, I lost my thread. Shall I say that again?")
    lines = (GREETING, "are you open on sunday", Line("agent", "On Sund", cut=True), lost, "yes")
    assert reply(request(*lines, passages=(HOURS,)))[0] == "On Sunday we're open 11 AM to 4 PM."


def test_a_follow_up_keeps_its_own_day_and_the_question_before() -> None:
    lines = ("are you open on saturday", Line("agent", "On Saturday we're open 9 AM to 5 PM."), "and on sundays?")
    assert reply(request(*lines, passages=(HOURS,)))[0] == "On Sunday we're open 11 AM to 4 PM."


def test_what_says_too_little_is_asked_back() -> None:
    said, closing = reply(request(GREETING, "how much is it"))
    assert said.endswith("?") or "more words" in said
    assert closing is None


def test_wordings_take_turns() -> None:
    lines: list[Line | str] = [GREETING]
    said = []
    for _ in range(6):
        lines.append("thanks")
        words, _ = reply(request(*lines))
        said.append(words)
        lines.append(Line("agent", words))
    assert all(one != next_one for one, next_one in pairwise(said))
    assert len(set(said)) > 1


def test_a_wording_is_not_said_again_over_a_silence() -> None:
    for number in range(8):
        first, _ = reply(request("hello", sid=f"CA{number}"))
        silence = Line("agent", "Are you still there?")
        assert reply(request("hello", Line("agent", first), silence, "hello", sid=f"CA{number}"))[0] != first


def test_the_same_conversation_gets_the_same_words_and_calls_differ() -> None:
    assert reply(request("do you sell submarines")) == reply(request("do you sell submarines"))
    assert len({reply(request("thanks", sid=f"CA{number}"))[0] for number in range(12)}) > 1


LINES = st.lists(
    st.tuples(
        st.sampled_from(["caller", "agent"]), st.text(max_size=40) | st.sampled_from(["yes", "no", "bye", "what"])
    ),
    max_size=6,
)


@settings(max_examples=150)
@given(LINES, st.text(max_size=60), st.booleans(), st.booleans())
def test_whatever_is_said_there_is_an_answer(
    lines: list[tuple[str, str]], last: str, can_transfer: bool, failed: bool
) -> None:
    before = [Line("agent" if role == "agent" else "caller", text) for role, text in lines]
    asked = request(*before, last, passages=(HOURS,), failed=failed)
    *said, end = pieces(asked, can_transfer=can_transfer)
    assert isinstance(end, ReplyEnd)
    assert all(isinstance(piece, str) and piece for piece in said)
    assert "".join(map(str, said)).strip()
    assert end.closing != "person" or can_transfer


@pytest.mark.parametrize("text", ["{name}", "{0}", "%s"])
def test_names_are_words_not_templates(text: str) -> None:
    async def run() -> str:
        model = OfflineModel(text, text, True)
        return "".join([p async for p in model.reply(request("what's your name")) if isinstance(p, str)])

    assert text in asyncio.run(run())


# --- what it makes of the conversation so far ----------------------------------------------------------------


DELIVERY = Passage(
    2,
    "Delivery and shipping > Do you deliver bikes?",
    "Yes. We deliver bikes on Wednesday and Friday afternoons between 2 PM and 6 PM. You get a text message when the "
    "driver is half an hour away. Delivery inside town is free.",
    "delivery.pdf",
    1.0,
    page=3,
)


def talk(*said: str, passages: tuple[Passage, ...] = (DELIVERY,), can_transfer: bool = False) -> list[str]:
    lines: list[Line] = [GREETING]
    answers = []
    for words in said:
        lines.append(Line("caller", words))
        answers.append(reply(request(*lines, passages=passages), can_transfer=can_transfer)[0])
        lines.append(Line("agent", speakable(answers[-1])))
    return answers


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (("delivery", "collection"), "o you mean delivery or collection?"),
        (("rentals", "repairs", "classes"), "o you mean rentals, repairs or classes?"),
        ((" delivery.", "col\nlection"), "o you mean delivery or col lection?"),
    ],
)
def test_what_may_mean_several_things_is_asked_back(choices: tuple[str, ...], words: str) -> None:
    wordings = set()
    for number in range(9):
        asked = replace(request("what does it cost", passages=(DELIVERY,), sid=f"CA{number}"), choices=choices)
        said, closing = reply(asked)
        wordings.add(said)
        assert said.endswith(words) and closing is None
    assert len(wordings) > 1


def test_it_is_asked_only_once() -> None:
    which = Line("agent", "Do you mean delivery or collection?")
    asked = replace(request("what about it", which, "do you deliver", passages=(DELIVERY,)), choices=("a", "b"))
    assert "Wednesday" in reply(asked)[0]


def test_a_goodbye_is_no_question_to_ask_back_about() -> None:
    assert reply(replace(request("bye"), choices=("a", "b")))[1] == "goodbye"


def test_the_hours_of_a_day_are_told_again_when_that_day_is_asked_for() -> None:
    """All hours were told, and another row speaks of a Sunday: it is not the one that was asked for."""
    week = "\n".join(f"{day}: 9 AM to 6 PM." for day in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"))
    hours = replace(HOURS, text=f"{week}\n{HOURS.text}")
    holidays = Passage(2, "Opening hours > Are you open on holidays?", "Easter Sunday: closed.", "hours.md", 1.0)
    every, sunday = talk("when are you open", "and on sundays", passages=(holidays, replace(hours, score=0.9)))
    assert "11 AM to 4 PM" in every
    assert "11 AM to 4 PM" in sunday and "Easter" not in sunday


def test_what_was_told_is_not_told_again_unless_it_is_asked_again() -> None:
    first, more, nothing, again = talk(
        "do you deliver bikes", "tell me more", "tell me more about that", "do you deliver bikes?"
    )
    assert first.startswith("Yes. We deliver bikes on Wednesday")
    assert first.endswith("half an hour away.") and more == "Delivery inside town is free."
    assert re.search("all I (have|know)", nothing)
    assert again == f"As I said, yes.{first.removeprefix('Yes.')}"
    assert talk("do you deliver bikes", "can you say that again")[1] == first


@pytest.mark.parametrize(
    "question",
    ["where did you get that", "says who?", "How do you know that?", "is that on your website", "who says so"],
)
def test_where_an_answer_is_from_is_told_when_it_is_asked(question: str) -> None:
    first, source, once_more = talk("when do you deliver bikes", question, question)
    assert "Delivery" not in first and "page" not in first
    assert "document called Delivery and shipping" in source and "page 3" in source
    assert "Delivery and shipping" in once_more
    web = replace(DELIVERY, source="https://harbourcycles.example/delivery", page=None)
    assert "website" in talk("when do you deliver bikes", question, passages=(HOURS, web))[1]
    assert "Opening hours" in talk("are you open sunday", question, passages=(DELIVERY, HOURS))[1]


def test_no_source_is_made_up() -> None:
    assert "Delivery" not in talk("hello", "says who")[1]


def test_a_message_is_taken_where_there_is_no_person() -> None:
    unknown, offered, noted, bye = talk(
        "do you sell boats", "yes please", "Tell Tess her bike is ready", "no", passages=()
    )
    assert unknown.endswith("shall I take a message?")
    assert re.search(r"[Ww]hat (should|shall) I pass on\?$", offered)
    assert "noted" in noted and "oodbye" in bye
    assert "pass on" in talk("can I leave a message")[0]
    assert "message" not in talk("do you sell boats", passages=(), can_transfer=True)[0]
    changed = talk("can I leave a message", "no thanks")[1]
    assert "noted" not in changed


def test_an_empty_line_is_not_repeated() -> None:
    assert reply(request(Line("agent", ""), "what"))[0].startswith("I haven't said much")


@pytest.mark.parametrize("asked", ["When are you open?", "Opening hours", "What do tours cost?", "Do you sell helmets"])
def test_whatever_it_said_a_question_after_it_is_understood_by_itself(asked: str) -> None:
    for kind, wordings in offline._SAID.items():
        for wording in wordings if kind != "which" else ():  # that one does ask for a thing
            told = wording.format(name="Robin", company="Ray's", document="Prices", page=1, choices="tea or milk")
            lines = (Line("caller", "Do you sell submarines?"), Line("agent", told), Line("caller", asked))
            assert standalone_question(lines) == asked, (kind, told)


def test_anything_else_asks_for_more_of_the_last_answer() -> None:
    prices = Passage(1, "Workshop > How much is a tune-up?", "Basic tune-up: $75.\nFull tune-up: $140.", "w.md", 1.0)
    lines = ("how much is a tune-up", Line("agent", "Basic tune-up: that's $75."), "Anything else?")
    assert reply(request(*lines, passages=(prices,)))[0] == "Full tune-up: that's $140."
    *_, end = pieces(request("Anything else?"))
    assert isinstance(end, ReplyEnd) and not end.unanswered


def test_a_company_needs_no_possessive() -> None:
    assert not any("{company}'" in wording for wordings in offline._SAID.values() for wording in wordings)


def test_how_long_it_takes_is_not_how_long_it_lasts() -> None:
    takes = Passage(
        1,
        "E-bike batteries > How long does a battery take to charge?",
        "A full charge takes four to five hours, and 80 percent is reached after about two and a half.",
        "b.md",
        0.9347,
    )
    lasts = Passage(
        2,
        "E-bike batteries > How long does a battery last?",
        "Four to six years, or 500 to 800 full charges. It loses range little by little. A battery test costs $40, "
        "takes one working day, and tells you how much capacity is left.",
        "b.md",
        0.9241,
    )
    which = Line("agent", "Do you mean returns and warranty or e-bike batteries?")
    said, _ = reply(request("How long does it take?", which, "The battery", passages=(takes, lasts)))
    assert said == takes.text
