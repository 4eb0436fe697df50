"""An agent's settings as the manners of its conversations.

What the agent says by itself is, in each language: voicectl's words; over them [agent] goodbye and [conversation]
reprompts, where the owner has given any, in the language that calls begin in; over all of that [phrases.LANG], first
those of "de", then those of "de-DE".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicectl.conversation.keypad import KeyField, MenuChoice
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases, overridden, phrases_for
from voicectl.errors import ConfigError
from voicectl.settings import AgentSettings, ConversationSettings, RelaySettings, Settings

MULTI = "multi"
"""Stands for several languages, where the provider tells them apart."""
_TOOL_GRACE = 2.0
"""Seconds that the conversation waits for a tool beyond the tool's own limit."""


def languages(relay: RelaySettings) -> tuple[str, ...]:
    """The languages a call can be held in, by their tags; the first is the one it begins in."""
    begins = (relay.tts_language or "", relay.language, relay.transcription_language or "")
    codes = [code for code in (*begins[:2], *(each.code for each in relay.languages), begins[2]) if code != MULTI]
    tags = [code for code in codes if code] or ["en-US"]
    main, *rest = tags
    offered = {each.code for each in relay.languages}
    return (main, *dict.fromkeys(tag for tag in rest if tag in offered and tag != main))


def phrases_of(settings: Settings, language: str) -> Phrases:
    """What an agent says by itself in a language. Raises ConfigError for what is no wording."""
    phrases = phrases_for(language)
    own: dict[str, str | tuple[str, ...]] = {}
    if language == languages(settings.relay)[0]:
        agent, talk = settings.agent, settings.conversation
        if agent.goodbye.strip() and agent.goodbye != AgentSettings().goodbye:
            own["goodbye"] = agent.goodbye
        if talk.reprompts and talk.reprompts != ConversationSettings().reprompts:
            own["reprompts"] = talk.reprompts
    tag = language.casefold()
    given = {code.casefold(): words for code, words in settings.phrases.items()}
    for code in dict.fromkeys((tag.partition("-")[0], tag)):
        own |= given.get(code, {})
    return overridden(phrases, own) if own else phrases


def usual_person(agent: AgentSettings) -> str:
    """The number of whoever callers are put through to who do not ask for anybody in particular; "": nobody."""
    return agent.transfer_number or (agent.destinations[0].number if agent.destinations else "")


def manners(settings: Settings) -> Manners:
    """The manners of an agent. Raises ConfigError for settings that mean nothing."""
    agent, talk, llm = settings.agent, settings.conversation, settings.llm
    main, *others = languages(settings.relay)
    return Manners(
        phrases=phrases_of(settings, main),
        language=main,
        others={tag: phrases_of(settings, tag) for tag in others},
        tool_words={each.name: each.meanwhile for each in settings.tools.functions if each.meanwhile},
        pronunciations=replacements("agent.pronunciations", agent.pronunciations, must=True),
        never_say=replacements("agent.never_say", agent.never_say),
        silence=talk.silence_seconds,
        reprompts=len(talk.reprompts) if talk.reprompt_count is None else talk.reprompt_count,
        patience=max(talk.patience_seconds, talk.silence_seconds),
        hold=talk.hold_seconds,
        resume=talk.resume_seconds,
        guess=talk.speculate,
        filler=talk.filler_seconds,
        # The conversation's own bounds lie behind those of the models, with room for a second model to answer.
        first_token=2 * llm.first_token_seconds,
        gap=llm.gap_seconds + 0.5,
        reply=llm.total_seconds + 0.5,
        numbers_for_the_ear=talk.numbers_for_the_ear,
        max_words=agent.max_words,
        tool=max([Manners().tool, *(each.seconds + _TOOL_GRACE for each in settings.tools.functions)]),
        call_seconds=talk.max_call_seconds,
        warning=talk.warning_seconds,
        wind_down=min(talk.wind_down_seconds, talk.max_call_seconds / 4),
        max_turns=talk.max_turns,
        max_tokens=talk.max_tokens,
        reported={"speaker-events", "tokens-played"} <= set(settings.relay.events.split()),
        can_transfer=bool(usual_person(agent)),
        key_field=KeyField(terminator=talk.key_terminator, timeout=talk.key_timeout_seconds, length=talk.key_length),
        fields=tuple(
            KeyField(
                name=each.name,
                asked_by=each.asked_by,
                length=each.length,
                terminator=each.terminator,
                timeout=each.timeout_seconds,
                backspace=each.backspace,
                sensitive=each.sensitive,
            )
            for each in agent.key_fields
        ),
        menu=_menu(agent),
    )


def replacements(path: str, given: Iterable[str], *, must: bool = False) -> Mapping[str, str]:
    """`word=other` as a mapping; a word alone stands for nothing in its place, unless there `must` be something.

    Raises ConfigError: no word, no other one, the same word twice.
    """
    found: dict[str, str] = {}
    for at, each in enumerate(given):
        word, equals, other = (part.strip() for part in each.partition("="))
        where = f"{path}[{at}] = {each!r}"
        if not word:
            raise ConfigError(f"{where}: there is no word", "write word=other")
        if must and not other:
            raise ConfigError(f"{where}: how is it said?", "write word=spelling")
        if equals and not other and not must:
            raise ConfigError(f"{where}: what is said instead?", "write word=other, or the word alone")
        if word.casefold() in map(str.casefold, found):
            raise ConfigError(f"{where}: is there twice", "keep one of them")
        found[word] = other
    return found


def _menu(agent: AgentSettings) -> tuple[MenuChoice, ...]:
    menu = [MenuChoice(each.key, each.does, each.text) for each in agent.menu]  # type: ignore[arg-type]
    if agent.zero_for_person and usual_person(agent) and all(each.key != "0" for each in menu):
        menu.append(MenuChoice("0", "person"))
    return tuple(menu)


__all__ = ["MULTI", "languages", "manners", "phrases_of", "replacements", "usual_person"]
