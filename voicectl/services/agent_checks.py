"""What is wrong with an agent's settings and would only show in a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from voicectl.carriers.checks import check as check_relay
from voicectl.carriers.numbers import e164
from voicectl.conversation.languages import primary
from voicectl.conversation.phrases import known_languages, overridden, phrases_for
from voicectl.errors import ConfigError
from voicectl.services.manners import languages, replacements, usual_person
from voicectl.settings import DEFAULT_AGENT, AgentSettings, Settings

HANG_UP = "goodbye"
PERSON = "person"
"""What is handed to the carrier with a call that closes; every other word there is a destination's name."""

WORD = re.compile(r"[a-z][a-z_-]{0,31}")
"""What a destination can be called: it comes back in a webhook whose signature does not tell where a value ends."""

_KEYS = "0123456789*#"


def faults(settings: Settings) -> list[str]:
    """Everything that is wrong with any agent, each with its path in voicectl.toml; one that agents have in common is
    there once."""
    found = dict.fromkeys(_of_agent(settings.for_agent(DEFAULT_AGENT)))
    for name, overlay in settings.agents.items():
        found |= {f"agents.{name}.{fault}": None for fault in _of_agent(settings.for_agent(name)) if fault not in found}
        for number in overlay.numbers:
            if ":" not in number:  # client:… and sip:… can be called too
                found |= {f"agents.{name}.numbers: {why}": None for why in _number(number)}
    return list(found)


def _of_agent(settings: Settings) -> Iterator[str]:
    agent = settings.agent
    for fault in check_relay(settings.relay, settings.voice):
        if fault.severity == "error":
            yield f"{fault.path}: {fault.message} ({fault.hint})"
    codes = [each.code for each in settings.relay.languages]
    for code in dict.fromkeys(code for code in codes if codes.count(code) > 1):
        yield f"relay.languages: {code!r} is there twice (keep one of them)"
    if agent.transfer_number:
        yield from (f"agent.transfer_number: {why}" for why in _number(agent.transfer_number))
    yield from _destinations(agent)
    yield from _key_fields(agent)
    yield from _menu(settings)
    yield from _told(lambda: replacements("agent.pronunciations", agent.pronunciations, must=True))
    yield from _told(lambda: replacements("agent.never_say", agent.never_say))
    yield from _words(settings)
    if agent.timezone:
        try:
            ZoneInfo(agent.timezone)
        except (KeyError, ValueError, OSError):
            yield f"agent.timezone: {agent.timezone!r} is no time zone (write it like Europe/Berlin)"


def _number(number: str) -> Iterator[str]:
    try:
        e164(number)
    except ConfigError as bad:
        yield f"{bad.message} ({bad.hint})"


def _told(work: Callable[[], object]) -> Iterator[str]:
    try:
        work()
    except ConfigError as bad:
        yield f"{bad.message} ({bad.hint})" if bad.hint else bad.message


def _destinations(agent: AgentSettings) -> Iterator[str]:
    seen: set[str] = set()
    for at, each in enumerate(agent.destinations):
        path = f"agent.destinations[{at}]"
        if not WORD.fullmatch(each.name):
            yield f"{path}.name: {each.name!r} is no name of a destination (one lower-case word, e.g. sales)"
        if each.name in (HANG_UP, PERSON):
            yield f"{path}.name: {each.name!r} means something else (choose another name)"
        if each.name in seen:
            yield f"{path}.name: {each.name!r} is there twice (keep one of them)"
        seen.add(each.name)
        yield from (f"{path}.number: {why}" for why in _number(each.number))


def _key_fields(agent: AgentSettings) -> Iterator[str]:
    seen: set[str] = set()
    for at, each in enumerate(agent.key_fields):
        path = f"agent.key_fields[{at}]"
        if not each.name.strip():
            yield f"{path}.name: missing (say what it is, e.g. order number)"
        if each.name in seen:
            yield f"{path}.name: {each.name!r} is there twice (keep one of them)"
        seen.add(each.name)
        try:
            re.compile(each.asked_by)
        except re.error as bad:
            yield f"{path}.asked_by: {each.asked_by!r} is no regular expression: {bad}"
        for name in ("terminator", "backspace"):
            key = getattr(each, name)
            if key and (len(key) != 1 or key not in _KEYS):
                yield f"{path}.{name}: {key!r} is no key (one of 0-9, * and #, or empty)"
        if each.terminator and each.terminator == each.backspace:
            yield f"{path}.backspace: {each.backspace!r} is the terminator too (give another key, or none)"


def _menu(settings: Settings) -> Iterator[str]:
    agent, offered = settings.agent, languages(settings.relay)
    names = {each.name for each in agent.destinations}
    seen: set[str] = set()
    for at, each in enumerate(agent.menu):
        path = f"agent.menu[{at}]"
        if len(each.key) != 1 or each.key not in _KEYS:
            yield f"{path}.key: {each.key!r} is no key (one of 0-9, * and #)"
        if each.key in seen:
            yield f"{path}.key: {each.key!r} is there twice (keep one of them)"
        seen.add(each.key)
        if each.does == "say" and not each.text.strip():
            yield f"{path}.text: missing (what the caller would say)"
        if each.does == "person" and each.text and each.text not in names:
            yield f"{path}.text: there is no destination {each.text!r} (add it to [[agent.destinations]])"
        if each.does == "person" and not usual_person(agent):
            yield f"{path}.does: nobody is there to be put through to (set agent.transfer_number)"
        if each.does == "language" and each.text not in offered:
            yield f"{path}.text: {each.text!r} is no language of the call (one of {', '.join(offered)})"


def _words(settings: Settings) -> Iterator[str]:
    """Each of the owner's wordings by itself, so that all that are wrong are named."""
    main = languages(settings.relay)[0]
    agent, talk = settings.agent, settings.conversation
    given: list[tuple[str, str, str, str | tuple[str, ...]]] = [
        (f"phrases.{language}.{name}", language, name, words)
        for language, all_words in settings.phrases.items()
        for name, words in all_words.items()
    ]
    if agent.goodbye.strip():
        given.append(("agent.goodbye", main, "goodbye", agent.goodbye))
    if talk.reprompts:
        given.append(("conversation.reprompts", main, "reprompts", talk.reprompts))
    known = {*known_languages(), *(primary(tag) for tag in languages(settings.relay))}
    for language in settings.phrases:
        if primary(language) not in known:
            yield f"phrases.{language}: no call is held in this language (known: {', '.join(sorted(known))})"
    for path, language, name, words in given:
        try:
            overridden(phrases_for(language), {name: words})
        except ConfigError as bad:
            yield f"{bad.message.replace(f'phrases.{name}', path, 1)}" + (f" ({bad.hint})" if bad.hint else "")


__all__ = ["HANG_UP", "PERSON", "faults"]
