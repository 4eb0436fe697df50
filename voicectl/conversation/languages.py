"""Which language a call is held in, told from what the carrier says it heard.

Only the primary subtag counts: where several languages are listened for, the carrier reports "de" and never "de-DE".
One utterance of three words is enough to change over; of shorter ones, which are often taken for another language, it
takes two in a row.
"""

from __future__ import annotations

from voicectl.conversation.manners import Manners
from voicectl.conversation.words import word_count

_ENOUGH_WORDS = 3
_ENOUGH_TIMES = 2


def primary(language: str) -> str:
    """ "de" of "de-DE"."""
    return language.partition("-")[0].lower()


class Ear:
    """Listens for a language that the agent speaks too."""

    def __init__(self, manners: Manners) -> None:
        self.offered: tuple[str, ...] = (manners.language, *manners.others)
        """Every language of the call, by its tag; the first one first."""
        self._language = manners.language
        self._other = ""
        self._times = 0

    def switched(self, language: str) -> None:
        """The call goes on in this language."""
        self._language = language
        self._other, self._times = "", 0

    def heard(self, lang: str, text: str) -> str:
        """The language to change over to after an utterance that was heard in `lang`; "" to stay."""
        found = primary(lang)
        if not found or found == primary(self._language) or found == "multi":
            self._other, self._times = "", 0
            return ""
        tag = next((each for each in self.offered if primary(each) == found), "")
        if not tag:
            self._other, self._times = "", 0
            return ""
        self._times = self._times + 1 if found == self._other else 1
        self._other = found
        return tag if self._times >= _ENOUGH_TIMES or word_count(text) >= _ENOUGH_WORDS else ""
