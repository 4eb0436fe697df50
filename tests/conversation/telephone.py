"""A whole call in virtual time around the pure machine: a driver, a carrier that speaks and cuts, a person who listens.

The driver is the live one in small: one mailbox, timers, words that wait a moment before they leave and can be taken
back until then. The carrier speaks as ConversationRelay does (simulator/speech_clock.py has its chunks and their
length): first in first out, reports at the end of a chunk or at a cut, preemptible words give way, an interruption
empties the queue. It alone knows what was heard, turn by turn: `Carrier.heard`.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation import journal
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners
from voicectl.simulator import speech_clock

REACTION = 0.09
"""Seconds from words that preempt to the cut (measured 0.085-0.1)."""


@dataclass(frozen=True)
class Script:
    """What a model makes of one question: its words with the seconds in front of each, then its end."""

    words: tuple[tuple[float, str], ...]
    ends: tuple[float, Callable[[float, int], ev.Event]] = (
        0.0,
        lambda at, generation: ev.ReplyFinished(at, generation),
    )


@dataclass
class Chunk:
    text: str
    turn: int
    preemptible: bool
    ready: float
    seconds: float
    began: float = 0.0


@dataclass
class _Words:
    turn: int
    text: str
    last: bool
    preemptible: bool


class Telephone:
    """Post events, or let time run; look at `effects`, `said`, `carrier.heard`."""

    def __init__(
        self,
        manners: Manners,
        *,
        dice: random.Random,
        model: Callable[[fx.StartGeneration], Script],
        greeting: str = "",
        reports: bool = True,
        sounds: bool = True,
        pace: float = 1.0,
        outbox: float = 0.0,
    ) -> None:
        """`reports`: the carrier tells what it has played. `sounds`: it tells when it is audible. `pace`: how slowly it
        speaks, 1 is measured. `outbox`: seconds that words stay with the driver."""
        self.manners = manners
        self.machine = Conversation(manners)
        self.dice = dice
        self.model = model
        self.outbox = outbox
        self.now = 0.0
        self.timers: dict[ev.Timer, float] = {}
        self.effects: list[tuple[float, fx.Effect]] = []
        self.log: list[str] = []
        self.said: dict[int, str] = {}
        """What has left, by turn."""
        self.watch: list[Callable[[fx.Effect], None]] = []
        """Called with each effect before it is performed."""
        self.taken_back: set[int] = set()
        """Turns that have lost words to Unsay, which the machine has not been told yet."""
        self._mailbox: deque[ev.Event] = deque()
        self._busy = False
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._waiting: list[_Words] = []
        self._cancelled: set[int] = set()
        self.carrier = Carrier(self, reports=reports, sounds=sounds, pace=pace)
        self.post(ev.CallStarted(0.0, greeting))
        if greeting:
            self.carrier.greet(0, greeting)

    # --- time ----------------------------------------------------------------------------------------------

    def at(self, when: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (max(when, self.now), self._count, do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        self.at(self.now + seconds, do)

    def run(self, seconds: float) -> None:
        self.run_until(lambda: False, seconds)

    def run_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until it is `done`, or so many seconds; whether it was."""
        until = self.now + seconds
        while not done():
            if not self._heap or self._heap[0][0] > until:
                self.now = until
                return False
            self.now, _, do = heapq.heappop(self._heap)
            do()
        return True

    # --- the driver ----------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return self.machine.phase == "ended"

    def post(self, event: ev.Event) -> None:
        self._mailbox.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._mailbox:
                event = self._mailbox.popleft()
                if isinstance(event, ev.WordsUnsaid):
                    self.taken_back.discard(event.turn)
                effects = self.machine.handle(event)
                self.log.append(journal.step(event, effects))
                for effect in effects:
                    for watch in self.watch:
                        watch(effect)
                    self.effects.append((self.now, effect))
                    self._perform(effect)
        finally:
            self._busy = False

    def uttered(self, turn: int) -> str:
        """All that was handed over of a turn, or is about to be."""
        return self.said.get(turn, "") + "".join(words.text for words in self._waiting if words.turn == turn)

    def says(self, text: str, *, final: bool = True) -> None:
        self.post(ev.CallerSpoke(self.now, text, final))

    def _perform(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.Say):
            words = _Words(effect.turn, effect.text, effect.last, effect.preemptible)
            self._waiting.append(words)
            self.after(self.outbox, lambda: self._leave(words))
        elif isinstance(effect, fx.Unsay):
            self._unsay(effect.keep)
        elif isinstance(effect, fx.SetTimer):
            self.timers[effect.timer] = effect.due
            self.arm(effect.timer, effect.due)
        elif isinstance(effect, fx.CancelTimer):
            self.timers.pop(effect.timer, None)
        elif isinstance(effect, fx.StartGeneration):
            self._generate(effect)
        elif isinstance(effect, fx.CancelGeneration):
            self._cancelled.add(effect.generation)
        elif isinstance(effect, fx.RunTool):
            self.run_tool(effect)

    def arm(self, timer: ev.Timer, due: float) -> None:
        """Have a timer fire when it is due, if it still stands then."""
        self.at(due, lambda: self.fire(timer, due))

    def fire(self, timer: ev.Timer, due: float) -> None:
        if self.timers.get(timer) == due:
            del self.timers[timer]
            self.post(ev.TimerFired(self.now, timer, due))

    def run_tool(self, effect: fx.RunTool) -> None:
        self.after(0.5, lambda: self.post(ev.ToolReturned(self.now, effect.call.id, "found")))

    def _leave(self, words: _Words) -> None:
        if words in self._waiting:
            self._waiting.remove(words)
            self.said[words.turn] = self.said.get(words.turn, "") + words.text
            self.carrier.text(words.turn, words.text, last=words.last, preemptible=words.preemptible)

    def _unsay(self, keep: int) -> None:
        lost: dict[int, int] = {}
        for words in self._waiting:
            if words.text and words.turn != keep:
                lost[words.turn] = lost.get(words.turn, 0) + len(words.text)
                words.text = ""
        self._waiting = [words for words in self._waiting if words.text or words.last]
        self.taken_back |= set(lost)
        for turn, characters in lost.items():
            self.post(ev.WordsUnsaid(self.now, turn, characters))

    def _generate(self, effect: fx.StartGeneration) -> None:
        script = self.model(effect)
        when, generation = self.now, effect.generation

        def unless_cancelled(make: Callable[[], ev.Event]) -> Callable[[], None]:
            return lambda: None if generation in self._cancelled else self.post(make())

        for wait, text in script.words:
            when += wait
            self.at(when, unless_cancelled(lambda text=text: ev.ReplyDelta(self.now, generation, text)))  # type: ignore[misc]
        wait, end = script.ends
        self.at(when + wait, unless_cancelled(lambda: end(self.now, generation)))


