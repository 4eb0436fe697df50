"""Live calls: the conversation machine of each, driven on the event loop.

Each call has one mailbox. The socket's reader, the reply being generated and every timer can do one thing only: post
an event. Events are taken one at a time, in the order they were posted; the machine is asked, and its effects are
performed before the next event is looked at. So a race between a barge-in and the last token becomes an order in a
list. The running loop is the only clock, which is why the same code runs in virtual time.

Words leave through one writer per call, which sends what has gathered since its last turn as one message. It holds
words back in two cases only:

- the first words of a reply wait until the caller's turn is on disk (it has been written while the model was
  thinking, so in practice they do not wait), and
- the frame that closes a talk cycle waits until the agent's turn is.

A store that is slow or down delays each of these once, and for no longer than STORE_PATIENCE: the owner is told, the
caller is not. Words that are unsaid before they have left are thrown away, and the machine is told how many.

The cap on a call's length is a timer of the driver. It asks the conversation to close; if that does not happen, it
ends the call without asking anybody.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners
from voicectl.conversation.questions import asks
from voicectl.conversation.turns import Closing, Line, Passage, Turn
from voicectl.conversation.wishes import asks_source
from voicectl.errors import ReplyError
from voicectl.llm.smalltalk import act_of
from voicectl.ports import (
    CallerLine,
    CallEvent,
    CallInfo,
    CallStore,
    CallSummary,
    Gap,
    GapStore,
    Inquiry,
    Knowledge,
    Receipt,
    ReplyEnd,
    ReplyModel,
    ReplyRequest,
    Retrieval,
)

log = logging.getLogger(__name__)

STORE_PATIENCE = 0.5
"""Seconds that words wait for the disk at most."""
CLOSE_GRACE = 60.0
"""Seconds a conversation has to close itself when its time is up: the goodbye waits behind what is being spoken."""
HANG_UP_GRACE = 5.0
"""Seconds the carrier has to close the socket after `end`."""
FINISH_SECONDS = 5.0
"""How long the end of a call waits for work that does not let itself be cancelled."""
PREFETCH_PAUSE = 0.35
PREFETCH_PAUSE_AT_END = 0.1
"""Seconds without a new word that may be the end of a question; less is enough where the transcript has a full stop.
Words come every 0.2 to 0.3 s, and a transcript is final 0.35 to 0.8 s after its last word (reference, section 2)."""
PREFETCH_WORDS = 3
"""Shorter utterances are looked up when they are final: it costs little."""
SLOW_READER_SECONDS = 2.0
SLOW_READER_CHARACTERS = 64 * 1024
"""A peer that has not taken a message for so long, while so much waits, is gone."""


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Bounds of a call that lie outside the conversation. Seconds."""

    call_seconds: float = 1800.0
    passages: int = 4
    search_seconds: float = 0.4
    collections: tuple[str, ...] = ()
    """Where to look for knowledge besides the common collection; (): everywhere."""
    prefetch: bool = True
    """Look up what a caller has said as soon as they pause."""


class VoiceAgentService:
    """Holds the conversations of this process."""

    def __init__(
        self,
        *,
        model: ReplyModel,
        knowledge: Knowledge,
        store: CallStore,
        manners: Manners,
        gaps: GapStore | None = None,
        limits: AgentLimits | None = None,
    ) -> None:
        """`gaps`: where questions are kept that were not answered; None keeps none."""
        self.model = model
        self.knowledge = knowledge
        self.store = store
        self.gaps = gaps
        self.manners = manners
        self.limits = limits or AgentLimits()
        self.calls: dict[str, LiveCall] = {}
        self._closing = False
        self._empty = asyncio.Event()

    def answer(self, info: CallInfo, line: CallerLine, greeting: str, history: tuple[Turn, ...] = ()) -> LiveCall:
        """Begin the conversation of a call whose socket has proved itself. `greeting` is spoken by the carrier,
        `history` are the turns of the call's earlier sockets."""
        call = LiveCall(self, info, line)
        call.earlier = history
        self.calls[info.session] = call
        self._empty.clear()
        self.store.begin_call(info)
        call.post(ev.CallStarted(call.now, greeting, history))
        if self._closing:
            call.post(ev.CloseRequested(call.now, "shutdown"))
        return call

    async def close(self, within: float = CLOSE_GRACE) -> None:
        """End every live call, and every one that still comes, with a word of apology. Returns when they are all over,
        or after `within` seconds."""
        self._closing = True
        for call in list(self.calls.values()):
            call.post(ev.CloseRequested(call.now, "shutdown"))
        if self.calls:
            try:
                async with asyncio.timeout(within):
                    await self._empty.wait()
            except TimeoutError:
                log.warning("calls were still live when the server stopped", extra={"count": len(self.calls)})

    def forget(self, call: LiveCall) -> None:
        """A call is over."""
        if self.calls.get(call.info.session) is call:
            del self.calls[call.info.session]
        if not self.calls:
            self._empty.set()


