"""How the simulated Twilio behaves where nobody has written down how the real one does.

An application that is right under one setting of a knob only is right by luck: run its tests under each. Defaults are
what recordings show, or failing that what the documentation suggests. Delays are seconds, drawn evenly from (low,
high); those defaults are measured ones, or enclose what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Delays:
    setup: Range = (0.4, 1.5)
    """From the TwiML answer to the socket being opened."""
    greeting: Range = (0.25, 0.75)
    """From setup to the greeting being audible."""
    speech: Range = (0.26, 0.45)
    """From a speakable chunk to its being audible, when nothing is ahead of it."""
    media: Range = (0.3, 0.8)
    """From `play` to its being audible, when nothing is ahead of it."""
    digits: Range = (0.2, 2.0)
    """From `sendDigits` to the first tone, when nothing is ahead of it."""
    reaction: Range = (0.085, 0.1)
    """From a frame of the application to what it brings about: preemption, an error, the close after `end`."""
    cut_to_off: Range = (0.002, 0.003)
    """From `interrupt` to agentSpeaking off."""
    malformed_close: Range = (0.06, 0.07)
    """From the tenth error to the close 1007."""
    vad: Range = (0.1, 0.4)
    """From the caller's first sound to clientSpeaking on."""
    first_partial: Range = (0.25, 0.45)
    """From the caller's first sound to the first transcript."""
    partial: Range = (0.2, 0.3)
    """Between transcripts of one utterance."""
    final: Range = (0.35, 0.8)
    """From the last sound to the final transcript, at eotThreshold 0.8; a speechTimeout in numbers overrides it."""
    segment: Range = (0.05, 0.2)
    """Between a final and the next words of the same breath, where one utterance comes as several finals."""
    action_completed: Range = (0.1, 1.2)
    """From the close to the action callback: after a hang-up,"""
    action_ended: Range = (0.26, 0.98)
    """… after `end`,"""
    action_malformed: Range = (0.15, 0.2)
    """… after a close for bad frames or a bad configuration,"""
    action_lost: Range = (1.15, 1.25)
    """… after the application's socket was lost."""
    status: Range = (0.4, 1.0)
    """From the end of the call to its status callback."""
    busy: Range = (3.0, 5.0)
    """From a socket that could not be opened to the caller hearing busy."""
    ring: Range = (1.0, 2.5)
    """From dialling an outbound call to its being answered."""
    reconnect: Range = (0.3, 1.0)
    """From a lost socket to dialling it again, with applicationReconnect."""


@dataclass(frozen=True, slots=True)
class Knobs:
    # the session
    ws_fail_runs_action: bool = False
    """A socket that cannot be opened: post the action callback (failed, 64102) instead of giving busy."""
    end_drains_queue: bool = False
    """`end` waits until what is queued has been spoken."""
    reconnect_new_setup: bool = True
    """applicationReconnect: the new socket gets a `setup` with a new sessionId; otherwise the session just goes on."""
    reconnect_attempts: int = 3
    """applicationReconnect: so many dials in a row that fail, and the session has failed."""
    query_as_parameters: bool = False
    """The upgrade's signature takes the url's query as sorted parameters, not as part of the url."""

    # the application's frames
    count_validation_failures: bool = True
    """A known type with a bad field counts towards the ten that close the socket, as non-JSON does."""
    bad_lang_closes: bool = True
    """A language that cannot be resolved ends the session after its error (64101)."""

    # what is spoken
    flush_idle_ms: float | None = None
    """Words without a sentence end are spoken after so long without another token; None: only when the cycle closes."""
    flags_per_chunk: bool = True
    """interruptible and preemptible of a chunk are those of its own first token; otherwise of its cycle's first."""
    play_reports_tokens: bool = False
    """tokensPlayed at the end of a `play`, with its source."""
    greeting_on_missing: bool = False
    """The greeting's agentSpeaking on is left out, as in some recordings."""
    drop_queued_preemptible: bool = True
    """Preemption also drops preemptible speech queued behind speech that is not."""
    digits_preempt: bool = False
    """`sendDigits` cuts preemptible speech, as text and play do."""

    # barge-in
    purge_digits: bool = True
    """An interruption throws away queued digits too,"""
    purge_noninterruptible: bool = True
    """… and queued speech that could itself not have been interrupted."""
    late_tokens_same_cycle: Literal["spoken", "dropped"] = "spoken"
    """Tokens of the interrupted cycle that arrive after the interruption."""
    dtmf_cut_needs_detection: bool = True
    """A key interrupts only with dtmfDetection."""

    # what the caller says
    defer_uncut_speech: bool = False
    """Speech during a stretch that cannot be interrupted is delivered when the agent stops; otherwise discarded."""
    split_finals: bool = False
    """An utterance of four words or more comes as two finals."""
    hangup_partial_last: bool = True
    """partialPromptOnHangup: the `last` of the unfinished prompt."""

    # faults of the wire
    drop_after_frames: int | None = None
    """The network loses the call's first socket after so many frames, both ways counted."""
    refuse_configuration: bool = False
    """An error 64101 follows the first setup, whatever the TwiML said."""
    status_out_of_order: bool = False
    """Outbound: the `ringing` status callback arrives before `initiated`."""

    # time
    delays: Delays = field(default_factory=Delays)
    fast: bool = False
    """All delays are zero; the order of things is kept. Speech still takes its time, see `pace`."""
    pace: float = 1.0
    """Seconds of speech are multiplied by this, the agent's and the caller's; 0 makes speech instantaneous."""
    play_seconds: float = 2.0
    """How long a played file lasts, once."""
    dial_seconds: float = 5.0
    """How long the person reached by <Dial> talks before hanging up."""
    dial_status: Literal["completed", "busy", "no-answer", "failed"] = "completed"
    """What becomes of a <Dial>."""
    max_call_seconds: float = 14400.0
    """Longest call; then 64104."""

    # for local servers
    allow_ws: bool = False
    """Accept a relay url that starts with ws://."""
