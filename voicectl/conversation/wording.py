"""Words the owner decides: how some are said, and which are never said, while the text streams.

Theory of operation
- A phrase is looked for where a word starts, and counts only where a word ends: whole words, whatever their case. Of
  several that begin at the same place the longest one is meant; of one that is in both mappings, what is never said.
- Text waits in `_held` only from the start of a word on that may still become a phrase, and for as long as it may. So
  what is said depends on the text alone, not on how it was cut into tokens.
- What replaces a phrase is final: it is not searched again. A capital at the start of a sentence stays one.
- Where a phrase goes without replacement, what stood around it is joined: one blank stays, one comma at most, and none
  next to a full stop or at the start of a sentence; a word that comes to stand there takes over the capital. For this,
  blanks and commas wait in `_gap` until it is known what follows; only where something can be taken out.
"""

from __future__ import annotations

from collections.abc import Mapping

_ENDS = ".!?…"
_PAUSES = ",;:"


class Wording:
    """Text in, the owner's words out.

    `pronunciations`: a word or phrase, and its spelling for the voice. `never_say`: a word or phrase, and what is said
    instead; "" for nothing.
    """

    def __init__(self, pronunciations: Mapping[str, str], never_say: Mapping[str, str]) -> None:
        self.removed = 0
        """How many words or phrases of `never_say` were caught."""
        self._never = frozenset(map(_key, never_say)) - {""}
        self._said_as = {_key(phrase): words for phrase, words in (*pronunciations.items(), *never_say.items())}
        self._said_as.pop("", None)
        self._beginnings = {phrase[:n] for phrase in self._said_as for n in range(1, len(phrase) + 1)}
        self._lengths = sorted({len(phrase) for phrase in self._said_as}, reverse=True)
        self._drops = "" in map(str.strip, self._said_as.values())
        self._held = ""
        self._before = ""  # the character in front of `_held`
        self._last = ""  # the character said last that is no blank
        self._gap = ""
        self._mending = False  # a phrase went, and no word has been said since
        self._capital = False  # ... and it had the capital of its sentence
        self._final = False
        self._out: list[str] = []

    @property
    def active(self) -> bool:
        """There is something to look for; otherwise `feed` gives back what it gets."""
        return bool(self._said_as)

    def feed(self, text: str) -> str:
        """What can be said now that `text` has come; may be ""."""
        if not self._said_as:
            return text
        self._held += text
        return self._taken()

    def finish(self) -> str:
        """What was held back. The stream is over; the object is not used again."""
        self._final = True
        return self._taken() + ("" if self._mending else self._gap)

    def _taken(self) -> str:
        held, at = self._held, 0
        while at < len(held):
            starts = not (_wordlike(held[at]) and _wordlike(held[at - 1] if at else self._before))
            if starts and not self._final and held[at:].lower() in self._beginnings:
                break
            if starts and (end := self._phrase(at)):
                self._replace(held[at:end])
                at = end
                continue
            end = at + 1
            while end < len(held) and _wordlike(held[at]) and _wordlike(held[end]):
                end += 1
            self._say(held[at:end])
            at = end
        if at:
            self._before, self._held = held[at - 1], held[at:]
        said = "".join(self._out)
        self._out.clear()
        return said

    def _phrase(self, at: int) -> int:
        """Where the longest phrase ends that begins at `at`; 0: none does."""
        for length in self._lengths:
            end = at + length
            whole = end >= len(self._held) or not (_wordlike(self._held[end - 1]) and _wordlike(self._held[end]))
            if end <= len(self._held) and whole and self._held[at:end].lower() in self._said_as:
                return end
        return 0

    def _replace(self, found: str) -> None:
        phrase = found.lower()
        self.removed += phrase in self._never
        words = self._said_as[phrase].strip()
        first = self._starts_sentence and found[0].isupper()
        if words:
            self._say(words[0].upper() + words[1:] if first else words)
        else:
            self._mending = True
            self._capital = self._capital or first

    @property
    def _starts_sentence(self) -> bool:
        return not self._last or self._last in _ENDS

    def _say(self, piece: str) -> None:
        if self._mending:
            self._mend(piece)
        elif self._drops and piece in " ,;:":
            self._gap += piece
        else:
            self._speak(piece)

    def _mend(self, piece: str) -> None:
        """Say what follows a phrase that went."""
        if piece == " ":
            if self._last:
                self._gap = self._gap.rstrip() + " "
        elif piece in _PAUSES:
            if not self._starts_sentence:
                self._gap = piece
        elif piece in _ENDS:
            self._gap = ""
            if not self._starts_sentence:
                self._speak(piece)
        else:
            if self._capital and self._starts_sentence:
                piece = piece[0].upper() + piece[1:]
            self._mending = self._capital = False
            self._speak(piece)

    def _speak(self, piece: str) -> None:
        self._out.append(self._gap + piece)
        self._gap = ""
        self._last = piece.rstrip()[-1:] or self._last


def _key(phrase: str) -> str:
    return " ".join(phrase.lower().split())


def _wordlike(char: str) -> bool:
    return char.isalnum() or char == "_"
