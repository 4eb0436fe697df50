"""Replies begun before the caller's words are final: what they gain, and that nobody hears of the wrong ones.

Transcripts as they grow, from recorded calls (../shared/recordings) and from the simulator's ear (growing words, words
cut short, pauses in mid-sentence), each held twice in virtual time against a model that needs 400 ms to its first
token: once with guesses and once without. What is gained is the difference between the two first words.

    python tests/conversation/test_speculation_recordings.py        prints the figures
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from telephone import Script, Telephone

from voicectl.conversation import effects as fx
from voicectl.conversation.manners import Manners
from voicectl.simulator.hearing import Ear, Hearing
from voicectl.simulator.knobs import Knobs
from voicectl.simulator.speech_clock import seconds_to_say
from voicectl.simulator.stage import Stage

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
FIRST_TOKEN = 0.4
EACH_TOKEN = 0.02
ANSWER = "We are open from ten to six, Monday to Saturday. On Sundays we are closed."

Heard = Sequence[tuple[float, str, bool]]
"""An utterance: seconds from its first transcript, the words so far, whether they are final."""

QUESTIONS = (
    "When do you open on Sundays?",
    "How much is it to rent a city bike for a whole day?",
    "I'd like to book a table for four people on Friday evening, please.",
    "Do you have any mountain bikes in stock right now?",
    "Um, can I bring my dog along?",
    "What's your cancellation policy?",
    "Could you tell me where exactly you are?",
    "My order number is four seven two nine zero one three eight.",
    "I want to change my appointment from Tuesday to Thursday.",
    "Is there a discount for students or for children under twelve?",
    "Do you repair electric bikes, too?",
    "Hello, I have a question about my bill.",
    "Can I pay by card, or do you only take cash?",
    "Please put me through to a person.",
    "No.",
    "Yes, please.",
)
IN_TWO_BREATHS = (
    ("Are you open on Sundays", "in the winter months?"),
    ("I would like to book a room", "for two nights in July."),
    ("How much is the train", "to the airport and back?"),
    ("What time do you close", "on public holidays?"),
    ("Can I return the bike", "at another shop?"),
)


# --- utterances ----------------------------------------------------------------------------------------------


def recorded() -> list[Heard]:
    """Every utterance of the recorded calls."""
    found: list[Heard] = []
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        parts: list[tuple[float, str, bool]] = []
        for line in path.read_text("utf-8").splitlines():
            entry = json.loads(line)
            if entry["dir"] == "in" and entry["frame"]["type"] == "prompt":
                frame = entry["frame"]
                parts.append((entry["ms"] / 1000, frame["voicePrompt"], frame["last"]))
                if frame["last"]:
                    found.append([(at - parts[0][0], text, last) for at, text, last in parts])
                    parts = []
    return found


class _Listener:
    """An ear on a quiet line."""

    transcription_language = "en-US"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.heard: list[tuple[float, str, bool]] = []
        self.relay = SimpleNamespace(
            partial_prompts=True,
            flux=lambda language: True,
            report_input="any",
            events=frozenset[str](),
            sensitivity="high",
            ignore_backchannel=False,
            speech_timeout=None,
            eot_threshold=0.8,
        )
        self.playout = SimpleNamespace(audible=False, cuttable=lambda by: False)

    def send(self, frame: dict[str, Any]) -> None:
        self.heard.append((self.stage.now, frame["voicePrompt"], frame["last"]))

    def defer(self, frame: dict[str, Any]) -> None:
        raise AssertionError("nobody speaks here")


def generated(count: int, *, pace: float = 1.0) -> list[Heard]:
    """What the simulator's ear makes of so many utterances, one in three of them with a pause in the middle. `pace`:
    how slowly they are spoken; 1 is 3.5 words a second."""
    found: list[Heard] = []
    for seed in range(count):
        dice = random.Random(seed)
        stage = Stage(Knobs(), seed)
        listener = _Listener(stage)
        hearing = Hearing(stage)
        hearing.ear = cast(Ear, listener)
        breaths = dice.choice(IN_TWO_BREATHS) if seed % 3 == 0 else (dice.choice(QUESTIONS),)
        until = 0.0
        for breath in breaths:
            seconds = seconds_to_say(breath) * pace * dice.uniform(0.9, 1.1)
            stage.run(until)
            hearing.speak(
                breath,
                seconds=seconds,
                finals=None,
                partials=None,
                vad=None,
                final_after=None,
                gap=None,
                cuts=None,
                lang=None,
            )
            until = stage.now + seconds + dice.uniform(0.05, 0.34)
        stage.run(until + 5.0)
        start = listener.heard[0][0]
        found.append([(at - start, text, last) for at, text, last in listener.heard])
    return found


# --- what becomes of them ------------------------------------------------------------------------------------


@dataclass
class Figures:
    gained: list[float] = field(default_factory=list)
    """Milliseconds, one for each reply; 0 where it was not begun early."""
    begun: int = 0
    """Replies that were begun early, also in vain."""
    used: int = 0
    wasted: int = 0
    """Tokens."""
    early_words: int = 0
    """Words said before the caller's were final."""

    def __str__(self) -> str:
        confirmed = [each for each in self.gained if each > 0]
        if not self.gained:
            return "no replies"
        return (
            f"{len(self.gained)} replies, median gained {statistics.median(self.gained):.0f} ms "
            f"({statistics.median(confirmed) if confirmed else 0:.0f} ms where anything was); "
            f"begun early {self.begun}, confirmed {self.used} ({self.used / max(1, self.begun):.0%}); "
            f"tokens wasted {self.wasted} ({self.wasted / len(self.gained):.1f} a reply); "
            f"words said too early {self.early_words}"
        )


