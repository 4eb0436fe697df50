"""Somebody on the line: waits for a turn, speaks, dials, cuts in, falls silent, hangs up.

A caller knows only what a caller can hear, with one exception: while words that the agent has sent are still on their
way, it is not the caller's turn. Otherwise a slow reply model would be talked over by accident, in one run out of ten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicectl.simulator.actions import CallOver
from voicectl.simulator.line import PhoneLine, Route, Watched, Watcher
from voicectl.simulator.listening import contains
from voicectl.simulator.speech_clock import seconds_to_say
from voicectl.simulator.steps import GAP, PAUSE, Action, CutIn, Scenario, Step
from voicectl.simulator.transcript import Transcript, Utterance

if TYPE_CHECKING:
    import aiohttp

    from voicectl.simulator.carrier import TwilioCall

PATIENCE = 10.0
"""Seconds that a caller waits for the agent to begin an answer, or to end the call."""
GREETING = 5.0
"""Seconds that a caller waits for somebody to answer the telephone with words."""
UNFINISHED = 5.0
"""So long after the agent has fallen silent it counts as finished, even if it never said that it was."""
HEED = 2.0
"""Seconds that a caller who has coughed, or said mm-hm, gives the agent to go on."""
LAST = 2.0
"""Seconds of silence before a caller with nothing left to say hangs up: the agent may want to."""
_LISTENING = 0.02
"""Seconds between two looks at how far the agent's words have got."""


@dataclass(slots=True)
class Played:
    """What became of one step of a scenario."""

    step: Step
    begin: int
    """Where it begins among the transcript's utterances."""
    utterances: list[Utterance] = field(default_factory=list)
    """What was said from this step until the next, by whomever."""
    missed: str = ""
    """Why the caller could not do what the step says; empty: it was done."""


