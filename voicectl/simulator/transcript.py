"""What was said on a simulated call, as it was heard: observations of a line folded into utterances.

The agent's words are those that were audible, not those that were sent. One talk cycle of the agent (text frames up to
`last`) is one utterance; what of it was thrown away when the caller cut in is kept as `unheard`. A cycle that opens
when the caller has said or dialled something since the last one is the answer to that; one that opens without, after
the agent had fallen silent, is unasked: a reprompt. Words that what is said next may cut off (preemptible) bridge a
wait: a filler, after which the question is still to be answered. Times are those of the line's clock, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicectl.simulator.actions import (
    AgentSaying,
    AgentSpoke,
    AgentStarted,
    AgentStopped,
    Alert,
    CallerCutIn,
    CallerSaid,
    KeyDialled,
    Verb,
)
from voicectl.simulator.line import LanguageSwitched, TokensArrived, Watched
from voicectl.simulator.speech_clock import heard

Who = Literal["caller", "agent", "carrier"]
Kind = Literal["speech", "noise", "keys", "greeting", "dial"]


@dataclass(slots=True, eq=False)
class Utterance:
    """One thing said, a sound made, or keys pressed, by one side."""

    who: Who
    kind: Kind
    at: float
    """Its first sound."""
    until: float | None = None
    """Its last sound; for a caller known in advance."""
    text: str = ""
    """The caller's words or keys; the agent's words as far as they were audible."""
    unheard: str = ""
    """What the agent had sent beyond that, and nobody heard."""
    cut: bool = False
    """The caller cut it off."""
    listening: bool = False
    """Caller: it only shows that they listen."""
    filler: bool = False
    """Agent: it bridges a wait."""
    reported_at: float | None = None
    """Caller: when the final transcript, or the last key, was handed to the agent. None: it never was."""
    unasked: bool = False
    answers: Utterance | None = None
    first_token_at: float | None = None

    @property
    def transcript_ms(self) -> float | None:
        """From the end of the caller's words to the agent being told what they were."""
        return self._since_question(self.answers.reported_at) if self.answers else None

    @property
    def first_token_ms(self) -> float | None:
        """From the end of the caller's words to the answer's first token on the wire."""
        return self._since_question(self.first_token_at)

    @property
    def first_audio_ms(self) -> float | None:
        """From the end of the caller's words to the answer's first audio."""
        return self._since_question(self.at)

    def _since_question(self, at: float | None) -> float | None:
        asked = self.answers.until if self.answers else None
        return None if asked is None or at is None else round((at - asked) * 1000, 1)


@dataclass(slots=True, eq=False)
class _Cycle:
    """Text the agent sent, and how far it has been spoken."""

    first_token_at: float
    answers: Utterance | None
    unasked: bool
    filler: bool
    text: str = ""
    spoken: int = 0
    closed: bool = False
    utterance: Utterance | None = None

    @property
    def rest(self) -> str:
        return self.text[self.spoken :]


@dataclass(slots=True)
class _Chunk:
    """What is being spoken at the moment."""

    at: float
    text: str
    seconds: float
    cycle: _Cycle | None
    utterance: Utterance
    before: str
    """The utterance's text so far."""


