"""What the caller hears: one queue of speech, media and digits, played strictly first in, first out.

- Tokens of a talk cycle become chunks (speech_clock); speech starts on what is there, `last` only closes the cycle.
- agentSpeaking goes on with the first audio and off when no speech follows; digits raise neither.
- `tokensPlayed` comes at the end of a chunk, with its blanks; at a cut, with the words heard, trimmed.
- Preemption: the first words of a new cycle, or a `play`, cut what is flagged preemptible of earlier cycles. No
  `interrupt`, and agentSpeaking stays on until the replacement has been spoken.
- Barge-in: `tokensPlayed`, `interrupt`, everything queued is gone, including words of cycles already closed, then
  agentSpeaking off. Tokens that arrive later are new speech.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from voicectl.simulator import speech_clock
from voicectl.simulator.actions import (
    AgentPlaying,
    AgentSaying,
    AgentSpoke,
    AgentStarted,
    AgentStopped,
    CallerCutIn,
    KeyDialled,
)
from voicectl.simulator.app_frames import Frame
from voicectl.simulator.knobs import Range
from voicectl.simulator.stage import Stage, Timer
from voicectl.simulator.twiml import Relay

MOST_LOOPS = 1000
"""What `loop: 0` of a play stands for, and the most there can be."""


@dataclass(frozen=True, slots=True)
class _Flags:
    interruptible: str
    preemptible: bool


@dataclass(slots=True)
class _Item:
    kind: Literal["text", "play", "digits"]
    text: str
    seconds: float
    flags: _Flags
    cycle: int
    ready: float
    """Cannot be heard before: the voice or the file must be fetched first."""
    greeting: bool = False
    began: float = 0.0

    @property
    def speech(self) -> bool:
        return self.kind != "digits"


class Playout:
    """`send` takes frames for the application; `on_silent` is called when nothing is being said any more."""

    def __init__(
        self, stage: Stage, relay: Relay, send: Callable[[dict[str, Any]], None], on_silent: Callable[[], None]
    ) -> None:
        self._stage = stage
        self._knobs = stage.knobs
        self._relay = relay
        self._send = send
        self._on_silent = on_silent
        self._queue: deque[_Item] = deque()
        self._playing: _Item | None = None
        self._chunker: speech_clock.Chunker[_Flags] = speech_clock.Chunker()
        self._cycle = 0
        self._cycle_open = False
        self._cycle_flags = _Flags("none", False)
        self._skip_cycle = False
        """The rest of an interrupted cycle is not spoken (late_tokens_same_cycle)."""
        self._replacing = False
        """Speech was preempted and its replacement has no chunk yet: agentSpeaking stays on."""
        self._clock: Timer | None = None
        """The start of the head of the queue, or the end of what is playing."""
        self._off: Timer | None = None
        self._flush: Timer | None = None
        self.speaking = False
        """agentSpeaking, as reported."""

    @property
    def audible(self) -> bool:
        """Agent speech or media is being heard at this moment."""
        return self._playing is not None and self._playing.speech

    @property
    def drained(self) -> bool:
        return self._playing is None and not self._queue

    @property
    def heard(self) -> str:
        """What has been heard of the chunk being spoken."""
        return self._heard(self._playing) if self._playing is not None else ""

    # --- what the application sends ------------------------------------------------------------------------

    def greet(self, text: str, delay: Range) -> None:
        """The greeting: one chunk, whatever its length."""
        flags = _Flags(self._relay.greeting_interruptible, False)
        self._enqueue("text", text, flags, 0, delay, speech_clock.seconds_to_say(text), greeting=True)

    def text(self, frame: Frame) -> None:
        token, last = frame["token"], frame.get("last", False)
        if self._skip_cycle:
            self._skip_cycle = not last
            return
        flags = self._flags(frame, self._relay.preemptible)
        if token and not self._cycle_open:
            self._cycle += 1
            self._cycle_open = True
            self._cycle_flags = flags
            self._preempt(self._cycle)
        for chunk, own in self._chunker.add(token, flags):
            self._say(chunk, own)
        if self._flush is not None:
            self._flush.do = None
        if last:
            self._close_cycle()
        elif self._chunker and self._knobs.flush_idle_ms is not None:
            self._flush = self._stage.at(self._stage.now + self._knobs.flush_idle_ms / 1000, self.flush)

    def play(self, frame: Frame) -> None:
        self.flush()
        self._cycle += 1
        self._preempt(self._cycle)
        loops = min(frame.get("loop", 1) or MOST_LOOPS, MOST_LOOPS)
        seconds = self._knobs.play_seconds * loops
        flags = self._flags(frame, False)
        self._enqueue("play", frame["source"], flags, self._cycle, self._knobs.delays.media, seconds)

    def digits(self, frame: Frame) -> None:
        self.flush()
        if self._knobs.digits_preempt:
            self._preempt(self._cycle + 1)
        digits = frame["digits"]
        seconds = speech_clock.seconds_to_dial(digits)
        self._enqueue("digits", digits, _Flags("none", False), self._cycle, self._knobs.delays.digits, seconds)

    def flush(self) -> None:
        """Speak the words held back for want of a sentence end; the cycle stays open."""
        for chunk, own in self._chunker.flush():
            self._say(chunk, own)

    # --- what cuts it ---------------------------------------------------------------------------------------

    def cuttable(self, by: Literal["speech", "dtmf"]) -> bool:
        """Something is being heard that can be interrupted that way."""
        item = self._playing
        return item is not None and item.flags.interruptible in (by, "any")

    def cut(self) -> None:
        """The caller barges in on what is `cuttable`."""
        item = self._playing
        assert item is not None
        heard = self._cut_off(item)
        milliseconds = round((self._stage.now - item.began) * 1000)
        self._send({"type": "interrupt", "utteranceUntilInterrupt": heard, "durationUntilInterruptMs": milliseconds})
        self._stage.emit(CallerCutIn(self._stage.now, heard))
        self._purge()
        if not (self._queue and self._queue[0].speech):
            self._off = self._stage.after(self._knobs.delays.cut_to_off, self._fall_silent)
        self._next()

    def stop(self) -> None:
        """The session is over: nothing more is heard, nothing more is reported."""
        for timer in (self._clock, self._off, self._flush):
            if timer is not None:
                timer.do = None
        self._queue.clear()
        self._chunker.flush()
        if self._playing is not None and self._playing.kind == "text":
            self._stage.emit(AgentSpoke(self._stage.now, self._heard(self._playing), cut=True))
        self._playing = None
        if self.speaking:
            self.speaking = False
            self._stage.emit(AgentStopped(self._stage.now))

    def _preempt(self, cycle: int) -> None:
        """A new cycle makes room for itself, if anything before it allows that; its own flags do not matter."""
        ahead = (self._playing, *self._queue)
        if any(item is not None and item.flags.preemptible for item in ahead):
            self._stage.react(lambda: self._make_room(cycle))

    def _make_room(self, cycle: int) -> None:
        def gives_way(item: _Item) -> bool:
            return item.flags.preemptible and item.cycle < cycle

        if self.drained:
            return
        item = self._playing
        head = item if item is not None else self._queue[0]
        if self._knobs.drop_queued_preemptible or gives_way(head):
            self._queue = deque(each for each in self._queue if not gives_way(each))
        if item is not None and gives_way(item):
            self._cut_off(item)
        if self._playing is None:
            self._replacing = self.speaking and not self._off_pending and self._cycle_open and not self._queue
            self._go_on()

    def _cut_off(self, item: _Item) -> str:
        """Stop what is playing and report what was heard of it."""
        raw = self._heard(item)
        heard = raw.strip()
        if self._clock is not None:
            self._clock.do = None
        self._playing = None
        if heard:
            self._report(item, heard)
        if item.kind == "text":
            self._stage.emit(AgentSpoke(self._stage.now, raw, cut=True))
        return heard

    def _purge(self) -> None:
        def survives(flags: _Flags) -> bool:
            return flags.interruptible == "none" and not self._knobs.purge_noninterruptible

        self._queue = deque(
            item for item in self._queue if (survives(item.flags) if item.speech else not self._knobs.purge_digits)
        )
        if not (self._chunker and survives(self._chunker.mark)):
            self._chunker.flush()
            self._skip_cycle = self._cycle_open and self._knobs.late_tokens_same_cycle == "dropped"
            self._cycle_open = False

    # --- the queue ------------------------------------------------------------------------------------------

    def _flags(self, frame: Frame, preemptible: bool) -> _Flags:
        own = frame.get("interruptible")
        interruptible = self._relay.interruptible if own is None else "any" if own else "none"
        return _Flags(interruptible, frame.get("preemptible", preemptible))

    def _close_cycle(self) -> None:
        self.flush()
        self._cycle_open = False
        if self._replacing and self.drained:
            self._fall_silent()

    def _say(self, chunk: str, own: _Flags) -> None:
        flags = own if self._knobs.flags_per_chunk else self._cycle_flags
        seconds = speech_clock.seconds_to_say(chunk)
        self._enqueue("text", chunk, flags, self._cycle, self._knobs.delays.speech, seconds)

    def _enqueue(
        self,
        kind: Literal["text", "play", "digits"],
        text: str,
        flags: _Flags,
        cycle: int,
        delay: Range,
        seconds: float,
        *,
        greeting: bool = False,
    ) -> None:
        ready = self._stage.now + self._stage.draw(delay)
        if kind == "text":
            seconds *= self._knobs.pace
        self._queue.append(_Item(kind, text, seconds, flags, cycle, ready, greeting))
        self._next()

    def _next(self) -> None:
        """Start the head of the queue when it is ready."""
        if self._playing is not None:
            return
        if self._clock is not None:
            self._clock.do = None
        if not self._queue:
            return
        if self._queue[0].ready <= self._stage.now:
            self._begin()
        else:
            self._clock = self._stage.at(self._queue[0].ready, self._begin)

    def _begin(self) -> None:
        item = self._playing = self._queue.popleft()
        now = item.began = self._stage.now
        if item.speech:
            self._replacing = False
            if self._off_pending:
                self._switch_off()
            if not self.speaking:
                self.speaking = True
                if not (item.greeting and self._knobs.greeting_on_missing):
                    self._info("agentSpeaking", "on", "speaker-events")
                if "debugging" in self._relay.events:
                    delay = max(109, round(self._stage.draw((109, 148))))
                    self._send({"type": "info", "name": "roundTripDelayMs", "value": str(delay)})
                self._stage.emit(AgentStarted(now))
        if item.kind == "text":
            self._stage.emit(AgentSaying(now, item.text, item.seconds))
        elif item.kind == "play":
            self._stage.emit(AgentPlaying(now, item.text, item.seconds))
        self._clock = self._stage.at(now + item.seconds, self._end)

    def _end(self) -> None:
        item, self._playing = self._playing, None
        assert item is not None
        self._report(item, item.text)
        now = self._stage.now
        if item.kind == "text":
            self._stage.emit(AgentSpoke(now, item.text))
        elif item.kind == "digits":
            for key in item.text.replace("w", ""):
                self._stage.emit(KeyDialled(now, key, by_agent=True))
        self._go_on()

    def _go_on(self) -> None:
        """Nothing is playing any more: on to what is queued, or to silence."""
        if not (self._queue and self._queue[0].speech) and not self._replacing:
            self._fall_silent()
        self._next()

    def _fall_silent(self) -> None:
        self._replacing = False
        if self.speaking:
            self._switch_off()
        self._on_silent()

    @property
    def _off_pending(self) -> bool:
        return self._off is not None and self._off.do is not None

    def _switch_off(self) -> None:
        if self._off is not None:
            self._off.do = None
        self.speaking = False
        self._info("agentSpeaking", "off", "speaker-events")
        self._stage.emit(AgentStopped(self._stage.now))

    # --- what is reported -----------------------------------------------------------------------------------

    def _heard(self, item: _Item) -> str:
        if item.kind != "text":
            return ""
        return speech_clock.heard(item.text, item.seconds, self._stage.now - item.began)

    def _report(self, item: _Item, text: str) -> None:
        if item.kind != "play" or self._knobs.play_reports_tokens:
            self._info("tokensPlayed", text, "tokens-played")

    def _info(self, name: str, value: str, subscription: str) -> None:
        if subscription in self._relay.events:
            self._send({"type": "info", "name": name, "value": value})
