"""Whether an utterance ends in the middle.

Speech recognition puts a full stop behind anything, so a full stop proves nothing; a question mark does, unless the
last word is one that nothing ends with. What is held costs the caller a second, so in doubt it is finished.

    broken       ends in a word that leads to another: article, conjunction, "is", "can you", "my name is", "um"
                 ends in a comma, a dash, three dots
    finished     ends in a preposition or an auxiliary that has its other half before it:
                 "what is it for", "turn it on", "yes I do", "how much is it", "the one I paid for"
    dictating    ends in digits of a number of which there are more (dictation.py)
"""

from __future__ import annotations

import re
from typing import Literal

from voicectl.conversation.hearing import endings, english
from voicectl.conversation.hearing.dictation import ends_in_digits, kind_of_number, leads_to_number, more_to_come
from voicectl.conversation.hearing.moments import number_asked_for
from voicectl.conversation.hearing.wording import bare_tail, lowered
from voicectl.conversation.languages import primary

_TAIL = 240
"""Characters: what came before does not tell how it ends."""

_OPEN_END = re.compile(r"(?:[,、;:–—…-]|\.\.+)\s*$")
_QUESTION = re.compile(r"[?？؟]\s*[\"')\]”’]*$")
_SOUNDS = ("hm", "hmm", "mmm")
"""By themselves they are an answer of a kind."""
_SPELLED = re.compile(r"\w A\W*$")
"""A letter: "plan A"."""
_MY_NUMBER = re.compile(
    r"\bmy number|\bmeine nummer|\bmi número|\bmon numéro|\bil mio numero|\bmeu número|\bmijn nummer"
)


def unfinished(text: str, language: str = "", *, asked: str = "") -> Literal["", "broken", "dictating"]:
    """How an utterance is unfinished; "" where it is whole, as far as its words tell.

    `language` is a BCP-47 tag, "" for English; of a language without a table, only punctuation and fillers count.
    `asked` is what the agent said last.
    """
    end = text.rstrip()
    said = bare_tail(end, _TAIL)
    if not said:
        return ""
    question = _QUESTION.search(end[-8:]) is not None
    if not question and _dictating(end, language, asked):
        return "dictating"
    if _OPEN_END.search(end[-8:]) or (said.rpartition(" ")[2] in endings.FILLERS and said not in _SOUNDS):
        return "broken"
    tag = primary(language)
    if endings.known(tag):
        return "broken" if endings.goes_on(said, tag, question=question) else ""
    if tag not in ("", "en", "multi"):
        return ""
    if _SPELLED.search(end[-8:]) and not end.isupper():
        return ""
    return "broken" if english.goes_on(said, question=question) else ""


def _dictating(text: str, language: str, asked: str) -> bool:
    run = ends_in_digits(text, language)
    if run is None:
        return False
    before = lowered(text[max(0, run.begin - 60) : run.begin])
    kind = number_asked_for(asked, language)
    if leads_to_number(before):
        named = kind_of_number(before) or "other"
        if named != "other" or not kind:
            kind = "phone" if named == "other" and _MY_NUMBER.search(before) else named
    return bool(kind) and more_to_come(run, text, kind, language)
