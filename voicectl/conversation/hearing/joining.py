"""Several prompts as one utterance.

Speech recognition cuts where the caller breathes, and ends what it cuts with a full stop and begins the rest with a
capital. Between pieces of one sentence both go; between two sentences they stay.

    I'd like to book a table. / For two. / On Sunday.     I'd like to book a table for two on Sunday.
    I want to / to come at five                            I want to come at five
    My number is 0151. / 5 5 5. / Seven eight.             My number is 015155578.

Corrections are carried out (corrections.py), over prompts and within one. A word that nothing corrects is never lost,
except one that is said twice in a row where a new prompt begins. One prompt without a correction stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicectl.conversation.hearing.corrections import corrected, find_cue, may_correct, only_cue
from voicectl.conversation.hearing.dictation import ends_in_digits, leads_to_number, runs
from voicectl.conversation.hearing.unfinished import unfinished
from voicectl.conversation.hearing.wording import bare, bare_tail, lowered
from voicectl.conversation.languages import primary
from voicectl.conversation.vocabulary import COMMON, NUMBERS, RELATIONAL, STOP
from voicectl.conversation.words import is_unspaced

_STOP = re.compile(r"(?:[.。…]+|\s*[–—]+|(?<=\w)-|\s-)$")
_CONTINUES = {
    "en": "for on at with to in from until till about of by because or if that who which near around before after"
    " between than without under during since per as".split(),
    "de": "für am um mit zu in von bis über bei wegen weil oder wenn dass ob zum zur nach vor ab ohne im ins".split(),
    "es": "para el a con en de desde hasta sobre por porque o si que sin".split(),
    "fr": "pour le à avec en de depuis jusqu'à sur par parce ou si que qui sans chez dans".split(),
    "it": "per il a con in di da fino su perché o se che senza alle".split(),
    "pt": "para às a com em de desde até sobre por porque ou se que sem".split(),
    "nl": "voor op om met in van tot over bij omdat of als dat zonder naar".split(),
}
_ASKS_BEHIND = re.compile(
    r"(?:what|which|who|how|when|where|whom)\b|[^,?]*,? (?:is|are|do|does|can|could|will|would|did) (?:i|we|you|they"
    r"|it|there|the)\b"
)
"""What begins like a piece of a sentence, and is a question of its own: "on Sunday, are you open?"."""
_VERB_FOLLOWS = re.compile(
    r"(?:^| )(?:(?:like|love|want|wanted|need|needed|have|trying|able|going|supposed) to|can|could|would|will|should"
    r"|please|i|we|you|they|a|an|my|your|some|not|don't|just)$"
)
_SMALL = STOP | COMMON | RELATIONAL | frozenset(NUMBERS) | {"um", "uh", "er", "well", "sorry", "please", "maybe", "hm"}
_KEEP_CAPITAL = frozenset("i i'm i'd i've i'll march may".split())
_OVERLAP = 12
"""So many words are compared, at most, to see what is said twice."""
_DIGITS_LEAD = re.compile(r"(?:and |then |it's |yes |yeah |okay |ok |um |uh |und |dann |y |et |e |en )*$")
_LONGEST_NUMBER = 24
_MOST_CUES = 16
"""So many words that may lead in a correction are looked at in one prompt."""
_POLITE = re.compile(
    r"(?:please|thanks|thank you|bitte|danke|por favor|gracias|s'il vous plaît|merci|per favore|grazie)?"
)


def join(parts: Sequence[str], language: str = "") -> str:
    """Prompts, in the order they came, as one utterance. `language` is a BCP-47 tag; "" is English."""
    said = [part for part in parts if part.strip()]
    if len(said) == 1:
        return _mended(said[0], language)
    whole, led = "", ""
    for part in said:
        part, led = f"{led} {part.strip()}".strip(), ""
        if whole and only_cue(part, language):
            led = part
        else:
            whole = _added(whole, part, language)
    return f"{whole} {led}".strip()


def _mended(text: str, language: str) -> str:
    """One prompt, with what is corrected in it."""
    if not may_correct(text, language):
        return text
    rest, start = text, 0
    for _ in range(_MOST_CUES):
        cue = find_cue(rest, language, start)
        if cue is None:
            return rest
        changed = corrected(rest[: cue.begin], cue, rest[cue.end :], language) if cue.begin else None
        if changed is None:
            start = cue.end
        else:
            rest, start = changed, 0
    return rest


def _added(whole: str, part: str, language: str) -> str:
    """`whole` with one more prompt."""
    if not whole:
        return _mended(part, language)
    cue = find_cue(part, language) if may_correct(part, language) else None
    if cue is not None and cue.begin == 0:
        changed = corrected(whole, cue, _mended(part[cue.end :], language), language)
        if changed is not None:
            return changed
    part = _mended(part, language)
    return _dictated(whole, part, language) or _glued(whole, part, language)


def _dictated(whole: str, part: str, language: str) -> str:
    """A number that goes on in the next prompt; "" where there is none."""
    found = runs(part, language)
    if not found or bare(part[: found[0].begin]):
        return ""
    more = found[0]
    core = whole.rstrip(" .,;:!…–-")
    before = ends_in_digits(core, language)
    if before is None:
        if not leads_to_number(core) or more.words < 2 or bare(part[more.end :]):
            return ""
        return f"{core} {more.digits}{part[more.end :]}"
    if len(before.digits) + len(more.digits) > _LONGEST_NUMBER or not _POLITE.fullmatch(bare(part[more.end :])):
        return ""
    led = core[: before.begin]
    if not leads_to_number(led) and not (
        _DIGITS_LEAD.match(bare(led) + " " if bare(led) else "") and len(before.digits) + len(more.digits) >= 4
    ):
        return ""
    return f"{led}{before.digits}{more.digits}{part[more.end :]}"


def _glued(whole: str, part: str, language: str) -> str:
    stopped = _STOP.search(whole)
    core = whole[: stopped.start()].rstrip() if stopped else whole
    overlap = _said_twice(core, part, language)
    if overlap:
        part = _after_words(part, overlap)
        if not part:
            return whole
        return f"{core} {part}"
    if is_unspaced(whole[-1:] or " ") and is_unspaced(part[0]):
        return whole + part
    ends = whole[-1:]
    broken = unfinished(whole, language) == "broken"
    if ends in "?!？！":
        if not broken:
            return f"{whole} {part}"
        core = whole.rstrip("?!？！ ")
    elif stopped and not broken and not _continues(part, language):
        return f"{whole} {part}"
    if not stopped and ends in ".。":
        core = whole[:-1]
    return f"{core} {_small(part, core, language)}"


def _continues(part: str, language: str) -> bool:
    """Whether a prompt is a piece of the sentence before it."""
    if part[0].islower():
        return True
    words = _CONTINUES.get(primary(language), _CONTINUES["en"])
    said = lowered(part)
    first = said.split(maxsplit=1)[0].strip(".,;:!?")
    return first in words and not part.rstrip().endswith("?") and not _ASKS_BEHIND.match(said)


def _small(part: str, core: str, language: str) -> str:
    """A prompt that goes on with a sentence does not begin with a capital, unless its first word may have one."""
    first = part.split(maxsplit=1)[0]
    word = lowered(first).strip(".,;:!?…")
    if not first[0].isupper() or word in _KEEP_CAPITAL or (len(first.strip(".,")) > 1 and first.strip(".,").isupper()):
        return part
    tag = primary(language)
    if tag in ("", "en", "multi"):
        small = word in _SMALL or _VERB_FOLLOWS.search(bare_tail(core, 40)) is not None
        small = small and not word.endswith("day") and word not in ("german", "french", "spanish")
    else:
        small = word in _CONTINUES.get(tag, ())
    return part[0].lower() + part[1:] if small else part


def _said_twice(whole: str, part: str, language: str) -> int:
    """How many words at the beginning of a prompt repeat the end of what came before."""
    old, new = bare_tail(whole, 200).split()[-_OVERLAP:], bare(part[:200]).split()[:_OVERLAP]
    for length in range(min(len(old), len(new)), 0, -1):
        if old[-length:] == new[:length]:
            if any(runs(word, language) for word in new[:length]):
                return 0
            return length
    return 0


def _after_words(part: str, count: int) -> str:
    """A text without its first so many words, as bare() counts them."""
    at = 0
    for token in re.finditer(r"\S+", part):
        at += len(bare(token[0]).split())
        if at >= count:
            return part[token.end() :].strip()
    return ""
