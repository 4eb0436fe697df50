"""What a call asks of the knowledge base, when, and what becomes of the answer; in virtual time."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from test_voice_agent import INFO, FakeLine, FakeModel

from voicectl.conversation import events as ev
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Line, Passage
from voicectl.errors import StoreError
from voicectl.ports import Gap, Inquiry, ReplyEnd, ReplyRequest, Retrieval
from voicectl.services.agents import Agent
from voicectl.services.voice_agent import AgentLimits, LiveCall, VoiceAgentService
from voicectl.settings import Settings
from voicectl.simulator.virtual_time import run
from voicectl.storage.memory import MemoryCalls
from voicectl.storage.writer import Ticket

HOURS = Passage(1, "Hours", "We open at ten.", "hours.md")
PARKING = Passage(2, "Parking", "There is parking behind the shop.", "parking.md")
ANSWER = Retrieval("answer", (HOURS,), question="when do you open")
QUESTION = "Do you rent kayaks in winter?"
UNKNOWN = Retrieval("unknown", question=QUESTION, confidence=0.21, threshold=0.4)
EARLY = "when do you open"
TICK = 0.001
PAUSE, PAUSE_AT_END = Manners().guess_pause, Manners().guess_pause_at_end


@dataclass
class Books:
    """A knowledge base that gives its answers in turn, the last one for all that follow."""

    finds: list[Retrieval | Exception] = field(default_factory=lambda: [ANSWER])
    takes: float = 0.0
    asked: list[tuple[float, Inquiry]] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    running: int = 0

    async def search(self, inquiry: Inquiry, *, limit: int = 4) -> Retrieval:
        self.asked.append((asyncio.get_running_loop().time(), inquiry))
        self.limits.append(limit)
        self.running += 1
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.running -= 1
        found = self.finds.pop(0) if len(self.finds) > 1 else self.finds[0]
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def early(self) -> list[str]:
        """What was looked up in advance."""
        return [inquiry.lines[-1].text for _, inquiry in self.asked if inquiry.early]

    @property
    def final(self) -> list[Inquiry]:
        return [inquiry for _, inquiry in self.asked if not inquiry.early]


class Notebook:
    """Keeps gaps, or refuses them."""

    def __init__(self, refuse: bool = False) -> None:
        self.kept: list[Gap] = []
        self.refuse = refuse

    def record_gap(self, gap: Gap) -> Ticket[None]:
        ticket: Ticket[None] = Ticket()
        self.kept.append(gap)
        ticket.settle(None, StoreError("disk full") if self.refuse else None)
        return ticket

    async def gaps(self, since: datetime | None = None) -> list[Gap]:
        return self.kept[::-1]

    async def clear_gaps(self) -> int:
        raise NotImplementedError


@dataclass
class Bench:
    model: FakeModel
    books: Books
    gaps: Notebook | None
    line: FakeLine
    store: MemoryCalls
    call: LiveCall

    def says(self, text: str, final: bool = True) -> None:
        self.call.post(ev.CallerSpoke(self.call.now, text, final))

    async def asks(self, text: str) -> None:
        """Say it, and hear the answer to its end."""
        self.says(text)
        await asyncio.sleep(2)


def hold(
    talk: Callable[[Bench], Awaitable[None]],
    *,
    books: Books | None = None,
    gaps: Notebook | None = None,
    model: FakeModel | None = None,
    language: str = "en-US",
    limits: AgentLimits | None = None,
    guess: bool = False,
) -> Bench:
    """Hold a call, finish it, and see that nothing of it is left."""

    broken: list[object] = []

    async def main() -> Bench:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: broken.append(context))
        store, line = MemoryCalls(), FakeLine()
        known, replies = books or Books(), model or FakeModel()
        agent = Agent(
            "default",
            Settings(),
            Manners(silence=1000, guess=guess, language=language),
            limits or AgentLimits(),
            replies,
            None,
            known,
        )
        service = VoiceAgentService(agent=agent, store=store, gaps=gaps)
        bench = Bench(replies, known, gaps, line, store, service.answer(replace(INFO, language=language), line, ""))
        await talk(bench)
        await bench.call.finish("hung_up")
        assert not service.calls and known.running == 0 and replies.running == 0
        return bench

    bench = run(main(), tidy=True)
    gc.collect(1)  # a task whose exception nobody saw says so when it goes
    assert broken == []
    return bench


# --- what it asks, and what the reply is made of -----------------------------------------------------------


def test_an_inquiry_carries_what_bears_on_it() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("When do you open?")
        await bench.asks("And where can I park?")

    limits = AgentLimits(passages=7, collections=("shop", "workshop"))
    books = Books([ANSWER, Retrieval("answer", (PARKING, HOURS))])
    bench = hold(talk, books=books, language="de-AT", limits=limits)
    first, second = bench.books.final
    assert first == Inquiry((Line("caller", "When do you open?"),), "de-AT", ("shop", "workshop"), (), False)
    told = (
        Line("caller", "When do you open?"),
        Line("agent", "We open at ten."),
        Line("caller", "And where can I park?"),
    )
    assert second == Inquiry(told, "de-AT", ("shop", "workshop"), (HOURS,), False)
    assert bench.books.limits == [7, 7]


def test_the_reply_is_made_of_what_was_found_and_the_turn_remembers_it() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("When do you open?")
        turn = (await bench.store.turns("CA1"))[-1]
        assert turn.passages == (HOURS, PARKING)

    bench = hold(talk, books=Books([Retrieval("answer", (HOURS, PARKING))]))
    (request,) = bench.model.asked
    assert (request.passages, request.knowledge_failed, request.choices) == ((HOURS, PARKING), False, ())


def test_choices_reach_the_reply() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("What does delivery cost?")

    found = Retrieval("clarify", (HOURS, PARKING), ("delivery", "collection"))
    (request,) = hold(talk, books=Books([found])).model.asked
    assert (request.passages, request.choices) == ((HOURS, PARKING), ("delivery", "collection"))
    assert not request.knowledge_failed


def test_nothing_found_is_no_failure() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(QUESTION)

    (request,) = hold(talk, books=Books([UNKNOWN])).model.asked
    assert (request.passages, request.choices, request.knowledge_failed) == ((), (), False)


@pytest.mark.parametrize(
    ("books", "waits"),
    [
        (Books([StoreError("the disk is full")]), 0.0),
        (Books([RuntimeError("a bug")]), 0.0),
        (Books(takes=0.26), 0.25),
    ],
)
def test_a_knowledge_base_that_fails_is_an_incident_and_the_reply_must_not_pretend(books: Books, waits: float) -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(QUESTION)
        assert bench.line.sent[0][0] == pytest.approx(waits + 0.3, abs=0.03)
        events = [event.data for event in await bench.store.events("CA1") if event.kind == "incident"]
        assert [(each["part"], each["kind"]) for each in events] == [("kb", "timeout" if waits else "internal")]

    bench = hold(talk, books=books, gaps=Notebook(), limits=AgentLimits(search_seconds=0.25))
    (request,) = bench.model.asked
    assert request.knowledge_failed and (request.passages, request.choices) == ((), ())
    assert bench.gaps is not None and bench.gaps.kept == []


def test_a_search_that_is_just_in_time_is_used() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(QUESTION)

    bench = hold(talk, books=Books(takes=0.24), limits=AgentLimits(search_seconds=0.25))
    assert bench.model.asked[0].passages == (HOURS,)


def test_an_interruption_ends_the_search() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("When do you open?")
        await asyncio.sleep(0.1)
        assert bench.books.running == 1
        bench.says("No, wait, where can I park?")
        await asyncio.sleep(0.1)
        assert bench.books.running == 1
        await asyncio.sleep(2)
        assert len(bench.model.asked) == 1

    hold(talk, books=Books(takes=0.3))


# --- where it says so --------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["Where did you get that?", "says who", "Is that on your website?"])
def test_who_asks_for_the_source_is_told_of_the_last_reply(question: str) -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("When do you open?")
        await bench.asks("Where can I park?")
        await bench.asks("Thanks.")
        await bench.asks(question)

    books = Books([ANSWER, Retrieval("answer", (PARKING,)), Retrieval("unknown")])
    bench = hold(talk, books=books, gaps=Notebook())
    assert len(bench.books.asked) == 3  # nothing was searched for the fourth
    assert bench.model.asked[3].passages == (PARKING,) and not bench.model.asked[3].knowledge_failed
    assert bench.gaps is not None and bench.gaps.kept == []


def test_who_asks_for_the_source_of_nothing_is_told_nothing() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("Says who?")

    bench = hold(talk)
    assert bench.books.asked == [] and bench.model.asked[0].passages == ()


# --- gaps --------------------------------------------------------------------------------------------------


def test_a_question_without_an_answer_is_kept_for_the_owner(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def talk(bench: Bench) -> None:
        bench.says("Do you rent kayaks in", final=False)
        await asyncio.sleep(1)
        bench.says(QUESTION)
        assert bench.gaps is not None and bench.gaps.kept == []
        await asyncio.sleep(2)

    began = datetime.now(UTC)
    bench = hold(talk, books=Books([UNKNOWN]), gaps=Notebook(), limits=AgentLimits(collections=("shop",)))
    assert bench.gaps is not None
    (gap,) = bench.gaps.kept
    assert began <= gap.at <= datetime.now(UTC) and gap.at.utcoffset() == timedelta(0)
    assert gap == Gap(gap.at, "CA1", QUESTION, 0.21, "en-US", ("shop",))
    logged = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "kayaks" not in logged


@pytest.mark.parametrize(
    "said",
    [
        "Thanks, bye!",
        "Goodbye.",
        "Thank you so much.",
        "okay",
        "Hello?",
        "Can I speak to a person?",
        "Are you a robot?",
    ],
)
def test_what_is_no_question_is_no_gap(said: str) -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(said)

    bench = hold(talk, books=Books([Retrieval("unknown", question=said)]), gaps=Notebook())
    assert bench.gaps is not None and bench.gaps.kept == []


@pytest.mark.parametrize("keys", ["0", "12345"])
def test_keys_are_no_gap(keys: str) -> None:
    async def talk(bench: Bench) -> None:
        for key in keys:
            bench.call.post(ev.KeyPressed(bench.call.now, key))
        await asyncio.sleep(5)

    bench = hold(talk, books=Books([Retrieval("unknown", question=f"(pressed keys: {keys})")]), gaps=Notebook())
    assert bench.gaps is not None and bench.gaps.kept == []


@pytest.mark.parametrize("said", ["Anna Lindqvist.", "It's four nine five, two two one.", "My number is 555 0100."])
def test_names_and_numbers_are_not_kept(said: str) -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(said)

    bench = hold(talk, books=Books([Retrieval("unknown", question=said)]), gaps=Notebook())
    assert bench.model.asked and bench.gaps is not None and bench.gaps.kept == []


@pytest.mark.parametrize(
    "found",
    [
        ANSWER,
        Retrieval("clarify", (HOURS,), ("a", "b"), QUESTION),
        replace(UNKNOWN, partial=True),
        Retrieval("unknown"),
    ],
)
def test_what_was_answered_or_not_looked_for_in_earnest_is_no_gap(found: Retrieval) -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(QUESTION)

    bench = hold(talk, books=Books([found]), gaps=Notebook())
    assert bench.gaps is not None and bench.gaps.kept == []


@pytest.mark.parametrize(("said", "kept"), [("When do you open?", 1), ("Says who?", 0), ("Thanks, bye!", 0)])
def test_what_the_model_says_it_cannot_answer_is_a_gap_too(said: str, kept: int) -> None:
    class Modest(FakeModel):
        async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
            yield "I don't know."
            yield ReplyEnd(unanswered=True)

    async def talk(bench: Bench) -> None:
        await bench.asks(said)

    found = replace(ANSWER, question=said)
    bench = hold(talk, books=Books([found]), gaps=Notebook(), model=Modest())
    assert bench.gaps is not None and [gap.question for gap in bench.gaps.kept] == [said] * kept


def test_a_reply_that_is_interrupted_leaves_no_gap() -> None:
    """What the caller says next makes the question whole, or takes it back."""

    async def talk(bench: Bench) -> None:
        bench.says("Do you rent")
        await asyncio.sleep(0.1)
        bench.says("bicycles, I mean. Do you rent them?")
        await asyncio.sleep(2)

    bench = hold(talk, books=Books([UNKNOWN, ANSWER]), gaps=Notebook())
    assert bench.gaps is not None and bench.gaps.kept == []


def test_gaps_are_not_kept_where_the_owner_wants_none_and_a_refused_one_harms_nobody() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks(QUESTION)
        assert bench.line.text == "We open at ten."

    hold(talk, books=Books([UNKNOWN]), gaps=None)
    bench = hold(talk, books=Books([UNKNOWN]), gaps=Notebook(refuse=True))
    assert bench.gaps is not None and len(bench.gaps.kept) == 1


# --- while the caller speaks -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pause"),
    [(EARLY, PAUSE), (f"{EARLY}?", PAUSE_AT_END), (f"{EARLY}.", PAUSE_AT_END)],
)
def test_a_pause_is_taken_for_the_end_neither_too_early_nor_too_late(text: str, pause: float) -> None:
    async def talk(bench: Bench) -> None:
        await asyncio.sleep(1)
        bench.says(text, final=False)
        await asyncio.sleep(pause - TICK)
        assert bench.books.asked == []
        await asyncio.sleep(2 * TICK)
        assert bench.books.early == [text]
        await asyncio.sleep(20)

    bench = hold(talk)
    ((at, inquiry),) = bench.books.asked  # once
    assert at == pytest.approx(1 + pause)
    assert inquiry == Inquiry((Line("caller", text),), "en-US", (), (), True)
    assert bench.model.asked == []  # found, and thrown away


def test_every_new_word_begins_the_pause_anew() -> None:
    async def talk(bench: Bench) -> None:
        words = "when do you open on sundays in winter".split()
        for count in range(1, len(words) + 1):
            bench.says(" ".join(words[:count]), final=False)
            await asyncio.sleep(PAUSE - TICK)
        assert bench.books.asked == []
        await asyncio.sleep(2 * TICK)
        assert bench.books.early == [" ".join(words)]

    hold(talk)


def test_the_same_words_are_looked_up_once_and_other_words_again() -> None:
    async def talk(bench: Bench) -> None:
        for text in (EARLY, EARLY, f"{EARLY} on Sunday", f"{EARLY} on Sunday"):
            bench.says(text, final=False)
            await asyncio.sleep(1)
        bench.says(f"{EARLY} on Sunday")
        await asyncio.sleep(2)

    bench = hold(talk)
    assert bench.books.early == [EARLY, f"{EARLY} on Sunday"]
    assert len(bench.books.final) == 1


def test_a_transcript_that_is_final_is_not_looked_up_in_advance_any_more() -> None:
    async def talk(bench: Bench) -> None:
        bench.says(EARLY, final=False)
        await asyncio.sleep(PAUSE - TICK)
        bench.says(EARLY)
        await asyncio.sleep(5)

    bench = hold(talk)
    assert bench.books.early == [] and len(bench.books.final) == 1


def test_short_words_are_not_looked_up_in_advance() -> None:
    async def talk(bench: Bench) -> None:
        bench.says("open open", final=False)
        await asyncio.sleep(5)
        assert bench.books.asked == []
        bench.says("open open open", final=False)
        await asyncio.sleep(5)
        assert len(bench.books.asked) == 1

    hold(talk)


def test_nothing_is_looked_up_in_advance_where_that_is_off() -> None:
    async def talk(bench: Bench) -> None:
        bench.says(EARLY, final=False)
        await asyncio.sleep(5)

    assert hold(talk, limits=AgentLimits(prefetch=False)).books.asked == []


def test_what_is_looked_up_in_advance_follows_the_conversation() -> None:
    async def talk(bench: Bench) -> None:
        await bench.asks("When do you open?")
        bench.says("and on Sundays then", final=False)
        await asyncio.sleep(1)

    bench = hold(talk, limits=AgentLimits(collections=("shop",)))
    _, inquiry = bench.books.asked[-1]
    told = (
        Line("caller", "When do you open?"),
        Line("agent", "We open at ten."),
        Line("caller", "and on Sundays then"),
    )
    assert inquiry == Inquiry(told, "en-US", ("shop",), (HOURS,), True)


@pytest.mark.parametrize("broken", [Books([RuntimeError("a bug")]), Books(takes=9.0)])
def test_what_goes_wrong_in_advance_goes_unnoticed(broken: Books, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(bench: Bench) -> None:
        bench.says(EARLY, final=False)
        await asyncio.sleep(1)
        assert bench.books.early == [EARLY] and bench.books.running == 0  # not for ever
        bench.books.finds, bench.books.takes = [ANSWER], 0.0
        await bench.asks(EARLY)
        assert [event for event in await bench.store.events("CA1") if event.kind == "incident"] == []

    bench = hold(talk, books=broken)
    assert bench.model.asked[0].passages == (HOURS,) and not bench.model.asked[0].knowledge_failed
    assert caplog.records == []


@pytest.mark.parametrize("hangs_up_after", [0.0, PAUSE / 2, PAUSE + TICK, PAUSE + 0.1])
def test_nothing_is_left_when_the_caller_hangs_up(hangs_up_after: float) -> None:
    """`hold` looks for timers and tasks."""

    async def talk(bench: Bench) -> None:
        bench.says(EARLY, final=False)
        await asyncio.sleep(hangs_up_after)

    bench = hold(talk, books=Books(takes=0.3))
    assert len(bench.books.asked) == (hangs_up_after > PAUSE)
