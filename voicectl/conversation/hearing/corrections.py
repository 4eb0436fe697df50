"""What a caller says in the place of what they have just said.

    a table for two / no sorry, for three               a table for three
    come on Tuesday / I mean Wednesday                  come on Wednesday
    book a tune-up … scratch that, a full service       book a full service
    book a table / no wait, I want to cancel            I want to cancel
    my number is 555 12 / no, 13                        my number is 555 13

A correction is led in by words that say so. Strong ones ("scratch that", "no wait", "I mean") are looked for anywhere,
weak ones ("no", "sorry", "actually") only behind a pause: a punctuation mark, or the beginning of a new prompt. What is
a piece of a sentence replaces the piece it is like (fragments.py); what is a whole sentence replaces the last one, if
the words were strong. What is like nothing replaces nothing: both are kept as they were said, for whoever reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from voicectl.conversation.fragments import put_into
from voicectl.conversation.hearing.dictation import ends_in_digits, leads_to_number, only_digits
from voicectl.conversation.hearing.wording import bare, by_language, lowered, straight
from voicectl.conversation.languages import primary
from voicectl.conversation.questions import days_in, plain
from voicectl.conversation.sentences import sentences
from voicectl.conversation.vocabulary import ARTICLES, NUMBERS, PLACES, STOP

_STRONG = {
    "en": r"scratch that|strike that|forget that|correction|no[,.]? (?:wait|sorry|scratch that|i mean|i meant"
    r"|make that|actually)(?:[,.]? (?:no|sorry|i mean|i meant|actually|make that))*|(?:wait|sorry|actually"
    r"|oops)[,.]? (?:no\b|i mean|i meant|make that)(?:[,.]? (?:sorry|wait|i mean|i meant|actually|make that))*"
    r"|i mean|i meant|or rather|make that|let me rephrase(?: that)?|what i meant (?:was|is)",
    "de": r"nein[,.]? (?:moment|entschuldigung|sorry|quatsch|ich meine|warten sie|doch|halt)|ach nein|äh nein|quatsch"
    r"|ich meine(?:te)?|besser gesagt|vielmehr|moment[,.]? nein|entschuldigung[,.]? (?:nein|ich meine)"
    r"|streichen sie das",
    "es": r"no[,.]? (?:perdón|perdone|espere|disculpe|mejor|quiero decir)|perdón[,.]? (?:no|quiero decir)|quiero decir"
    r"|mejor dicho|o mejor|digo",
    "fr": r"non[,.]? (?:pardon|attendez|plutôt|désolée?|excusez-moi|je veux dire)|pardon[,.]? (?:non|je veux dire)"
    r"|je veux dire"
    r"|ou plutôt|je voulais dire|enfin non",
    "it": r"no[,.]? (?:scusi|scusa|aspetti|anzi|volevo dire)|scusi[,.]? (?:no|volevo dire)|volevo dire|voglio dire|anzi"
    r"|o meglio",
    "pt": r"não[,.]? (?:desculpe|desculpa|espere|espera|quero dizer)|desculpe[,.]? (?:não|quero dizer)|quer dizer"
    r"|quero dizer|aliás|ou melhor",
    "nl": r"nee[,.]? (?:sorry|wacht|ik bedoel|pardon)|sorry[,.]? (?:nee|ik bedoel)|ik bedoel|of liever|beter gezegd",
}
_WEAK = {
    "en": r"no(?:[,.]? no)*|nope|sorry|actually|wait|rather|oops|make it|excuse me",
    "de": r"nein|nee|entschuldigung|sorry|warte|doch",
    "es": r"no|perdón|espere|espera",
    "fr": r"non|pardon|attendez|enfin|plutôt",
    "it": r"no|scusi|scusa|aspetti",
    "pt": r"não|desculpe|desculpa|espere|espera",
    "nl": r"nee|sorry|wacht",
}


def _cue(language: str) -> re.Pattern[str]:
    strong, weak = _STRONG[language], _WEAK[language]
    opens = r"(?:(?:um|uh|er|oh|ah|äh|euh|eh)[,.]? )?"
    return re.compile(
        rf"(?:(?:^|(?<=\s)){opens}(?:(?P<strong>{strong})(?![\w'])"
        rf"|(?<![^\s,.;:!?…–—-]\s){opens}(?P<weak>{weak})(?![\w']))"
        r"(?P<pause>[\s,.;:!…–—-]*))",
        re.IGNORECASE,
    )


_CUES = {language: _cue(language) for language in _STRONG}
_ANY_CUE = {
    language: re.compile(rf"(?<![\w'])(?:{_STRONG[language]}|{_WEAK[language]})(?![\w'])") for language in _STRONG
}
_CLAUSE = {
    "en": r"(?:i|we|you|they|he|she|it|that|there|can|could|do|does|did|is|are|was|were|will|would|what|how|when"
    r"|where|who|why|which|please|tell|give|let|let's|i'm|i'd|i've|i'll|we're|we'd|we've|it's|that's|don't|cancel"
    r"|book|change|forget|may|should|have|has)",
    "de": r"(?:ich|wir|sie|er|es|das ist|können|könnten|haben|ist|sind|was|wie|wann|wo|wer|warum|bitte|kann|gibt)",
    "es": r"(?:yo|quiero|quisiera|necesito|puede|puedo|tiene|es|está|qué|cuándo|cuánto|dónde|cómo|quién|me)",
    "fr": r"(?:je|j'\w+|nous|vous|il|elle|c'est|est-ce|pouvez|avez|quel|quelle|quand|où|comment|qui|combien)",
    "it": r"(?:io|vorrei|voglio|posso|può|avete|è|quando|quanto|dove|come|chi|ho)",
    "pt": r"(?:eu|quero|queria|gostaria|pode|posso|tem|é|quando|quanto|onde|como|quem)",
    "nl": r"(?:ik|wij|we|u|het is|kunt|kan|heeft|is|wat|hoe|wanneer|waar|wie)",
}
_CLAUSES = {language: re.compile(rf"{words}(?![\w'])") for language, words in _CLAUSE.items()}
_WANTS = re.compile(
    r"^(?:(?:hi|hello|hey|yes|yeah|ok|okay|so|and|well|um|uh|good \w+)[,.!]? )*(?:(?:i|we)(?:'d"
    r"| would)? (?:\w+ )?(?:want|like|need)|can (?:i|we|you)|could (?:i|we|you)|may i|i'm calling|let me"
    r"|(?:please )?(?:book|cancel|change|order)\b|ich (?:möchte|will|würde|hätte|brauche)|quiero|quisiera|necesito"
    r"|je (?:voudrais|veux)|vorrei|voglio|quero|queria|gostaria|ik wil)"
)
_NUMBER_LEAD = re.compile(
    r"(?:it's|it is|that's|the number is|my number is|it should be|es ist|die nummer ist|es|c'est|è|é|het is)[,:]? ",
    re.IGNORECASE,
)
_DAYS = {
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag heute morgen übermorgen",
    "es": "lunes martes miércoles jueves viernes sábado domingo hoy mañana",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche aujourd'hui demain",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica oggi domani",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo segunda terça quarta quinta"
    " sexta hoje amanhã",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag vandaag morgen",
}
_SMALL = {
    "de": "ein eine einen zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "uno una dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "fr": "un une deux trois quatre cinq six sept huit neuf dix onze douze",
    "it": "uno una due tre quattro cinque sei sette otto nove dieci undici dodici",
    "pt": "um uma dois duas três quatro cinco seis sete oito nove dez onze doze",
    "nl": "een één twee drie vier vijf zes zeven acht negen tien elf twaalf",
}
_KINDS = {language: (frozenset(_DAYS[language].split()), frozenset(_SMALL[language].split())) for language in _DAYS}
_EXPLAINS = re.compile(
    r"i meant?|ich meinte?|quiero decir|digo|je veux dire|je voulais dire|vo(?:levo|glio) dire|quer dizer|quero dizer"
    r"|ik bedoel"
)
_WITHDRAWS = re.compile(r"scratch that|strike that|forget that|rephrase|quatsch|streichen sie das")
_EDGES = ".,;:!?…–—\"'"
_FAR = 600
"""Characters: what was said longer ago is not corrected."""
_LONGEST_FRAGMENT = 6
"""Words. What is longer is no piece of a sentence."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that lead in a correction: text[begin:end], the pause behind them included."""

    begin: int
    end: int
    strong: bool
    paused: bool
    explains: bool = False
    """It may as well lead in other words for the same: "I mean"."""
    withdraws: bool = False
    """It takes back what was said, whatever follows: "scratch that"."""


