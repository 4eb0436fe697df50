"""A telephone call as a pure state machine: events in, effects out, time as an argument.

        CallStarted          a whole utterance / keys         first words              all heard
    new ───────────► listening ───────────────► thinking ──────────────► speaking ───────────────► listening …
                         ▲                          │ newer words: the       │ cut off by the caller ──► listening
                         │ reprompt                 │ older reply is dropped │    (a cough: the rest is said)
                         └── silence                ▼                        ▼
                                      the call is to close: the goodbye is said ──► closing ── heard ──► End
                         any ── CallEnded ──► ended

Rules
 1. Time comes in on the event; due times go out in SetTimer. A TimerFired whose `due` is not the one that is set,
    and a ReplyDelta whose generation is not the live one, are stale and have no effect. Cancelling therefore needs
    no lock and no luck.
 2. At most one generation is live, a guess counting as one. Starting one means the last is finished or cancelled.
 3. What the caller HEARD is the truth (playout.py). The model is shown the conversation as it was heard.
 4. Every agent turn sends exactly one Say with `last`, and nothing after it. A turn is recorded before its last Say.
 5. An interruption belongs to the words that were audible. A reply of which nothing has been said yet cannot be
    interrupted, nor is the reply to a key cut by that same key's interruption. Older words that have not left yet
    do not leave any more (Unsay). An interruption that no words follow was none: the rest is said, once.
 6. Nothing ends in silence: a reply that is late is bridged, one that fails is apologised for, a silent caller is
    asked again, and after that the call is closed with words. Whatever is awaited has a timer.
 7. The machine decides when a call closes: the goodbye is said, given time to be heard, and the caller can call it
    off by speaking - but not by saying goodbye too (farewell.py). The cap on a call's length does not live here:
    its timer belongs to the driver, which asks with CloseRequested and does not depend on the answer.
 8. Misuse by the driver raises ConversationError. The world misbehaving is an event like any other.
 9. What documents and tools say has no power over the call: a reply that was given any of it closes the call only
    if the caller's own words asked for that (wishes.py). Otherwise the caller is asked before a person is put on, and a
    goodbye is not followed by the end.
10. Not everything that is transcribed is a turn (hearing/): agreeing noises while the agent speaks are not, what is
    unfinished is held until more comes, and a caller who asks for a moment gets it.
11. A reply that was begun before the caller's words were final is not heard of until they are, and ask the same.
12. A tool that was called has a result in the history, whatever became of it. What comes back after the caller has
    spoken again is kept there and not spoken.
13. The log of (event, effects) is complete: replaying the events gives the same effects, byte for byte.

Where they are kept, each file on the one before it: speech.py (the agent's words, and how far they were heard),
floor.py (whose turn it is, and the end of the call), replying.py (the reply, its tools, its fillers), listening.py (the
caller's words, and interruptions), and here what a turn of the caller brings about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from voicectl.conversation import events as ev
from voicectl.conversation.effects import Effect, Unsay
from voicectl.conversation.farewell import is_farewell
from voicectl.conversation.floor import Floor
from voicectl.conversation.hearing.asking_language import wants_language
from voicectl.conversation.hearing.guessing import same_question
from voicectl.conversation.hearing.moments import wants_a_moment
from voicectl.conversation.history import heard_of
from voicectl.conversation.keypad import Entry, MenuChoice
from voicectl.conversation.listening import Listening
from voicectl.conversation.numerals import spoken_numbers
from voicectl.conversation.replying import Replying
from voicectl.conversation.speech import Speech
from voicectl.conversation.tool_round import ToolRound
from voicectl.conversation.turns import Turn, TurnKind
from voicectl.conversation.wishes import agrees
from voicectl.errors import ConversationError

_GOODBYES = 2
"""So often a goodbye can be called off."""


class Conversation(Listening):
    """One call. Feed it events in the order they happened; perform the effects it returns, in order."""

    @property
    def first_order(self) -> int:
        """The `order` of the first of them."""
        return self.history.first_order

    def handle(self, event: ev.Event) -> list[Effect]:
        """Take one event; return what is to be done about it. Total and deterministic.

        Raises ConversationError when the driver breaks the order of a call's life: nothing before CallStarted, and
        CallStarted only once.
        """
        self._now = max(self._now, event.at)
        self._out = []
        if self.phase == "ended":
            return self._out
        if isinstance(event, ev.CallStarted):
            self._call_started(event)
        elif isinstance(event, ev.CallEnded):
            self._call_ended()
        elif self.phase == "new":
            raise ConversationError(f"{type(event).__name__} before CallStarted")
        else:
            self._handlers[type(event)](self, event)
        return self._out

    # --- the call ----------------------------------------------------------------------------------------

    def _call_started(self, event: ev.CallStarted) -> None:
        if self.phase != "new":
            raise ConversationError("CallStarted twice")
        self.phase = "listening"
        self.history.begin(event.history)
        self._guessing = event.guessing
        self._watch_length()
        if not event.greeting:
            self._await_caller()
            return
        # The carrier speaks the greeting by itself, as one chunk, soon after the socket opens.
        order = self.history.next_order
        turn = Turn(order, "agent", "greeting", self._now, event.greeting, said=event.greeting, done=True)
        self._playout.add(turn.order, event.greeting, self._now)
        self._append(turn)
        self._await_playout()

    def _call_ended(self) -> None:
        if self.phase == "new":
            self.phase = "ended"
            return
        self._keys_complete(answer=False)
        self._commit(answer=False)
        self._drop_guess()
        self._drop_reply("hung_up")
        self._heard(self._playout.lost(self._now), interrupted=True)
        self._cancel(*list(self._timers))
        self.phase = "ended"

    def _close_requested(self, event: ev.CloseRequested) -> None:
        if self._closing_for_good:
            return
        self._closing_for_good = True
        if self._closing is not None:  # it is being said already
            if self.phase == "listening":
                self._hang_up_soon()
            return
        words = {
            "time_is_up": self._phrases.time_is_up,
            "operator": self._phrases.goodbye,
            "shutdown": self._phrases.shutting_down,
        }
        self._keys_complete(answer=False)
        self._commit(answer=False)
        self._out.append(Unsay())
        self._drop_guess()
        self._drop_reply("overrun")
        self._tools.late()
        self._close("goodbye", words[event.reason])

    # --- a turn of the caller ----------------------------------------------------------------------------

    def _caller_turn(
        self, kind: TurnKind, text: str, lang: str = "", *, answer: bool = True, sensitive: bool = False
    ) -> None:
        self._caller_sounds = False
        self._partial = ""
        guess = self._guess
        confirmed = answer and guess is not None and kind == "speech" and same_question(guess.text, text, self.language)
        if not confirmed:
            self._drop_guess()
        if answer and self._closing is None and not self._closing_for_good:
            self._out.append(Unsay())  # newest words win
        self._drop_reply("overrun")
        self._tools.late()
        self._cancel("filler", "reply")
        order = self.history.next_order
        self._append(
            Turn(
                order,
                "caller",
                kind,
                self._now,
                text,
                heard=text,
                done=True,
                lang=lang or self.language,
                sensitive=sensitive,
            )
        )
        if self._closing_for_good or not answer:
            self._drop_guess()
            return
        if self._closing is not None:
            farewell = kind == "speech" and is_farewell(text, to_a_person=self._closing == "person")
            if farewell or self._goodbyes > _GOODBYES:
                self._drop_guess()
                if not self._playout.pending:
                    self._hang_up_soon()
                return
            self._closing = None
            self._cancel("close")
            self._out.append(Unsay())
        offer, self._offer = self._offer, -1
        self._begin_turn()
        if offer >= 0 and agrees(text) and self._reached(offer):
            self._drop_guess()
            self._close("person", self._phrases.person, self._offered_to)
            return
        if kind == "speech" and self._is_about_the_talk(text, offer):
            return
        self._waits = False
        self._keypad.answered()
        self._length.turn()
        self._key_reply = kind == "keys"
        if confirmed and not self._length.at_its_end:
            self._confirm()
        else:
            self._drop_guess()
            self._start()

    def _begin_turn(self) -> None:
        """The caller has said something: what was counted for the turn before begins anew."""
        self._silence_words.reset()
        self._resumed = self._guesses = 0
        self._bridged = False
        self._tools = ToolRound(self.manners)

    def _is_about_the_talk(self, text: str, offer: int) -> bool:
        """What needs no answer from the model: another language, a moment's patience."""
        wanted = wants_language(text, self._ear.offered)
        if wanted and wanted != self.language:
            self._drop_guess()
            self._switch(wanted)
            self._say_fixed("notice", self._phrases.switched)
            return True
        if wants_a_moment(text, self.language):
            self._drop_guess()
            waiting, self._waits = self._waits, True
            if waiting:
                self._await_caller()
            else:
                self._say_fixed("notice", self._silence_words.patience(self._phrases))
            self._offer = offer  # what was offered still stands
            return True
        return False

    # --- keys --------------------------------------------------------------------------------------------

    def _key_pressed(self, event: ev.KeyPressed) -> None:
        self._last_key_at = self._now
        self._quiet = True
        self._sounds()
        self._nothing_to_resume()
        self._hush()
        entry = self._keypad.press(event.key, self.history.last_words())
        if entry is not None:
            self._keyed(entry, answer=True)
        elif self._keypad.waiting:
            self._commit(answer=False)  # it is answered together with the keys
            self._set("keys", self._now + self._keypad.field.timeout)
        else:  # the last one was taken back
            self._cancel("keys")
            self._await_caller()

    def _keys_complete(self, *, answer: bool) -> None:
        # Without an answer: spoken words follow, and are answered together with the keys.
        entry = self._keypad.complete()
        self._cancel("keys")
        if entry is not None:
            self._keyed(entry, answer=answer)

    def _keyed(self, entry: Entry, *, answer: bool) -> None:
        self._cancel("keys")
        self._commit(answer=False)
        if entry.choice is not None and self._closing is None:
            self._chosen(entry.choice)
            return
        unknown = self.manners.menu and entry.field is self.manners.key_field and len(entry.keys) == 1
        if unknown and answer and self._closing is None:
            self._caller_turn("keys", entry.keys, answer=False)
            self._begin_turn()
            self._key_reply = True
            self._say_fixed("notice", self._phrases.no_such_key)
            return
        name = f"{entry.field.name}: " if entry.field.name else ""
        if entry.field.sensitive:
            digits = [spoken_numbers(key, self.language) for key in entry.keys]
            said = spoken_numbers(entry.keys, self.language)
            self.history.keep_secret(entry.keys, " ".join(entry.keys), " ".join(digits), ", ".join(digits), said)
        self._caller_turn("keys", name + entry.keys, answer=answer, sensitive=entry.field.sensitive)

    def _chosen(self, choice: MenuChoice) -> None:
        """A key of the menu."""
        if choice.does == "say":
            self._caller_turn("keys", choice.text)
            return
        self._caller_turn("keys", choice.key, answer=False)
        self._begin_turn()
        self._waits = False
        self._key_reply = True
        self._out.append(Unsay())
        if choice.does == "language" and choice.text in self._ear.offered:
            self._switch(choice.text)
            self._say_fixed("notice", self._phrases.switched)
        elif choice.does == "goodbye":
            self._close("goodbye", self._phrases.goodbye)
        elif choice.does == "person" and self.manners.can_transfer:
            self._close("person", self._phrases.person, choice.text)
        elif choice.does == "person":
            self._say_fixed("notice", self._phrases.no_person)
        elif again := self._said_last():
            self._say_fixed("notice", again)
        else:
            self._start()

    def _said_last(self) -> str:
        kinds = ("reply", "greeting", "notice")
        turn = next((turn for turn in reversed(self.turns) if turn.kind in kinds and turn.said.strip()), None)
        said: list[str] = []
        while turn is not None:
            said.insert(0, (turn.said if not said else heard_of(turn)).strip())
            turn = self.history[turn.resumes] if turn.resumes is not None and turn.resumes in self.history else None
        return " ".join(said)

    # --- what happens ------------------------------------------------------------------------------------

    def _timer_fired(self, event: ev.TimerFired) -> None:
        if self._timers.get(event.timer) != event.due:
            return
        del self._timers[event.timer]
        self._due[event.timer](self)

    def _guessing_allowed(self, event: ev.GuessingAllowed) -> None:
        self._guessing = event.on

    _due: ClassVar[dict[ev.Timer, Callable[[Conversation], None]]] = {
        "reply": Replying._reply_overdue,
        "playout": Speech._playout_due,
        "silence": Floor._silence,
        "keys": lambda self: self._keys_complete(answer=True),
        "close": Floor._close_due,
        "guess": Listening._guess_due,
        "hold": lambda self: self._commit(),
        "resume": Listening._resume_due,
        "filler": Replying._filler_due,
        "length": Floor._length_due,
    }
    _handlers: ClassVar[dict[type, Callable[[Conversation, Any], None]]] = {
        ev.CallerSpoke: Listening._caller_spoke,
        ev.CallerSpeaking: Listening._caller_speaking,
        ev.CallerInterrupted: Listening._caller_interrupted,
        ev.WordsPlayed: Speech._words_played,
        ev.WordsUnsaid: Speech._words_unsaid,
        ev.AgentSpeaking: Speech._agent_speaking,
        ev.KeyPressed: _key_pressed,
        ev.TimerFired: _timer_fired,
        ev.ReplyDelta: Replying._reply_delta,
        ev.ReplyFinished: Replying._reply_finished,
        ev.ToolReturned: Replying._tool_returned,
        ev.GuessingAllowed: _guessing_allowed,
        ev.Failed: Replying._failed,
        ev.CloseRequested: _close_requested,
    }
