"""Recorded ConversationRelay calls for the tests: a shared set beside the checkout, absent from fresh clones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"
PRESENT = FOLDER.is_dir()
WHY_SKIPPED = "the recorded calls are not here"


def lines(direction: str) -> list[dict[str, Any]]:
    """All lines of one direction ("in", "out", "http", "ws") of all recordings."""
    found = (
        json.loads(line) for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    )
    return [line for line in found if line["dir"] == direction]


def sample_frames() -> list[dict[str, Any]]:
    """Frames to mutate: one of each kind as documented, and all recorded ones where they are."""
    sid = "0123456789abcdef" * 2
    made = [
        {
            "type": "setup",
            "sessionId": "VX" + sid,
            "callSid": "CA" + sid,
            "parentCallSid": "",
            "from": "+14155550100",
            "to": "client:ann",
            "forwardedFrom": "",
            "callerName": "ANN",
            "direction": "inbound",
            "callType": "PSTN",
            "callStatus": "RINGING",
            "accountSid": "AC" + sid,
            "customParameters": {"token": "abc", "tenant": "42"},
        },
        {"type": "prompt", "voicePrompt": "I need to move my", "lang": "en", "last": False},
        {"type": "prompt", "voicePrompt": "Grüße, 你好 \U0001f600.", "lang": "en-US", "last": True},
        {"type": "dtmf", "digit": "7"},
        {"type": "interrupt", "utteranceUntilInterrupt": "We are open", "durationUntilInterruptMs": 684},
        {"type": "error", "description": 'Invalid message received, code: 64107, {"foo":1}'},
        {"type": "info", "name": "agentSpeaking", "value": "on"},
        {"type": "info", "name": "tokensPlayed", "value": " Holding."},
        {"type": "info", "name": "roundTripDelayMs", "value": "148"},
        {"type": "info", "name": "configUpdated", "value": {"ttsProvider": "Google", "at": 1.5}},
    ]
    return made + ([line["frame"] for line in lines("in")] if PRESENT else [])
