"""What the agent says by itself: everything that no reply model writes. One file per language beside this one.

Rules
- Tuples of wordings take turns, so that no caller hears the same one twice in a row.
- `{...}` stands for what is filled in when the words are said.
- No wording promises what will come of something.
- A language gives every wording, in its polite form, without telling whether the agent is a man or a woman.
- An owner's own wordings keep the shape and the placeholders of those they replace; overridden() sees to it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module

from voicectl.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Phrases:
    """The agent's own words in one language. Defaults are English."""

    # the caller is silent
    reprompts: tuple[str, ...] = ("Are you still there?", "I'm still here. What can I do for you?")
    """Said one after the other, one for each silence in a row, where the agent has not asked anything."""
    ask_again: tuple[str, ...] = (
        "Take your time. {question}",
        "Are you still there? {question}",
    )
    """The same where it has: `{question}` is what it asked last."""
    ask_number: tuple[str, ...] = (
        "You can say it, or type it on your telephone.",
        "Are you still there? You can also type the number on your telephone.",
    )
    """The same where it asked for a number."""
    ask_choice: tuple[str, ...] = ("Which would you like: {choices}?", "Are you still there? {choices}?")
    """The same where it offered a choice: `{choices}` is "delivery or collection"."""
    choice_joint: str = " or "
    """What stands before the last of `{choices}`; commas before the others."""
    offer_person: str = "I can't hear you. Shall I put you through to a person?"
    """After the last reprompt, where somebody is there; the silence after it ends the call."""
    silent_goodbye: str = "I can't hear you, so I'll hang up now. Please call again any time. Goodbye."
    # the caller asks for a moment
    take_your_time: tuple[str, ...] = ("Of course, take your time.", "Sure, no hurry.")
    # something is awaited
    thinking: tuple[str, ...] = ("Let me think.", "One moment.", "Just a second.")
    looking_up: tuple[str, ...] = ("Let me look.", "One moment, I'm looking.", "Let me check that.")
    working: tuple[str, ...] = ("One moment, please.", "Bear with me.", "This may take a moment.")
    """A tool is at work that has no words of its own."""
    still_working: tuple[str, ...] = ("Still with you.", "I'm still at it.", "A moment longer.")
    # something went wrong
    apology: str = "I'm sorry, I couldn't get an answer just now. Could you say that again?"
    lost_thread: str = "Sorry, I lost my thread. Shall I say that again?"
    give_up: str = "I'm sorry, I'm having trouble answering at the moment. Please call again a little later. Goodbye."
    give_up_person: str = "I'm sorry, I'm having trouble answering. I'll put you through to a person."
    # how long it takes
    go_on: tuple[str, ...] = ("Shall I go on?", "Would you like to hear more?")
    """After a reply that was cut because it grew too long."""
    length_warning: str = "Just so you know, we have about {minutes} left on this call. What matters most to you?"
    minutes: tuple[str, str] = ("a minute", "{count} minutes")
    wind_down: str = "I'm afraid we have to finish now. Thank you for calling. Goodbye."
    """Said where the reply model has no last words."""
    time_is_up: str = "I'm afraid we've reached the longest time I can stay on one call. Thank you, goodbye."
    # how a call ends
    goodbye: str = "Thank you for calling. Goodbye."
    person: str = "One moment, I'll put you through."
    confirm_person: str = "Shall I put you through to a person?"
    """Asked when it was the reply model's idea, not the caller's."""
    no_person: str = "I'm sorry, I can't put you through to anyone right now."
    shutting_down: str = "I'm sorry, I have to end this call now. Please call again in a few minutes. Goodbye."
    # keys, languages, greetings
    no_such_key: str = "That key has no meaning here. Just tell me what you need."
    switched: str = "Sure, let's speak English. How can I help you?"
    """The caller has asked for this language."""
    dayparts: tuple[str, str, str] = ("Good morning", "Good afternoon", "Good evening")


ENGLISH = Phrases()

_FILES = {
    "de": "german",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "ja": "japanese",
    "nl": "dutch",
    "pt": "portuguese",
}
_BRACED = re.compile(r"\{[^{}]*\}|[{}]")


def known_languages() -> tuple[str, ...]:
    """The languages that there are words in, by their primary subtags ("de"), in alphabetical order."""
    return tuple(sorted(("en", *_FILES)))


def phrases_for(language: str) -> Phrases:
    """The words of a BCP-47 tag's language, whatever its region ("de-CH"); English where there are none."""
    file = _FILES.get(language.strip().replace("_", "-").partition("-")[0].lower())
    if file is None:
        return ENGLISH
    found: Phrases = import_module(f"{__name__}.{file}").PHRASES
    return found


def overridden(phrases: Phrases, given: Mapping[str, str | Sequence[str]]) -> Phrases:
    """`phrases` with an owner's own wordings, each given by the name of its field; what is not given stays.

    Raises ConfigError: a name that there is not, text where wordings take turns (or the other way round), no words, and
    braces that stand for nothing there. A placeholder may be left out.
    """
    kinds = {field.name: str(field.type) for field in fields(Phrases)}
    own: dict[str, str | tuple[str, ...]] = {}
    for name, words in given.items():
        if name not in kinds:
            close = difflib.get_close_matches(name, kinds, n=1)
            raise ConfigError(
                f"phrases.{name}: no such words",
                f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(kinds)}",
            )
        own[name] = _shaped(name, words, kinds[name])
        for wording in _each(own[name]):
            _check_braces(name, wording)
    return replace(phrases, **own)  # type: ignore[arg-type]


def _each(words: str | Sequence[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _shaped(name: str, words: object, kind: str) -> str | tuple[str, ...]:
    """`words` as the field of this kind holds them: one text, so many, or any number that take turns."""
    if kind == "str":
        if not isinstance(words, str):
            raise ConfigError(f"phrases.{name}: one text is wanted, not a list", f'write {name} = "..."')
        if not words.strip():
            raise ConfigError(f"phrases.{name}: is empty", "leave it out to keep the usual words")
        return words
    if isinstance(words, str) or not isinstance(words, Sequence) or not all(isinstance(each, str) for each in words):
        raise ConfigError(f"phrases.{name}: a list of texts is wanted", f'write {name} = ["...", "..."]')
    if not words or not all(each.strip() for each in words):
        raise ConfigError(f"phrases.{name}: a wording is empty", "leave it out to keep the usual words")
    if "..." not in kind and len(words) != kind.count("str"):
        raise ConfigError(f"phrases.{name}: {kind.count('str')} texts are wanted, not {len(words)}")
    return tuple(words)


def _check_braces(name: str, wording: str) -> None:
    """What stands in braces is filled in: only what the English wordings have there can be."""
    known = {braced for each in _each(getattr(ENGLISH, name)) for braced in _BRACED.findall(each)}
    for braced in _BRACED.findall(wording):
        if braced not in known:
            close = difflib.get_close_matches(braced, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it can hold {', '.join(sorted(known)) or 'no braces'}"
            raise ConfigError(f"phrases.{name}: nothing stands for {braced} there", hint)
