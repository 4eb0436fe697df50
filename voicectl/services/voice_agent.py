"""Live calls: the conversation machine of each, driven on the event loop.

Each call has one mailbox. The socket's reader, the reply being generated and every timer can do one thing only: post
an event. Events are taken one at a time, in the order they were posted; the machine is asked, and its effects are
performed before the next event is looked at. So a race between a barge-in and the last token becomes an order in a
list. The running loop is the only clock, which is why the same code runs in virtual time.

Words leave through one writer per call (writer.py), which waits for the disk where it has to. A store that is slow or
down delays it once, and for no longer than STORE_PATIENCE: the owner is told, the caller is not.

The cap on a call's length is a timer of the driver. It asks the conversation to close; if that does not happen, it
ends the call without asking anybody.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation.machine import Conversation
from voicectl.conversation.turns import Turn
from voicectl.errors import ReplyError
from voicectl.ports import (
    CallerLine,
    CallEvent,
    CallInfo,
    CallStore,
    GapStore,
    Receipt,
    ReplyEnd,
    ReplyRequest,
    Retrieval,
    ToolContext,
    ToolOutcome,
)
from voicectl.services.call_summary import summary
from voicectl.services.guess_budget import GuessBudget
from voicectl.services.research import Research
from voicectl.services.writer import Writer

if TYPE_CHECKING:
    from voicectl.services.agents import Agent

log = logging.getLogger(__name__)

STORE_PATIENCE = 0.5
"""Seconds that words wait for the disk at most."""
CLOSE_GRACE = 60.0
"""Seconds a conversation has to close itself when its time is up: the goodbye waits behind what is being spoken."""
HANG_UP_GRACE = 5.0
"""Seconds the carrier has to close the socket after `end`."""
FINISH_SECONDS = 5.0
"""How long the end of a call waits for work that does not let itself be cancelled."""


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Bounds of a call that lie outside the conversation. Seconds."""

    call_seconds: float = 1800.0
    passages: int = 4
    search_seconds: float = 0.4
    collections: tuple[str, ...] = ()
    """Where to look for knowledge besides the common collection; (): everywhere."""
    prefetch: bool = True
    """Look up what a caller has said as soon as they pause, also where no reply is begun on it."""
    guess_waste: float = 0.6
    """The share of replies begun early that may be in vain before there are none for a while."""


class VoiceAgentService:
    """Holds the conversations of this process."""

    def __init__(self, *, agent: Agent, store: CallStore, gaps: GapStore | None = None) -> None:
        """`agent` answers where no other one is named; `gaps`: where questions are kept that were not answered; None
        keeps none."""
        self.agent = agent
        self.store = store
        self.gaps = gaps
        self.calls: dict[str, LiveCall] = {}
        self.budgets: dict[str, GuessBudget] = {}
        """By the agent's name."""
        self._closing = False
        self._empty = asyncio.Event()

    def answer(
        self,
        info: CallInfo,
        line: CallerLine,
        greeting: str,
        history: tuple[Turn, ...] = (),
        agent: Agent | None = None,
    ) -> LiveCall:
        """Begin the conversation of a call whose socket has proved itself. `greeting` is spoken by the carrier,
        `history` are the turns of the call's earlier sockets, `agent` holds the conversation to its end."""
        call = LiveCall(self, info, line, agent or self.agent)
        call.earlier = history
        self.calls[info.session] = call
        self._empty.clear()
        self.store.begin_call(info)
        call.post(ev.CallStarted(call.now, greeting, history, call.budget.on))
        if self._closing:
            call.post(ev.CloseRequested(call.now, "shutdown"))
        return call

    def budget(self, agent: Agent) -> GuessBudget:
        """What the agent may spend on guesses."""
        most_wasted = agent.limits.guess_waste
        budget = self.budgets.get(agent.name)
        if budget is None or budget.most_wasted != most_wasted:
            budget = self.budgets[agent.name] = GuessBudget(most_wasted)
        return budget

    def guessing(self, agent: Agent, on: bool) -> None:
        """Guesses are allowed, or not, on all calls of an agent."""
        log.info("replies are begun early again" if on else "too many replies begun early were in vain")
        for call in list(self.calls.values()):
            if call.agent.name == agent.name:
                call.post(ev.GuessingAllowed(call.now, on))

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