class Caller:
    """One call and the person who makes it.

        caller = Caller(call, route)
        played = await caller.follow(scenario)      # or: async with caller: await caller.turn(); caller.say("Hello")
        caller.transcript.utterances

    `watch` is shown all that happens on the line, after the transcript has taken note of it.
    """

    def __init__(
        self,
        call: TwilioCall,
        route: Route,
        watch: Watcher | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.transcript = Transcript()
        self.line = PhoneLine(call, route, self._observe, session=session)
        self.began = 0.0
        """When the call was placed, on the loop's clock."""
        self.seconds = 0.0
        """How long the call was, known at its end."""
        self.hung_up = False
        self._ended_at = 0.0
        self._watch = watch
        self._changed = asyncio.Event()
        self._running: asyncio.Task[CallOver] | None = None

    # --- the call ----------------------------------------------------------------------------------------

    async def __aenter__(self) -> Caller:
        self.began = asyncio.get_running_loop().time()
        self._running = asyncio.ensure_future(self.line.run())
        self._running.add_done_callback(self._call_ended)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Hang up if the call is still on, and see it to its end; broken off by an exception, at once."""
        assert self._running is not None
        try:
            if error[0] is None:
                self.hang_up()
                await self._running
        finally:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self.transcript.finish(self._ended_at)
            self.seconds = self._ended_at - self.began

    def _call_ended(self, _: object) -> None:
        self._ended_at = self._now
        self._changed.set()

    @property
    def over(self) -> bool:
        return self._running is not None and self._running.done()

    # --- what a caller can do ----------------------------------------------------------------------------

    async def greeted(self) -> bool:
        """Wait until somebody answers the telephone."""
        return await self._until(lambda: bool(self.transcript.utterances), GREETING)

    async def ended(self) -> None:
        """Wait until the call is over, whoever ends it."""
        assert self._running is not None
        await asyncio.wait({self._running})

    async def turn(self, pause: float = PAUSE) -> None:
        """Wait until the agent has finished and has been silent for `pause` seconds; returns when the call ends."""
        silent_since: float | None = None
        while not self.over:
            now = self._now
            if self.transcript.speaking:
                silent_since = None
            elif silent_since is None:
                silent_since = now
            if silent_since is None:
                await self._news()
                continue
            needed = pause if self.transcript.quiet else max(pause, UNFINISHED)
            left = silent_since + needed - now
            if left <= 1e-9:
                return
            await self._news(left)

    async def answer(self, seconds: float = PATIENCE, *, fillers: bool = False) -> bool:
        """Wait until the agent begins to answer what the caller did last, at most so long; longer if the agent asks
        for patience, which is an answer too with `fillers`."""
        while not self._answered():
            bridged = self._fillers()
            if fillers and self.transcript.speaking and self.transcript.agent and self.transcript.agent.filler:
                return True
            if not await self._until(lambda: self._answered() or self._fillers() > bridged, seconds):  # noqa: B023
                return False
            seconds = PATIENCE
        return True

    async def audible(self, cue: CutIn) -> bool:
        """Wait for the moment to cut in: into what the agent is saying, or else into what it says next. False when
        the agent finished without giving one."""
        known = len(self._agent()) - (0 if self.transcript.quiet else 1)
        await self._until(lambda: len(self._agent()) > known, PATIENCE)
        while not self.over:
            now = self._now
            self.transcript.listen(now)
            said = self._agent()[known:]
            if cue.after:
                if contains(" ".join(each.text for each in said), cue.after):
                    return True
            elif said and now - said[0].at >= cue.seconds - 1e-9:
                return True
            if self.transcript.quiet:
                waits = bool(said) and said[-1].filler
                if not (waits and await self._until(lambda: not self.transcript.quiet, PATIENCE)):
                    return False
            await self._news(_LISTENING)
        return False

    def say(
        self,
        text: str,
        *,
        parts: Sequence[str] = (),
        gap: float = GAP,
        cuts: bool | None = None,
        listening: bool = False,
        lang: str = "",
    ) -> float:
        """Begin to say something, now; returns how many seconds it takes. The rest is as in `steps.Action`."""
        speaking = sum(map(seconds_to_say, parts or (text,)))
        seconds = speaking + gap * max(0, len(parts) - 1)
        self.transcript.caller_speaks(text, self._now, seconds, listening=listening)
        self.line.speak(text, seconds=speaking, parts=parts or None, gap=gap if parts else None, cuts=cuts, lang=lang)
        return seconds

    def sound(self, seconds: float, *, cuts: bool) -> None:
        """Begin to cough, or the like; `cuts`: the carrier takes it for words, and cuts the agent off."""
        self.transcript.caller_sounds(self._now, seconds)
        self.line.speak("", seconds=seconds, parts=(), cuts=cuts)

    def dial(self, keys: str) -> None:
        """Begin to press keys, now."""
        self.transcript.caller_dials(keys, self._now)
        self.line.press(keys)

    def hang_up(self) -> None:
        if not self.over and not self.line.over:
            self.hung_up = True
            self.line.hang_up()

    async def silence(self, seconds: float) -> None:
        """Say nothing for so long, or until the call ends."""
        await self._until(lambda: False, seconds)

    async def end(self, seconds: float = PATIENCE) -> bool:
        """Wait for the agent to end the call, at most so long after it has fallen silent."""
        while not self.over:
            await self.turn(0)
            if await self._until(lambda: self.over or not self.transcript.quiet, seconds):
                continue
            return False
        return True

    async def leave(self) -> None:
        """Have nothing left to say: hear the agent out, and hang up unless it does."""
        await self.turn(LAST)
        if not self.line.connected:  # the agent has closed the session, and the call is about to end
            await self._until(lambda: self.over, PATIENCE)
        self.hang_up()

    # --- a scenario --------------------------------------------------------------------------------------

    async def follow(self, scenario: Scenario) -> list[Played]:
        """Place the call and do what the scenario says; hang up at its end, if the agent does not."""
        played: list[Played] = []
        said = self.transcript.utterances
        async with self:
            await self.greeted()
            for step, then in zip(scenario.steps, [*scenario.steps[1:], None], strict=True):
                await self._play(step, then, played)
                if self.over:
                    break
            if scenario.expect.ended in ("goodbye", "person"):
                await self.end()
            await self.leave()
        for each, following in zip(played, [*played[1:], None], strict=True):
            each.utterances = said[each.begin : following.begin if following else None]
        return played

    async def _play(self, step: Step, following: Step | None, played: list[Played]) -> None:
        now: Played | None = None
        coming = [*step.actions[1:], following.actions[0] if following else None]
        for action, then in zip(step.actions, coming, strict=True):
            missed = await self._moment(action)
            if now is None:
                now = Played(step, len(self.transcript.utterances))
                played.append(now)
            now.missed = now.missed or missed
            if not self.line.connected:
                await self._until(lambda: self.line.connected, PATIENCE)
            if self.over:
                now.missed = f"the call was over before the caller could {_doing(action)}"
                return
            await self._act(action, impatient=then is not None and then.cut_in is not None)

    async def _moment(self, action: Action) -> str:
        """Wait until it is time for the action; returns why it did not come as it should, or ""."""
        missed = ""
        if action.cut_in is not None and not await self.audible(action.cut_in):
            cue = f"{action.cut_in.after!r} could be heard" if action.cut_in.after else f"{action.cut_in.seconds:g} s"
            missed = f"the agent had finished before {cue}, so the caller did not cut in"
        if action.cut_in is None or missed:
            await self.turn(0 if action.kind == "wait" else action.pause)
        return missed

    async def _act(self, action: Action, *, impatient: bool) -> None:
        """Do it, and wait until the agent answers; an `impatient` caller, who will cut in, takes a filler for it."""
        if action.kind == "say":
            seconds = self.say(
                action.text,
                parts=action.parts,
                gap=action.gap,
                cuts=action.cuts,
                listening=action.listening,
                lang=action.lang,
            )
            if action.listening:
                await self._heed(seconds)
            else:
                await self.answer(seconds + PATIENCE, fillers=impatient)
        elif action.kind == "noise":
            self.sound(action.seconds, cuts=action.cuts is True)
            await self._heed(action.seconds)
        elif action.kind == "keys":
            self.dial(action.text)
            await self.answer(fillers=impatient)
        elif action.kind == "wait":
            await self.silence(action.seconds)
        else:
            self.hang_up()
            await self._until(lambda: False, PATIENCE)

    async def _heed(self, seconds: float) -> None:
        """What the caller does now takes `seconds` and needs no answer: the agent may go on."""
        await self.silence(seconds)
        await self._until(lambda: self.transcript.speaking, HEED)

    # --- waiting -----------------------------------------------------------------------------------------

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _observe(self, seen: Watched) -> None:
        self.transcript.observe(seen)
        self._changed.set()
        if self._watch is not None:
            self._watch(seen)

    def _agent(self) -> list[Utterance]:
        return [each for each in self.transcript.utterances if each.who != "caller"]

    def _answered(self) -> bool:
        said = self.transcript.utterances
        asked = next((each for each in reversed(said) if each.who == "caller" and each.kind != "noise"), None)
        answers = [each for each in said if asked and each.answers is asked and not each.filler]
        return bool(answers) or any(each.who == "carrier" for each in said[-3:])

    def _fillers(self) -> int:
        return sum(each.filler for each in self.transcript.utterances)

    async def _until(self, ready: Callable[[], bool], seconds: float) -> bool:
        """Wait until `ready()` or the call is over, at most so long; returns what `ready()` says then."""
        deadline = self._now + seconds
        while not (ready() or self.over or self._now >= deadline):
            await self._news(deadline - self._now)
        return ready()

    async def _news(self, seconds: float | None = None) -> None:
        """Wait until something happens on the line, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
        self._changed.clear()


def _doing(action: Action) -> str:
    return {
        "say": f"say {action.text!r}",
        "keys": f"press {action.text}",
        "noise": "make a sound",
        "wait": "wait",
        "hang_up": "hang up",
    }[action.kind]
