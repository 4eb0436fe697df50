"""The agent's side of a conversation: its words on their way to the caller, and how far they were heard.

Rules of machine.py that are kept here: 1 (timers), 3 (what was heard is the truth) and 4 (every agent turn sends
exactly one Say with `last`, is recorded before it, and nothing follows it).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

from voicectl.conversation import events as ev
from voicectl.conversation.effects import (
    CancelGeneration,
    CancelTimer,
    Effect,
    RecordTurn,
    Say,
    SetTimer,
)
from voicectl.conversation.history import History, heard_of
from voicectl.conversation.manners import Manners
from voicectl.conversation.phrases import Phrases
from voicectl.conversation.playout import Playout
from voicectl.conversation.reply import Reply
from voicectl.conversation.turns import Turn, TurnKind

_MARGIN = 0.6
"""Seconds beyond the estimate before unreported speech counts as heard."""
_PATIENCE = 5
"""So often an estimate is stretched while the carrier still reports audio."""


class Speech(ABC):
    """What the agent says."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.language = manners.language
        """Of the call, now."""
        self.history = History()
        self._out: list[Effect] = []
        self._now = 0.0
        self._timers: dict[ev.Timer, float] = {}
        self._reply: Reply | None = None
        self._playout = Playout()
        self._audible = False
        self._stretched = 0
        self._wasted = 0
        """Tokens of guesses that were thrown away since the agent last replied."""

    @abstractmethod
    def _reply_cancelled(self, reply: Reply) -> None:
        """A reply was stopped before its model was through."""

    @abstractmethod
    def _floor_is_free(self) -> None:
        """All that was said has been heard."""

    @property
    def _phrases(self) -> Phrases:
        return self.manners.words(self.language)

    # --- timers ------------------------------------------------------------------------------------------

    def _set(self, timer: ev.Timer, due: float) -> None:
        self._timers[timer] = due
        self._out.append(SetTimer(timer, due))

    def _cancel(self, *timers: ev.Timer) -> None:
        for timer in timers:
            if self._timers.pop(timer, None) is not None:
                self._out.append(CancelTimer(timer))

    # --- the reply being written -------------------------------------------------------------------------

    def _hand_over(self, reply: Reply, words: str) -> None:
        if words:
            if not reply.begun:
                self._shift(reply)
                self._cancel("filler", "playout")
            reply.say(words)
            self._heard(self._playout.add(reply.order, words, self._now), interrupted=True)
            self._out.append(Say(words, False, reply.order))

    def _shift(self, reply: Reply) -> None:
        """Of a reply that nothing has been said of yet: its turn comes next."""
        reply.order = self.history.next_order

    def _finish(self, *, failure: str = "", usage: ev.ReplyFinished | None = None) -> None:
        """The reply has all the words it will have. Its turn is recorded, then its talk cycle closed."""
        reply = self._reply
        assert reply is not None
        self._reply = None
        self._cancel("reply", "filler")
        self._shift_unbegun(reply)
        turn = self._reply_turn(reply, failure)
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
        self._cancel("reply", "filler")
        self._out.append(CancelGeneration(reply.generation))
        self._reply_cancelled(reply)
        if not reply.begun:
            return
        self._append(replace(self._reply_turn(reply, why), interrupted=why == "interrupted"))
        self._out.append(Say("", True, reply.order))

    def _reply_turn(self, reply: Reply, failure: str) -> Turn:
        wasted, self._wasted = self._wasted, 0
        turn = reply.turn(heard=self._playout.heard(reply.order), at=self._now, failure=failure)
        return replace(turn, wasted_tokens=wasted)

    def _shift_unbegun(self, reply: Reply) -> None:
        if not reply.begun:
            self._shift(reply)

    # --- the agent's own words ---------------------------------------------------------------------------

    def _speak(self, kind: TurnKind, words: str, *, resumes: int | None = None, preemptible: bool = False) -> None:
        """Say a fixed line, as a turn of its own."""
        turn = Turn(
            self.history.next_order,
            "agent",
            kind,
            self._now,
            words,
            said=words,
            done=True,
            first_token_at=self._now,
            finished_at=self._now,
            lang=self.language,
            resumes=resumes,
        )
        self._heard(self._playout.add(turn.order, words, self._now, preemptible=preemptible), interrupted=True)
        self._append(turn)
        self._out.append(Say(words, True, turn.order, preemptible))

    # --- what was heard ----------------------------------------------------------------------------------

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
            elif order is not None and order in self.history and self.history[order].first_audio_at is None:
                self.history[order] = replace(self.history[order], first_audio_at=self._now)
            if self._reply is None:
                self._await_playout()
        elif self._reply is None or (not self._reply.begun and self._playout.pending):
            if self._playout.reports and self._playout.pending:
                self._await_playout()  # words sent as the queue ran dry are still to come
            else:
                self._all_heard()

    def _await_playout(self) -> None:
        self._set("playout", self._playout.due(self._now) + _MARGIN)

    def _playout_due(self) -> None:
        waits = self._audible or (self.manners.reported and self._playout.pending)
        if waits and self._stretched < _PATIENCE:
            self._stretched += 1
            self._set("playout", self._now + 2.0)
        else:
            self._all_heard()

    def _all_heard(self) -> None:
        """Nothing more is to be heard for now."""
        self._cancel("playout")
        self._heard(self._playout.drained())
        self._audible = False
        self._stretched = 0
        if self._reply is None:
            self._floor_is_free()

    def _heard(self, orders: set[int], *, interrupted: bool = False) -> None:
        """Bring turns up to what the caller heard of them."""
        for order in sorted(orders):
            if order not in self.history:
                continue  # the live reply: its turn is made when it ends
            turn = self.history[order]
            heard = self._playout.heard(order)
            unheard = bool(turn.said[len(heard) :].strip()) or turn.failure == "interrupted"
            cut = unheard and (turn.interrupted or interrupted)
            changed = replace(turn, heard=heard, interrupted=cut)
            if changed != turn:
                self.history[order] = changed
                if interrupted or turn.interrupted or len(heard) == len(turn.said):
                    self._record(changed)

    def _words_unsaid(self, event: ev.WordsUnsaid) -> None:
        if event.turn not in self.history:
            return
        self._playout.unsay(event.turn, event.characters)
        turn = self.history[event.turn]
        said = turn.said[: max(0, len(turn.said) - event.characters)]
        heard = self._playout.heard(event.turn)
        changed = replace(turn, said=said, heard=heard, failure=turn.failure or "overrun")
        self.history[event.turn] = changed
        self._record(changed)

    # --- turns -------------------------------------------------------------------------------------------

    def _append(self, turn: Turn) -> None:
        self.history.turns.append(turn)
        self._record(turn)

    def _record(self, turn: Turn) -> None:
        self._out.append(RecordTurn(self.history.masked(turn)))

    def _reached(self, order: int) -> bool:
        """Something of this turn has been heard, or still will be."""
        return bool(heard_of(self.history[order]).strip())
