"""A telephone call as a pure state machine: events in, effects out, time as an argument.

        CallStarted              final words / keys            first words              all heard
    new ───────────► listening ───────────────► thinking ──────────────► speaking ───────────────► listening …
                         ▲                          │ newer words: the       │ cut off by the caller ──► listening
                         │ reprompt                 │ older reply is dropped │
                         └── silence                ▼                        ▼
                                      the call is to close: the goodbye is said ──► closing ── heard ──► End
                         any ── CallEnded ──► ended

Rules
 1. Time comes in on the event; due times go out in SetTimer. A TimerFired whose `due` is not the one that is set,
    and a ReplyDelta whose generation is not the live one, are stale and have no effect. Cancelling therefore needs
    no lock and no luck.
 2. At most one generation is live. Starting one means the last is finished or cancelled.
 3. What the caller HEARD is the truth (playout.py). The model is shown the conversation as it was heard.
 4. Every agent turn sends exactly one Say with `last`, and nothing after it. A turn is recorded before its last Say.
 5. An interruption belongs to the words that were audible. A reply of which nothing has been said yet cannot be
    interrupted, nor is the reply to a key cut by that same key's interruption. Older words that have not left yet
    do not leave any more (Unsay).
 6. Nothing ends in silence: a failed reply is apologised for, a silent caller is asked again, and after that the
    call is closed with words. Whatever is awaited has a timer.
 7. The machine decides when a call closes: the goodbye is said, given time to be heard, and the caller can call it
    off by speaking - but not by saying goodbye too (farewell.py). The cap on a call's length does not live here:
    its timer belongs to the driver, which asks with CloseRequested and does not depend on the answer.
 8. Misuse by the driver raises ConversationError. The world misbehaving is an event like any other.
 9. What documents say has no power over the call: a reply that was given passages of them closes it only if the
    caller's own words asked for that (wishes.py). Otherwise the caller is asked before a person is put on, and a
    goodbye is not followed by the end.
10. The log of (event, effects) is complete: replaying the events gives the same effects, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Literal

from voicectl.conversation import events as ev
from voicectl.conversation.effects import (
    CancelGeneration,
    CancelTimer,
    Effect,
    End,
    RecordIncident,
    RecordTurn,
    Say,
    SetTimer,
    StartGeneration,
    Unsay,
)
from voicectl.conversation.farewell import is_farewell
from voicectl.conversation.manners import Manners
from voicectl.conversation.playout import Playout
from voicectl.conversation.reply import Reply
from voicectl.conversation.turns import Closing, Line, Turn, TurnKind
from voicectl.conversation.wishes import agrees, asks_to_close
from voicectl.errors import ConversationError

Phase = Literal["new", "listening", "thinking", "speaking", "closing", "ended"]

_MARGIN = 0.6
"""Seconds beyond the estimate before unreported speech counts as heard."""
_PATIENCE = 5
"""So often an estimate is stretched while the carrier still reports audio."""
_SETTLE = 0.4
"""Seconds between the last word heard and the end of the call, when nobody has anything to add."""
_MOST_KEYS = 64
_GOODBYES = 2
"""So often a goodbye can be called off."""


class Conversation:
    """One call. Feed it events in the order they happened; perform the effects it returns, in order."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.phase: Phase = "new"
        self.turns: list[Turn] = []
        """The turns of this socket, in order; the first one's `order` is `first_order`."""
        self.first_order = 0
        self._earlier: tuple[Turn, ...] = ()
        self._out: list[Effect] = []
        self._now = 0.0
        self._timers: dict[ev.Timer, float] = {}
        self._generation = 0
        self._reply: Reply | None = None
        self._playout = Playout()
        self._audible = False
        self._stretched = 0
        self._silences = 0
        self._failures = 0
        self._keys = ""
        self._last_key_at = float("-inf")
        self._key_reply = -1
        """The turn that answers the latest words, if they were keys."""
        self._closing: Closing | None = None
        self._closing_for_good = False
        self._offer = -1
        """The turn that has just asked whether to put the caller through."""
        self._goodbyes = 0
        self._stay_until = 0.0
        self._caller_sounds = False

    @property
    def live_generation(self) -> int | None:
        return self._reply.generation if self._reply else None

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
        self._earlier = event.history
        self.first_order = max((turn.order + 1 for turn in event.history), default=0)
        if not event.greeting:
            self._await_caller()
            return
        # The carrier speaks the greeting by itself, as one chunk, soon after the socket opens.
        turn = Turn(self._next_order, "agent", "greeting", self._now, event.greeting, said=event.greeting, done=True)
        self.turns.append(turn)
        self._playout.add(turn.order, event.greeting, self._now)
        self._out.append(RecordTurn(turn))
        self._await_playout()

    def _call_ended(self) -> None:
        if self.phase == "new":
            self.phase = "ended"
            return
        self._keys_complete(answer=False)
        self._drop_reply("hung_up")
        self._heard(self._playout.lost(self._now), interrupted=True)
        for timer in list(self._timers):
            self._cancel(timer)
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
            "time_is_up": self.manners.time_is_up,
            "operator": self.manners.goodbye,
            "shutdown": self.manners.shutting_down,
        }
        self._keys_complete(answer=False)
        self._out.append(Unsay())
        self._drop_reply("overrun")
        self._close("goodbye", words[event.reason])

    # --- the caller --------------------------------------------------------------------------------------

    def _caller_spoke(self, event: ev.CallerSpoke) -> None:
        text = event.text.strip()
        if not event.final:
            self._hush()
            return
        if not text:
            self._await_caller()
            return
        self._keys_complete(answer=False)
        self._caller_turn("speech", text, event.lang)

    def _caller_turn(self, kind: TurnKind, text: str, lang: str = "", *, answer: bool = True) -> None:
        self._caller_sounds = False
        if answer:
            self._out.append(Unsay())  # newest words win
        self._drop_reply("overrun")
        self._append(Turn(self._next_order, "caller", kind, self._now, text, heard=text, done=True, lang=lang))
        if self._closing_for_good or not answer:
            return
        if self._closing is not None:
            farewell = kind == "speech" and is_farewell(text, to_a_person=self._closing == "person")
            if farewell or self._goodbyes > _GOODBYES:
                if not self._playout.pending:
                    self._hang_up_soon()
                return
            self._closing = None
            self._cancel("close")
        offer, self._offer = self._offer, -1
        if offer >= 0 and agrees(text) and self._reached(offer):
            self._close("person", self.manners.person)
            return
        self._silences = 0
        self._generation += 1
        self._reply = Reply(self._generation, self._next_order, self._now)
        self._key_reply = self._next_order if kind == "keys" else -1
        self.phase = "thinking"
        for timer in ("silence", "playout"):
            self._cancel(timer)
        self._out.append(StartGeneration(self._generation, self.lines()))
        self._set("reply", self._now + self.manners.first_token)

    def _caller_speaking(self, event: ev.CallerSpeaking) -> None:
        self._caller_sounds = event.on
        if event.on:
            self._hush()
        elif self._idle:
            self._await_caller()

    def _hush(self) -> None:
        """The caller is making sounds: no reprompt, no reply to half a number, no hanging up. A voice detector that
        never lets go, or a radio, holds the silence back for `noise` seconds and the end of the call no longer."""
        if self._idle:
            self._set("silence", self._now + self.manners.noise)
        if "keys" in self._timers:
            self._set("keys", self._now + self.manners.key_timeout)
        if "close" in self._timers and not self._closing_for_good:
            self._set("close", max(self._now + _SETTLE, min(self._now + self.manners.silence, self._stay_until)))

    def _caller_interrupted(self, event: ev.CallerInterrupted) -> None:
        # ConversationRelay: a key that cuts the agent off is reported before the interruption it causes, and what is
        # said in answer to it comes too late to be cut.
        own = self._key_reply if self._now - self._last_key_at <= self.manners.key_echo else -1
        cut = self._playout.interrupted(event.heard, self._now, spare=own)
        self._out.append(Unsay(own))
        reply = self._reply
        if reply is not None and reply.begun and reply.order != own:
            self._failures = 0
            self._drop_reply("interrupted")
        self._heard(cut, interrupted=True)
        self._audible = False
        if self._reply is not None:
            return
        if self._playout.pending:
            self._await_playout()
            return
        self.phase = "listening"
        self._cancel("playout")
        self._cancel("close")
        if self._closing_for_good:
            self._hang_up_soon()
        else:
            self._await_caller()

    def _key_pressed(self, event: ev.KeyPressed) -> None:
        self._last_key_at = self._now
        self._hush()
        self._keys += event.key
        whole = len(self._keys) >= (self.manners.key_length or _MOST_KEYS)
        if whole or event.key == self.manners.key_terminator:
            self._keys_complete(answer=True)
        else:
            self._set("keys", self._now + self.manners.key_timeout)

    def _keys_complete(self, *, answer: bool) -> None:
        keys, self._keys = self._keys, ""
        self._cancel("keys")
        if not keys:
            return
        digits = keys.removesuffix(self.manners.key_terminator) if self.manners.key_terminator else keys
        # Without an answer: spoken words follow, and are answered together with the keys.
        self._caller_turn("keys", digits or keys, answer=answer)

    # --- the reply ---------------------------------------------------------------------------------------

    def _reply_delta(self, event: ev.ReplyDelta) -> None:
        reply = self._reply
        if reply is None or event.generation != reply.generation:
            return
        words = reply.write(event.text, self._now)
        if words.strip() or (words and reply.begun):
            if not reply.begun:  # a model may write much before there is a word to say
                self._set("reply", self._now + min(self.manners.gap, self.manners.reply))
            self._say(reply, words)

    def _say(self, reply: Reply, words: str) -> None:
        self.phase = "speaking"
        end = reply.end_within(words, self.manners.max_words)
        self._hand_over(reply, words[:end])
        if end is not None:
            self._out.append(CancelGeneration(reply.generation))
            self._failures = 0
            self._finish(failure="length")

    def _hand_over(self, reply: Reply, words: str) -> None:
        if words:
            reply.say(words)
            self._playout.add(reply.order, words, self._now)
            self._out.append(Say(words, False, reply.order))

    def _reply_finished(self, event: ev.ReplyFinished) -> None:
        reply = self._reply
        if reply is None or event.generation != reply.generation:
            return
        closing = event.closing
        unasked = closing is not None and bool(event.passages) and not asks_to_close(closing, self.lines())
        tail = reply.rest()
        if tail.strip():
            self._say(reply, tail)
        nothing = not reply.said.strip()
        if nothing and closing is None:
            self._reply_failed("empty")
            return
        self._failures = 0
        if nothing:
            self._reply = None
            self._cancel("reply")
        elif self._reply is not None:  # else the tail has reached the limit and closed the turn
            self._finish(usage=event)
        if closing == "person" and not self.manners.can_transfer:
            if nothing:
                self._speak("reply", self.manners.no_person)
        elif unasked:
            self._out.append(RecordIncident("llm", "unasked_closing", "did not close", event.generation))
            if closing == "person":
                self._speak("reply", self.manners.confirm_person)
                self._offer = self.turns[-1].order
            elif nothing:
                self._speak("apology", self.manners.apology)
        elif closing is not None:
            words = self.manners.person if closing == "person" else self.manners.goodbye
            self._close(closing, words if nothing else "")

    def _finish(self, *, failure: str = "", usage: ev.ReplyFinished | None = None) -> None:
        """The reply has all the words it will have. Its turn is recorded, then its talk cycle closed."""
        reply = self._reply
        assert reply is not None
        self._reply = None
        self._cancel("reply")
        turn = reply.turn(heard=self._playout.heard(reply.order), at=self._now, failure=failure)
        if usage is not None:
            turn = replace(turn, usage=usage.usage, passages=usage.passages)
        self._append(turn)
        if reply.begun:
            self._out.append(Say("", True, reply.order))
        self._await_playout()

    def _drop_reply(self, why: str) -> None:
        """Stop the live reply, if there is one. What was said of it becomes a turn; its talk cycle is closed."""
        reply = self._reply
        if reply is None:
            return
        self._reply = None
        self._cancel("reply")
        self._out.append(CancelGeneration(reply.generation))
        if not reply.begun:
            return
        turn = reply.turn(heard=self._playout.heard(reply.order), at=self._now, failure=why)
        self._append(replace(turn, interrupted=why == "interrupted"))
        self._out.append(Say("", True, reply.order))

    def _failed(self, event: ev.Failed) -> None:
        if event.part != "llm":
            self._out.append(RecordIncident(event.part, event.kind, "carried on", event.generation))
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
            self._cancel("reply")
        if give_up and self.manners.can_transfer:
            self._close("person", self.manners.give_up_person)
        elif give_up:
            self._close("goodbye", self.manners.give_up)
        else:
            self._speak("apology", self.manners.lost_thread if broken else self.manners.apology)

    # --- the agent's own words ---------------------------------------------------------------------------

    def _speak(self, kind: TurnKind, words: str) -> None:
        """Say a fixed line, as a turn of its own."""
        self._offer = -1
        turn = Turn(
            self._next_order,
            "agent",
            kind,
            self._now,
            words,
            said=words,
            done=True,
            first_token_at=self._now,
            finished_at=self._now,
        )
        self._playout.add(turn.order, words, self._now)
        self._append(turn)
        self._out.append(Say(words, True, turn.order))
        self.phase = "speaking"
        self._await_playout()

    def _close(self, closing: Closing, words: str) -> None:
        self._closing = closing
        self._goodbyes += 1
        if words:
            self._speak("goodbye", words)
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

    # --- the carrier -------------------------------------------------------------------------------------

    def _words_played(self, event: ev.WordsPlayed) -> None:
        self._heard(self._playout.played(event.text, self._now))

    def _agent_speaking(self, event: ev.AgentSpeaking) -> None:
        self._audible = event.on
        if event.on:
            self._stretched = 0
            self._cancel("silence")
            if self._playout.pending:
                self._cancel("close")
            order = self._playout.turn
            self._playout.audible(self._now)
            if self._reply is not None and self._reply.order == order and self._reply.first_audio_at is None:
                self._reply.first_audio_at = self._now
            elif order is not None and order < self._next_order:
                turn = self.turns[order - self.first_order]
                if turn.first_audio_at is None:
                    self.turns[order - self.first_order] = replace(turn, first_audio_at=self._now)
            if self._reply is None:
                self._await_playout()
        elif self._reply is None:
            if self._playout.reports and self._playout.pending:
                self._await_playout()  # words sent as the queue ran dry are still to come
            else:
                self._all_heard()

    def _await_playout(self) -> None:
        self._set("playout", self._playout.due(self._now) + _MARGIN)

    def _all_heard(self) -> None:
        """Nothing more is to be heard: the caller has the floor, or the call can close."""
        self._cancel("playout")
        self._heard(self._playout.drained())
        self._audible = False
        self._stretched = 0
        if self._reply is not None:
            return
        if self.phase == "closing":
            lingers = self._closing == "goodbye" and not self._closing_for_good
            self._hang_up_soon(self.manners.afterglow if lingers else _SETTLE)
        else:
            self.phase = "listening"
            self._await_caller()

    def _heard(self, orders: set[int], *, interrupted: bool = False) -> None:
        """Bring turns up to what the caller heard of them."""
        for order in sorted(orders):
            if order >= self._next_order:
                continue  # the live reply: its turn is made when it ends
            turn = self.turns[order - self.first_order]
            heard = self._playout.heard(order)
            unheard = bool(turn.said[len(heard) :].strip()) or turn.failure == "interrupted"
            cut = unheard and (turn.interrupted or interrupted)
            changed = replace(turn, heard=heard, interrupted=cut)
            if changed != turn:
                self.turns[order - self.first_order] = changed
                if interrupted or turn.interrupted or len(heard) == len(turn.said):
                    self._out.append(RecordTurn(changed))

    # --- timers ------------------------------------------------------------------------------------------

    def _timer_fired(self, event: ev.TimerFired) -> None:
        if self._timers.get(event.timer) != event.due:
            return
        del self._timers[event.timer]
        if event.timer == "reply":
            self._reply_overdue()
        elif event.timer == "playout":
            waits = self._audible or (self.manners.reported and self._playout.pending)
            if waits and self._stretched < _PATIENCE:
                self._stretched += 1
                self._set("playout", self._now + 2.0)
            else:
                self._all_heard()
        elif event.timer == "silence":
            self._silence()
        elif event.timer == "keys":
            self._keys_complete(answer=True)
        elif self._closing is not None:
            self.phase = "ended"
            for timer in list(self._timers):
                self._cancel(timer)
            self._out.append(End(self._closing))

    def _reply_overdue(self) -> None:
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

    def _silence(self) -> None:
        if not self._idle:
            return
        if self._closing is not None:  # the goodbye was cut off, and then nothing
            self._hang_up_soon()
            return
        asked = self._silences
        self._silences += 1
        if asked < len(self.manners.reprompts):
            self._speak("reprompt", self.manners.reprompts[asked])
        else:
            self._close("goodbye", self.manners.silent_goodbye)

    @property
    def _idle(self) -> bool:
        """It is the caller's turn to speak."""
        return self.phase == "listening" and self._reply is None and not self._playout.pending and not self._keys

    def _await_caller(self) -> None:
        if self._idle:
            patience = self.manners.noise if self._caller_sounds else self.manners.silence
            self._set("silence", self._now + patience)

    def _set(self, timer: ev.Timer, due: float) -> None:
        self._timers[timer] = due
        self._out.append(SetTimer(timer, due))

    def _cancel(self, timer: ev.Timer) -> None:
        if self._timers.pop(timer, None) is not None:
            self._out.append(CancelTimer(timer))

    # --- turns -------------------------------------------------------------------------------------------

    def _reached(self, order: int) -> bool:
        """Something of this turn has been heard, or still will be."""
        turn = self.turns[order - self.first_order]
        return bool(turn.heard) or not turn.interrupted

    @property
    def _next_order(self) -> int:
        return self.first_order + len(self.turns)

    def _words_unsaid(self, event: ev.WordsUnsaid) -> None:
        if not self.first_order <= event.turn < self._next_order:
            return
        self._playout.unsay(event.turn, event.characters)
        turn = self.turns[event.turn - self.first_order]
        said = turn.said[: max(0, len(turn.said) - event.characters)]
        heard = self._playout.heard(event.turn)
        changed = replace(turn, said=said, heard=heard, failure=turn.failure or "overrun")
        self.turns[event.turn - self.first_order] = changed
        self._out.append(RecordTurn(changed))

    def _append(self, turn: Turn) -> None:
        self.turns.append(turn)
        self._out.append(RecordTurn(turn))

    def lines(self) -> tuple[Line, ...]:
        """The conversation as the caller heard it; words still to be heard count as heard."""
        lines = []
        for turn in (*self._earlier, *self.turns):
            if turn.kind == "keys":
                lines.append(Line("caller", f"(pressed keys: {turn.generated})"))
            elif turn.role == "caller":
                lines.append(Line("caller", turn.generated))
            else:
                text = (turn.heard if turn.interrupted else turn.said).strip()
                if text:
                    lines.append(Line("agent", text, turn.interrupted))
        return tuple(lines)

    _handlers: ClassVar[dict[type, Callable[[Conversation, Any], None]]] = {
        ev.CallerSpoke: _caller_spoke,
        ev.CallerSpeaking: _caller_speaking,
        ev.CallerInterrupted: _caller_interrupted,
        ev.WordsPlayed: _words_played,
        ev.WordsUnsaid: _words_unsaid,
        ev.AgentSpeaking: _agent_speaking,
        ev.KeyPressed: _key_pressed,
        ev.TimerFired: _timer_fired,
        ev.ReplyDelta: _reply_delta,
        ev.ReplyFinished: _reply_finished,
        ev.Failed: _failed,
        ev.CloseRequested: _close_requested,
    }
