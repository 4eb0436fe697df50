"""What callers say that asks for no knowledge: greetings, thanks, "say that again", "are you a robot", goodbye.

An utterance is one of these only when it is nothing else: "thanks, and where can I park?" is a question.
"""

from __future__ import annotations

import re
from typing import Literal

from voicectl.conversation.questions import plain
from voicectl.conversation.wishes import asks_source, wants_person

Act = Literal[
    "person",  # wants to talk to a human
    "source",  # asks where the last answer comes from
    "message",  # wants to leave one
    "robot",  # asks whether this is one
    "name",
    "abilities",
    "how_are_you",
    "repeat",
    "thanks",
    "goodbye",
    "yes",
    "no",
    "fine",  # "okay", "got it"
    "greeting",
    "there",  # "are you still there?"
    "wait",
    "zero",  # pressed 0
    "keys",  # pressed something else
    "nothing",  # not a word in it
]

_ROBOT = re.compile(
    r"\b(?:are you|you're|is this|is that|am i (?:talking|speaking) (?:to|with)) (?:like |really |actually )*"
    r"(?:an? |the )?"
    r"(?:(?:real |actual |live )*(?:robot|bot|chatbot|machine|computer|ai|recording|human(?: being)?|person)\b"
    r"(?! (?:available|around|there))|(?:real|alive|automated|artificial intelligence)$)"
)

_MESSAGE = re.compile(
    r"\b(?:leave|take) (?:(?:you|them|him|her|us|me) )?(?:an? |my )?message"
    r"(?: (?:for|with) (?:you|them|someone|somebody))?$"
)

_WORDS: dict[Act, str] = {
    "name": r"""
        what(?:'s|\ is)\ your\ name | who\ are\ you | who(?:'s|\ is)\ (?:this|that)
        | who\ am\ i\ (?:speaking|talking)\ (?:to|with)
        """,
    "abilities": r"""
        what\ can\ you\ (?:do|help(?:\ me)?\ with|tell\ me)(?:\ for\ me)? | how\ can\ you\ help(?:\ me)?
        | what\ do\ you\ know | (?:i\ need\ |can\ you\ |could\ you\ )?help(?:\ me)?
        """,
    "how_are_you": r"""
        how\ are\ you(?:\ doing)?(?:\ today)? | how(?:'s|\ is)\ it\ going | how\ do\ you\ do
        | how\ have\ you\ been
        """,
    "repeat": r"""
        (?:(?:can|could|would|will)\ you\ (?:please\ )?)?(?:repeat|say)(?:\ (?:that|it|this))?
          (?:\ (?:again|once\ more|one\ more\ time))?
        | what\ did\ you\ (?:just\ )?say | come\ again | pardon(?:\ me)? | what(?:\ was\ that)? | huh
        | i\ (?:did\ not|didn't|couldn't|can't)\ (?:catch|hear|get|understand)(?:\ (?:that|you|it|what\ you\ said))?
        | one\ more\ time | once\ more | again
        | (?:can|could)\ you\ (?:speak|talk|say\ that)\ (?:slower|louder|up|more\ slowly)
        """,
    "there": r"""
        are\ you\ (?:still\ )?there | (?:can|do)\ you\ hear\ me | (?:is\ )?any(?:one|body)\ there | hello\ hello
        """,
    "wait": r"""
        (?:hold|hang)\ on(?:\ an?\ (?:second|sec|minute|moment))? | (?:just\ )?(?:one|a)\ (?:moment|second|sec|minute)
        | wait(?:\ an?\ (?:second|sec|minute|moment))? | give\ me\ an?\ (?:second|sec|minute|moment)
        | let\ me\ (?:think|check|see)
        """,
    "goodbye": r"""
        (?:good\ ?)?bye(?:[\ -]bye)? | see\ you(?:\ (?:later|soon|then))? | so\ long | talk\ to\ you\ later | take\ care
        | (?:you\ )?have\ an?\ (?:good|nice|great|lovely)\ \w+ | nothing\ else | no\ more\ questions
        | that(?:'s|\ is|\ was|\ will\ be|'ll\ be)\ (?:it|all|everything)(?:\ i\ (?:need|needed|wanted|had))?
          (?:\ to\ know)?(?:\ for\ (?:now|today))?
        | i(?:'m|\ am)\ (?:all\ )?(?:set|done|good) | i(?:'ve|\ have)\ got\ (?:to\ go|everything\ i\ need(?:ed)?)
        | you(?:'ve|\ have)\ answered\ (?:my|all\ my)\ questions?
        """,
    "thanks": r"""
        thank(?:s|\ you)(?:\ (?:so\ much|very\ much|a\ lot|a\ bunch))? | many\ thanks | much\ appreciated | cheers
        | i\ appreciate\ (?:it|that|your\ help)
        | (?:that's|that\ is|that\ was|you've\ been|you\ were)\ (?:(?:very|really|so|super)\ )*
          (?:helpful|great|perfect|kind)
        """,
    "no": r"""
        no | nope | nah | no\ thank(?:s|\ you) | not\ (?:really|right\ now|now|at\ the\ moment|today)
        | i\ don't\ think\ so
        """,
    "yes": r"""
        yes | yeah | yep | yup | sure | of\ course | please\ do | go\ ahead | absolutely | definitely | yes\ please
        | why\ not | that\ would\ be\ (?:great|nice|good) | i\ do
        """,
    "fine": r"""
        ok(?:ay)? | all\ ?right | great | perfect | good | got\ it | i\ see | cool | wonderful | nice | fine | awesome
        | excellent | stop | (?:that\ )?(?:sounds|makes)\ (?:good|great|sense) | good\ to\ know | understood
        | never\ ?mind
        """,
    "greeting": r"hi | hello | hey | howdy | good\ (?:morning|afternoon|evening|day) | greetings",
}  # fmt: skip
_PADDING = (
    r"um|uh|uhm|er|oh|ah|hmm|well|so|and|then|but|just|actually|please|sorry|excuse me|there|now|guys|sir|ma'am|you"
)
_ORDER: tuple[Act, ...] = (
    "repeat", "goodbye", "name", "abilities", "how_are_you", "there", "wait", "no", "yes", "thanks", "fine", "greeting",
)  # fmt: skip
"""Of several acts in one utterance, which is answered: "okay thanks bye" is a goodbye."""

