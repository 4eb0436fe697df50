"""Recorded calls, fed through the real socket in recorded order and pace: every frame is understood, the call ends
properly, and what the caller heard is what the recording says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from twilio_client import serving

from voicectl.conversation.turns import Turn
from voicectl.ports import ReplyEnd, ReplyRequest
from voicectl.simulator.virtual_time import run

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))


@dataclass
class Recorded:
    """Replies with what the recorded application said, word by word."""

    replies: list[str]
    name: str = "recorded"
    asked: list[ReplyRequest] = field(default_factory=list)

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked.append(request)
        text = self.replies.pop(0) if self.replies else "Pardon?"
        for n, word in enumerate(text.split(" ")):
            yield word if n == 0 else " " + word
        yield ReplyEnd()

    async def warm_up(self) -> None: ...

    async def close(self) -> None: ...


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDINGS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def play(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Turn]:
    """The turns on disk after the recorded call."""
    record = lines(name)
    said = [each["frame"]["token"] for each in record if each["dir"] == "out" and "token" in each.get("frame", {})]
    twiml = next(each["response"] for each in record if each["dir"] == "http" and "response" in each)
    greeting = twiml.split('welcomeGreeting="')[1].split('"')[0] if "welcomeGreeting" in twiml else ""
    flags = {
        "agent.greeting": greeting,
        "agent.max_words": 200,
        "conversation.silence_seconds": 120,
        # The recorded application neither guessed nor rewrote.
        "conversation.numbers_for_the_ear": False,
        "conversation.speculate": False,
        "conversation.key_length": 8 if name == "dial-string-pin" else 1,
    }

    async def main() -> list[Turn]:
        async with serving(folder, monkeypatch, Recorded(said), flags=flags) as client:
            loop = asyncio.get_running_loop()
            socket = None
            started = 0.0
            sid = ""
            reading: asyncio.Task[None] | None = None
            for each in record:
                if each["dir"] == "ws" and each["event"] == "close":
                    assert socket is not None and reading is not None
                    await _until(loop, started + each["ms"] / 1000)
                    if each["code"] == 1006:
                        socket._response.connection.transport.abort()  # type: ignore[union-attr]
                    else:
                        await socket.close(code=each["code"])
                    await reading
                    socket = None
                if each["dir"] != "in":
                    continue
                frame = each["frame"]
                if frame["type"] == "setup":
                    # A call opens one socket; the second session of a recording is played as a call of its own.
                    sid = frame["callSid"] = frame["callSid"][:-1] + str(each["session"])
                    frame["customParameters"] |= await client.parameters(sid)
                    socket = await client.dial()
                    reading = asyncio.ensure_future(_drain(socket))
                    started = loop.time() - each["ms"] / 1000
                assert socket is not None
                await _until(loop, started + each["ms"] / 1000)
                await socket.send_json(frame)
            while client.server.handler.live:
                await asyncio.sleep(0.05)
            counts = {name: n for name, n in client.server.handler.counts.items() if not name.startswith("error_64107")}
            assert not counts, counts
            call = await client.server.services.calls.call(sid)
            assert call is not None and call.ended_at is not None
            return await client.server.services.calls.turns(sid)

    return run(main(), tidy=True)


async def _until(loop: asyncio.AbstractEventLoop, when: float) -> None:
    await asyncio.sleep(max(0.0, when - loop.time()))


async def _drain(socket: Any) -> None:
    async for _ in socket:
        pass


def test_the_recordings_are_here() -> None:
    if not NAMES:
        pytest.skip("no recordings beside this checkout (../shared/recordings)")
    assert "interrupt" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_call_is_understood_and_ends(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = play(name, tmp_path, monkeypatch)
    for turn in turns:
        assert turn.role == "caller" or turn.said.startswith(turn.heard)


def heard(turns: list[Turn]) -> list[tuple[str, bool]]:
    return [(turn.heard, turn.interrupted) for turn in turns if turn.role == "agent"]


@pytest.mark.skipif("interrupt" not in NAMES, reason="no recordings beside this checkout (../shared/recordings)")
def test_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    greeting, long, short = heard(play("interrupt", tmp_path, monkeypatch))
    assert greeting == ("This is the spike. Say something, or press a key.", False)
    assert long == (
        "Sentence 1 of twelve: the quick brown fox jumps over the lazy dog while the spike keeps talking so you can "
        "interrupt it. Sentence 2 of",
        True,
    )
    assert short == ("I heard: Stop. Stop. Stop. I am interrupting you now.", False)


@pytest.mark.skipif("greeting-dtmf" not in NAMES, reason="no recordings beside this checkout (../shared/recordings)")
def test_greeting_dtmf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert heard(play("greeting-dtmf", tmp_path, monkeypatch)) == [
        ("This", True),
        ("Key 9.", False),
        ("Key 8.", False),
    ]


@pytest.mark.skipif("dial-string-pin" not in NAMES, reason="no recordings beside this checkout (../shared/recordings)")
def test_dial_string_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = play("dial-string-pin", tmp_path, monkeypatch)
    assert heard(turns) == [("Got", True), ("Got 0 digits.", False)]
    assert [turn.generated for turn in turns if turn.role == "caller"] == ["47290138", "#"]
