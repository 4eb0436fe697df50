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

What the agent says, and how far it was heard, is in speech.py; here is what it does when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from voicectl.conversation import events as ev
from voicectl.conversation.call_length import CallLength
from voicectl.conversation.effects import (
    CancelGeneration,
    Effect,
    End,
    LookUp,
    Note,
    RecordGuess,
    RecordIncident,
    RunTool,
    SendDigits,
    StartGeneration,
    SwitchLanguage,
    Unsay,
)
from voicectl.conversation.farewell import is_farewell
from voicectl.conversation.fillers import Awaited, Fillers
from voicectl.conversation.guess import Guess
from voicectl.conversation.hearing.asking_language import wants_language
from voicectl.conversation.hearing.backchannel import is_backchannel
from voicectl.conversation.hearing.guessing import same_question, stable
from voicectl.conversation.hearing.joining import join
from voicectl.conversation.hearing.moments import asks_for_number, wants_a_moment
from voicectl.conversation.hearing.unfinished import unfinished
from voicectl.conversation.history import heard_of
from voicectl.conversation.keypad import Entry, Keypad, MenuChoice
from voicectl.conversation.languages import Ear
from voicectl.conversation.manners import Manners
from voicectl.conversation.numerals import SpokenNumbers
from voicectl.conversation.reply import Reply, Stage
from voicectl.conversation.silence import Silence
from voicectl.conversation.speech import Speech
from voicectl.conversation.tool_round import ToolRound
from voicectl.conversation.turns import Closing, Line, ToolCall, ToolUse, Turn, TurnKind
from voicectl.conversation.wishes import agrees, asks_to_close
from voicectl.conversation.wording import Wording
from voicectl.errors import ConversationError

Phase = Literal["new", "listening", "thinking", "speaking", "closing", "ended"]

_SETTLE = 0.4
"""Seconds between the last word heard and the end of the call, when nobody has anything to add."""
_GOODBYES = 2
"""So often a goodbye can be called off."""
_GUESS_LASTS = 4.0
"""Seconds without another word, and a transcript that was never made final is forgotten."""
_FILLER_AGAIN = 4.0
"""Seconds between two fillers."""
_AGREED = 3
"""So often in a row an agent that was cut off by agreeing noises goes on."""
_NOT_DONE = "Not done: the caller spoke in the meantime."


@dataclass(frozen=True, slots=True)
class _Cut:
    """What the caller has not heard of a turn, because a sound cut it off."""

    order: int
    said: str
    """All of it, also what has not left."""
    whole: bool
    """The model had written all it wanted to."""