class LiveCall:
    """One call: its mailbox, its machine, its timers, its writer."""

    def __init__(self, service: VoiceAgentService, info: CallInfo, line: CallerLine, agent: Agent) -> None:
        self.info = info
        self.agent = agent
        self.budget = service.budget(agent)
        self.over = asyncio.Event()
        """The call is finished and nothing of it is left."""
        self.ended_by_us = False
        self.earlier: tuple[Turn, ...] = ()
        """The turns of the call's earlier sockets."""
        self._service = service
        self._line = line
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._conversation = Conversation(agent.manners)
        self._mailbox: deque[ev.Event] = deque()
        self._busy = False
        self._finished = False
        self._close_reason = ""
        self._timers: dict[ev.Timer, asyncio.TimerHandle] = {}
        self._generations: dict[int, asyncio.Task[None]] = {}
        self._early: dict[int, tuple[ReplyRequest, Retrieval] | None] = {}
        """Generations begun before the caller's words were final; with a question that they had no answer to."""
        self._research = Research(
            agent,
            info,
            service.gaps,
            turns=lambda: (*self.earlier, *self.turns),
            failed=lambda kind: self.post(ev.Failed(self.now, "kb", kind)),
        )
        self._found: Retrieval | None = None
        """What the knowledge base had on the last question."""
        self._agent_turn: Receipt | None = None
        self._helpers: set[asyncio.Task[None]] = set()
        self._writer = Writer(line, durable=self._durable, ended=self._line_ended, stuck=self._line_stuck)
        self._writing = self._loop.create_task(self._write())
        self._cap = self._loop.call_later(agent.limits.call_seconds, self._time_is_up)

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
            tasks = [self._writing, *self._generations.values(), *self._helpers]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=FINISH_SECONDS)
            receipt = self._service.store.end_call(self.info.sid, reason, summary(self.turns))
            await self._durable(receipt)
        except Exception:
            log.exception("the end of a call was not stored")
        finally:
            for timer in (self._cap, *self._timers.values()):
                timer.cancel()
            self._timers.clear()
            self._service.forget(self)
            self.over.set()

    # --- effects -----------------------------------------------------------------------------------------

    def _say(self, effect: fx.Say) -> None:
        self._writer.say(effect, self._agent_turn)

    def _unsay(self, effect: fx.Unsay) -> None:
        for turn, characters in self._writer.unsay(effect.keep).items():
            self.post(ev.WordsUnsaid(self.now, turn, characters))

    def _end(self, effect: fx.End) -> None:
        self.ended_by_us = True
        self._writer.end(effect.closing, effect.destination)

    def _send_digits(self, effect: fx.SendDigits) -> None:
        self._writer.send_digits(effect.digits)

    def _switch_language(self, effect: fx.SwitchLanguage) -> None:
        self._writer.switch_language(effect.language)

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
        if effect.early:
            self._early[effect.generation] = None
        elif self.budget.turn():
            self._service.guessing(self.agent, True)
        task = self._loop.create_task(self._generate(effect))
        self._generations[effect.generation] = task
        task.add_done_callback(lambda _: self._generations.pop(effect.generation, None))

    def _look_up(self, effect: fx.LookUp) -> None:
        if self.agent.limits.prefetch:
            self._help(self._research.in_advance(effect.lines, effect.language))

    def _run_tool(self, effect: fx.RunTool) -> None:
        self._help(self._use_tool(effect))

    def _record_guess(self, effect: fx.RecordGuess) -> None:
        unanswered = self._early.pop(effect.generation, None)
        if effect.used and unanswered is not None:
            self._research.unanswered(*unanswered)
        if self.budget.note(effect.used):
            self._service.guessing(self.agent, False)
        data = {"used": effect.used, "gained_ms": round(effect.gained_ms, 1), "wasted_tokens": effect.wasted_tokens}
        self._service.store.record_event(self.info.sid, CallEvent(self.now, "guess", {**data}))

    def _cancel_generation(self, effect: fx.CancelGeneration) -> None:
        task = self._generations.get(effect.generation)
        if task is not None:
            task.cancel()

    def _record_turn(self, effect: fx.RecordTurn) -> None:
        receipt = self._service.store.record_turn(self.info.sid, effect.turn)
        if effect.turn.role == "caller":
            self._writer.words_after = receipt
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
        fx.LookUp: _look_up,
        fx.RunTool: _run_tool,
        fx.SendDigits: _send_digits,
        fx.SwitchLanguage: _switch_language,
        fx.RecordGuess: _record_guess,
        fx.RecordTurn: _record_turn,
        fx.RecordIncident: _incident,
    }

    # --- the reply ---------------------------------------------------------------------------------------

    async def _generate(self, effect: fx.StartGeneration) -> None:
        generation = effect.generation
        try:
            request, found = await self._request(effect)
            end: ReplyEnd | None = None
            async for part in self.agent.model.reply(request):
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
            if found is not None and not found.partial and (found.outcome == "unknown" or end.unanswered):
                if generation in self._early:
                    self._early[generation] = (request, found)
                else:
                    self._research.unanswered(request, found)
            self.post(
                ev.ReplyFinished(
                    self.now,
                    generation,
                    end.reason,
                    end.closing,
                    end.usage,
                    request.passages,
                    end.calls,
                    end.destination,
                )
            )

    async def _request(self, effect: fx.StartGeneration) -> tuple[ReplyRequest, Retrieval | None]:
        """What the model is asked, with what the knowledge base has on it; None when it could not be asked, or was
        asked before."""
        agent = self.agent
        if effect.continues:
            found, failed, new = self._found, self._found is None, None
        else:
            found = new = self._found = await self._research.search(effect.lines, effect.language)
            failed = found is None
        request = ReplyRequest(
            self.info,
            effect.lines,
            found.passages if found is not None else (),
            failed,
            found.choices if found is not None else (),
            language=effect.language,
            tools=agent.tools.offered(effect.language) if agent.tools is not None else (),
            notes=effect.notes,
            agent=agent.settings.agent,
        )
        return request, new

    async def _use_tool(self, effect: fx.RunTool) -> None:
        call, agent = effect.call, self.agent
        outcome = ToolOutcome("There are no tools.", "refused")
        try:
            if agent.tools is not None:
                conversation = self._conversation
                key = idempotency_key(self.info.sid, effect.turn, call.name, call.arguments)
                context = ToolContext(self.info, conversation.language, key, conversation.lines())
                outcome = await agent.tools.run(call, context)
        except Exception:
            log.exception("a tool broke")
            outcome = ToolOutcome("It failed.", "failed")
        self.post(
            ev.ToolReturned(
                self.now, call.id, outcome.result, outcome.status, outcome.digits, outcome.language, outcome.field
            )
        )

    # --- the line ----------------------------------------------------------------------------------------

    async def _write(self) -> None:
        try:
            await self._writer.run()
        except Exception:
            log.exception("a call's words could not be sent; it is given back to the carrier")
            self._incident(fx.RecordIncident("internal", "internal", "call given back"))
            self._help(self._force_end())

    def _line_ended(self) -> None:
        """The call was given back to the carrier, which closes the socket."""
        self._cap.cancel()
        self._cap = self._loop.call_later(HANG_UP_GRACE, self._hang_up)

    def _line_stuck(self) -> None:
        self._incident(fx.RecordIncident("carrier", "slow_reader", "closed the socket"))
        self._help(self._line.close())

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


def idempotency_key(call_sid: str, turn: int, tool: str, arguments: str) -> str:
    """The same for the same deed: a tool called with the same arguments for the same words of the caller."""
    said = "\0".join((call_sid, str(turn), tool, arguments))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
