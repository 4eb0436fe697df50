"""How patient the agent is, and what it says by itself. Comes from the settings; times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voicectl.conversation.keypad import KeyField, MenuChoice
from voicectl.conversation.phrases import ENGLISH, Phrases


@dataclass(frozen=True, slots=True)
class Manners:
    # --- words -------------------------------------------------------------------------------------------------
    phrases: Phrases = ENGLISH
    """In the language the call begins in."""
    language: str = "en-US"
    others: Mapping[str, Phrases] = field(default_factory=dict)
    """In the languages the call can switch to, by their tags ("de-DE")."""
    tool_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What may be said while a tool of this name is at work."""
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    """How a word is to be said: its spelling for the voice."""
    never_say: Mapping[str, str] = field(default_factory=dict)
    """Words that are never said, and what is said in their place; ""; nothing is."""
    # --- silence -----------------------------------------------------------------------------------------------
    silence: float = 3.0
    """The caller says nothing for this long after the agent has finished: a reprompt."""
    reprompts: int = 2
    """So many silences in a row are answered by a reprompt; then comes the offer of a person, or goodbye."""
    patience: float = 15.0
    """The same for a caller who has asked for a moment, or is dictating a number."""
    noise: float = 15.0
    """Sounds from the caller's side stop the silence clock for at most this long."""
    # --- the caller's words ------------------------------------------------------------------------------------
    hold: float = 1.0
    """What seems unfinished is held for so long: more may follow."""
    resume: float = 0.7
    """An interruption that no words follow for so long was a cough: the agent says what was not heard."""
    guess: bool = True
    """Replies are begun before the caller's words are final."""
    guess_pause: float = 0.35
    guess_pause_at_end: float = 0.1
    """Seconds without a new word that may be the end of what the caller says; less is enough where the transcript has
    a full stop. Words come every 0.2 to 0.3 s, and a transcript is final 0.35 to 0.8 s after its last word."""
    guesses: int = 2
    """So many replies are begun early for one turn of the caller, at most; one that was thrown away before it had
    written anything does not count."""
    # --- the reply ---------------------------------------------------------------------------------------------
    filler: float = 1.2
    """A reply without a first word after this long: a filler. 0: never."""
    first_token: float = 8.0
    """A reply without a first word after this long has failed, whatever the model's own limits are."""
    gap: float = 5.0
    """A reply whose words stop coming for this long is broken off."""
    reply: float = 20.0
    """A reply that takes longer than this to write is broken off."""
    numbers_for_the_ear: bool = True
    """Numbers, prices, times are written out the way people say them."""
    max_words: int = 80
    """A reply is closed at the first sentence end after this many words."""
    max_failures: int = 3
    """So many failed replies in a row, and the agent gives up: a person if there is one, else goodbye."""
    tool: float = 12.0
    """A tool that has not returned after so long counts as failed, whatever its own limit is."""
    tool_rounds: int = 5
    """So often a reply may go on after tools."""
    refusals: int = 2
    """So many wrong calls of tools are explained to the model per turn; then it has to answer without."""
    # --- the call ----------------------------------------------------------------------------------------------
    call_seconds: float = 0.0
    """The longest a call may take; 0: the conversation does not mind. The cap itself is the driver's."""
    warning: float = 120.0
    """The caller is told so long before that, at the next pause; 0: never."""
    wind_down: float = 30.0
    """So long before that the next reply is the last."""
    max_turns: int = 0
    """After so many turns of the caller the next reply is the last; 0: any number."""
    max_tokens: int = 0
    """After so many tokens of the model, both ways, the next reply is the last; 0: any number."""
    afterglow: float = 1.5
    """The line stays open for this long after the goodbye was heard: the caller may have more to say."""
    reported: bool = False
    """The carrier was asked to report what it plays; the estimate alone is not believed for a while."""
    can_transfer: bool = False
    """Somebody is there to be handed to."""
    # --- keys --------------------------------------------------------------------------------------------------
    key_field: KeyField = field(default_factory=KeyField)
    """What keys make up where nothing else was asked for."""
    fields: tuple[KeyField, ...] = ()
    """What the agent may ask for."""
    menu: tuple[MenuChoice, ...] = ()
    """What single keys mean where nothing was asked for."""
    key_echo: float = 0.25
    """An interruption this soon after a key is that key's own: the reply to the key goes on."""

    def words(self, language: str) -> Phrases:
        """The agent's own words in a language of the call; those of the first one where there are none."""
        return self.others.get(language, self.phrases)