def _writes(effect: fx.StartGeneration) -> Script:
    words = ANSWER.split(" ")
    return Script(tuple((EACH_TOKEN if n else FIRST_TOKEN, f"{word} ") for n, word in enumerate(words)))


def _held(heard: Heard, *, guess: bool) -> tuple[float | None, float, Telephone]:
    """When the reply's first words were said, when the caller's were final, and the call."""
    phone = Telephone(Manners(guess=guess, silence=1000.0, filler=0.0), dice=random.Random(1), model=_writes)
    phone.run(1.0)
    start = phone.now
    for offset, text, last in heard:
        phone.run(start + offset - phone.now)
        phone.says(text, final=last)
    final = phone.now
    phone.run(10.0)
    spoken = [at for at, effect in phone.effects if isinstance(effect, fx.Say) and effect.text.strip()]
    return (spoken[0] if spoken else None), final, phone


def figures(utterances: Iterable[Heard]) -> Figures:
    found = Figures()
    for heard in utterances:
        said, final, phone = _held(heard, guess=True)
        without, _, _ = _held(heard, guess=False)
        assert (said is None) == (without is None), heard
        for at, effect in phone.effects:
            if isinstance(effect, fx.Say) and at < final:
                found.early_words += len(effect.text.split())
            elif isinstance(effect, fx.StartGeneration):
                found.begun += effect.early
            elif isinstance(effect, fx.RecordGuess):
                found.used += effect.used
                found.wasted += effect.wasted_tokens
        if said is not None and without is not None:
            found.gained.append((without - said) * 1000)
            replies = [turn for turn in phone.machine.turns if turn.kind == "reply"]
            told = replies[0].gained_ms if replies else None
            # The turn counts to the first token; the first word is out when the next token shows that it is whole.
            assert (told or 0.0) == pytest.approx(found.gained[-1], abs=2000 * EACH_TOKEN)
    return found


def check(found: Figures) -> None:
    assert found.early_words == 0
    assert found.begun >= found.used > 0
    assert min(found.gained) >= -1, "a guess made a reply later"
    assert statistics.median([each for each in found.gained if each > 0]) > 0


# --- tests ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="no recordings beside this checkout (../shared/recordings)")
def test_recorded_callers_are_answered_earlier_and_never_too_early() -> None:
    utterances = recorded()
    assert len(utterances) >= 9
    check(figures(utterances))


def test_simulated_callers_are_answered_earlier_and_never_too_early() -> None:
    found = figures(generated(150))
    check(found)
    assert statistics.median(found.gained) > 0
    assert found.begun > found.used and found.wasted > 0, "no guess was in vain: the callers are too easy to guess"


def test_words_that_change_what_is_asked_are_answered_as_they_are_in_the_end() -> None:
    heard = [
        (0.0, "Are you open", False),
        (0.3, "Are you open on Sunday.", False),
        (0.9, "Are you open on Sundays in May?", True),
    ]
    _, final, phone = _held(heard, guess=True)
    starts = [(at, effect) for at, effect in phone.effects if isinstance(effect, fx.StartGeneration)]
    assert [effect.early for _, effect in starts] == [True, False]
    assert starts[1][0] == final and starts[1][1].lines[-1].text == heard[-1][1]
    assert any(isinstance(effect, fx.CancelGeneration) for at, effect in phone.effects if at <= final)
    said = next(at for at, effect in phone.effects if isinstance(effect, fx.Say))
    assert said == pytest.approx(final + FIRST_TOKEN, abs=2 * EACH_TOKEN)
    assert "".join(phone.said.values()).strip() == ANSWER


if __name__ == "__main__":
    if RECORDINGS.is_dir():
        print("recorded: ", figures(recorded()))
    for pace in (1.0, 1.3):
        print(f"simulated, pace {pace}:", figures(generated(1000, pace=pace)))
