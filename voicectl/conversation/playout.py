"""What the caller has heard.

Words handed to the carrier are not words heard: the carrier speaks them later, in order, and throws the rest away
when the caller cuts in. Two things tell how far it got, both about the chunk that was playing and never about the
whole reply (ConversationRelay: `tokensPlayed` and `utteranceUntilInterrupt`):

1. WordsPlayed, chunk by chunk. Where the carrier reports these, they are the truth: a pointer walks through the
   text that was sent, and what lies behind it was heard.
2. Without them, the fragment that comes with an interruption is looked for in the text sent after the last match;
   if it stands there more than once, the place nearest to the speaking-time estimate is meant. If it is nowhere,
   the estimate alone decides.

Fragments come back trimmed and their blanks may differ, so places are compared without any white space.

Words that were on their way when the carrier cut us off reach it afterwards and are spoken after all. So the text
of a cut turn is kept for a while: a later report of it moves that turn's pointer on. Preemptible words are cut by the
next ones without a word from the carrier but the report of what was heard of them, which comes the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voicectl.conversation.pace import heard_after, speaking_seconds
from voicectl.conversation.words import word_boundary

TTS_LATENCY = 0.35
"""Seconds from the first words sent to the first audio, typically (measured 0.26-0.45)."""
_KEPT = 8


@dataclass(slots=True)
class _Stretch:
    """Words of one turn that were handed over in one go, uninterrupted."""

    turn: int
    parts: list[str] = field(default_factory=list)
    heard: int = 0
    cut: bool = False
    preemptible: bool = False
    owed: int | None = None
    """Cut by the words behind it, and the carrier has not told how far they came: what was certain before that."""

    @property
    def text(self) -> str:
        if len(self.parts) > 1:
            self.parts[:] = ["".join(self.parts)]
        return self.parts[0] if self.parts else ""

    @property
    def rest(self) -> str:
        return self.text[self.heard :]

    @property
    def waiting(self) -> bool:
        return not self.cut and bool(self.rest.strip())


class Playout:
    """The carrier's queue of our words, followed from this side."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self._since = 0.0
        """When the words behind the pointer began to be audible, or are reckoned to."""
        self._last_report = ""
        self.reports = False
        """The carrier reports what it has played."""

    def add(self, turn: int, text: str, at: float, *, preemptible: bool = False) -> set[int]:
        """Words of a turn were handed to the carrier. Returns the turns that lose words to them."""
        newest = self._stretches[-1] if self._stretches else None
        if newest is not None and newest.turn == turn and not newest.cut:
            newest.parts.append(text)
            return set()
        waiting = [s for s in self._stretches if s.waiting]
        cut: set[int] = set()
        if waiting and all(s.preemptible for s in waiting):
            for stretch in waiting:
                stretch.owed = stretch.heard
            cut = self._cut_by_estimate(at)
        if not self.pending:
            self._since = at + TTS_LATENCY
        self._stretches.append(_Stretch(turn, [text], preemptible=preemptible))
        del self._stretches[:-_KEPT]
        return cut

    def unsay(self, turn: int, characters: int) -> None:
        """The last so many characters of a turn were never handed over after all."""
        for stretch in reversed(self._stretches):
            if stretch.turn == turn and characters > 0:
                kept = max(0, len(stretch.text) - characters)
                characters -= len(stretch.text) - kept
                stretch.parts = [stretch.text[:kept]]
                stretch.heard = min(stretch.heard, kept)

    @property
    def pending(self) -> bool:
        """Some words are still to be heard."""
        return any(stretch.waiting for stretch in self._stretches)

    @property
    def turn(self) -> int | None:
        """The turn whose words are next to be heard."""
        return next((stretch.turn for stretch in self._stretches if stretch.waiting), None)

    def due(self, at: float) -> float:
        """When all that was handed over is reckoned to have been heard; `at` if it has been."""
        seconds = sum(speaking_seconds(stretch.rest) for stretch in self._stretches if stretch.waiting)
        return max(at, self._since + seconds) if seconds else at

    def heard(self, turn: int) -> str:
        return "".join(s.text[: s.heard] for s in self._stretches if s.turn == turn)

    def audible(self, at: float) -> None:
        """The carrier says that audio has begun."""
        self._since = at

    def played(self, text: str, at: float) -> set[int]:
        """A chunk was played, to its end or to where it was cut. Returns the turns whose heard text grew."""
        self.reports = True
        self._since = at
        self._last_report = _squeezed(text)
        for stretch in self._stretches:
            if stretch.owed is not None and self._settle(stretch, text):
                return {stretch.turn}
        waiting = [s for s in self._stretches if s.waiting]
        if waiting and _next(waiting[0].text, waiting[0].heard, text) is not None:
            return self._advance(waiting, text)
        # Nothing that waits goes on like this: words that were under way when the carrier cut us off, or reports are
        # missing.
        for stretch in self._stretches:
            if stretch.cut and _next(stretch.text, stretch.heard, text) is not None and self._advance([stretch], text):
                return {stretch.turn}
        changed = self._advance(waiting, text)
        if not changed:
            for stretch in self._stretches:
                if stretch.cut and self._advance([stretch], text):
                    return {stretch.turn}
        return changed

    def _settle(self, stretch: _Stretch, text: str) -> bool:
        """Whether this tells how far words came that gave way to the next ones."""
        assert stretch.owed is not None
        end = _next(stretch.text, stretch.owed, text)
        if end is None:
            return False
        stretch.heard = stretch.owed = end
        stretch.cut = bool(stretch.rest.strip())
        return True

    def interrupted(self, fragment: str, at: float, *, spare: int = -1) -> set[int]:
        """The carrier cut us off and emptied its queue; the words of the turn `spare` come after that. Returns the
        turns that lost words, or gained heard ones."""
        waiting = [s for s in self._stretches if s.waiting and s.turn != spare]
        changed: set[int] = set()
        if not (self.reports and _squeezed(fragment) in ("", self._last_report)):
            changed = self._locate(waiting, fragment, at)
        for stretch in waiting:
            if stretch.waiting:
                stretch.cut = True
                changed.add(stretch.turn)
        return changed

    def drained(self) -> set[int]:
        """The carrier has played all it had."""
        changed = set()
        for stretch in self._stretches:
            if not stretch.cut and stretch.heard < len(stretch.text):
                stretch.heard = len(stretch.text)
                changed.add(stretch.turn)
        return changed

    def lost(self, at: float) -> set[int]:
        """The line is dead; nobody reports how far the words came (ConversationRelay: a hang-up brings no frames)."""
        return self._cut_by_estimate(at)

    # --- finding the place -------------------------------------------------------------------------------

    def _advance(self, stretches: list[_Stretch], text: str) -> set[int]:
        """Move the pointer past the next occurrence of `text`; what comes before it has been passed, so heard."""
        for number, stretch in enumerate(stretches):
            ends = _ends(stretch.text, stretch.heard, text)
            if ends:
                for passed in stretches[:number]:
                    passed.heard = len(passed.text)
                stretch.heard = ends[0]
                if stretch.cut and stretch.heard == len(stretch.text):
                    stretch.cut = False
                return {s.turn for s in stretches[: number + 1]}
        return set()

    def _locate(self, waiting: list[_Stretch], fragment: str, at: float) -> set[int]:
        reckoned = self._reckoned(waiting, at)
        best: tuple[int, int, int] | None = None
        passed = 0
        for number, stretch in enumerate(waiting):
            for end in _ends(stretch.text, stretch.heard, fragment):
                off = 0 if self.reports else abs(passed + end - stretch.heard - reckoned)
                if best is None or off < best[0]:
                    best = (off, number, end)
            passed += len(stretch.rest)
        if best is None:
            return self._cut_by_estimate(at)
        _, number, end = best
        for stretch in waiting[:number]:
            stretch.heard = len(stretch.text)
        waiting[number].heard = word_boundary(waiting[number].text, end)
        return {s.turn for s in waiting[: number + 1]}

    def _reckoned(self, waiting: list[_Stretch], at: float) -> int:
        return heard_after("".join(s.rest for s in waiting), max(0.0, at - self._since))

    def _cut_by_estimate(self, at: float) -> set[int]:
        waiting = [s for s in self._stretches if s.waiting]
        left = self._reckoned(waiting, at)
        changed = set()
        for stretch in waiting:
            took = min(left, len(stretch.rest))
            left -= took
            stretch.heard += took
            stretch.cut = stretch.heard < len(stretch.text)
            changed.add(stretch.turn)
        return changed


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _next(text: str, start: int, fragment: str) -> int | None:
    """The offset behind `fragment` where `text[start:]` begins with it, blanks not counting."""
    needle = _squeezed(fragment)
    matched = 0
    for place in range(start, len(text)):
        if matched == len(needle):
            break
        if text[place].isspace():
            continue
        if text[place] != needle[matched]:
            return None
        matched += 1
        if matched == len(needle):
            return place + 1
    return None


def _ends(text: str, start: int, fragment: str) -> list[int]:
    """The offsets behind every occurrence of `fragment` in `text[start:]`, blanks not counting."""
    needle = _squeezed(fragment)
    if not needle:
        return []
    places = [i for i in range(start, len(text)) if not text[i].isspace()]
    hay = "".join(text[i] for i in places)
    ends = []
    found = hay.find(needle)
    while found >= 0:
        ends.append(places[found + len(needle) - 1] + 1)
        found = hay.find(needle, found + 1)
    return ends