_PATTERNS: tuple[tuple[Act | None, re.Pattern[str]], ...] = (
    *((act, re.compile(rf"(?:{words})(?=\ |$)", re.VERBOSE)) for act, words in _WORDS.items()),
    (None, re.compile(rf"(?:{_PADDING})(?= |$)")),
)
_KEYS = re.compile(r"\(pressed keys: ([^)]*)\)")


def act_of(text: str, *, agent_name: str = "") -> Act | None:
    """What an utterance does, or None when it asks something. `agent_name` may be said along with anything."""
    keys = _KEYS.search(text)
    if keys and not _KEYS.sub("", text).strip():
        return "zero" if keys[1].strip() == "0" else "keys"
    said = " ".join(re.sub(r"[^\w' -]", " ", plain(text)).split())
    if _ROBOT.search(said):
        return "robot"
    if wants_person(text):
        return "person"
    if asks_source(text):
        return "source"
    if _MESSAGE.search(said):
        return "message"
    acts = _spelled_out(said, plain(agent_name))
    if acts is None:
        return None
    return next((act for act in _ORDER if act in acts), "nothing")


def _spelled_out(said: str, agent_name: str) -> set[Act] | None:
    """The acts that make up an utterance from its first word to its last, or None when there is anything else in it."""
    acts: set[Act] = set()
    at = 0
    while at < len(said):
        matches = [(match.end(), act) for act, pattern in _PATTERNS if (match := pattern.match(said, at))]
        if agent_name and re.match(rf"{re.escape(agent_name)}(?= |$)", said[at:]):
            matches.append((at + len(agent_name), None))
        if not matches:
            return None
        end, act = max(matches, key=lambda match: match[0])
        if act is not None:
            acts.add(act)
        at = end + 1
    return acts