def may_correct(text: str, language: str = "") -> bool:
    """Whether a text holds any word that leads in a correction. Quick."""
    return by_language(_ANY_CUE, language).search(lowered(text)) is not None


def find_cue(text: str, language: str, start: int = 0) -> Cue | None:
    """The first words in a text, from `start` on, that may lead in a correction, and have something behind them."""
    for found in by_language(_CUES, language).finditer(straight(text), start):
        if found.end() < len(text):
            strong = found["strong"] or ""
            explains = _EXPLAINS.fullmatch(strong.lower()) is not None
            withdraws = _WITHDRAWS.search(strong.lower()) is not None
            return Cue(found.start(), found.end(), bool(strong), bool(found["pause"].strip()), explains, withdraws)
    return None


def only_cue(text: str, language: str = "") -> bool:
    """Whether a text does nothing but lead in a correction that is still to come: "scratch that"."""
    if not may_correct(text, language):
        return False
    cue = find_cue(f"{text} x", language)
    return cue is not None and cue.begin == 0 and cue.end == len(text) + 1 and cue.strong


def corrected(before: str, cue: Cue, after: str, language: str = "") -> str | None:
    """What the caller means, having said `before`, the cue, and then `after`. None where nothing is corrected."""
    if not before.strip() or not after.strip():
        return None
    if len(before) > _FAR:
        cut = before.find(" ", len(before) - _FAR)
        near = (
            None if cut < 0 else corrected(before[cut + 1 :], replace(cue, begin=cue.begin - cut - 1), after, language)
        )
        return None if near is None else f"{before[: cut + 1]}{near}"
    number = _number_corrected(before, after, language)
    if number is not None:
        return number
    clause = by_language(_CLAUSES, language).match(lowered(after)) is not None
    if clause:
        return _whole_sentence(before, after, cue) if cue.strong and not cue.explains else None
    fragment, rest = _first_piece(after, language)
    if not fragment or len(fragment.split()) > _LONGEST_FRAGMENT:
        return None
    found = _put(before, fragment, cue, language)
    if found is None:
        return None
    if before.rstrip().endswith("?") and rest in ("", "."):
        rest = "?"
    if rest and rest[0] not in ",.;:!?":
        said, more = bare(found).split(), bare(rest).split()
        doubled = next((n for n in range(min(len(said), len(more)), 0, -1) if said[-n:] == more[:n]), 0)
        return f"{' '.join(found.split()[: len(found.split()) - doubled])} {rest}"
    return f"{found}{rest}"


