"""What Twilio hears of the person on the line: sound, transcripts, keys.

An utterance is laid out in time when it begins: the voice detector's edge, cumulative transcripts every 200 to 300 ms
that may revise earlier words, the last of them equal to the final one, which follows the last sound after a silence.
`clientSpeaking off` and the final come in the same instant.

Who is told: with the agent silent, everybody; while the agent speaks, speech that cuts in, and what
reportInputDuringAgentSpeech allows; the rest is lost. Transcripts cut the agent off, not the mere sound, and a
transcript must be long enough for interruptSensitivity. Whoever makes the caller speak may have it otherwise (`cuts`):
a sound that was taken for words cuts the agent off, and words that were taken for nothing do not.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, Protocol

from voicectl.simulator import speech_clock
from voicectl.simulator.actions import CallerSaid, CallerStarted, KeyDialled
from voicectl.simulator.playout import Playout
from voicectl.simulator.stage import Stage, Timer
from voicectl.simulator.twiml import Relay

KEYS = "0123456789*#ABCD"
SENSITIVITY = {"high": 3, "medium": 8, "low": 16}
"""Letters and digits that a transcript must have to interrupt: 3 for high is on record, the others are guesses."""
_RECOGNITION_LAG = 0.1
"""A transcript is this many seconds behind the voice."""
_BACKCHANNEL = frozenset(
    ["uh", "uhhuh", "huh", "mm", "mmm", "mhm", "mmhmm", "hmm", "yeah", "yes", "yep", "ok", "okay", "right", "sure"]
)

Kind = Literal["sound", "edge", "transcript", "final", "quiet"]


class Ear(Protocol):
    """The relay session that listens."""

    relay: Relay
    playout: Playout
    transcription_language: str

    def send(self, frame: dict[str, Any]) -> None: ...

    def defer(self, frame: dict[str, Any]) -> None:
        """Send it when the agent has stopped speaking."""


class Hearing:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.ear: Ear | None = None
        """Set while a session is open."""
        self._owner: Ear | None = None
        """The session that heard the utterance begin; another one hears nothing of it."""
        self._script: deque[tuple[float, Kind, str]] = deque()
        self._step: Timer | None = None
        self._sound_from = self._sound_until = 0.0
        self._language = ""
        self._final_text = ""
        self._transcript = ""
        self._cuts: bool | None = None
        self._edge = False
        """clientSpeaking, as reported."""
        self._cut_in = False
        self._overlapped = False
        """Words of this utterance were spoken over the agent, who went on."""
        self._next_key = 0.0
        self._hung_up = False

    @property
    def caller_speaking(self) -> bool:
        return self._sound_from <= self._stage.now < self._sound_until and not self._hung_up

    def unfinished_prompt(self, ear: Ear) -> dict[str, Any] | None:
        """partialPromptOnHangup: what this session still gets of words that a hang-up cuts short."""
        if not self._transcript or ear is not self._owner or not self._reportable(ear):
            return None
        return self._prompt(ear, self._transcript, last=self._stage.knobs.hangup_partial_last)

    def hang_up(self) -> None:
        """Nothing more comes from the caller."""
        self._hung_up = True
        self._script.clear()
        if self._step is not None:
            self._step.do = None

    # --- keys -----------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        if not set(keys) <= set(KEYS + "w"):
            raise ValueError(f"keys are 0-9, *, #, A-D, and w for a pause: {keys!r}")
        if self._hung_up:
            return
        at = max(self._stage.now, self._next_key)
        for key in keys:
            if key == "w":
                at += speech_clock.PAUSE_SECONDS
            else:
                self._stage.at(at, partial(self._key, key))
                at += speech_clock.KEY_SECONDS
        self._next_key = at

    def _key(self, key: str) -> None:
        if self._hung_up:
            return
        self._stage.emit(KeyDialled(self._stage.now, key))
        ear = self.ear
        if ear is None:
            return
        relay, playout = ear.relay, ear.playout
        cuts = playout.cuttable("dtmf") and (relay.dtmf_detection or not self._stage.knobs.dtmf_cut_needs_detection)
        if relay.dtmf_detection and (cuts or not playout.audible or relay.report_input in ("dtmf", "any")):
            ear.send({"type": "dtmf", "digit": key})
        if cuts:
            playout.cut()

    # --- speech: laying it out ------------------------------------------------------------------------------

    def speak(
        self,
        text: str,
        *,
        seconds: float | None,
        finals: Sequence[str] | None,
        partials: Sequence[tuple[float, str]] | None,
        vad: float | None,
        final_after: float | None,
        gap: float | None,
        cuts: bool | None,
        lang: str | None,
    ) -> None:
        if self._hung_up:
            return
        stage, knobs = self._stage, self._stage.knobs
        going_on = bool(self._script) and self._owner is self.ear
        start, before = stage.now, ""
        if going_on:
            self._withdraw_end()
            start, before = max(stage.now, self._sound_until), self._final_text
        else:
            self._forget()
            self._owner, self._language, self._cuts = self.ear, lang or "", cuts
        if seconds is None:
            made_up = speech_clock.seconds_to_say(text) * knobs.pace
            seconds = partials[-1][0] if partials else made_up
        segments = self._segments(text, finals)
        script: list[tuple[float, Kind, str]] = [] if going_on else [(start, "sound", "")]
        delay = stage.draw(knobs.delays.vad) if vad is None else vad
        script.append((start + min(delay, seconds), "edge", ""))
        script += [(start + offset, "transcript", words) for offset, words in partials or ()]
        at, letters = start, sum(map(len, segments)) or 1
        for index, segment in enumerate(segments):
            whole = f"{before} {segment}" if before else segment
            length = seconds * len(segment) / letters
            if index:
                script.append((at, "edge", ""))
            if partials is None:
                script += self._transcripts(at, length, segment, before)
            at += length
            silence = self._final_delay() if final_after is None else final_after
            last = index == len(segments) - 1
            if gap is not None and not last:
                silence = min(silence, gap)
            self._sound_until = at
            script.append((at + silence, "final", whole))
            self._final_text = whole
            if not last:
                at += gap if gap is not None else silence + stage.draw(knobs.delays.segment)
            before = ""
        if not segments:
            self._final_text = before
            self._sound_until = start + seconds
            script.append((self._sound_until + self._final_delay(), "final" if before else "quiet", before))
        if not going_on:
            self._sound_from = start
        merged = [*self._script, *script]
        merged.sort(key=lambda step: step[0])
        self._script = deque(merged)
        self._wait()

    def _segments(self, text: str, finals: Sequence[str] | None) -> list[str]:
        if finals is not None:
            return [each for each in finals if each]
        words = text.split()
        if self._stage.knobs.split_finals and len(words) >= 4:
            half = len(words) // 2
            return [" ".join(words[:half]), " ".join(words[half:])]
        return [text] if words else []

    def _withdraw_end(self) -> None:
        """The utterance goes on: what would have ended it is taken back."""
        last = max((i for i, (_, kind, _) in enumerate(self._script) if kind in ("final", "quiet")), default=None)
        if last is not None:
            del self._script[last]

    def _forget(self) -> None:
        self._script.clear()
        self._transcript = self._final_text = ""
        self._edge = self._cut_in = self._overlapped = False

    def _transcripts(self, at: float, length: float, segment: str, before: str) -> list[tuple[float, Kind, str]]:
        """What recognition makes of a segment while it is being spoken."""
        stage, delays = self._stage, self._stage.knobs.delays
        steps: list[tuple[float, Kind, str]] = []
        shown = ""
        elapsed = stage.draw(delays.first_partial)
        while elapsed < length:
            words = speech_clock.heard(segment, length, elapsed - _RECOGNITION_LAG).rstrip(".,;:!?")
            head, _, tail = words.rpartition(" ")
            if len(tail) > 4 and stage.chance(0.3):
                words = f"{head} {tail[: len(tail) // 2]}".strip()
            if words and words != shown:
                steps.append((at + elapsed, "transcript", f"{before} {words}".strip()))
                shown = words
            elapsed += stage.draw(delays.partial) or delays.partial[0] or _RECOGNITION_LAG
        steps.append((at + length, "transcript", f"{before} {segment}".strip()))
        return steps

    def _final_delay(self) -> float:
        """The silence that ends an utterance."""
        drawn = self._stage.draw(self._stage.knobs.delays.final)
        ear = self._owner
        if ear is None or self._stage.knobs.fast:
            return drawn
        timeout = ear.relay.speech_timeout
        if ear.relay.flux(ear.transcription_language):
            drawn *= 0.5 + (ear.relay.eot_threshold - 0.5) / 0.6
            return drawn if timeout is None else min(drawn, timeout)
        return drawn if timeout is None else timeout

    # --- speech: as it happens ------------------------------------------------------------------------------

    def _wait(self) -> None:
        if self._step is not None:
            self._step.do = None
        if self._script:
            self._step = self._stage.at(self._script[0][0], self._happen)

    def _happen(self) -> None:
        _, kind, text = self._script.popleft()
        ear = self.ear if self.ear is self._owner else None
        if kind == "sound":
            self._stage.emit(CallerStarted(self._stage.now))
        elif kind == "edge":
            self._edge_on(ear)
        elif kind == "transcript":
            self._transcribed(ear, text)
        else:
            self._finished(ear, text if kind == "final" else "")
        self._wait()

    def _edge_on(self, ear: Ear | None) -> None:
        if not self._edge:
            self._edge = True
            self._client_speaking(ear, "on")
            if self._cuts and ear is not None:
                self._cut(ear)

    def _cut(self, ear: Ear) -> None:
        if ear.playout.cuttable("speech"):
            self._cut_in = True
            ear.playout.cut()

    def _transcribed(self, ear: Ear | None, text: str) -> None:
        self._transcript = text
        reported = False
        if ear is not None:
            if ear.playout.cuttable("speech") and self._cuts is not False and self._passes(ear.relay, text):
                self._edge_on(ear)
                self._cut(ear)
            elif ear.playout.audible and not self._cut_in:
                self._overlapped = True
            flux = ear.relay.flux(ear.transcription_language)
            if ear.relay.partial_prompts and flux and self._reportable(ear):
                reported = True
                ear.send(self._prompt(ear, text, last=False))
        self._stage.emit(CallerSaid(self._stage.now, text, final=False, reported=reported))

    def _finished(self, ear: Ear | None, text: str) -> None:
        if self._edge:
            self._client_speaking(ear, "off")
        if text:
            reported = ear is not None and self._reportable(ear)
            if ear is not None:
                prompt = self._prompt(ear, text, last=True)
                if reported:
                    ear.send(prompt)
                elif self._stage.knobs.defer_uncut_speech and not self._is_backchannel(ear.relay, text):
                    ear.defer(prompt)
            self._stage.emit(CallerSaid(self._stage.now, text, final=True, reported=reported))
        self._transcript = ""
        self._edge = self._cut_in = self._overlapped = False

    def _reportable(self, ear: Ear) -> bool:
        if self._cut_in:
            return True
        if self._overlapped and self._is_backchannel(ear.relay, self._transcript):
            return False
        if not ear.playout.audible or ear.relay.report_input in ("speech", "any"):
            return True
        return not self._overlapped and self._stage.now >= self._sound_until

    def _passes(self, relay: Relay, text: str) -> bool:
        letters = sum(map(str.isalnum, text))
        return letters >= SENSITIVITY[relay.sensitivity] and not self._is_backchannel(relay, text)

    def _is_backchannel(self, relay: Relay, text: str) -> bool:
        words = re.sub(r"[^\w\s]", "", text.lower()).split()
        return relay.ignore_backchannel and bool(words) and set(words) <= _BACKCHANNEL

    def _client_speaking(self, ear: Ear | None, value: str) -> None:
        if ear is not None and "speaker-events" in ear.relay.events:
            ear.send({"type": "info", "name": "clientSpeaking", "value": value})

    def _prompt(self, ear: Ear, text: str, *, last: bool) -> dict[str, Any]:
        language = self._language or ear.transcription_language
        if ear.transcription_language == "multi" or ear.relay.flux(ear.transcription_language):
            language = language.partition("-")[0] if language != "multi" else "en"
        return {"type": "prompt", "voicePrompt": text, "lang": language, "last": last}
