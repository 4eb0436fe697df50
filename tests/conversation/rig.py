"""A conversation held by hand: events go in at stated times, due timers fire in between, all effects are kept."""

from __future__ import annotations

from typing import TypeVar

from voicectl.conversation import effects as fx
from voicectl.conversation import events as ev
from voicectl.conversation import journal
from voicectl.conversation.machine import Conversation
from voicectl.conversation.manners import Manners
from voicectl.conversation.turns import Closing, ToolCall, ToolStatus, Turn, Usage

E = TypeVar("E", bound=fx.Effect)


class Rig:
    def __init__(self, manners: Manners | None = None, greeting: str = "", *, guessing: bool = True) -> None:
        self.manners = manners or Manners()
        self.machine = Conversation(self.manners)
        self.at = 0.0
        self.timers: dict[str, float] = {}
        self.effects: list[fx.Effect] = []
        self.log: list[str] = []
        self.post(ev.CallStarted(0.0, greeting, guessing=guessing))

    def post(self, event: ev.Event) -> list[fx.Effect]:
        self.at = max(self.at, event.at)
        out = self.machine.handle(event)
        self.log.append(journal.step(event, out))
        self.effects += out
        for effect in out:
            if isinstance(effect, fx.SetTimer):
                self.timers[effect.timer] = effect.due
            elif isinstance(effect, fx.CancelTimer):
                self.timers.pop(effect.timer, None)
        return out

    def wait(self, seconds: float) -> list[fx.Effect]:
        """Let time pass; timers that come due fire."""
        until, out = self.at + seconds, []
        while self.timers:
            timer, due = min(self.timers.items(), key=lambda pair: pair[1])
            if due > until:
                break
            del self.timers[timer]
            self.at = max(self.at, due)
            out += self.post(ev.TimerFired(self.at, timer, due))  # type: ignore[arg-type]
        self.at = until
        return out

    # --- the caller and the carrier ------------------------------------------------------------------------

    def says(self, text: str, *, final: bool = True, lang: str = "") -> list[fx.Effect]:
        return self.post(ev.CallerSpoke(self.at, text, final, lang))

    def sounds(self, on: bool) -> list[fx.Effect]:
        return self.post(ev.CallerSpeaking(self.at, on))

    def hangs_up(self) -> list[fx.Effect]:
        return self.post(ev.CallEnded(self.at, "hung_up"))

    def cuts_in(self, heard: str, ms: int = 0) -> list[fx.Effect]:
        return self.post(ev.CallerInterrupted(self.at, heard, ms))

    def presses(self, keys: str) -> list[fx.Effect]:
        return [effect for key in keys for effect in self.post(ev.KeyPressed(self.at, key))]

    def audio(self, on: bool) -> list[fx.Effect]:
        return self.post(ev.AgentSpeaking(self.at, on))

    def played(self, text: str) -> list[fx.Effect]:
        return self.post(ev.WordsPlayed(self.at, text))

    # --- the reply model -----------------------------------------------------------------------------------

    @property
    def live(self) -> int:
        assert self.machine.live_generation is not None
        return self.machine.live_generation

    def writes(self, *texts: str) -> list[fx.Effect]:
        return [effect for text in texts for effect in self.post(ev.ReplyDelta(self.at, self.live, text))]

    def finishes(self, closing: Closing | None = None) -> list[fx.Effect]:
        return self.post(ev.ReplyFinished(self.at, self.live, closing=closing))

    def fails(self, kind: str = "timeout") -> list[fx.Effect]:
        return self.post(ev.Failed(self.at, "llm", kind, self.live))

    def calls(self, *tools: str, words: str = "", usage: Usage | None = None) -> list[fx.Effect]:
        """The model says `words` and calls tools, each given as "id name"; its arguments are empty."""
        if words:
            self.writes(words)
        calls = tuple(ToolCall(tool.split()[0], tool.split()[1], "{}") for tool in tools)
        return self.post(ev.ReplyFinished(self.at, self.live, "tool_calls", calls=calls, usage=usage))

    def returns(self, id: str, result: str = "found", status: ToolStatus = "ok") -> list[fx.Effect]:
        return self.post(ev.ToolReturned(self.at, id, result, status))

    def replies(self, text: str, closing: Closing | None = None) -> None:
        self.writes(text)
        self.finishes(closing)

    def hears_all(self) -> list[fx.Effect]:
        """All that was said is played to the caller, with the carrier's reports."""
        self.audio(True)
        self.wait(1.0)
        self.played(self.machine.turns[-1].said)
        return self.audio(False)

    # --- looking -------------------------------------------------------------------------------------------

    @property
    def said(self) -> str:
        return "".join(effect.text for effect in self.effects if isinstance(effect, fx.Say))

    def of(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def asked(self) -> list[fx.StartGeneration]:
        """What the reply model was asked, in order."""
        return self.of(fx.StartGeneration)

    @property
    def told(self) -> list[tuple[str, str]]:
        """The turns so far: kind and words."""
        return [(turn.kind, turn.said or turn.generated) for turn in self.machine.turns]

    @property
    def last_turn(self) -> Turn:
        return self.machine.turns[-1]

    @property
    def phase(self) -> str:
        return self.machine.phase