def _number_corrected(before: str, after: str, language: str) -> str | None:
    """Digits that replace the last ones of a number that is being dictated."""
    run = ends_in_digits(before, language)
    if run is None:
        return None
    lead = _NUMBER_LEAD.match(straight(after))
    digits = only_digits(after[lead.end() :] if lead else after, language)
    dictated = leads_to_number(before[: run.begin]) or len(run.digits) >= 4
    if not digits or not dictated:
        return None
    whole = lead is not None or len(digits) >= len(run.digits) or len(digits) >= 7
    kept = "" if whole else run.digits[: -len(digits)]
    return f"{before[: run.begin]}{kept}{digits}"


def _whole_sentence(before: str, after: str, cue: Cue) -> str | None:
    """A wish in the place of the wish before and of all that came after it, or of a question; where words are taken
    back by name, anything in the place of the last sentence. "No wait, I have a question" takes nothing back."""
    said = sentences(before)
    keep = len(said) - 1
    if _WANTS.match(lowered(after)):
        wishes = [at for at, each in enumerate(said) if _WANTS.match(lowered(each))]
        if not wishes and not said[-1].endswith("?") and not cue.withdraws:
            return None
        keep = min(wishes, default=keep)
    elif not cue.withdraws:
        return None
    begun = after[:1].upper() + after[1:] if said[0][:1].isupper() else after
    return " ".join([*said[:keep], begun])


def _first_piece(after: str, language: str) -> tuple[str, str]:
    """A text cut behind its first piece: "for three", " on Sunday at five"."""
    words = after.split()
    places = PLACES if primary(language) in ("", "en", "multi") else frozenset()
    at = 0
    if places:
        if words and _word(words[0]) in places:
            at = 1
        if at < len(words) and _word(words[at]) in ARTICLES:
            at += 1
        first = at
        while at < len(words) and _word(words[at]) not in STOP | PLACES | ARTICLES:
            at += 1
            if words[at - 1][-1] in ".,;:!?…":
                break
        if at == first:
            return "", after
    else:
        while at < len(words):
            at += 1
            if words[at - 1][-1] in ".,;:!?…":
                break
    piece, rest = " ".join(words[:at]), " ".join(words[at:])
    fragment = piece.rstrip(_EDGES)
    return fragment, f"{piece[len(fragment) :]} {rest}".strip()


