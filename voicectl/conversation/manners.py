"""How patient the agent is, and what it says by itself. Comes from the settings; times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manners:
    silence: float = 3.0
    """The caller says nothing for this long after the agent has finished: a reprompt."""
    reprompts: tuple[str, ...] = ("Are you still there?", "I'm still here. What can I do for you?")
    """Said one after the other, one for each silence in a row; after the last one comes `silent_goodbye`."""
    silent_goodbye: str = "I can't hear you, so I'll hang up now. Please call again any time. Goodbye."
    noise: float = 15.0
    """Sounds from the caller's side stop the silence clock for at most this long."""
    first_token: float = 8.0
    """A reply without a first word after this long has failed, whatever the model's own limits are."""
    gap: float = 5.0
    """A reply whose words stop coming for this long is broken off."""
    reply: float = 20.0
    """A reply that takes longer than this to write is broken off."""
    max_words: int = 80
    """A reply is closed at the first sentence end after this many words."""
    apology: str = "I'm sorry, I couldn't get an answer just now. Could you say that again?"
    lost_thread: str = "Sorry, I lost my thread. Shall I say that again?"
    give_up: str = "I'm sorry, I'm having trouble answering at the moment. Please call again a little later. Goodbye."
    give_up_person: str = "I'm sorry, I'm having trouble answering. I'll put you through to a person."
    max_failures: int = 3
    """So many failed replies in a row, and the agent gives up: a person if there is one, else goodbye."""
    goodbye: str = "Thank you for calling. Goodbye."
    person: str = "One moment, I'll put you through."
    confirm_person: str = "Shall I put you through to a person?"
    """Asked when it was the reply model's idea, not the caller's."""
    no_person: str = "I'm sorry, I can't put you through to anyone right now."
    time_is_up: str = "I'm afraid we've reached the longest time I can stay on one call. Thank you, goodbye."
    shutting_down: str = "I'm sorry, I have to end this call now. Please call again in a few minutes. Goodbye."
    afterglow: float = 1.5
    """The line stays open for this long after the goodbye was heard: the caller may have more to say."""
    reported: bool = False
    """The carrier was asked to report what it plays; the estimate alone is not believed for a while."""
    can_transfer: bool = False
    """Somebody is there to be handed to."""
    key_timeout: float = 2.0
    """Keys belong together until this long after the last one."""
    key_terminator: str = "#"
    """Ends a run of keys at once; "" for none."""
    key_length: int = 0
    """A run of this many keys is complete at once; 0 for any length."""
    key_echo: float = 0.25
    """An interruption this soon after a key is that key's own: the reply to the key goes on."""
