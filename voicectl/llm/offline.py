"""The reply model that needs no account, no key and no network.

It writes nothing of its own about the company: answers are whole sentences of the company's documents (quoting.py),
and where they do not answer, it says that it does not know and offers a person, or to take a message: the conversation
is recorded, so what is said then reaches the owner. Where the caller may mean several things it asks which. It does not
tell twice what it has told (told.py), and says where an answer is from only when asked. It calls no tools. Around that
it has the manners of a telephone: it greets, repeats itself when asked, says what it is, says goodbye (smalltalk.py),
takes up again what a sound has cut off, and ends a call whose time is up.

The same conversation always gets the same words. Wordings take turns by a hash of the call and the number of lines, and
what was said last is never said again at once, except when the caller asks for that.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from voicectl.conversation.follow_up import standalone_question
from voicectl.conversation.leaning import leans_back, read
from voicectl.conversation.questions import Question, read_question
from voicectl.conversation.turns import Closing, Line, Usage
from voicectl.llm import quoting
from voicectl.llm.smalltalk import Act, act_of
from voicectl.llm.told import NOTHING, as_i_said, asked_again, told_in, wants_more
from voicectl.ports import ReplyEnd, ReplyRequest

_MORE = re.compile(r"\b(anything|what) else\b[^.!]*\?\s*$", re.I)
_HELP = re.compile(
    r"\b(help you|can i help|can i do for you|would you like to know|still there|what is it)\b[^.!]*\?\s*$", re.I
)
_OFFER_PERSON = re.compile(
    r"\b(put you through|transfer you|talk to (a|one of)|speak to (a|one of))\b[^.!]*\?\s*$", re.I
)
_OFFER_MESSAGE = re.compile(r"\btake a message\b[^.!]*\?\s*$", re.I)
_PASS_ON = re.compile(r"\bwhat (should|shall|can) i pass on\?\s*$", re.I)
_WHICH = re.compile(r"\bdo you mean\b[^.!]*\?\s*$", re.I)
_OFFER_AGAIN = re.compile(r"\b(shall|should) i (say|repeat) that( again)?\?\s*$", re.I)

_SAID: dict[str, tuple[str, ...]] = {
    "greeting": (
        "Hello! What can I do for you?",
        "Hi there! How can I help you?",
    ),
    "robot": (
        "I'm {name}, an automated assistant: a computer, not a person. I answer questions for {company}.",
        "You're talking to a computer: I'm {name}, the automated assistant of {company}.",
    ),
    "name": ("I'm {name}, the automated assistant at {company}.",),
    "abilities": (
        "I answer questions about {company}: opening hours, prices and so on. What would you like to know?",
        "Ask me about {company}: our hours, our prices, how things work here. What would you like to know?",
    ),
    "how_are_you": ("I'm doing well, thank you. How can I help you?", "Very well, thanks. How can I help you?"),
    "thanks": (
        "You're welcome. Is there anything else I can help with?",
        "My pleasure. Anything else?",
        "Happy to help. Is there anything else?",
    ),
    "fine": ("Is there anything else I can help with?", "Good. Anything else?", "All right. What else can I do?"),
    "more": ("Sure, what would you like to know?", "Of course, go ahead. What is it?"),
    "there": ("Yes, I'm here. What can I do for you?", "I'm still here. How can I help you?"),
    "wait": ("Of course, take your time.", "Sure, no hurry."),
    "nothing": (
        "Sorry, I didn't catch that. What would you like to know?",
        "I'm sorry, could you say that again?",
    ),
    "keys": (
        "There is no menu to press keys for, just tell me what you need.",
        "You don't need the keys with me. What would you like to know?",
    ),
    "unclear": (
        "Could you tell me a little more about what you're looking for?",
        "I'm not sure what you mean. Could you say it in a few more words?",
    ),
    "unknown": (
        "I'm sorry, I don't have an answer to that.",
        "I'm afraid I don't know that one.",
        "That's not something I know, sorry.",
    ),
    "no_more": (
        "That's all I have on that. Is there anything else?",
        "I'm afraid that's all I know about it. Anything else?",
    ),
    "which": ("Do you mean {choices}?", "Sure. Do you mean {choices}?", "Let me see. Do you mean {choices}?"),
    "offer_message": (
        "I can help with things like opening hours, prices and services, or shall I take a message?",
        "You can ask me about our hours, our prices or what we do, or shall I take a message?",
    ),
    "message": ("Of course. What should I pass on?", "Sure, go ahead. What shall I pass on?"),
    "noted": (
        "Thank you, I've noted that. Is there anything else I can help with?",
        "Got it, that's noted. Anything else?",
    ),
    "source": ("I have that from our document called {document}.", "It's in our document called {document}."),
    "source_page": (
        "I have that from our document called {document}, page {page}.",
        "It's in our document called {document}, on page {page}.",
    ),
    "source_web": ("That's from our website, the page called {document}.",),
    "source_unclear": ("I have what I know from the documents of {company}.",),
    "broken": (
        "I'm sorry, I can't look that up right now.",
        "I'm afraid I can't get at our information at the moment.",
    ),
    "offer_person": ("Shall I put you through to a person?", "Would you like me to put you through to one of us?"),
    "person": ("Of course. One moment, I'll put you through.", "Sure, let me put you through. One moment, please."),
    "no_person": (
        "I'm sorry, I can't put you through to anyone right now. What would you like to know? Maybe I can help.",
        "I'm afraid nobody can take this call right now. Perhaps I can help: what is it about?",
    ),
    "no_to_offer": ("All right. Is there anything else I can help with?", "No problem. Anything else?"),
    "goodbye": (
        "Thank you for calling {company}. Goodbye!",
        "Thanks for your call. Goodbye!",
        "You're welcome. Have a good day, goodbye!",
    ),
    "stop": (
        "We have to stop here. Thank you for calling {company}. Goodbye!",
        "I'm afraid our time is up. Thank you for calling {company}. Goodbye!",
    ),
    "nothing_said": ("I haven't said much yet. What would you like to know?",),
}  # fmt: skip

_NO_MESSAGE: tuple[Act, ...] = ("person", "zero", "repeat", "goodbye", "no", "yes", "there", "wait", "nothing")
"""What is no message, though one was asked for."""

_THE_REST = frozenset("other others rest details information info".split())

_REPLIED = ("caller", "agent")

RECENT = 2
"""Agent lines not to be repeated; one may have been said into a silence since the last reply."""


@dataclass(frozen=True, slots=True)
class _Reply:
    text: str
    closing: Closing | None = None
    unanswered: bool = False


class OfflineModel:
    """The ReplyModel port, answered on this machine."""

    name = "offline"

    def __init__(self, agent_name: str, company: str, can_transfer: bool) -> None:
        """`can_transfer`: there is a person to put callers through to; without, none is offered."""
        self._agent_name = agent_name
        self._company = company
        self._can_transfer = can_transfer

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        """The reply, word by word, and its end."""
        answer = self._answer(request)
        for piece in re.findall(r"\s*\S+", answer.text):
            yield piece
        yield ReplyEnd(closing=answer.closing, usage=Usage(self.name), unanswered=answer.unanswered)

    async def warm_up(self) -> None:
        """Read the word lists once, so that no caller waits for it."""
        read_question("How much is it on Sunday?")

    async def close(self) -> None:
        pass

    # --- what to say ---------------------------------------------------------------------------------------

    def _answer(self, request: ReplyRequest) -> _Reply:
        if "wind_down" in request.notes:
            return self._say(request, "stop", closing="goodbye")
        if "resume" in request.notes:
            return self._resumed(request)
        act = act_of(request.question, agent_name=self._agent_name)
        if _PASS_ON.search(_last_said(request.lines)) and act not in _NO_MESSAGE:
            return self._say(request, "noted")
        if act is not None:
            return self._manners(act, request)
        if request.knowledge_failed:
            return self._say(request, "broken", self._offer())
        if len(request.choices) > 1 and not _WHICH.search(_last_said(request.lines)):
            return self._say(request, "which", choices=spoken_choices(request.choices))
        question = _asked(request)
        if not question.terms:
            return self._say(request, "unclear")
        return self._quote(request, question)

    def _resumed(self, request: ReplyRequest) -> _Reply:
        """The rest of a reply that a sound has cut off: what follows the words that were heard, where they are known
        for its beginning."""
        first = len(request.lines)
        while first and request.lines[first - 1].role == "agent":
            first -= 1
        heard = " ".join(line.text for line in request.lines[first:]).split()
        whole = self._answer(replace(request, lines=request.lines[:first], notes=()))
        words = whole.text.split()
        if first and words[: len(heard)] == heard and len(words) > len(heard):
            return replace(whole, text=" ".join(words[len(heard) :]))
        return self._say(request, "fine")

    def _quote(self, request: ReplyRequest, question: Question) -> _Reply:
        told = told_in(request.lines)
        again = quoting.answer(question, request.passages, NOTHING)
        if not again:
            return self._say(request, "unknown", self._offer())
        if told.more:
            more = quoting.answer(question, request.passages, told)
            return _Reply(more) if more else self._say(request, "no_more")
        if told.has(again) and asked_again(request.lines):
            return _Reply(as_i_said(again))
        return _Reply(quoting.answer(question, request.passages, told))

    def _manners(self, act: Act, request: ReplyRequest) -> _Reply:
        last = _last_said(request.lines)
        if act == "source":
            return self._source(request)
        if act == "yes" and _OFFER_MESSAGE.search(last):
            return self._say(request, "message")
        if act == "yes" and _OFFER_AGAIN.search(last):
            quoted = quoting.answer(_asked(request), request.passages)
            return _Reply(quoted) if quoted else self._again(request)
        if act == "repeat":
            return self._again(request)
        if act in ("person", "zero") or (act == "yes" and _OFFER_PERSON.search(last)):
            if self._can_transfer:
                return self._say(request, "person", closing="person")
            return self._say(request, "no_person")
        if act == "no":
            if _MORE.search(last) or _HELP.search(last):
                return self._say(request, "goodbye", closing="goodbye")
            return self._say(request, "no_to_offer")
        if act == "yes":
            return self._say(request, "more" if _MORE.search(last) or _HELP.search(last) else "fine")
        if act == "goodbye":
            return self._say(request, "goodbye", closing="goodbye")
        if act == "robot" and self._can_transfer:
            return self._say(request, "robot", "offer_person")
        return self._say(request, act)

    def _source(self, request: ReplyRequest) -> _Reply:
        """Where the last answer stands: the passage that holds it. The caller may ask twice."""
        held = (quoting.holder(text, request.passages) for text in self._answered(request)[:2])
        passage = next(filter(None, held), None)
        if passage is None:
            return self._say(request, "source_unclear")
        kind = "source_web" if "://" in passage.source else "source_page" if passage.page is not None else "source"
        return self._say(request, kind, document=passage.title.partition(" > ")[0], page=str(passage.page))

    def _again(self, request: ReplyRequest) -> _Reply:
        """The last thing said in answer to the caller; what was said into a silence afterwards was none."""
        said = self._answered(request)
        return _Reply(said[0]) if said else self._say(request, "nothing_said")

    @staticmethod
    def _answered(request: ReplyRequest) -> list[str]:
        """What was said in answer to the caller, newest first."""
        before = ("caller", *(line.role for line in request.lines))
        said = [line.text for role, line in zip(before, request.lines, strict=False) if (role, line.role) == _REPLIED]
        return [text for text in reversed(said) if text.strip()]

    def _offer(self) -> str:
        return "offer_person" if self._can_transfer else "offer_message"

    def _say(self, request: ReplyRequest, *kinds: str, closing: Closing | None = None, **words: str) -> _Reply:
        """One wording of each kind, none of them among what the agent said last."""
        before = [line.text for line in request.lines if line.role == "agent"]
        count, last = len(before), " ".join(before[-RECENT:])
        said = []
        for kind in kinds:
            wordings = [text.format(name=self._agent_name, company=self._company, **words) for text in _SAID[kind]]
            fresh = [text for text in wordings if text not in last] or wordings
            said.append(fresh[(zlib.crc32(request.call.sid.encode()) + count) % len(fresh)])
        return _Reply(" ".join(said), closing, unanswered="unknown" in kinds)


def spoken_choices(choices: Sequence[str]) -> str:
    """ "delivery or collection"; "rentals, repairs or classes"."""
    plain = [" ".join(choice.split()).rstrip(".?!,;") for choice in choices]
    return f"{', '.join(plain[:-1])} or {plain[-1]}"


def _asked(request: ReplyRequest) -> Question:
    """The caller's question; where it leans on the one before it, with that one's words, but its own kind and day."""
    question = read_question(request.question)
    if wants_more(request.question):
        earlier = [line for line in request.lines if line.role == "agent" or not wants_more(line.text)]
        before = read_question(standalone_question(earlier))
        own = any(term.worth == 1.0 and term.word not in _THE_REST for term in question.terms)
        bare = read(request.question).more
        return before if bare or (before.terms and not own) else question
    if not leans_back(request.question):
        return question
    whole = read_question(standalone_question(request.lines))
    return replace(whole, asks=question.asks or whole.asks, days=question.days or whole.days)


def _last_said(lines: Sequence[Line]) -> str:
    return next((line.text for line in reversed(lines) if line.role == "agent"), "")