@dataclass
class Carrier:
    """Speaks what it is sent, and knows what was heard of it."""

    phone: Telephone
    reports: bool
    sounds: bool
    pace: float
    heard: dict[int, str] = field(default_factory=dict)
    """By turn, with the blanks that were sent; of words that were cut off, those that had begun."""
    lost: set[int] = field(default_factory=set)
    """Turns with words that will never be heard."""
    fragments: dict[int, str] = field(default_factory=dict)
    """By turn, what came with the interruption that cut it."""
    speaking: bool = False
    playing: Chunk | None = None

    def __post_init__(self) -> None:
        self._queue: deque[Chunk] = deque()
        self._chunker: speech_clock.Chunker[tuple[int, bool]] = speech_clock.Chunker()
        self._open = False

    @property
    def quiet(self) -> bool:
        """Nothing is being said, or about to be."""
        return self.playing is None and not self._queue and not self._chunker

    def greet(self, turn: int, text: str) -> None:
        self.phone.said[turn] = text
        self._enqueue(text, turn, False, 0.5)

    def text(self, turn: int, text: str, *, last: bool, preemptible: bool) -> None:
        if text and not self._open:
            self._open = True
            gives_way = [chunk for chunk in (self.playing, *self._queue) if chunk is not None and chunk.preemptible]
            if gives_way:
                self.phone.after(REACTION, lambda: self._make_room(gives_way))
        for chunk, mark in self._chunker.add(text, (turn, preemptible)):
            self._enqueue(chunk, *mark)
        if last:
            for chunk, mark in self._chunker.flush():
                self._enqueue(chunk, *mark)
            self._open = False

    def cut(self) -> bool:
        """The caller talks over the agent: whether there was anything to talk over."""
        chunk = self.playing
        if chunk is None:
            return False
        heard = self.fragments[chunk.turn] = self._cut_off(chunk)
        after = round((self.phone.now - chunk.began) * 1000)
        self.lost |= {waiting.turn for waiting in self._queue} | {mark[0] for _, mark in self._chunker.flush()}
        self._queue.clear()
        self._open = False
        self.phone.post(ev.CallerInterrupted(self.phone.now, heard, after))
        self._fall_silent()
        return True

    def _make_room(self, gives_way: list[Chunk]) -> None:
        for chunk in gives_way:
            if chunk is self.playing:
                self._cut_off(chunk)
            elif chunk in self._queue:
                self._queue.remove(chunk)
                self.lost.add(chunk.turn)
        self._next()

    def _cut_off(self, chunk: Chunk) -> str:
        self.playing = None
        heard = speech_clock.heard(chunk.text, chunk.seconds, self.phone.now - chunk.began)
        self._was_heard(chunk.turn, heard)
        if len(heard) < len(chunk.text.rstrip()):
            self.lost.add(chunk.turn)
        if heard.strip() and self.reports:
            self.phone.post(ev.WordsPlayed(self.phone.now, heard.strip()))
        return heard.strip()

    def _was_heard(self, turn: int, text: str) -> None:
        self.heard[turn] = self.heard.get(turn, "") + text

    def _enqueue(self, text: str, turn: int, preemptible: bool, delay: float | None = None) -> None:
        ready = self.phone.now + (self.phone.dice.uniform(0.26, 0.45) if delay is None else delay)
        self._queue.append(Chunk(text, turn, preemptible, ready, speech_clock.seconds_to_say(text) * self.pace))
        self.phone.at(ready, self._next)

    def _next(self) -> None:
        if self.playing is not None or not self._queue or self._queue[0].ready > self.phone.now:
            return
        chunk = self.playing = self._queue.popleft()
        chunk.began = self.phone.now
        if not self.speaking:
            self.speaking = True
            if self.sounds:
                self.phone.post(ev.AgentSpeaking(self.phone.now, True))
        self.phone.after(chunk.seconds, lambda: self._end(chunk))

    def _end(self, chunk: Chunk) -> None:
        if chunk is not self.playing:
            return
        self.playing = None
        self._was_heard(chunk.turn, chunk.text)
        if self.reports:
            self.phone.post(ev.WordsPlayed(self.phone.now, chunk.text))
        if not self._queue:
            self._fall_silent()
        self._next()

    def _fall_silent(self) -> None:
        if self.speaking:
            self.speaking = False
            if self.sounds:
                self.phone.post(ev.AgentSpeaking(self.phone.now, False))
