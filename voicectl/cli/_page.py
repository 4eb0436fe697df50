"""A call as it goes on, written line by line: who says what, where the caller cuts in, how long answers take.

On a terminal, in real time, words appear as they are spoken: one line is open at a time, and what is said meanwhile by
the other side waits for its turn on the page. Everywhere else a line is written when it is complete.
"""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.text import Text

from voicectl.cli._console import safe
from voicectl.simulator.speech_clock import heard

if TYPE_CHECKING:
    from voicectl.simulator.caller import Caller
    from voicectl.simulator.rehearsal import CallReport
    from voicectl.simulator.transcript import Utterance

_INDENT = 17
_PIECE = re.compile(r"(\s*)(\S+)")
_DOES = {"keys": "presses", "dial": "dials", "noise": "makes a sound"}
_LABELS = {"agent": "bold cyan", "caller": "bold green", "carrier": "bold magenta"}


class Page:
    """Writes on `console`. `live`: words as they are spoken."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live
        self._width = console.width - 1 if console.is_terminal else 1_000_000
        self._caller: Caller | None = None
        self._next = 0
        """The utterance that is being written, or comes next."""
        self._written = 0
        """How much of its text is on the page."""
        self._column = 0

    @property
    def live(self) -> bool:
        return self._live

    def title(self, text: str) -> None:
        self._line((safe(text), "bold"))

    def follow(self, caller: Caller) -> None:
        """Another call: what is written from now on is said on this one."""
        self._caller = caller
        self._next = self._written = self._column = 0

    def advance(self, now: float, *, over: bool = False) -> None:
        """Write what can be known by `now`, seconds on the call's clock."""
        caller = self._caller
        if caller is None:
            return
        caller.transcript.listen(now)
        utterances = caller.transcript.utterances
        while self._next < len(utterances):
            utterance = utterances[self._next]
            done = over or caller.transcript.ended(utterance, now)
            if not done and not self._live:
                return
            self._write(utterance, _audible(utterance, now, done), caller)
            if not done:
                return
            self._finish(utterance)

    def typed(self, text: str) -> None:
        """The person at the keyboard has typed a line: take it off the screen again, the page will show it."""
        if self._column == 0 and self._console.is_terminal:
            rows = cell_len(text) // self._console.width + 1
            for _ in range(rows):
                self._console.control(Control((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)))
        elif self._column:
            self._put(" " * (_INDENT - 1))
            self._column = _INDENT - 1

    def report(self, report: CallReport) -> None:
        """How the call ended, and which expectations were not met."""
        why = f" ({safe(report.why)})" if report.why else ""
        self._line((f"{report.seconds:7.1f}  ", "dim"), f"the call is over: {report.ended}{why}")
        for alert in report.alerts:
            self._line((f"         Twilio would note {safe(alert)}", "yellow"))
        tokens = [each.first_token_ms for each in report.said if each.first_token_ms is not None]
        audio = [each.first_audio_ms for each in report.said if each.first_audio_ms is not None]
        if tokens and audio:
            self._line(
                f"{len(audio)} answers: first token after {median(tokens):.0f} ms, ",
                f"first audio after {median(audio):.0f} ms",
                (f" (medians, from the caller's last word; at most {max(tokens):.0f} and {max(audio):.0f})", "dim"),
            )
        if not report.checks:
            return
        met = sum(check.met for check in report.checks)
        self._line((f"{met} of {len(report.checks)} expectations met", "green" if report.ok else "bold red"))
        where = said = ""
        for check in report.checks:
            if check.met:
                continue
            if check.where != where:
                self._line(("FAILED    ", "bold red"), safe(check.where))
                said = ""
            self._line(("expected  ", "dim"), safe(check.expected))
            if check.said != said or not said:
                self._line(("said      ", "dim"), safe(check.said or "nothing"))
            where, said = check.where, check.said

    def _line(self, *parts: str | tuple[str, str]) -> None:
        self._put(*parts, "\n")

    # --- one utterance -----------------------------------------------------------------------------------

    def _write(self, utterance: Utterance, text: str, caller: Caller) -> None:
        if self._column == 0:
            at = utterance.at - caller.began
            self._put((f"{at:7.1f}  ", "dim"), (utterance.who.ljust(7), _LABELS[utterance.who]))
            self._column = _INDENT - 1
            if _cuts_in(utterance, caller):
                self._words("cuts in:", "yellow", apart=True)
            if utterance.kind in _DOES:
                self._words(_DOES[utterance.kind], "dim", apart=True)
        self._words(text[self._written :], "", apart=self._written == 0)
        self._written = len(text)

    def _finish(self, utterance: Utterance) -> None:
        unheard = utterance.unheard.strip()
        if unheard and self._console.is_terminal:
            self._words(unheard, "dim strike", apart=True)
        elif unheard:
            self._words(f"[not heard: {unheard}]", "", apart=True)
        self._end_line()
        if utterance.first_audio_ms is not None:
            times = (
                ("transcript", utterance.transcript_ms),
                ("first token", utterance.first_token_ms),
                ("first audio", utterance.first_audio_ms),
            )
            shown = " · ".join(f"{what} {ms:.0f} ms" for what, ms in times if ms is not None)
            self._put((" " * _INDENT + shown, "dim"))
            self._end_line()
        self._next += 1
        self._written = 0

    def _words(self, text: str, style: str, *, apart: bool = False) -> None:
        """Append words, wrapped; `apart`: with a blank in front of the first, even if the text has none there."""
        for blank, word in _PIECE.findall(safe(text)):
            length = cell_len(word)
            if self._column >= _INDENT and self._column + 1 + length > self._width:
                self._put("\n" + " " * (_INDENT - 1))
                self._column = _INDENT - 1
            gap = " " if blank or apart or self._column < _INDENT else ""
            self._put((gap + word, style))
            self._column += len(gap) + length
            apart = False

    def _end_line(self) -> None:
        self._put("\n")
        self._column = 0

    def _put(self, *parts: str | tuple[str, str]) -> None:
        if self._console.quiet:
            return
        self._console.print(Text.assemble(*parts), end="", soft_wrap=True)
        self._console.file.flush()


def _cuts_in(utterance: Utterance, caller: Caller) -> bool:
    """Whether these words of the caller are what cut the agent off."""
    said = caller.transcript.utterances
    before = said[said.index(utterance) - 1] if utterance is not said[0] else None
    return before is not None and before.cut and utterance.who == "caller"


def _audible(utterance: Utterance, now: float, done: bool) -> str:
    """What the page may show by now of an utterance."""
    if done or utterance.who != "caller" or utterance.kind == "keys":
        return utterance.text
    seconds = (utterance.until or utterance.at) - utterance.at
    return heard(utterance.text, seconds, now - utterance.at)
