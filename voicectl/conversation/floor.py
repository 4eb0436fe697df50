"""Whose turn it is to speak, how long nobody may, and when the call closes.

Rules of machine.py that are kept here: 6 (nothing ends in silence) and 7 (the machine decides when a call closes). The
caller has the floor when nothing of the agent's is to be heard, written or looked up, and nothing of the caller's own
waits to be completed. Then the silence clock runs, unless there is something to be said in this pause.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from voicectl.conversation.call_length import CallLength
from voicectl.conversation.effects import End, Note
from voicectl.conversation.hearing.moments import asks_for_number
from voicectl.conversation.keypad import Keypad
from voicectl.conversation.manners import Manners
from voicectl.conversation.reply import Reply
from voicectl.conversation.silence import Silence
from voicectl.conversation.speech import Speech
from voicectl.conversation.tool_round import ToolRound
from voicectl.conversation.turns import Closing, Line, Turn, TurnKind

Phase = Literal["new", "listening", "thinking", "speaking", "closing", "ended"]

SETTLE = 0.4
"""Seconds between the last word heard and the end of the call, when nobody has anything to add."""


class Floor(Speech):
    """What the caller is doing, as far as it bears on whose turn it is, and the end of the call."""

    def __init__(self, manners: Manners) -> None:
        super().__init__(manners)
        self.phase: Phase = "new"
        # what the caller is doing
        self._caller_sounds = False
        self._quiet = True
        self._sounds_since = float("-inf")
        """Since when, without a whole utterance, the caller's side has been making sounds."""
        self._partial = ""
        """What has been transcribed of an utterance that goes on."""
        self._parts: list[str] = []
        """Of an utterance that was finalised and is not finished."""
        self._waits = False
        """The caller has asked for a moment."""
        self._keypad = Keypad(manners.key_field, manners.fields, manners.menu)
        self._silence_words = Silence()
        self._tools = ToolRound(manners)
        # how the call closes
        self._length = CallLength(manners)
        self._closing: Closing | None = None
        self._destination = ""
        self._closing_for_good = False
        self._offer = -1
        """The turn that has just asked whether to put the caller through."""
        self._offered_to = ""
        """To whom."""
        self._goodbyes = 0
        self._stay_until = 0.0

    @abstractmethod
    def _start(self, *notes: Note, continues: bool = False) -> None:
        """Ask the model for a reply."""

    @property
    def turns(self) -> list[Turn]:
        """The turns of this socket, in order."""
        return self.history.turns

    def lines(self) -> tuple[Line, ...]:
        """The conversation as the caller heard it; words still to be heard count as heard."""
        return self.history.lines()

    @property
    def _idle(self) -> bool:
        """It is the caller's turn to speak."""
        busy = self._reply is not None or self._tools.open or self._playout.pending
        return self.phase == "listening" and not busy and not self._keypad.waiting and not self._parts

    @property
    def _caller_busy(self) -> bool:
        """The caller is speaking or keying."""
        return self._caller_sounds or bool(self._parts or self._partial) or self._keypad.waiting

    def _await_caller(self) -> None:
        """The caller has the floor, unless there is something to be said in this pause."""
        if not self._idle:
            return
        unsettled = self._caller_busy or "resume" in self._timers or "guess" in self._timers
        if self._closing is None and not unsettled:
            if self._length.overdue and self.history.caller_turn() >= 0:
                self._start()
                return
            if self._length.to_warn:
                self._say_fixed("notice", self._length.warning(self._phrases, self._now))
                return
        patience = self.manners.silence
        if self._caller_sounds or self._partial:
            patience = self.manners.noise
        elif self._waits:
            patience = self.manners.patience
        elif asks_for_number(self.history.last_words(), self.language):
            patience = min(2 * self.manners.silence, self.manners.patience)
        self._set("silence", self._now + patience)

    def _hush(self) -> None:
        """The caller is making sounds: no reprompt, no reply to half a number, no hanging up. A voice detector that
        never lets go, or a radio, holds the silence back for `noise` seconds and the end of the call no longer."""
        until = self._sounds_since + self.manners.noise
        if self._idle:
            self._set("silence", max(until, self._now + SETTLE))
        if "keys" in self._timers and self._now < until:
            self._set("keys", self._now + self._keypad.field.timeout)
        if "close" in self._timers and not self._closing_for_good:
            self._set("close", max(self._now + SETTLE, min(self._now + self.manners.silence, self._stay_until)))

    def _sounds(self) -> None:
        """The caller's side is to be heard. What has gone on for longer than it may is a radio."""
        if self._quiet:
            self._quiet, self._sounds_since = False, self._now

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

    # --- how the call closes -----------------------------------------------------------------------------

    def _reply_cancelled(self, reply: Reply) -> None:
        self._length.cancelled(reply.tokens)

    def _floor_is_free(self) -> None:
        if self.phase == "closing":
            lingers = self._closing == "goodbye" and not self._closing_for_good
            self._hang_up_soon(self.manners.afterglow if lingers else SETTLE)
        elif not self._tools.open:
            self.phase = "listening"
            self._await_caller()

    def _say_fixed(self, kind: TurnKind, words: str, *, resumes: int | None = None) -> None:
        """Say a line of the agent's own, and wait until it is heard."""
        self._offer = -1
        self._cancel("silence")
        self._speak(kind, words, resumes=resumes)
        self.phase = "speaking"
        self._await_playout()

    def _close(self, closing: Closing, words: str, destination: str = "") -> None:
        self._closing, self._destination = closing, destination
        self._goodbyes += 1
        self._cancel("resume")
        if words:
            self._say_fixed("goodbye", words)
        self.phase = "closing"
        self._cancel("silence")
        if not self._playout.pending:
            self._hang_up_soon()

    def _hang_up_soon(self, after: float = SETTLE) -> None:
        self.phase = "closing"
        self._cancel("silence")
        self._stay_until = self._now + self.manners.noise
        if self._caller_sounds and not self._closing_for_good:
            after = max(after, self.manners.silence)
        self._set("close", self._now + after)

    def _close_due(self) -> None:
        if self._closing is not None:
            self.phase = "ended"
            self._cancel(*list(self._timers))
            self._out.append(End(self._closing, self._destination if self._closing == "person" else ""))

    def _watch_length(self) -> None:
        due = self._length.next_look(self._now)
        if due is not None:
            self._set("length", due)

    def _length_due(self) -> None:
        self._length.look(self._now)
        self._watch_length()
        if self._idle:
            self._await_caller()