class Conversation(Speech):
    """One call. Feed it events in the order they happened; perform the effects it returns, in order."""

    def __init__(self, manners: Manners) -> None:
        super().__init__(manners)
        self.phase: Phase = "new"
        self._generation = 0
        self._failures = 0
        # what the caller is saying
        self._caller_sounds = False
        self._quiet = True
        self._sounds_since = float("-inf")
        """Since when, without a whole utterance, the caller's side has been making sounds."""
        self._parts: list[str] = []
        """Of an utterance that is not finished,"""
        self._parts_lang = ""
        """… and the language the carrier heard it in."""
        self._guess: Guess | None = None
        self._guessing = True
        self._guesses = 0
        self._partial = ""
        self._ear = Ear(manners)
        self._keypad = Keypad(manners.key_field, manners.fields, manners.menu)
        self._last_key_at = float("-inf")
        self._key_reply = False
        """The live reply answers keys."""
        # what the agent was saying
        self._cuts: list[_Cut] = []
        self._cut_at = 0.0
        self._resumed = 0
        """How often in a row it went on after having been cut off."""
        self._waits = False
        """The caller has asked for a moment."""
        self._silence_words = Silence()
        self._fillers = Fillers()
        self._bridged = False
        self._tools = ToolRound(manners)
        # how the call closes
        self._length = CallLength(manners)
        self._last_reply = False
        """The live reply is the call's last."""
        self._closing: Closing | None = None
        self._destination = ""
        self._closing_for_good = False
        self._offer = -1
        """The turn that has just asked whether to put the caller through."""
        self._offered_to = ""
        """To whom."""
        self._goodbyes = 0
        self._stay_until = 0.0

    @property
    def turns(self) -> list[Turn]:
        """The turns of this socket, in order."""
        return self.history.turns

    @property
    def first_order(self) -> int:
        """The `order` of the first of them."""
        return self.history.first_order

    def lines(self) -> tuple[Line, ...]:
        """The conversation as the caller heard it; words still to be heard count as heard."""
        return self.history.lines()

    @property
    def live_generation(self) -> int | None:
        live = self._reply or self._guess
        return live.generation if live else None

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

    def _watch_length(self) -> None:
        due = self._length.next_look(self._now)
        if due is not None:
            self._set("length", due)

    def _length_due(self) -> None:
        self._length.look(self._now)
        self._watch_length()
        if self._idle:
            self._await_caller()

    # --- the caller's words ------------------------------------------------------------------------------

    def _caller_spoke(self, event: ev.CallerSpoke) -> None:
        text = event.text.strip()
        if not event.final:
            if text:
                self._partly_said(text)
            return
        self._cancel("guess")
        self._partial = ""
        self._quiet = True
        if not text:
            self._drop_guess()
            self._await_caller()
            return
        if self._agrees_along(text):
            self._drop_guess()
            if self._cuts and "resume" in self._timers:
                self._resume(_AGREED)
            elif self._idle:
                self._await_caller()
            return
        self._nothing_to_resume()
        self._keys_complete(answer=False)
        other = self._ear.heard(event.lang, text)
        if other:
            self._switch(other)
        self._parts.append(text)
        self._parts_lang = event.lang
        joined = join(self._parts, self.language)
        holds = self.manners.hold > 0 and self._closing is None
        if holds and unfinished(joined, self.language, asked=self.history.last_words()):
            self._drop_guess()
            self._out.append(Unsay())  # newest words win
            self._drop_reply("overrun")
            if self._playout.pending:
                self._await_playout()
            self._set("hold", self._now + self.manners.hold)
            return
        self._commit()

    def _partly_said(self, text: str) -> None:
        """The transcript so far."""
        self._sounds()
        self._hush()
        if self._agrees_along(text):
            if "resume" in self._timers:  # it may yet become more
                self._set("resume", self._now + 2 * self.manners.resume)
            return
        if self._cuts:  # words follow; whether they mean something is seen when they are whole
            self._set("resume", self._now + _GUESS_LASTS)
        if "hold" in self._timers and self._now < self._sounds_since + self.manners.noise:
            self._set("hold", self._now + _GUESS_LASTS)
        whole = join([*self._parts, text], self.language) if self._parts else text
        if self._guess is not None:
            if same_question(self._guess.text, whole, self.language):
                self._set("guess", self._now + _GUESS_LASTS)
                return
            self._drop_guess()
        if whole == self._partial:
            return
        self._partial = whole
        if self._reply is None and self._closing is None and not self._tools.open and stable(whole):
            at_end = whole.endswith((".", "?", "!", "。", "？"))
            pause = self.manners.guess_pause_at_end if at_end else self.manners.guess_pause
            self._set("guess", self._now + pause)
        else:
            self._cancel("guess")

    def _agrees_along(self, text: str) -> bool:
        """The caller only shows that they listen: while the agent speaks, and unless they were just asked."""
        if self._closing is not None or self._parts or not is_backchannel(text, self.language):
            return False
        waits = self._tools.open or (self._reply is not None and not self._reply.begun)
        if waits and not self._playout.pending:
            return True  # nothing has been said that could be agreed to; the question stands
        listening = self._playout.pending or (self._cuts and "resume" in self._timers)
        return bool(listening) and not self._asked_just_now(text)

    def _asked_just_now(self, text: str) -> bool:
        """The caller has heard a question that this may answer: one right before it, or, where it is a yes, one that
        more words followed."""
        order = self._playout.turn if self._playout.pending else self._cuts[-1].order if self._cuts else None
        heard = "" if order is None else self._playout.heard(order)
        if not heard.strip() and order is not None and order - 1 in self.history:
            heard = heard_of(self.history[order - 1])
        if agrees(text) and any(mark in heard for mark in "?？"):
            return True
        return heard.rstrip().endswith(("?", "？", '?"', "?”"))

    def _commit(self, *, answer: bool = True) -> None:
        """The caller's utterance is whole."""
        parts, self._parts = self._parts, []
        self._cancel("hold")
        if parts:
            self._caller_turn("speech", join(parts, self.language), self._parts_lang, answer=answer)

    def _caller_turn(
        self, kind: TurnKind, text: str, lang: str = "", *, answer: bool = True, sensitive: bool = False
    ) -> None:
        self._caller_sounds = False
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

    def _caller_speaking(self, event: ev.CallerSpeaking) -> None:
        self._caller_sounds = event.on
        if event.on:
            self._sounds()
            self._hush()
            return
        self._quiet = not self._partial
        if self._idle:
            self._await_caller()

    def _sounds(self) -> None:
        """The caller's side is to be heard. What has gone on for longer than it may is a radio."""
        if self._quiet:
            self._quiet, self._sounds_since = False, self._now

    def _hush(self) -> None:
        """The caller is making sounds: no reprompt, no reply to half a number, no hanging up. A voice detector that
        never lets go, or a radio, holds the silence back for `noise` seconds and the end of the call no longer."""
        until = self._sounds_since + self.manners.noise
        if self._idle:
            self._set("silence", max(until, self._now + _SETTLE))
        if "keys" in self._timers and self._now < until:
            self._set("keys", self._now + self._keypad.field.timeout)
        if "close" in self._timers and not self._closing_for_good:
            self._set("close", max(self._now + _SETTLE, min(self._now + self.manners.silence, self._stay_until)))

    # --- a reply begun early -----------------------------------------------------------------------------

    def _guess_due(self) -> None:
        """The caller has paused: that may have been all."""
        if self._guess is not None:  # its words were never made final
            self._drop_guess()
            self._await_caller()
            return
        if not self._partial or self._reply is not None or self._closing is not None or self._tools.open:
            return
        lines = (*self.lines(), Line("caller", self._partial))
        allowed = self._guessing and self.manners.guess and not self._length.at_its_end
        if not allowed or self._guesses >= self.manners.guesses or self._playout.pending:
            self._out.append(LookUp(lines, self.language))
            return
        self._guesses += 1
        self._guess = Guess(self._partial, self._new_reply())
        self._out.append(StartGeneration(self._generation, lines, self.language, early=True))
        self._set("guess", self._now + _GUESS_LASTS)

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is None:
            return
        self._cancel("guess")
        if guess.finished is None:
            self._out.append(CancelGeneration(guess.generation))
        self._wasted += guess.tokens
        self._out.append(RecordGuess(guess.generation, False, wasted_tokens=guess.tokens))

    def _confirm(self) -> None:
        """The caller's words are final, and the reply begun on them fits: it is said."""
        guess, self._guess = self._guess, None
        assert guess is not None
        self._cancel("guess")
        reply = self._reply = guess.reply
        reply.confirmed(self.history.next_order, self._now)
        self._out.append(RecordGuess(guess.generation, True, reply.gained_ms or 0.0))
        self._think()
        self._write(reply, "".join(guess.words))
        if guess.finished is not None and self._reply is reply:
            self._reply_complete(guess.finished)

    # --- an interruption ---------------------------------------------------------------------------------

    def _caller_interrupted(self, event: ev.CallerInterrupted) -> None:
        # ConversationRelay: a key that cuts the agent off is reported before the interruption it causes, and what is
        # said in answer to it comes too late to be cut.
        by_key = self._now - self._last_key_at <= self.manners.key_echo
        own = self._own_turn() if by_key and self._key_reply else -1
        cut = self._playout.interrupted(event.heard, self._now, spare=own)
        said = self._said_of(cut)
        self._out.append(Unsay(own))
        reply = self._reply
        whole = True
        if reply is not None and reply.begun and reply.order != own:
            self._failures = 0
            whole = False
            said[reply.order] = reply.said
            self._drop_reply("interrupted")
        self._heard(cut, interrupted=True)
        self._audible = False
        self._note_cuts(said, whole=whole, by_key=by_key)
        if self._reply is not None or self._tools.open:
            return
        if self._playout.pending:
            self._await_playout()
            return
        self.phase = "listening"
        self._cancel("playout", "close")
        if self._closing_for_good:
            self._hang_up_soon()
        else:
            self._await_caller()

    def _own_turn(self) -> int:
        """The turn that answers the keys the caller has just pressed."""
        if self._reply is not None:
            return self._reply.order
        last = self.turns[-1] if self.turns else None
        return last.order if last is not None and last.kind in ("reply", "notice", "goodbye") else -1

    def _said_of(self, orders: set[int]) -> dict[int, str]:
        return {order: self.history[order].said for order in sorted(orders) if order in self.history}

    def _note_cuts(self, said: dict[int, str], *, whole: bool, by_key: bool) -> None:
        """Remember what was cut off, in case no words follow."""
        cuts = []
        for order, text in said.items():
            if order not in self.history:
                continue
            turn = self.history[order]
            goes_on = turn.interrupted and turn.kind in ("greeting", "reply", "notice", "reprompt")
            all_written = whole or order != max(said)
            if goes_on and (not all_written or text[len(self._playout.heard(order)) :].strip()):
                cuts.append(_Cut(order, text, all_written))
        if not cuts:
            return
        answered = self._reply is not None or self._tools.open or self._parts
        if answered or by_key or self._keypad.waiting or self._closing is not None or self.manners.resume <= 0:
            return
        self._cuts, self._cut_at = cuts, self._now
        self._set("resume", self._now + self.manners.resume)

    def _nothing_to_resume(self) -> None:
        self._cuts = []
        self._cancel("resume")

    def _resume_due(self) -> None:
        """No words have followed an interruption."""
        if self._partial:  # words that were never made final
            self._nothing_to_resume()
        elif not self._caller_sounds:
            self._resume(1)
        elif self._now < self._cut_at + self.manners.noise:
            self._set("resume", self._now + self.manners.resume)
        else:
            self._nothing_to_resume()

    def _resume(self, at_most: int) -> None:
        """Say what was not heard, unless it has been tried so often already."""
        cuts, self._cuts = self._cuts, []
        self._cancel("resume")
        if self._reply is not None or self._playout.pending or self._closing is not None or self._parts:
            return
        if self._resumed >= at_most:
            self._await_caller()
            return
        self._resumed += 1
        spoke = False
        offer = self._offer
        for cut in cuts:
            rest = cut.said[len(self._playout.heard(cut.order)) :].strip()
            if rest:
                self._say_fixed("reply", rest, resumes=cut.order)
                spoke = True
                if offer == cut.order:
                    self._offer = self.turns[-1].order
        if cuts and not cuts[-1].whole:
            self._start("resume", continues=True)
        elif not spoke:
            self._await_caller()

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
        name = f"{entry.field.name}: " if entry.field.name else ""
        if entry.field.sensitive:
            self.history.keep_secret(entry.keys)
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

    # --- the reply ---------------------------------------------------------------------------------------

    def _new_reply(self) -> Reply:
        self._generation += 1
        manners = self.manners
        # The owner's words come first: once figures are written out, "24/7" is not to be found any more.
        stages: list[Stage] = []
        if manners.pronunciations or manners.never_say:
            stages.append(Wording(manners.pronunciations, manners.never_say))
        if manners.numbers_for_the_ear:
            stages.append(SpokenNumbers(self.language))
        order = self.history.next_order
        return Reply(self._generation, order, self._now, language=self.language, stages=stages)

    def _start(self, *notes: Note, continues: bool = False) -> None:
        """Ask the model for a reply."""
        self._reply = self._new_reply()
        if self._length.at_its_end:
            notes = ("wind_down",)
            self._last_reply = True
        self._out.append(
            StartGeneration(self._generation, self.lines(), self.language, continues=continues, notes=notes)
        )
        self._think()

    def _think(self) -> None:
        """A reply is awaited."""
        self.phase = "thinking"
        self._cancel("silence")
        self._set("reply", self._now + self.manners.first_token)
        self._bridge_later()

    def _reply_delta(self, event: ev.ReplyDelta) -> None:
        if self._guess is not None and event.generation == self._guess.generation:
            self._guess.write(event.text, self._now)
            return
        reply = self._reply
        if reply is None or event.generation != reply.generation:
            return
        self._write(reply, reply.write(event.text, self._now))

    def _write(self, reply: Reply, words: str) -> None:
        if words.strip() or (words and reply.begun):
            if not reply.begun:  # a model may write much before there is a word to say
                self._set("reply", self._now + min(self.manners.gap, self.manners.reply))
            self._say(reply, words)

    def _say(self, reply: Reply, words: str) -> None:
        if reply.full:
            if words.strip():
                self._cut_long(reply)
            return
        self.phase = "speaking"
        end = reply.end_within(words, self.manners.max_words)
        self._hand_over(reply, words[:end])
        if end is not None:
            reply.full = True
            if words[end:].strip():
                self._cut_long(reply)

    def _cut_long(self, reply: Reply) -> None:
        """It has said as much as it may, and there is more: the caller is asked whether to go on."""
        self._out.append(CancelGeneration(reply.generation))
        self._failures = 0
        offers = self._phrases.go_on
        if not self._last_reply:
            blank = "" if reply.said[-1:].isspace() else " "
            self._hand_over(reply, blank + offers[reply.generation % len(offers)])
        self._finish(failure="length")
        self._wound_down(said=True)

    def _say_tail(self, reply: Reply, tail: str) -> None:
        """The model has written all it wanted to, so nothing is offered where this is cut."""
        self.phase = "speaking"
        self._hand_over(reply, tail[: reply.end_within(tail, self.manners.max_words)])

    def _reply_finished(self, event: ev.ReplyFinished) -> None:
        if self._guess is not None and event.generation == self._guess.generation:
            self._guess.finished = event
            return
        if self._reply is not None and event.generation == self._reply.generation:
            self._reply_complete(event)

    def _reply_complete(self, event: ev.ReplyFinished) -> None:
        reply = self._reply
        assert reply is not None
        self._length.spent(event.usage)
        tail = reply.rest()
        if tail.strip() and not reply.full:
            self._say_tail(reply, tail)
        nothing = not reply.said.strip()
        if event.calls and not self._last_reply and not self._tools.exhausted:
            self._use_tools(event)
            return
        closing = event.closing
        if nothing and closing is None:
            self._reply_failed("empty")
            return
        lines = self.lines()
        read = bool(event.passages) or any(line.tools for line in lines)  # rule 9
        unasked = closing is not None and read and not asks_to_close(closing, lines)
        self._failures = 0
        if nothing:
            self._reply = None
            self._cancel("reply", "filler")
        else:
            self._finish(usage=event)
        if self._wound_down(said=not nothing):
            return
        if closing == "person" and not self.manners.can_transfer:
            if nothing:
                self._say_fixed("reply", self._phrases.no_person)
        elif unasked:
            self._out.append(RecordIncident("llm", "unasked_closing", "did not close", event.generation))
            if closing == "person":
                self._say_fixed("reply", self._phrases.confirm_person)
                self._offer, self._offered_to = self.turns[-1].order, event.destination
            elif nothing:
                self._say_fixed("apology", self._phrases.apology)
        elif closing is not None:
            words = self._phrases.person if closing == "person" else self._phrases.goodbye
            self._close(closing, words if nothing else "", event.destination)

    def _wound_down(self, *, said: bool) -> bool:
        """The call's last reply is over; it closes, with words of the agent's own where the reply had none."""
        if not self._last_reply:
            return False
        self._last_reply = False
        self._closing_for_good = True
        self._close("goodbye", "" if said else self._phrases.wind_down)
        return True

    def _failed(self, event: ev.Failed) -> None:
        if event.part != "llm":
            self._out.append(RecordIncident(event.part, event.kind, "carried on", event.generation))
        elif self._guess is not None and event.generation == self._guess.generation:
            self._drop_guess()
        elif self._reply is not None and event.generation == self._reply.generation:
            self._reply_failed(event.kind)

    def _reply_failed(self, kind: str) -> None:
        """The reply will not be whole. Words that are out are not taken back and not said again."""
        reply = self._reply
        assert reply is not None
        self._failures += 1
        give_up = self._failures >= self.manners.max_failures
        action = "gave up" if give_up else "lost thread" if reply.begun else "apologised"
        self._out.append(RecordIncident("llm", kind, action, reply.generation))
        broken = reply.begun
        if broken:
            self._hand_over(reply, reply.rest())
        self._out.append(CancelGeneration(reply.generation))
        if broken:
            self._finish(failure=kind)
        else:
            self._reply = None
            self._cancel("reply", "filler")
        if self._wound_down(said=False):
            return
        if give_up and self.manners.can_transfer:
            self._close("person", self._phrases.give_up_person)
        elif give_up:
            self._close("goodbye", self._phrases.give_up)
        else:
            self._say_fixed("apology", self._phrases.lost_thread if broken else self._phrases.apology)

    def _reply_overdue(self) -> None:
        if self._tools.open:
            for id in sorted(self._tools.late()):
                self._settle_tool(id, "It took too long.", "timeout")
            self._go_on()
            return
        reply = self._reply
        if reply is None:
            return
        if not reply.begun:
            self._reply_failed("timeout")
            return
        limit = reply.asked_at + self.manners.reply
        if self._now >= limit:
            self._reply_failed("timeout")
        elif self._now >= reply.latest_at + self.manners.gap:
            self._reply_failed("stall")
        else:  # set once per reply, not once per token: words came in the meantime
            self._set("reply", min(limit, reply.latest_at + self.manners.gap))

    # --- tools -------------------------------------------------------------------------------------------

    def _use_tools(self, event: ev.ReplyFinished) -> None:
        reply = self._reply
        begun = reply is not None and reply.begun
        if begun:
            self._finish(usage=event)
        else:
            self._reply = None
            self._cancel("reply")
        self.phase = "thinking"
        self._cancel("silence")
        known = self.history.call_ids()
        asked = self.history.caller_turn()
        calls: list[ToolCall] = []
        for call in event.calls:
            number, id = 2, call.id or "call"
            while id in known:  # models count from the beginning again
                id, number = f"{call.id or 'call'}.{number}", number + 1
            known.add(id)
            calls.append(replace(call, id=id))
        self._tools.begin([call.id for call in calls], [call.name for call in calls])
        for call in calls:
            order = self.history.next_order
            turn = Turn(order, "agent", "tool", self._now, "", generation=event.generation, tool=ToolUse(call))
            spent = None if begun or call is not calls[0] else event.usage
            self._append(replace(turn, usage=spent))
            self._out.append(RunTool(call, event.generation, asked))
        self._set("reply", self._now + self.manners.tool)
        if self._tools.words and not begun and not self._bridged:
            self._bridge()
        else:
            self._bridge_later()

    def _tool_returned(self, event: ev.ToolReturned) -> None:
        live = self._tools.awaits(event.id)
        acts = event.digits or event.language or event.field
        result = event.result if live or not acts else _NOT_DONE
        self._settle_tool(event.id, result, event.status if live or not acts else "failed")
        if not live:
            return
        if event.digits:
            self._out.append(SendDigits(event.digits))
        if event.language in self._ear.offered:
            self._switch(event.language)
        if event.field:
            self._keypad.open(event.field)
        if self._tools.returned(event.id, event.status):
            if self._parts or self._keypad.waiting:
                self.phase = "listening"  # the caller is about to say more, and is answered then, with what came back
                self._cancel("reply", "filler")
            else:
                self._go_on()

    def _settle_tool(self, id: str, result: str, status: Any) -> None:
        turn = self.history.tool_turn(id)
        if turn is not None:
            self._record(self.history.returned(turn, result, status, self._now))
            if status in ("failed", "timeout"):
                self._out.append(RecordIncident("tool", status, "told the model", turn.generation))

    def _go_on(self) -> None:
        """All tools are back: the model makes words of it."""
        notes: tuple[Note, ...] = ("no_tools",) if self._tools.exhausted else ()
        self._start(*notes, continues=True)

    # --- waiting -----------------------------------------------------------------------------------------

    def _bridge_later(self) -> None:
        if self.manners.filler > 0 and "filler" not in self._timers:
            self._set("filler", self._now + (_FILLER_AGAIN if self._bridged else self.manners.filler))

    def _filler_due(self) -> None:
        late = self._tools.open or (self._reply is not None and not self._reply.begun)
        if not late:
            return
        if not self._playout.pending and not self._caller_busy:
            self._bridge()
        else:
            self._set("filler", self._now + self.manners.filler)

    def _bridge(self) -> None:
        """Say something while the reply is awaited."""
        awaited: Awaited = "tool" if self._tools.open else "looking_up" if self._looks_up else "thinking"
        words = self._fillers.choose(self._phrases, awaited, self._tools.words, again=self._bridged)
        self._bridged = True
        if words:
            self._speak("filler", words, preemptible=True)
            self._await_playout()
            if self._reply is not None:
                self._shift(self._reply)
        self._cancel("filler")
        self._bridge_later()

    @property
    def _caller_busy(self) -> bool:
        """The caller is speaking or keying."""
        return self._caller_sounds or bool(self._parts or self._partial) or self._keypad.waiting

    @property
    def _looks_up(self) -> bool:
        """What the caller said is a question, so it is looked up."""
        last = self.history.caller_turn()
        return last in self.history and self.history[last].generated.rstrip().endswith(("?", "？"))

    def _silence(self) -> None:
        if not self._idle:
            return
        if self._closing is not None:  # the goodbye was cut off, and then nothing
            self._hang_up_soon()
            return
        self._waits = False
        self._partial = ""
        self._quiet = True
        prompt = self._silence_words.next(
            self._phrases,
            self.history.last_words(),
            limit=self.manners.reprompts,
            can_transfer=self.manners.can_transfer,
            language=self.language,
        )
        if prompt.kind == "goodbye":
            self._close("goodbye", prompt.text)
            return
        self._say_fixed("reprompt", prompt.text)
        if prompt.kind == "offer_person":
            self._offer, self._offered_to = self.turns[-1].order, ""

    @property
    def _idle(self) -> bool:
        """It is the caller's turn to speak."""
        busy = self._reply is not None or self._tools.open or self._playout.pending
        return self.phase == "listening" and not busy and not self._keypad.waiting and not self._parts

    def _await_caller(self) -> None:
        """The caller has the floor, unless there is something to be said in this pause."""
        if not self._idle:
            return
        if self._closing is None and not (self._caller_sounds or self._cuts or self._guess or self._partial):
            if self._length.overdue and self.history.caller_turn() >= 0:
                self._start()
                return
            if self._length.to_warn:
                self._say_fixed("notice", self._length.warning(self._phrases, self._now))
                return
        patience = self.manners.silence
        if self._caller_sounds:
            patience = self.manners.noise
        elif self._waits:
            patience = self.manners.patience
        elif asks_for_number(self.history.last_words(), self.language):
            patience = min(2 * self.manners.silence, self.manners.patience)
        self._set("silence", self._now + patience)

    # --- the agent's own words ---------------------------------------------------------------------------

    def _say_fixed(self, kind: TurnKind, words: str, *, resumes: int | None = None) -> None:
        """Say a line of the agent's own, and wait until it is heard."""
        self._offer = -1
        self._cancel("silence")
        self._speak(kind, words, resumes=resumes)
        self.phase = "speaking"
        self._await_playout()

    def _switch(self, language: str) -> None:
        self._drop_guess()  # it is written in the other one
        self.language = language
        self._ear.switched(language)
        self._out.append(SwitchLanguage(language))

    def _close(self, closing: Closing, words: str, destination: str = "") -> None:
        self._closing, self._destination = closing, destination
        self._goodbyes += 1
        self._nothing_to_resume()
        if words:
            self._say_fixed("goodbye", words)
        self.phase = "closing"
        self._cancel("silence")
        if not self._playout.pending:
            self._hang_up_soon()

    def _hang_up_soon(self, after: float = _SETTLE) -> None:
        self.phase = "closing"
        self._cancel("silence")
        self._stay_until = self._now + self.manners.noise
        if self._caller_sounds and not self._closing_for_good:
            after = max(after, self.manners.silence)
        self._set("close", self._now + after)

    def _floor_is_free(self) -> None:
        if self.phase == "closing":
            lingers = self._closing == "goodbye" and not self._closing_for_good
            self._hang_up_soon(self.manners.afterglow if lingers else _SETTLE)
        elif not self._tools.open:
            self.phase = "listening"
            self._await_caller()

    def _close_due(self) -> None:
        if self._closing is not None:
            self.phase = "ended"
            self._cancel(*list(self._timers))
            self._out.append(End(self._closing, self._destination if self._closing == "person" else ""))

    # --- what happens ------------------------------------------------------------------------------------

    def _timer_fired(self, event: ev.TimerFired) -> None:
        if self._timers.get(event.timer) != event.due:
            return
        del self._timers[event.timer]
        self._due[event.timer](self)

    def _guessing_allowed(self, event: ev.GuessingAllowed) -> None:
        self._guessing = event.on

    _due: ClassVar[dict[ev.Timer, Callable[[Conversation], None]]] = {
        "reply": _reply_overdue,
        "playout": Speech._playout_due,
        "silence": _silence,
        "keys": lambda self: self._keys_complete(answer=True),
        "close": _close_due,
        "guess": _guess_due,
        "hold": lambda self: self._commit(),
        "resume": _resume_due,
        "filler": _filler_due,
        "length": _length_due,
    }
    _handlers: ClassVar[dict[type, Callable[[Conversation, Any], None]]] = {
        ev.CallerSpoke: _caller_spoke,
        ev.CallerSpeaking: _caller_speaking,
        ev.CallerInterrupted: _caller_interrupted,
        ev.WordsPlayed: Speech._words_played,
        ev.WordsUnsaid: Speech._words_unsaid,
        ev.AgentSpeaking: Speech._agent_speaking,
        ev.KeyPressed: _key_pressed,
        ev.TimerFired: _timer_fired,
        ev.ReplyDelta: _reply_delta,
        ev.ReplyFinished: _reply_finished,
        ev.ToolReturned: _tool_returned,
        ev.GuessingAllowed: _guessing_allowed,
        ev.Failed: _failed,
        ev.CloseRequested: _close_requested,
    }
