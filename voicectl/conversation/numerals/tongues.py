"""Which languages figures are said in. Each is made when the first call needs it, and then kept."""

from __future__ import annotations

import functools

from voicectl.conversation.numerals.contacts import telephone_rules
from voicectl.conversation.numerals.language import Language


class Other(Language):
    """A language whose numbers are left to the voice; only telephone numbers are put into groups."""

    speaks = False

    def __init__(self) -> None:
        super().__init__()
        self.rules = telephone_rules(self)

    def cardinal(self, n: int) -> str:
        return str(n)


@functools.lru_cache(maxsize=16)
def language_of(tag: str) -> Language:
    """`tag` as in BCP 47: "en-GB", "de"."""
    primary, _, region = tag.replace("_", "-").lower().partition("-")
    match primary:
        case "en":
            from voicectl.conversation.numerals.english import English

            return English(american=region in ("", "us", "ca", "ph"))
        case "de":
            from voicectl.conversation.numerals.german import German

            return German()
        case "es":
            from voicectl.conversation.numerals.spanish import Spanish

            return Spanish(american=region not in ("", "es"))
        case "fr":
            from voicectl.conversation.numerals.french import French

            return French(septante=region in ("be", "ch"))
    return Other()
