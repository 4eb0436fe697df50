"""What the agent says to a caller who says nothing.

Rules
1. The words fit what the agent asked last: a number can be keyed in, a choice is named again, a question is asked again
   if it is short. Where nothing was asked, or only whether there is anything else, the general words fit.
2. One silence after another brings other words, up to a limit; then a person is offered where there is one, and the
   silence after that ends the call.
3. A caller who asks for a moment is told once that there is time; then the agent waits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicectl.conversation.hearing.moments import asks_a_question, asks_for_number, offered_choices
from voicectl.conversation.hearing.wording import bare
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.words import word_count

_MOST_WORDS = 15
"""A longer question is not asked again word by word."""
_OPEN = re.compile(
    "|".join(
        (
            r"\b(?:any|some)thing (?:else|more)\b|\bany (?:other|more|further) questions\b|\bwhat else can i\b"
            r"|\b(?:how|what) (?:can|may|could) i (?:help|assist|do for)\b",
            r"\bsonst noch\b|\bnoch (?:etwas|was|fragen)\b|\bweitere fragen\b"
            r"|\bwas (?:kann|darf) ich (?:noch )?für sie\b"
            r"|\b(?:wie|womit|wobei) (?:kann|darf) ich (?:ihnen )?(?:noch |sonst )?(?:(?:weiter)?helfen|behilflich)\b",
            r"\b(?:algo|alguna cosa|otra cosa) más\b|\balguna otra (?:cosa|pregunta|duda)\b"
            r"|\b(?:en qué|cómo) (?:más )?(?:l[eoa] )?(?:puedo|podría) (?:ayudar|servir|atender)",
            r"\bautre chose\b|\bd'autres questions\b|\bque (?:puis je|je peux) faire pour\b"
            r"|\b(?:comment|en quoi) (?:puis je|je peux) (?:vous )?(?:encore )?(?:aider|renseigner|être utile)\b",
            r"\bqualcos'altro\b|\bc'è altro\b|\baiutarla in (?:altro|qualcos)|\baltre domande\b"
            r"|\b(?:come|in (?:che )?cosa) posso (?:aiutar|esser)",
            r"\b(?:mais alguma coisa|algo mais)\b|\balguma outra (?:coisa|dúvida|pergunta)\b|\bajudar em mais\b"
            r"|\b(?:como|em que|no que) (?:mais )?(?:eu )?posso (?:lhe |te )?(?:ajudar|atender|ser útil)",
            r"\bnog (?:iets|vragen)\b|\biets anders\b|\bwat kan ik (?:nog )?voor u\b"
            r"|\b(?:waarmee|hoe) kan ik u (?:nog |verder )*(?:mee )?(?:helpen|van dienst)\b",
            "(?:他|ほか)に(?:何か|なに|ご|も)|ご用件|(?:いかが|どう)(?:なさい|され)ました?か|お手伝いできること",
        )
    )
)
"""Questions without a subject, as bare() has them: asked a second time they only press."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is said after a silence. `offer_person` asks; a yes puts the caller through."""

    text: str
    kind: Literal["reprompt", "offer_person", "goodbye"]


class Silence:
    """The silences of one call, counted in a row."""

    def __init__(self) -> None:
        self.said_patience = False
        """The caller was told that there is time, and has said nothing since."""
        self._count = 0
        self._offered = False
        self._moments = 0

    @property
    def count(self) -> int:
        """So many silences since the caller spoke last."""
        return self._count

    def reset(self) -> None:
        """The caller has spoken."""
        self._count = 0
        self._offered = self.said_patience = False

    def next(self, phrases: Phrases, said: str, *, limit: int, can_transfer: bool, language: str) -> Prompt:
        """What to say to one more silence. `said`: what the agent said last in answer to the caller, so no reprompt;
        `limit`: so many reprompts at most. `phrases` are those of `language`."""
        at, self._count = self._count, self._count + 1
        if at < limit:
            return Prompt(_fitting(phrases, said, language, at), "reprompt")
        if can_transfer and not self._offered:
            self._offered = True
            return Prompt(phrases.offer_person, "offer_person")
        return Prompt(phrases.silent_goodbye, "goodbye")

    def patience(self, phrases: Phrases) -> str:
        """What to say to a caller who asks for a moment; "" where it was said since they spoke last."""
        if self.said_patience:
            return ""
        self.said_patience = True
        at, self._moments = self._moments, self._moments + 1
        return _turn(phrases.take_your_time, at)


def _fitting(phrases: Phrases, said: str, language: str, at: int) -> str:
    """The words for the silence `at`, 0 being the first."""
    if asks_for_number(said, language):
        return _turn(phrases.ask_number, at)
    question = asks_a_question(said, language)
    if question and word_count(question) <= _MOST_WORDS:
        if choices := offered_choices(said, language):
            named = f"{', '.join(choices[:-1])}{phrases.choice_joint}{choices[-1]}"
            return _filled(_turn(phrases.ask_choice, at), "{choices}", named)
        if not _OPEN.search(bare(question)):
            return _filled(_turn(phrases.ask_again, at), "{question}", question)
    return _turn(phrases.reprompts, at)


def _turn(wordings: Sequence[str], at: int) -> str:
    return wordings[at % len(wordings)]


def _filled(wording: str, placeholder: str, words: str) -> str:
    """With a capital where the words begin a sentence."""
    before, found, after = wording.partition(placeholder)
    if not found:
        return wording
    if before.rstrip(" ¿").endswith((".", "!", "?", "？", "。")) or not before.strip(" ¿"):
        words = words[:1].upper() + words[1:]
    return f"{before}{words}{after}"