@dataclass(slots=True)
class _Outgoing:
    """Words, or the end of the call, on their way to the carrier."""

    turn: int = -1
    text: str = ""
    last: bool = False
    closing: Closing | None = None
    after: Receipt | None = None
    """Of a closing frame: leaves when this is on disk."""


class LiveCall:
    """One call: its mailbox, its machine, its timers, its writer."""

    def __init__(self, service: VoiceAgentService, info: CallInfo, line: CallerLine) -> None:
        self.info = info
        self.over = asyncio.Event()
        """The call is finished and nothing of it is left."""
        self.ended_by_us = False
        self.earlier: tuple[Turn, ...] = ()
        """The turns of the call's earlier sockets."""
        self._service = service
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._conversation = Conversation(service.manners)
        self._mailbox: deque[ev.Event] = deque()
        self._busy = False
        self._finished = False
        self._close_reason = ""
        self._timers: dict[ev.Timer, asyncio.TimerHandle] = {}
        self._generations: dict[int, asyncio.Task[None]] = {}
        self._outbox: deque[_Outgoing] = deque()
        self._wake = asyncio.Event()
        self._sending_since: float | None = None
        self._early: asyncio.TimerHandle | None = None
        self._looked_up = ""
        """What was looked up in advance last."""
        self._caller_turn: Receipt | None = None
        self._agent_turn: Receipt | None = None
        self._helpers: set[asyncio.Task[None]] = set()
        self._writer = self._loop.create_task(self._write())
        self._cap = self._loop.call_later(service.limits.call_seconds, self._time_is_up)

    @property
    def now(self) -> float:
        """Seconds into the call."""
        return self._loop.time() - self._started

    @property
    def phase(self) -> str:
        return self._conversation.phase

    @property
    def turns(self) -> list[Turn]:
        return self._conversation.turns

    def post(self, event: ev.Event) -> None:
        """Put an event into the mailbox. It is handled before this returns, unless another one is being handled."""
        self._mailbox.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._mailbox:
                event = self._mailbox.popleft()
                self._note(event)
                if isinstance(event, ev.CallerSpoke):
                    self._listen(event)
                for effect in self._conversation.handle(event):
                    self._performers[type(effect)](self, effect)
        except Exception:
            log.exception("a conversation broke; its call is given back to the carrier")
            self._mailbox.clear()
            self._incident(fx.RecordIncident("internal", "internal", "call given back"))
            self._help(self._force_end())
        finally:
            self._busy = False

    async def finish(self, reason: ev.EndReason) -> None:
        """The socket is closed. Returns when nothing of the call is left and its end is on disk."""
        if self._finished:
            return
        self._finished = True
        if reason == "ended" and self._close_reason in ("time_is_up", "shutdown"):
            reason = "time_is_up" if self._close_reason == "time_is_up" else "shutdown"
        try:
            self.post(ev.CallEnded(self.now, reason))
            tasks = [self._writer, *self._generations.values(), *self._helpers]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
            receipt = self._service.store.end_call(self.info.sid, reason, summary(self.turns))
            await self._durable(receipt)
        except Exception:
            log.exception("the end of a call was not stored")
        finally:
            for timer in (self._cap, self._early, *self._timers.values()):
                if timer is not None:
                    timer.cancel()
            self._timers.clear()
            self._service.forget(self)
            self.over.set()

    # --- effects -----------------------------------------------------------------------------------------

    def _say(self, effect: fx.Say) -> None:
        if effect.text:
            self._send(_Outgoing(effect.turn, effect.text))
        if effect.last:
            self._send(_Outgoing(effect.turn, last=True, after=self._agent_turn))

    def _unsay(self, effect: fx.Unsay) -> None:
        lost: dict[int, int] = {}
        kept: deque[_Outgoing] = deque()
        for item in self._outbox:
            if item.text and item.turn != effect.keep:
                lost[item.turn] = lost.get(item.turn, 0) + len(item.text)
            else:
                kept.append(item)
        self._outbox = kept
        for turn, characters in lost.items():
            self.post(ev.WordsUnsaid(self.now, turn, characters))

    def _end(self, effect: fx.End) -> None:
        self.ended_by_us = True
        self._send(_Outgoing(closing=effect.closing))

    def _send(self, item: _Outgoing) -> None:
        self._outbox.append(item)
        self._wake.set()
        stuck = self._sending_since
        if stuck is not None and self._loop.time() - stuck > SLOW_READER_SECONDS:
            waiting = sum(len(each.text) for each in self._outbox)
            if waiting > SLOW_READER_CHARACTERS:
                self._incident(fx.RecordIncident("carrier", "slow_reader", "closed the socket"))
                self._help(self._line.close())

    def _set_timer(self, effect: fx.SetTimer) -> None:
        self._cancel_timer(fx.CancelTimer(effect.timer))
        self._timers[effect.timer] = self._loop.call_at(
            self._started + effect.due, self._timer_due, effect.timer, effect.due
        )

    def _timer_due(self, timer: ev.Timer, due: float) -> None:
        self._timers.pop(timer, None)
        self.post(ev.TimerFired(max(self.now, due), timer, due))

    def _cancel_timer(self, effect: fx.CancelTimer) -> None:
        handle = self._timers.pop(effect.timer, None)
        if handle is not None:
            handle.cancel()

    def _start_generation(self, effect: fx.StartGeneration) -> None:
        task = self._loop.create_task(self._generate(effect.generation, effect.lines))
        self._generations[effect.generation] = task
        task.add_done_callback(lambda _: self._generations.pop(effect.generation, None))

    def _cancel_generation(self, effect: fx.CancelGeneration) -> None:
        task = self._generations.get(effect.generation)
        if task is not None:
            task.cancel()

    def _record_turn(self, effect: fx.RecordTurn) -> None:
        receipt = self._service.store.record_turn(self.info.sid, effect.turn)
        if effect.turn.role == "caller":
            self._caller_turn = receipt
        else:
            self._agent_turn = receipt

    def _incident(self, effect: fx.RecordIncident) -> None:
        log.warning("incident", extra={"part": effect.part, "kind": effect.kind, "action": effect.action})
        self._service.store.record_event(
            self.info.sid,
            CallEvent(
                self.now,
                "incident",
                {"part": effect.part, "kind": effect.kind, "action": effect.action, "generation": effect.generation},
            ),
        )

    _performers: ClassVar[dict[type, Callable[[LiveCall, Any], None]]] = {
        fx.Say: _say,
        fx.Unsay: _unsay,
        fx.End: _end,
        fx.SetTimer: _set_timer,
        fx.CancelTimer: _cancel_timer,
        fx.StartGeneration: _start_generation,
        fx.CancelGeneration: _cancel_generation,
        fx.RecordTurn: _record_turn,
        fx.RecordIncident: _incident,
    }

    # --- the reply ---------------------------------------------------------------------------------------

    async def _generate(self, generation: int, lines: tuple[Line, ...]) -> None:
        found: Retrieval | None = None
        try:
            found = await self._search(lines)
            passages, choices = (found.passages, found.choices) if found is not None else ((), ())
            request = ReplyRequest(self.info, lines, passages, found is None, choices)
            end: ReplyEnd | None = None
            async for part in self._service.model.reply(request):
                if isinstance(part, str):
                    self.post(ev.ReplyDelta(self.now, generation, part))
                else:
                    end = part
            if end is None:
                raise ReplyError("truncated", "the reply stopped without an end")
        except ReplyError as error:
            self.post(ev.Failed(self.now, "llm", error.kind, generation))
        except Exception:
            log.exception("a reply model broke")
            self.post(ev.Failed(self.now, "llm", "internal", generation))
        else:
            self.post(ev.ReplyFinished(self.now, generation, end.reason, end.closing, end.usage, passages))
            if found is not None and not found.partial and (found.outcome == "unknown" or end.unanswered):
                try:
                    self._record_gap(request, found)
                except Exception:
                    log.exception("a question without an answer was not kept")

    async def _search(self, lines: tuple[Line, ...]) -> Retrieval | None:
        """What the knowledge base has on the question; None when it could not be asked."""
        limits = self._service.limits
        said = " ".join(line.text for line in lines[-1:] if line.role == "caller")
        if asks_source(said):
            return Retrieval("answer", self._recent(), question=said)
        try:
            async with asyncio.timeout(limits.search_seconds):
                return await self._service.knowledge.search(self._inquiry(lines), limit=limits.passages)
        except TimeoutError:
            self.post(ev.Failed(self.now, "kb", "timeout"))
        except Exception:
            log.exception("the knowledge base failed")
            self.post(ev.Failed(self.now, "kb", "internal"))
        return None

    def _inquiry(self, lines: tuple[Line, ...], *, early: bool = False) -> Inquiry:
        return Inquiry(lines, self.info.language, self._service.limits.collections, self._recent(), early)

    def _recent(self) -> tuple[Passage, ...]:
        """What the last reply that used any was made of."""
        return next((turn.passages for turn in reversed((*self.earlier, *self.turns)) if turn.passages), ())

    def _listen(self, event: ev.CallerSpoke) -> None:
        """Look up what the caller has said when they pause: the pause may be the end of the question, which the
        carrier is not sure of yet. What is found is thrown away, but the next to ask the same has it at once."""
        if self._early is not None:
            self._early.cancel()
            self._early = None
        worth_it = self._service.limits.prefetch and not event.final and len(event.text.split()) >= PREFETCH_WORDS
        if worth_it and event.text != self._looked_up:
            at_end = event.text.rstrip().endswith((".", "?", "!", "。", "？"))
            pause = PREFETCH_PAUSE_AT_END if at_end else PREFETCH_PAUSE
            self._early = self._loop.call_later(pause, self._look_up_early, event.text)

    def _look_up_early(self, text: str) -> None:
        self._early = None
        self._looked_up = text
        self._help(self._prefetch((*self._conversation.lines(), Line("caller", text))))

    async def _prefetch(self, lines: tuple[Line, ...]) -> None:
        try:
            async with asyncio.timeout(self._service.limits.search_seconds):
                await self._service.knowledge.search(self._inquiry(lines, early=True))
        except Exception:  # nobody waits for it; the search that somebody waits for tells what is wrong
            log.debug("nothing was looked up in advance")

    def _record_gap(self, request: ReplyRequest, found: Retrieval) -> None:
        """Keep a question that was not answered. What is no question is no gap, and may be a name or a number."""
        if self._service.gaps is None or not asks(found.question) or act_of(request.question) is not None:
            return
        self._service.gaps.record_gap(
            Gap(
                datetime.now(UTC),
                self.info.sid,
                found.question,
                found.confidence,
                self.info.language,
                self._service.limits.collections,
            )
        )

    # --- the writer --------------------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            while True:
                while not self._outbox:
                    self._wake.clear()
                    await self._wake.wait()
                item = self._outbox[0]
                gate = item.after or (self._caller_turn if item.text else None)
                if gate is not None:
                    if not gate.done:
                        await self._durable(gate)
                    # Waited for once: the next words go on without it.
                    item.after = None
                    if gate is self._caller_turn:
                        self._caller_turn = None
                    continue  # while waiting the words may have been thrown away
                self._outbox.popleft()
                if item.closing is not None:
                    await self._line.end(item.closing)
                    self._cap.cancel()
                    self._cap = self._loop.call_later(HANG_UP_GRACE, self._hang_up)
                    continue
                text, last = self._gather(item)
                self._sending_since = self._loop.time()
                await self._line.say(text, last=last)
                self._sending_since = None
        except ConnectionError:
            self._outbox.clear()  # the reader sees the same and finishes the call
        except Exception:
            log.exception("a call's words could not be sent; it is given back to the carrier")
            self._incident(fx.RecordIncident("internal", "internal", "call given back"))
            self._help(self._force_end())

    def _gather(self, item: _Outgoing) -> tuple[str, bool]:
        """Everything that may leave with this item: what has gathered of the same turn since the last message."""
        parts, last = [item.text], item.last
        while self._outbox and not last:
            more = self._outbox[0]
            held = more.after is not None and not more.after.done
            if held or more.closing is not None or more.turn != item.turn:
                break
            self._outbox.popleft()
            parts.append(more.text)
            last = more.last
        return "".join(parts), last

    async def _durable(self, receipt: Receipt) -> None:
        """Wait for the disk, but not for long."""
        try:
            async with asyncio.timeout(STORE_PATIENCE):
                await receipt.wait()
        except TimeoutError:
            self.post(ev.Failed(self.now, "storage", "timeout"))
        except Exception:
            log.warning("something of a call was not stored")
            self.post(ev.Failed(self.now, "storage", "refused"))

    # --- the end -----------------------------------------------------------------------------------------

    def _time_is_up(self) -> None:
        self._cap = self._loop.call_later(CLOSE_GRACE, lambda: self._help(self._force_end()))
        self.post(ev.CloseRequested(self.now, "time_is_up"))

    async def _force_end(self) -> None:
        """End the call past its mailbox, its machine and its writer."""
        self.ended_by_us = True
        try:
            async with asyncio.timeout(HANG_UP_GRACE):
                await self._line.end("goodbye")
                await asyncio.sleep(HANG_UP_GRACE)
        except (TimeoutError, ConnectionError):
            pass
        await self._line.close()

    def _hang_up(self) -> None:
        """The carrier was told that the call is over and has not closed the socket."""
        if not self._finished:
            self._help(self._line.close())

    def _help(self, work: Any) -> None:
        if self._finished:
            work.close()
            return
        task = self._loop.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    def _note(self, event: ev.Event) -> None:
        """Keep what the owner will look for and the turns do not tell. Never what was said or keyed."""
        if isinstance(event, ev.CloseRequested):
            self._close_reason = event.reason
        kind = _NOTED.get(type(event))
        if kind is not None:
            data = {"reason": event.reason} if isinstance(event, (ev.CallEnded, ev.CloseRequested)) else {}
            self._service.store.record_event(self.info.sid, CallEvent(event.at, kind, dict(data)))


_NOTED: dict[type, str] = {
    ev.CallStarted: "started",
    ev.CallerInterrupted: "interrupted",
    ev.KeyPressed: "key",
    ev.CloseRequested: "close_requested",
    ev.CallEnded: "ended",
}


_NO_FAILURES = ("interrupted", "overrun", "length", "hung_up")


def summary(turns: list[Turn]) -> CallSummary:
    """Count a conversation's figures. A response is a caller's turn to the first token of the reply to it."""
    responses = [
        (turn.first_token_at - turn.at) * 1000
        for turn in turns
        if turn.kind == "reply" and turn.first_token_at is not None
    ]
    return CallSummary(
        turns=len(turns),
        interruptions=sum(turn.interrupted for turn in turns),
        reprompts=sum(turn.kind == "reprompt" for turn in turns),
        failures=sum(bool(turn.failure) and turn.failure not in _NO_FAILURES for turn in turns),
        response_p50_ms=statistics.median(responses) if responses else None,
        response_max_ms=max(responses, default=None),
        prompt_tokens=sum(turn.usage.prompt_tokens for turn in turns if turn.usage),
        completion_tokens=sum(turn.usage.completion_tokens for turn in turns if turn.usage),
    )
