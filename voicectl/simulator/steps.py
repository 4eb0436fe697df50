"""What a scenario is made of, once it has been read; scenario.py says what it all means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voicectl.simulator.knobs import Knobs

Kind = Literal["say", "keys", "noise", "wait", "hang_up"]
Ended = Literal["goodbye", "person", "hung_up", "failed"]
"""How a call ended: the agent said goodbye, the agent handed over to a person, the caller hung up, something broke."""

PAUSE = 0.4
"""Seconds between the agent's last word and the caller's first."""
GAP = 0.4
"""Seconds between two parts of what the caller says."""


@dataclass(frozen=True, slots=True)
class CutIn:
    """When the caller stops being polite."""

    after: str = ""
    """Once these words of the agent could be heard."""
    seconds: float = 0.0
    """Without `after`: so long into the agent's speech."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the caller does."""

    kind: Kind
    text: str = ""
    """What is said, or which keys are pressed."""
    seconds: float = 0.0
    """How long a `wait` or a `noise` lasts."""
    pause: float = PAUSE
    cut_in: CutIn | None = None
    parts: tuple[str, ...] = ()
    """What is said comes as several final transcripts: these."""
    gap: float = GAP
    """Seconds of silence between them."""
    cuts: bool | None = None
    """True: the sound cuts the agent off. False: it does not, nor do the words. None: as the carrier would have it."""
    listening: bool = False
    """It only shows that the caller listens; no answer is waited for."""
    lang: str = ""
    """The language it is said in, as the carrier reports it; "": the one that is listened for."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of the agent's words and manners, within a step or in the whole call. None: do not mind."""

    contains: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    once: tuple[str, ...] = ()
    """Words said, and not said again."""
    within_ms: float | None = None
    """From the end of the caller's words to the first audio of each answer."""
    first_token_within_ms: float | None = None
    """From the end of the caller's words to the first token of each answer."""
    silent: bool | None = None
    interrupted: bool | None = None
    resumed: bool | None = None
    """Having been cut off, the agent said the rest."""
    fillers: int | None = None
    """How often the agent bridged a wait with words."""
    reprompts: int | None = None
    """How often the agent spoke unasked."""
    ended: Ended | None = None
    handed_to: str = ""
    """The number that the caller was put through to."""
    keys_sent: str = ""
    """The keys that the agent pressed."""
    language: str = ""
    """The language that the agent has changed over to."""
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    actions: tuple[Action, ...]
    expect: Expectation = Expectation()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    expect: Expectation = Expectation()
    caller: str = "+15550100001"
    called: str = "+15550100099"
    seed: int = 1
    """Of the simulated carrier's delays."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """For a server that runs inside: setting paths ("agent.transfer_number") and values."""
    model: str = ""
    """For a server that runs inside: the script of its reply model, YAML whose lines are counted as in the scenario."""
    knobs: Knobs = field(default_factory=Knobs)
    """Of the simulated carrier."""
    source: str = ""
