from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from voicectl.cli._page import Page
from voicectl.simulator.actions import (
    AgentSaying,
    AgentSpoke,
    AgentStarted,
    AgentStopped,
    CallerCutIn,
    CallerSaid,
    KeyDialled,
    Verb,
)
from voicectl.simulator.caller import Caller
from voicectl.simulator.line import TokensArrived
from voicectl.simulator.rehearsal import CallReport, Check, Said
from voicectl.simulator.transcript import Transcript


class Paper:
    """A page and what is on it."""

    def __init__(self, *, terminal: bool = False, live: bool = False, width: int = 60) -> None:
        self.file = io.StringIO()
        console = Console(file=self.file, force_terminal=terminal, color_system=None, width=width, highlight=False)
        self.page = Page(console, live=live)
        self.transcript = Transcript()
        self.page.follow(cast(Caller, SimpleNamespace(transcript=self.transcript, began=100.0)))

    def see(self, *seen: Any) -> None:
        for each in seen:
            self.transcript.observe(each)
            self.page.advance(each.at)

    @property
    def text(self) -> str:
        return self.file.getvalue()


def greeting(paper: Paper, text: str = "Hello, how can I help?") -> None:
    paper.see(AgentStarted(101), AgentSaying(101, text, 2.0))
    paper.page.advance(102)
    paper.see(AgentSpoke(103, text), AgentStopped(103))


def answered(paper: Paper) -> None:
    paper.transcript.caller_speaks("When are you open?", 104, 1.0)
    paper.page.advance(104.5)
    paper.see(CallerSaid(105.5, "When are you open?", final=True))
    paper.see(TokensArrived(105.6, "From nine", False), TokensArrived(105.61, " to six.", True))
    paper.see(AgentStarted(106), AgentSaying(106, "From nine to six.", 1.0))
    paper.page.advance(106.3)


def test_lines_are_written_when_they_are_complete() -> None:
    paper = Paper()
    greeting(paper)
    assert paper.text == "    1.0  agent   Hello, how can I help?\n"
    answered(paper)
    assert paper.text.count("\n") == 2, "the answer is not complete yet"
    paper.see(AgentSpoke(107, "From nine to six."), AgentStopped(107))
    assert paper.text.splitlines()[1:] == [
        "    4.0  caller  When are you open?",
        "    6.0  agent   From nine to six.",
        "                 transcript 500 ms · first token 600 ms · first audio 1000 ms",
    ]


def test_words_appear_as_they_are_spoken() -> None:
    paper = Paper(terminal=True, live=True)
    paper.see(AgentStarted(101), AgentSaying(101, "Hello, how can I help?", 2.0))
    shown = []
    for after in (0, 0.7, 1.4, 1.6):
        paper.page.advance(101 + after)
        shown.append(paper.text.removeprefix("    1.0  agent   "))
    assert shown == ["Hello,", "Hello, how", "Hello, how can I", "Hello, how can I help?"]
    paper.see(AgentSpoke(103, "Hello, how can I help?"), AgentStopped(103))
    assert paper.text == "    1.0  agent   Hello, how can I help?\n"
    paper.transcript.caller_speaks("One two three four", 104, 2.0)
    paper.page.advance(105)
    assert paper.text.endswith("    4.0  caller  One two three")


def test_long_lines_are_wrapped_on_a_terminal_only() -> None:
    words = " ".join(f"word{number}" for number in range(12))
    narrow, wide = Paper(terminal=True, width=50), Paper(width=50)
    for paper in (narrow, wide):
        greeting(paper, words)
    assert [len(line) <= 50 for line in narrow.text.splitlines()] == [True] * 3
    assert all(line.startswith(" " * 17 + "word") for line in narrow.text.splitlines()[1:])
    assert wide.text == f"    1.0  agent   {words}\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_where_the_caller_cut_in(terminal: bool) -> None:
    paper = Paper(terminal=terminal, live=terminal, width=200)
    paper.see(AgentStarted(101), AgentSaying(101, "Hello, how can I help?", 2.0))
    paper.transcript.caller_speaks("Stop", 101.2, 0.5)
    paper.see(AgentSpoke(101.5, "Hello, how", cut=True), CallerCutIn(101.5, "Hello, how"), AgentStopped(101.503))
    paper.page.advance(103)
    rest = "can I help?" if terminal else "[not heard: can I help?]"
    assert paper.text.splitlines() == [f"    1.0  agent   Hello, how {rest}", "    1.2  caller  cuts in: Stop"]


def test_unheard_words_are_struck_through() -> None:
    file = io.StringIO()
    page = Page(Console(file=file, force_terminal=True, color_system="standard", width=100), live=False)
    transcript = Transcript()
    page.follow(cast(Caller, SimpleNamespace(transcript=transcript, began=0.0)))
    transcript.observe(AgentSaying(1, "One two", 2.0))
    transcript.observe(AgentSpoke(2, "One", cut=True))
    page.advance(3, over=True)
    assert "\x1b[2;9m two\x1b[0m" in file.getvalue()


def test_keys_and_what_twilio_does() -> None:
    paper = Paper()
    paper.transcript.caller_dials("12", 101)
    paper.see(KeyDialled(101, "1"), KeyDialled(101.38, "2"))
    paper.see(Verb(104, "Say", {}, "One moment."), Verb(106, "Dial", {}, "+15550100077"), Verb(110, "Hangup", {}))
    paper.page.advance(110, over=True)
    assert paper.text.splitlines() == [
        "    1.0  caller  presses 12",
        "    4.0  carrier One moment.",
        "    6.0  carrier dials +15550100077",
    ]


def test_nothing_said_can_steer_the_terminal() -> None:
    paper = Paper(terminal=True)
    greeting(paper, "Hello\x1b[2J\x07, [bold]how\u202e are you?")
    assert paper.text == "    1.0  agent   Hello[2J, [bold]how are you?\n"


def test_the_report() -> None:
    checks = (
        Check("s.yaml:3", "contains 'ten'", False, "We are closed."),
        Check("s.yaml:3", "matches '1'", False, "We are closed."),
        Check("s.yaml:5", "silence", True, ""),
        Check("s.yaml", "the call ends with goodbye", False, ""),
    )
    said = tuple(Said("agent", "speech", 1, 2, "Hi", first_token_ms=ms, first_audio_ms=ms + 300) for ms in (600, 800))
    paper = Paper()
    paper.page.report(CallReport("s", "s.yaml", "failed", "the socket was lost", 12.34, said, checks, ("64105: lost",)))
    assert paper.text.splitlines() == [
        "   12.3  the call is over: failed (the socket was lost)",
        "         Twilio would note 64105: lost",
        "2 answers: first token after 700 ms, first audio after 1000 ms"
        " (medians, from the caller's last word; at most 800 and 1100)",
        "1 of 4 expectations met",
        "FAILED    s.yaml:3",
        "expected  contains 'ten'",
        "said      We are closed.",
        "expected  matches '1'",
        "FAILED    s.yaml",
        "expected  the call ends with goodbye",
        "said      nothing",
    ]
