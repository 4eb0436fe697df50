"""What the caller says: whether it is a turn, when it is whole, and whether it has cut the agent off.

Rules of machine.py that are kept here: 5 (an interruption belongs to the words that were audible, and one that no words
follow was none), 10 (not everything that is transcribed is a turn) and the caller's half of 11 (when a reply is begun
on words that are not final).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from voicectl.conversation import events as ev
from voicectl.conversation.effects import LookUp, StartGeneration, Unsay
from voicectl.conversation.guess import Guess
from voicectl.conversation.hearing.backchannel import is_backchannel
from voicectl.conversation.hearing.guessing import same_question, stable
from voicectl.conversation.hearing.joining import join
from voicectl.conversation.hearing.unfinished import unfinished
from voicectl.conversation.history import heard_of
from voicectl.conversation.manners import Manners
from voicectl.conversation.replying import GUESS_LASTS, Replying
from voicectl.conversation.turns import Line, TurnKind
from voicectl.conversation.wishes import agrees

_AGREED = 3
"""So often in a row an agent that was cut off by agreeing noises goes on."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """What the caller has not heard of a turn, because a sound cut it off."""

    order: int
    said: str
    """All of it, also what has not left."""
    whole: bool
    """The model had written all it wanted to."""


class Listening(Replying):
    """The utterance that is being made, and what the agent was cut off in."""

    def __init__(self, manners: Manners) -> None:
        super().__init__(manners)
        self._parts_lang = ""
        """The language the carrier heard the unfinished utterance in."""
        self._guessing = True
        """The agent's budget for guesses is not used up."""
        self._guesses = 0
        """How many were made since the caller's last turn."""
        self._cuts: list[_Cut] = []
        self._cut_at = 0.0
        self._resumed = 0
        """How often in a row the agent went on after having been cut off."""
        self._last_key_at = float("-inf")
        self._key_reply = False
        """The latest words answer keys."""

    @abstractmethod
    def _caller_turn(
        self, kind: TurnKind, text: str, lang: str = "", *, answer: bool = True, sensitive: bool = False
    ) -> None:
        """The caller has said or keyed something whole. Without `answer`, more is about to follow."""

    @abstractmethod
    def _keys_complete(self, *, answer: bool) -> None:
        """No further key comes."""

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
            self._let_out()
            self._await_caller()
            return
        if self._agrees_along(text):
            self._drop_guess()
            self._let_out()
            if "resume" in self._timers:
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
        if "resume" in self._timers:  # words follow; whether they mean something is seen when they are whole
            self._set("resume", self._now + GUESS_LASTS)
        if "hold" in self._timers and self._now < self._sounds_since + self.manners.noise:
            self._set("hold", self._now + GUESS_LASTS)
        whole = join([*self._parts, text], self.language) if self._parts else text
        if self._guess is not None:
            if same_question(self._guess.text, whole, self.language):
                self._set("guess", self._now + GUESS_LASTS)
                return
            if not self._guess.reply.pieces:
                self._guesses -= 1  # it has written nothing yet: a slow talker's pauses do not use up the guesses
            self._drop_guess()
        if whole == self._partial:
            return
        self._partial = whole
        if self._reply is None and self._closing is None and not self._tools.open and stable(whole):
            at_end = whole.endswith((".", "?", "!", "。", "？"))
            pause = self.manners.guess_pause_at_end if at_end else self.manners.guess_pause
            self._set("guess", self._now + pause)
        elif self._reply is not None and not self._reply.begun:
            self._wait_for_more()
        else:
            self._cancel("guess")

    def _agrees_along(self, text: str) -> bool:
        """The caller only shows that they listen: while the agent speaks, and unless they were just asked."""
        if self._closing is not None or self._parts or not is_backchannel(text, self.language):
            return False
        waits = self._tools.open or (self._reply is not None and not self._reply.begun)
        if waits and not self._playout.pending:
            return True  # nothing has been said that could be agreed to; the question stands
        listening = self._playout.pending or "resume" in self._timers
        return listening and not self._asked_just_now(text)

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

    def _guess_due(self) -> None:
        """The caller has paused: that may have been all."""
        if self._guess is not None:  # its words were never made final
            self._partial = ""
            self._drop_guess()
            self._await_caller()
            return
        if self._reply is not None:  # what the caller was about to add was never made final
            self._partial = ""
            self._let_out()
            return
        if not self._partial or self._closing is not None or self._tools.open:
            return
        lines = (*self.lines(), Line("caller", self._partial))
        allowed = self._guessing and self.manners.guess and not self._length.at_its_end
        if not allowed or self._guesses >= self.manners.guesses or self._playout.pending:
            self._out.append(LookUp(lines, self.language))
            return
        self._guesses += 1
        self._guess = Guess(self._partial, self._new_reply())
        self._out.append(StartGeneration(self._generation, lines, self.language, early=True))
        self._set("guess", self._now + GUESS_LASTS)

    def _caller_speaking(self, event: ev.CallerSpeaking) -> None:
        self._caller_sounds = event.on
        if event.on:
            self._sounds()
            self._hush()
            return
        self._quiet = not self._partial
        if self._idle:
            self._await_caller()

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
