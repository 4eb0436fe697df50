"""The agent's replies: begun early or when asked for, written, bridged while they are late, gone on with after tools,
ended when they are long enough, apologised for when they fail.

Rules of machine.py that are kept here: 2 (one generation at most), 6 (what is late is bridged, what fails is apologised
for), 9 (what documents and tools say has no power over the call), 11 (a guess is not heard of until the caller's words
are final) and 12 (a tool that was called has a result).
"""

from __future__ import annotations

from dataclasses import replace

from voicectl.conversation import events as ev
from voicectl.conversation.effects import (
    CancelGeneration,
    Note,
    RecordGuess,
    RecordIncident,
    RunTool,
    SendDigits,
    StartGeneration,
    SwitchLanguage,
)
from voicectl.conversation.fillers import Awaited, Fillers
from voicectl.conversation.floor import Floor
from voicectl.conversation.guess import Guess
from voicectl.conversation.languages import Ear
from voicectl.conversation.manners import Manners
from voicectl.conversation.numerals import SpokenNumbers
from voicectl.conversation.reply import Reply, Stage
from voicectl.conversation.turns import ToolCall, ToolStatus, ToolUse, Turn
from voicectl.conversation.wishes import asks_to_close
from voicectl.conversation.wording import Wording

GUESS_LASTS = 4.0
"""Seconds without another word, and a transcript that was never made final is forgotten."""
_FILLER_AGAIN = 4.0
"""Seconds between two fillers."""
_NOT_DONE = "Not done: the caller spoke in the meantime."


class Replying(Floor):
    """The live reply, the guess that may become it, and the tools that it waits for."""

    def __init__(self, manners: Manners) -> None:
        super().__init__(manners)
        self._generation = 0
        self._failures = 0
        """Replies in a row that have failed."""
        self._guess: Guess | None = None
        self._last_reply = False
        """The live reply is the call's last."""
        self._ear = Ear(manners)
        self._fillers = Fillers()
        self._bridged = False
        """The caller has heard a filler since they spoke."""

    @property
    def live_generation(self) -> int | None:
        live = self._reply or self._guess
        return live.generation if live else None

    def _new_reply(self) -> Reply:
        self._generation += 1
        manners = self.manners
        # The owner's words come first: once figures are written out, "24/7" is not to be found any more.
        stages: list[Stage] = []
        wording = Wording(manners.pronunciations, manners.never_say)
        if wording.active:
            stages.append(wording)
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
        if self._partial:
            self._wait_for_more()

    def _wait_for_more(self) -> None:
        """The caller is adding something, which the reply is not spoken into; a radio is not waited for."""
        until = self._sounds_since + self.manners.noise
        self._set("guess", max(self._now, min(self._now + GUESS_LASTS, until)))

    @property
    def _goes_on(self) -> bool:
        """The caller is adding something, and it may yet become a turn."""
        return bool(self._partial) and "guess" in self._timers

    def _reply_delta(self, event: ev.ReplyDelta) -> None:
        if self._guess is not None and event.generation == self._guess.generation:
            self._guess.write(event.text, self._now)
            return
        reply = self._reply
        if reply is None or event.generation != reply.generation:
            return
        self._write(reply, reply.write(event.text, self._now))

    def _write(self, reply: Reply, words: str) -> None:
        if not reply.begun and self._goes_on:
            if words.strip() or reply.kept:
                reply.kept.append(words)  # the caller goes on: not into their words
            return
        if words.strip() or (words and reply.begun):
            if not reply.begun:  # a model may write much before there is a word to say
                self._set("reply", self._now + min(self.manners.gap, self.manners.reply))
            self._say(reply, words)

    def _let_out(self) -> None:
        """The caller was about to go on, and has not: the reply that waited for that is said."""
        reply = self._reply
        if reply is None or not reply.kept:
            return
        words = "".join(reply.kept)
        reply.kept.clear()
        self._write(reply, words)
        if reply.finished is not None and self._reply is reply:
            self._reply_complete(reply.finished)

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
        self._length.cancelled(reply.tokens)
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
        if reply.kept:
            reply.finished = event
            return
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
        if not reply.begun and self._goes_on:  # no apology into the caller's words
            self._set("reply", self._now + self.manners.gap)
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

    # --- a reply begun early -----------------------------------------------------------------------------

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is None:
            return
        self._cancel("guess")
        if guess.finished is None:
            self._out.append(CancelGeneration(guess.generation))
        self._wasted += guess.tokens
        self._length.cancelled(guess.tokens)
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

    def _switch(self, language: str) -> None:
        self._drop_guess()  # it is written in the other one
        self.language = language
        self._ear.switched(language)
        self._out.append(SwitchLanguage(language))

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

    def _settle_tool(self, id: str, result: str, status: ToolStatus) -> None:
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
    def _looks_up(self) -> bool:
        """What the caller said is a question, so it is looked up."""
        last = self.history.caller_turn()
        return last in self.history and self.history[last].generated.rstrip().endswith(("?", "？"))
