"""Whether a reply can be begun before the caller's words are final, and whether it still fits when they are.

A transcript grows and is revised while the caller speaks: "um are you open on sun", "Are you open on Sunday?". A reply
that was begun on the earlier one may be said for the later one if both ask the same, word for word, apart from

    case, punctuation, how a number is written, "don't" and "do not"
    words said while thinking, greetings before the question, courtesies around it
    a word said twice, or broken off and begun again

A word that came in or changed asks something else, however alike the rest is: "on Sunday", "on Sundays in winter".
"""

from __future__ import annotations

import re

from voicectl.conversation.hearing.backchannel import is_backchannel
from voicectl.conversation.hearing.endings import FILLERS
from voicectl.conversation.hearing.moments import wants_a_moment
from voicectl.conversation.hearing.unfinished import unfinished
from voicectl.conversation.hearing.wording import any_of, bare, lowered, phrases
from voicectl.conversation.vocabulary import COMMON, DAYS, NUMBERS, RELATIONAL, STOP
from voicectl.conversation.words import word_count

ENOUGH_WORDS = 3
_SAID_THINKING = FILLERS | {"ah", "oh", "mm", "mhm"}
_GREETINGS = phrases(
    """
    so ok okay well hi hello hey hi_there hello_there hey_there good_morning good_afternoon good_evening please and
    excuse_me sorry thanks thank_you alright all_right guten_tag guten_morgen guten_abend hallo entschuldigung also
    bitte danke hola buenos_días buenas_tardes buenas por_favor gracias bueno bonjour bonsoir alors merci
    s'il_vous_plaît pardon buongiorno buonasera ciao scusi allora grazie per_favore olá bom_dia boa_tarde obrigado
    obrigada goedemorgen goedemiddag goedenavond alstublieft dank_u
    """
)
_COURTESIES = phrases(
    """
    please thanks thank_you thank_you_very_much thanks_a_lot bitte danke danke_schön por_favor gracias muchas_gracias
    s'il_vous_plaît merci per_favore grazie obrigado obrigada alstublieft dank_u
    """
)
_BEFORE = re.compile(rf"^(?:(?:{any_of(_GREETINGS)}) )++")
_BEHIND = re.compile(rf"(?: (?:{any_of(_COURTESIES)}))+$")
_LONGER = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"\b(i)'m\b"), r"\1 am"),
    (re.compile(r"\b(you|we|they)'re\b"), r"\1 are"),
    (re.compile(r"\b(i|you|we|they|he|she|it)'ll\b"), r"\1 will"),
    (re.compile(r"\b(what|where|who|how|when|that|it|there|here)'s\b"), r"\1 is"),
    (re.compile(r"\bok\b"), "okay"),
)
_BROKEN_OFF = re.compile(r"(?<!\S)([^\W\d_]{1,12})[-–—]+(?=\s+(\w+)|\s*$)")
_KNOWN = STOP | COMMON | RELATIONAL | frozenset(DAYS)
_SHORTEST_PIECE = 3

_SHORT_QUESTION = re.compile(
    r"(?:what time|how much|how many|how long|how far|how old|how late|what day|what(?:'s| is) that|where(?: are you"
    r"| is it)|who(?:'s| is) (?:this|that)|(?:opening )?hours|your (?:address|hours|prices|number)|(?:any )?parking"
    r"|are you open|when|where|why|how come|what else|any(?:thing)? else|which one|prices|directions|wie viel"
    r"|wie lange|wann|wo|cuánto|cuándo|dónde|combien|quand|où|quanto|quando|dove|onde|hoeveel|wanneer|waar)"
)


def same_question(early: str, final: str, language: str = "") -> bool:
    """Whether a reply to `early` may be said to `final`."""
    if early == final or (bare(early) == bare(final) and not any(map(str.isdigit, early))):
        return True
    first, last = _essence(early), _essence(final)
    if not first or not last:
        return bare(early) == bare(final)
    if first == last:
        return True
    return first[:-1] == last[:-1] and len(first) == len(last) and _completed(first[-1], last[-1])


def stable(text: str) -> bool:
    """Whether a transcript that may still grow is worth beginning a reply on."""
    if unfinished(text) or is_backchannel(text) or wants_a_moment(text):
        return False
    said = bare(text)
    if word_count(said) >= ENOUGH_WORDS:
        return True
    said = _BEFORE.sub("", said)
    asks = text.rstrip().endswith(("?", "？")) and word_count(said) == ENOUGH_WORDS - 1
    return asks or _SHORT_QUESTION.fullmatch(said) is not None


def _essence(text: str) -> list[str]:
    """The words that make the question."""
    said = _BROKEN_OFF.sub(_unless_begun_again, lowered(text)) if any(dash in text for dash in "-–—") else text
    said = re.sub(r"(?<=\d)[,.](?=\d{3}\b)", "", said)
    said = re.sub(r"(?<=\d)[.:](?=\d)", "_", said)
    said = bare(said)
    if "'" in said or "cannot" in said or "ok" in said:
        for pattern, longer in _LONGER:
            said = pattern.sub(longer, said)
    words = [NUMBERS.get(word, word) for word in said.split() if word not in _SAID_THINKING]
    said = _BEHIND.sub("", _BEFORE.sub("", " ".join(words)))
    words = said.split()
    return [word for at, word in enumerate(words) if not at or word != words[at - 1] or word.isdigit()]


def _unless_begun_again(found: re.Match[str]) -> str:
    """A word broken off goes where the next one begins with it."""
    following = found[2]
    return "" if following is not None and following.startswith(found[1]) else found[0]


def _completed(piece: str, word: str) -> bool:
    """Whether a transcript ended inside a word: "satur" is none, "saturday" is."""
    return (
        len(piece) >= _SHORTEST_PIECE
        and word.startswith(piece)
        and piece not in _KNOWN
        and word in _KNOWN
        and piece not in NUMBERS
    )
