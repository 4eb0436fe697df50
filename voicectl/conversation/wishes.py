"""What a caller's own words ask of the call itself: to end it, to be put through to a person, to know where an answer
comes from.

A reply model that has read documents may have read orders in them. So whether a call closes is not for its word alone
(machine.py, rule 9): the caller must have asked for it, in words that are looked for here. They are looked for where
the caller can mean nothing else by them; a wish that is overlooked costs a question, one that is made up costs a call.
Languages besides English are served with the few words that everybody uses for these things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voicectl.conversation.farewell import is_farewell
from voicectl.conversation.questions import plain
from voicectl.conversation.turns import Closing, Line

_SOMEBODY = (
    r"(?:person|human(?: being)?|someone|somebody|agent|representative|rep|operator|manager|employee|supervisor"
    r"|receptionist|associate|colleague|staff|owner|boss|customer service|one of (?:you|your \w+))"
)
_PERSON = re.compile(
    rf"\b(?:speak|talk|transfer(?:red)?|connect(?:ed)?|put|get me|reach)\b(?: \w+){{0,5}}? (?:an? |the |your |any )?"
    rf"(?:real |live |actual |human |other )*{_SOMEBODY}\b"
    rf"|^(?:an? |the )?(?:real |live |actual )*{_SOMEBODY}$"
    rf"|\b(?:i (?:want|need)|i'd like|i would like|give me|is there) (?:an? |the )?(?:real |live |actual )*"
    rf"(?:person|human|agent|representative|operator)\b"
    rf"|^(?:can|could|may) i (?:speak|talk) (?:to|with) (?!you\b)\w+$|\b(?:put|patch) me through\b|\btransfer me\b"
)
_PERSON_ELSEWHERE = re.compile(
    r"\bmit (?:ein\w*|jemand\w*|dem|der|ihr\w*) ?(?:echt\w* )?(?:menschen|person|mitarbeiter\w*|kolleg\w*|chef\w*)?"
    r" ?(?:sprechen|reden|verbinden)\b|\bverbinden sie mich\b|\bmitarbeiter\w* sprechen\b"
    r"|\bparler (?:a|avec) (?:quelqu'un|une (?:vraie )?personne|un (?:humain|conseiller|agent|responsable))\b"
    r"|\bhablar con (?:alguien|una persona|un (?:humano|agente|operador|encargado))\b"
    r"|\bparlare con (?:qualcuno|una persona|un (?:operatore|responsabile))\b"
    r"|\bfalar com (?:alguem|uma pessoa|um (?:atendente|humano))\b"
    r"|\b(?:iemand|een (?:medewerker|mens|collega)) spreken\b"
)
_BEFORE = re.compile(r"^(?:(?:um|uh|oh|well|okay|ok|so|yes|yeah|no|hi|hello|hey|please|sorry|and|but|just) )+")
_BEHIND = re.compile(r"(?: (?:please|now|thanks|thank you))+$")

_LEAVING = re.compile(
    r"\b(?:good ?bye|bye|(?:i(?:'ve| have) got to|i (?:have|need) to|gotta|i must|let me) (?:go|run|leave|hang up)"
    r"|(?:that's|that is|that was|that'll be|that will be) (?:it|all|everything)"
    r"(?: i (?:need|needed|want|wanted|had)(?: to (?:know|ask))?)?"
    r"(?: (?:for (?:now|today)|from me))?"
    r"|nothing else|no more questions|i(?:'m| am) (?:all )?(?:done|set)"
    r"|(?:please |you can |can you |could you |just )(?:hang up|end (?:the|this) call)"
    r"|(?:auf wieder\w+|tschuss\w*|ciao|tschau|schonen tag|au revoir|bonne (?:journee|soiree)|a bientot|adios|chao"
    r"|hasta (?:luego|pronto|manana)|arrivederci|buona (?:giornata|serata)|tchau|adeus|ate logo|tot ziens|doei"
    r"|do widzenia|hej da|na shledanou))(?: (?:now|then|bye|please|thanks|thank you|today|noch|dann))*$"
    r"|^(?:(?:ok(?:ay)?|alright|well|thanks|thank you|and|then) )*(?:good ?bye|bye) \w{1,12}$"
)
_LEAVING_UNSPACED = re.compile(r"(?:さようなら|失礼します|再见|再見|拜拜|안녕히 계세요)[。.!！]?$")
_HANGS_UP = re.compile(r"^(?:hang up|end (?:the|this) call)$")
_ANYTHING_ELSE = re.compile(r"\b(?:anything|what) (?:else|more)\b[^.!]*\?\s*$", re.I)

_YES = re.compile(
    r"^(?:(?:oh|um|uh|well|okay|ok) )*(?:yes|yeah|yep|yup|sure|of course|please do|please|go ahead|do that|absolutely"
    r"|definitely|certainly|why not|ok(?:ay)?|all ?right|fine|that would be (?:great|nice|good|lovely)|i do|i would"
    r"|ja|jawohl|gern\w*|oui|volontiers|si|claro|sim|certo|tak|はい|是的?|好的?)\b"
    r"(?: (?:yes|please|sure|do|do that|go ahead|thanks|thank you|that would be (?:great|nice|good|lovely)|i would"
    r"|put me through|bitte|gern\w*|danke|por favor|s'il vous plait|merci|gracias|grazie))*$"
)
_NO = re.compile(r"^(?:(?:oh|um|uh|well|okay|ok) )*(?:no|nope|nah|nein|non|nao|nee|not really|i don't think so)\b")
_OFFERS_PERSON = re.compile(
    r"\b(?:put(?:ting)? you through|transfer(?:ring)? you|connect(?:ing)? you|(?:talk|speak) (?:to|with) (?:a|an|one"
    r"|some|the)\b\w*)[^.!]*\?\s*$",
    re.I,
)

_SOURCE = re.compile(
    r"\b(?:where|how) (?:do|did|does|have|are|is|'d) (?:you|that|this|it) (?:\w+ )??"
    r"(?:get|got|getting|find|found|read|come|coming|know|hear|have|take)\b(?: (?:that|this|it|all|from|of))*$"
    r"|\b(?:says|said) who\b|\bwho (?:says|said|told you)(?: (?:that|this|so|it))?$"
    r"|\bwhat(?:'s| is| was) (?:your|the) source\b|\bwhere (?:is|does) (?:that|this|it) (?:from|say|written|stand)\b"
    r"|\bwhere does it say (?:that|this|so)\b|\bhow do you know(?: (?:that|this|all that|it))?$"
    r"|\b(?:is|does|was) (?:that|this|it) (?:also )?(?:say )?(?:on|in|from) (?:your|the) "
    r"(?:web ?site|web ?page|site|homepage|documents?|documentation|terms|policy|brochure)\b"
    r"|\bwhich (?:document|page|part of your \w+) (?:is|was|says|did)\b|\b(?:are|how) (?:you )?sure about that$"
)


def asks_to_close(closing: Closing, lines: Sequence[Line]) -> bool:
    """Whether the caller's last words, all since the agent spoke, ask for the call to close in this way."""
    first = len(lines)
    while first and lines[first - 1].role == "caller":
        first -= 1
    before = lines[first - 1].text if first else ""
    said = [line.text for line in lines[first:]]
    wants = _wants_person if closing == "person" else _wants_to_leave
    return any(wants(text, before) for text in (*said[-1:], " ".join(said)))


def _wants_person(text: str, before: str) -> bool:
    return wants_person(text) or text == "(pressed keys: 0)" or (agrees(text) and bool(_OFFERS_PERSON.search(before)))


def _wants_to_leave(text: str, before: str) -> bool:
    said = _bare(text)
    if is_farewell(text) or _LEAVING.search(said) or _LEAVING_UNSPACED.search(text.strip()):
        return not text.rstrip().endswith("?")
    return bool(_HANGS_UP.search(said) or (_NO.search(said) and _ANYTHING_ELSE.search(before)))


def wants_person(text: str) -> bool:
    """The caller wants to talk to a human."""
    said = _BEHIND.sub("", _BEFORE.sub("", _bare(text)))
    return bool(_PERSON.search(said) or _PERSON_ELSEWHERE.search(said))


def agrees(text: str) -> bool:
    """The caller says yes, and nothing else."""
    return bool(_YES.search(_bare(text)))


def asks_source(text: str) -> bool:
    """The caller wants to know where the last answer comes from: "says who?", "is that on your website?"."""
    return bool(_SOURCE.search(_bare(text)))


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[^\w' -]", " ", plain(text)).split())