class Transcript:
    """Feed it everything that is watched on a line, and tell it what the caller does."""

    def __init__(self) -> None:
        self.utterances: list[Utterance] = []
        self.alerts: list[Alert] = []
        self.verbs: list[Verb] = []
        self.keys_sent = ""
        """The keys that the agent has pressed."""
        self.language = ""
        """The language that the agent has changed over to; "": none."""
        self._cycles: list[_Cycle] = []
        """Not spoken to their end, oldest first."""
        self._chunk: _Chunk | None = None
        self._speaking = False
        self._latest: Utterance | None = None
        """What the agent spoke last."""
        self._interrupted = False
        """The caller has cut in, and has not been understood yet."""
        self._question: Utterance | None = None
        """What the caller said or dialled since the agent last opened a cycle."""

    # --- what is known at any moment ---------------------------------------------------------------------

    @property
    def speaking(self) -> bool:
        """The agent is audible."""
        return self._speaking

    @property
    def quiet(self) -> bool:
        """The agent is silent, and nothing that it has sent waits to be spoken."""
        return not self._speaking and self._chunk is None and not self._cycles

    @property
    def agent(self) -> Utterance | None:
        """The agent's latest utterance."""
        return next((each for each in reversed(self.utterances) if each.who == "agent"), None)

    def ended(self, utterance: Utterance, now: float) -> bool:
        """Nothing will be added to it."""
        if utterance.who == "caller":
            return utterance.until is None or now >= utterance.until
        going_on = self._speaking and utterance is self.agent
        return not going_on and not any(cycle.utterance is utterance for cycle in self._cycles)

    def listen(self, now: float) -> None:
        """Bring the text of what is being spoken up to the word that is audible at `now`."""
        chunk = self._chunk
        if chunk is not None:
            chunk.utterance.text = chunk.before + heard(chunk.text, chunk.seconds, now - chunk.at)

    # --- what happens ------------------------------------------------------------------------------------

    def caller_speaks(self, text: str, at: float, seconds: float, *, listening: bool = False) -> Utterance:
        """The caller begins to say `text`, which will take `seconds`."""
        return self._add(Utterance("caller", "speech", at, at + seconds, text, listening=listening))

    def caller_sounds(self, at: float, seconds: float) -> Utterance:
        """The caller makes a sound that has no words in it."""
        return self._add(Utterance("caller", "noise", at, at + seconds))

    def caller_dials(self, keys: str, at: float) -> Utterance:
        """The caller begins to press `keys`."""
        return self._add(Utterance("caller", "keys", at, at, keys))

    def observe(self, seen: Watched) -> None:
        if isinstance(seen, TokensArrived):
            self._tokens(seen)
        elif isinstance(seen, AgentSaying):
            self._saying(seen)
        elif isinstance(seen, AgentSpoke):
            self._spoke(seen)
        elif isinstance(seen, AgentStarted):
            self._speaking = True
        elif isinstance(seen, AgentStopped):
            self._speaking = False
        elif isinstance(seen, CallerCutIn):
            self._cut_in()
        elif isinstance(seen, CallerSaid):
            if seen.final and seen.reported:
                self._reported("speech", seen.at)
        elif isinstance(seen, KeyDialled):
            if seen.by_agent:
                self.keys_sent += seen.key
            else:
                self._reported("keys", seen.at)
        elif isinstance(seen, LanguageSwitched):
            self.language = seen.speech or seen.transcription
        elif isinstance(seen, Verb):
            self.verbs.append(seen)
            if seen.name == "Say" and seen.text:
                self._add(Utterance("carrier", "speech", seen.at, seen.at, seen.text))
            elif seen.name == "Dial":
                self._add(Utterance("carrier", "dial", seen.at, seen.at, seen.text))
        elif isinstance(seen, Alert):
            self.alerts.append(seen)

    def finish(self, now: float) -> None:
        """The call is over: what was not audible by now never will be."""
        chunk = self._chunk
        if chunk is not None:
            self._spoke(AgentSpoke(now, heard(chunk.text, chunk.seconds, now - chunk.at), cut=True))
        self._discard(self._cycles)

    def _add(self, utterance: Utterance) -> Utterance:
        self.utterances.append(utterance)
        return utterance

    def _reported(self, kind: Kind, at: float) -> None:
        for cycle in self._cycles:  # a cycle that was left open has had its say when the caller has had theirs
            cycle.closed = cycle.closed or (not cycle.rest.strip() and not self._speaking)
        self._tidy()
        for each in reversed(self.utterances):
            if each.who == "caller" and each.kind == kind:
                each.reported_at = at
                if kind == "keys":
                    each.until = at
                self._question = each
                self._interrupted = False
                return

    def _tokens(self, seen: TokensArrived) -> None:
        cycle = self._cycles[-1] if self._cycles and not self._cycles[-1].closed else None
        if cycle is None:
            if not seen.text.strip():
                return  # the end mark of a cycle that the caller cut off
            unasked = self._question is None and self.quiet and not self._interrupted and bool(self.utterances)
            cycle = _Cycle(seen.at, self._question, unasked, seen.preemptible)
            if not seen.preemptible:
                self._question = None
            self._interrupted = False
            self._cycles.append(cycle)
        cycle.text += seen.text
        cycle.closed = seen.last
        self._tidy()

    def _saying(self, seen: AgentSaying) -> None:
        cycle = next((each for each in self._cycles if _begins_with(each.rest, seen.text)), None)
        if cycle is not None:  # what was to be said before it has been preempted
            self._discard(self._cycles[: self._cycles.index(cycle)])
        utterance = cycle.utterance if cycle else None
        if utterance is None:
            utterance = self._add(Utterance("agent", "speech" if cycle else "greeting", seen.at))
            if cycle is not None:
                cycle.utterance = utterance
                utterance.answers, utterance.unasked, utterance.filler = cycle.answers, cycle.unasked, cycle.filler
                utterance.first_token_at = cycle.first_token_at
        utterance.until = None
        self._chunk = _Chunk(seen.at, seen.text, seen.seconds, cycle, utterance, utterance.text)

    def _spoke(self, seen: AgentSpoke) -> None:
        chunk, self._chunk = self._chunk, None
        if chunk is None:
            return  # media, not words
        words = seen.text if seen.cut else chunk.text
        utterance = chunk.utterance
        utterance.text = chunk.before + words
        utterance.until = seen.at
        if chunk.cycle is not None:
            chunk.cycle.spoken = _after(chunk.cycle.text, chunk.cycle.spoken, words)
        else:
            utterance.unheard = chunk.text[len(words) :]
        self._latest = utterance
        self._tidy()

    def _cut_in(self) -> None:
        """The caller was heard by the carrier, which threw away all that was queued."""
        self._interrupted = True
        self._discard(self._cycles)
        if self._latest is not None:
            self._latest.cut = bool(self._latest.unheard.strip())

    def _discard(self, cycles: list[_Cycle]) -> None:
        """These words will never be heard; they are kept with what was being said."""
        for cycle in cycles:
            utterance = cycle.utterance or self._latest
            if utterance is not None:
                utterance.unheard += cycle.rest
        self._cycles = [each for each in self._cycles if each not in cycles]

    def _tidy(self) -> None:
        self._cycles = [each for each in self._cycles if not each.closed or each.rest.strip()]


def _begins_with(text: str, chunk: str) -> bool:
    """Whether `chunk` comes next in `text`; blanks at a chunk's ends may have got lost on the way."""
    return bool(chunk.strip()) and text.lstrip().startswith(chunk.strip())


def _after(text: str, start: int, chunk: str) -> int:
    """The offset in `text` behind `chunk`, which is found at or after `start`, with or without its outer blanks."""
    found = text.find(chunk.strip(), start)
    return start if found < 0 else found + len(chunk.strip())