def _word(token: str) -> str:
    return plain(token.strip(_EDGES))


def _put(before: str, fragment: str, cue: Cue, language: str) -> str | None:
    said = sentences(before)
    last = said[-1] if said else before
    ahead = " ".join(said[:-1])
    core = last.rstrip(" .,;:!?…–—-")
    if primary(language) in _KINDS:
        mended = _like_elsewhere(core, fragment, _KINDS[primary(language)])
    else:
        mended = _like_in_english(core, fragment, cue)
    if mended is None:
        return None
    return f"{ahead} {mended}".strip()


def _like_in_english(before: str, fragment: str, cue: Cue) -> str | None:
    words, new = before.split(), fragment.split()
    old_plain, new_plain = [_word(word) for word in words], [_word(word) for word in new]
    if not cue.strong and not (
        cue.paused or new_plain[0] in PLACES | ARTICLES or all(word in NUMBERS or word.isdigit() for word in new_plain)
    ):
        return None  # "no fish"
    number = _number_for_number(words, old_plain, new, new_plain)
    if number is not None:
        return number
    question, piece = " ".join(old_plain), " ".join(new_plain)
    if len(question.split()) != len(words):
        return None
    mended = put_into(question, piece, corrects=cue.strong and len(new) <= 3).split()
    if mended == [*question.split(), *piece.split()] or mended[: len(words)] == [*old_plain[:-1], old_plain[-1] + ","]:
        return None
    if mended == old_plain:
        return before
    front = 0
    while front < min(len(mended), len(words)) and mended[front] == old_plain[front]:
        front += 1
    back = 0
    while back < min(len(mended), len(words)) - front and mended[-1 - back] == old_plain[-1 - back]:
        back += 1
    gone = " ".join(words[front : len(words) - back])
    if not cue.strong and (bool(days_in(gone)) != bool(days_in(" ".join(new))) or _counts(gone) != _counts(piece)):
        return None
    spelled = dict(zip(old_plain, words, strict=True)) | dict(zip(new_plain, new, strict=True))
    middle = [spelled.get(word, word) for word in mended[front : len(mended) - back]]
    return " ".join([*words[:front], *middle, *words[len(words) - back :]])


def _counts(text: str) -> bool:
    return any(word in NUMBERS or word[:1].isdigit() for word in lowered(text).split())


def _number_for_number(words: list[str], old: list[str], new: list[str], new_plain: list[str]) -> str | None:
    """ "for two", "for three people": a number for the last one, behind the same word if there is one before it."""
    at = 1 if new_plain[0] in PLACES else 0
    if at >= len(new_plain) or not _is_number(new_plain[at]):
        return None
    count = next((n for n in range(at, len(new)) if not _is_number(new_plain[n])), len(new)) - at
    for end in range(len(old), 0, -1):
        if not _is_number(old[end - 1]):
            continue
        begin = end - 1
        while begin and _is_number(old[begin - 1]):
            begin -= 1
        if at and (not begin or old[begin - 1] != new_plain[0]):
            continue
        behind = new_plain[at + count :]
        if behind and end < len(old) and old[end : end + len(behind)] != behind:
            return None  # "two kids", "three adults"
        return " ".join([*words[: begin - at], *new, *words[end + (len(behind) if end < len(old) else 0) :]])
    return None


def _is_number(word: str) -> bool:
    return word in NUMBERS or word.isdigit() or (word[:1].isdigit() and ":" in word)


def _like_elsewhere(before: str, fragment: str, kinds: tuple[frozenset[str], frozenset[str]]) -> str | None:
    """A day for a day, a number for a number, what begins with the same word for what began with it at the end."""
    words, new = before.split(), fragment.split()
    old_low = [lowered(word.strip(_EDGES)) for word in words]
    new_low = [lowered(word.strip(_EDGES)) for word in new]
    if len(new) > 1 and new_low[0] in old_low[-len(new) - 1 :]:
        at = len(words) - 1 - old_low[::-1].index(new_low[0])
        return " ".join([*words[:at], *new])
    for kind in kinds:
        if new_low[-1] in kind or (kind is kinds[1] and new_low[-1].isdigit()):
            for at in range(len(words) - 1, -1, -1):
                if old_low[at] in kind or (kind is kinds[1] and old_low[at].isdigit()):
                    begin = at - (len(new) - 1) if len(new) <= 2 else at
                    if begin < 0 or (len(new) == 2 and old_low[begin] in kind):
                        begin = at
                    return " ".join([*words[:begin], *new, *words[at + 1 :]])
    return None
