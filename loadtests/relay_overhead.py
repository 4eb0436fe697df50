"""What voicectl adds between a caller's words and the model's: measured against a bare socket in the same run.

    python -m loadtests.relay_overhead --talkers 50 --seconds 10

Three servers, one after the other, each alone on the first processor; model server and callers share the second:

    bare       a WebSocket that answers a prompt with canned tokens of its own: the floor
    voicectl   `voicectl serve` with everything on: signatures, tokens, retrieval, durable turns, the OpenAI SDK
    unread     the same with next to nothing in its knowledge base: what retrieval costs is the difference
    tutorial   the forty lines everybody writes: FastAPI and the SDK's own stream

A talker asks, is answered with TOKENS tokens that come FIRST_TOKEN seconds after the request and then every
TOKEN_GAP, and asks again. Every token carries the moment it was made, so that what is measured is our share alone:

    added     prompt sent to first token heard, less the time the model held it
    relay     token made to token heard
    cpu       processor time of the server per 1,000 tokens
    idle      resident memory per open call that says nothing

Absolute figures depend on the machine; the ratios are what is to be compared. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from voicectl.carriers.signature import sign

FIRST_TOKEN = 0.3
TOKEN_GAP = 0.02
TOKENS = 60
THINKS = 1.0
"""Seconds a caller is silent between an answer and the next question, give or take a fifth."""
PATH = "/api/v1/voice/conversation-relay"
PUBLIC = "https://bench.example"
TOKEN = "benchmark-auth-token"
UNREAD = "unread.toml"
QUESTION = "When are you open on Saturday?"


def stamp() -> str:
    """A word that says when it was made, in microseconds of the machine's monotonic clock."""
    return f"t{time.monotonic_ns() // 1000}"


# --- the servers -----------------------------------------------------------------------------------------


async def bare_app(scope: Any, receive: Any, send: Any) -> None:
    """A raw ASGI socket that answers every prompt with canned tokens."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    await receive()
    await send({"type": "websocket.accept"})

    async def reply() -> None:
        await asyncio.sleep(FIRST_TOKEN)
        for _ in range(TOKENS):
            await send({"type": "websocket.send", "text": f'{{"type":"text","token":"{stamp()} ","last":false}}'})
            await asyncio.sleep(TOKEN_GAP)
        await send({"type": "websocket.send", "text": '{"type":"text","token":"","last":true}'})

    replies: set[asyncio.Task[None]] = set()
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if '"prompt"' in (message.get("text") or ""):
            task = asyncio.ensure_future(reply())
            replies.add(task)
            task.add_done_callback(replies.discard)


def tutorial_app() -> Any:
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect
    from openai import AsyncOpenAI

    app = FastAPI()
    client = AsyncOpenAI()

    @app.get("/healthz")
    async def healthz() -> str:
        return "ok"

    async def relay(socket: Any) -> None:
        await socket.accept()

        async def reply(text: str) -> None:
            stream = await client.chat.completions.create(
                model="m", stream=True, messages=[{"role": "user", "content": text}]
            )
            async for chunk in stream:
                token = chunk.choices[0].delta.content if chunk.choices else None
                if token:
                    await socket.send_json({"type": "text", "token": token, "last": False})
            await socket.send_json({"type": "text", "token": "", "last": True})

        replies: set[asyncio.Task[None]] = set()
        try:
            while True:
                frame = await socket.receive_json()
                if frame["type"] == "prompt":
                    task = asyncio.ensure_future(reply(frame["voicePrompt"]))
                    replies.add(task)
                    task.add_done_callback(replies.discard)
        except WebSocketDisconnect:
            return

    relay.__annotations__["socket"] = WebSocket  # FastAPI cannot see a name that is local to this function
    app.websocket(PATH)(relay)
    return app


async def model_app(scope: Any, receive: Any, send: Any) -> None:
    """An OpenAI-compatible model at a fixed pace whose tokens say when they were made."""
    if scope["type"] != "http":
        return
    await receive()
    if not scope["path"].endswith("/chat/completions"):
        body = b'{"object":"list","data":[{"id":"m","object":"model","created":0,"owned_by":"x"}]}'
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    head = '{"id":"c","object":"chat.completion.chunk","created":0,"model":"m","choices":[{"index":0,'

    async def event(rest: str) -> None:
        await send({"type": "http.response.body", "body": f"data: {head}{rest}]}}\n\n".encode(), "more_body": True})

    await asyncio.sleep(FIRST_TOKEN)
    for _ in range(TOKENS):
        await event(f'"delta":{{"content":"{stamp()} "}},"finish_reason":null}}')
        await asyncio.sleep(TOKEN_GAP)
    await event('"delta":{},"finish_reason":"stop"}')
    await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def serve(app: Any, port: int) -> None:
    import uvicorn

    uvicorn.run(
        app,
        port=port,
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )


SERVERS = {"bare": lambda: bare_app, "tutorial": tutorial_app, "model": lambda: model_app}


# --- the callers -----------------------------------------------------------------------------------------


@dataclass
class Figures:
    """What was seen of one server. Milliseconds, microseconds of CPU per token, bytes."""

    added: list[float] = field(default_factory=list)
    relay: list[float] = field(default_factory=list)
    tokens: int = 0
    cpu_seconds: float = 0.0
    idle_bytes: float = 0.0

    def row(self, floor: Figures) -> list[str]:
        cpu, least = (each.cpu_seconds / max(1, each.tokens) * 1e6 for each in (self, floor))
        return [
            f"{_at(self.added, 50):.2f} / {_at(self.added, 99):.2f}",
            f"{_at(self.relay, 50):.2f} / {_at(self.relay, 99):.2f}",
            f"{cpu:.0f}",
            f"{cpu / least:.2f} x",
            f"{self.idle_bytes / 1024:.0f}",
        ]


def _at(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


class Caller:
    """One call on one socket."""

    def __init__(self, number: int, signed: bool, port: int, http: aiohttp.ClientSession, figures: Figures) -> None:
        self.sid = f"CA{os.getpid():08x}{number:024x}"
        self.signed = signed
        self.base = f"http://127.0.0.1:{port}"
        self.http = http
        self.figures = figures
        self.socket: aiohttp.ClientWebSocketResponse

    async def open(self) -> None:
        headers, token = {}, ""
        if self.signed:
            form = {
                "CallSid": self.sid,
                "AccountSid": "AC" + "0" * 32,
                "From": "+15550100001",
                "To": "+15550100002",
                "CallStatus": "ringing",
                "Direction": "inbound",
            }
            signature = {"X-Twilio-Signature": sign(TOKEN, PUBLIC + PATH, form)}
            async with self.http.post(self.base + PATH, data=form, headers=signature) as answer:
                document = await answer.text()
                assert answer.status == 200 and 'name="token" value="' in document, (answer.status, document)
            token = document.split('name="token" value="')[1].split('"')[0]
            headers = {"X-Twilio-Signature": sign(TOKEN, PUBLIC.replace("https", "wss") + PATH, {})}
        self.socket = await self.http.ws_connect(self.base + PATH, headers=headers)
        await self._send(
            type="setup",
            sessionId="VX" + self.sid[2:],
            callSid=self.sid,
            parentCallSid="",
            accountSid="AC" + "0" * 32,
            **{"from": "+15550100001", "to": "+15550100002"},
            forwardedFrom="",
            callerName="",
            direction="inbound",
            callType="PSTN",
            callStatus="RINGING",
            customParameters={"token": token},
        )

    async def talk(self, until: float, counting: asyncio.Event) -> None:
        # Callers do not speak in chorus: each starts at its own time and thinks for a while.
        await asyncio.sleep(random.uniform(0, FIRST_TOKEN + TOKENS * TOKEN_GAP + THINKS))
        while time.monotonic() < until:
            await self._ask(counting)
            await self._send(type="info", name="agentSpeaking", value="off")
            await asyncio.sleep(random.uniform(0.8, 1.2) * THINKS)

    async def _ask(self, counting: asyncio.Event) -> None:
        asked = time.monotonic()
        await self._send(type="prompt", voicePrompt=QUESTION, lang="en", last=True)
        first, heard = True, []
        while True:
            message = await asyncio.wait_for(self.socket.receive(), 30)
            now = time.monotonic()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionError(f"the server closed the socket: {message.data}")
            frame = json.loads(message.data)
            for word in frame["token"].split():
                if not word.startswith("t") or not word[1:].isdigit():
                    continue  # an agent's own words, not the model's
                made = int(word[1:]) / 1e6
                heard.append(word)
                if counting.is_set():
                    self.figures.tokens += 1
                    self.figures.relay.append((now - made) * 1000)
                    if first:
                        self.figures.added.append((now - asked - FIRST_TOKEN) * 1000)
                if first:
                    await self._send(type="info", name="agentSpeaking", value="on")
                first = False
            if frame["last"] and heard:
                await self._send(type="info", name="tokensPlayed", value=" ".join(heard))
                return

    async def _send(self, **frame: Any) -> None:
        await self.socket.send_str(json.dumps(frame))


# --- the run ---------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def process(command: list[str], port: int, core: int, **environ: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A server of its own on one processor, answering on `port`."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), **environ}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "note.md").write_text("# Note\n\nNothing of interest.\n")
        # The tokens are times of day in figures, to be measured by: they must come back as they were written.
        as_written = "[conversation]\nnumbers_for_the_ear = false\n"
        Path(folder, "voicectl.toml").write_text(as_written)
        Path(folder, UNREAD).write_text('[knowledge]\npaths = ["note.md"]\n' + as_written)
        started = subprocess.Popen(  # noqa: ASYNC220
            command,
            env=env,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: _pin(core),
        )
        try:
            async with aiohttp.ClientSession() as http:
                for _ in range(300):
                    if started.poll() is not None:
                        raise RuntimeError(f"{command} ended with {started.returncode}")
                    with contextlib.suppress(aiohttp.ClientError):
                        async with http.get(f"http://127.0.0.1:{port}/healthz"):
                            break
                    await asyncio.sleep(0.1)
            yield started
        finally:
            for signum in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
                started.send_signal(signum)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started.wait(3)
                    break


def _pin(core: int) -> None:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[core % len(cores)]})


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measure(kind: str, talkers: int, seconds: float, idle: int, ports: tuple[int, int]) -> Figures:
    own, model = ports
    figures = Figures()
    signed = kind in ("voicectl", "unread")
    if signed:
        command = [sys.executable, "-m", "voicectl", "serve", "--port", str(own), "--operator-port", "0"]
        command += ["--config", UNREAD] if kind == "unread" else []
    else:
        command = [sys.executable, "-m", "loadtests.relay_overhead", "--serve", kind, "--port", str(own)]
    environ = {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{model}/v1",
        "OPENAI_API_KEY": "sk-benchmark",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "VOICECTL_PUBLIC_URL": PUBLIC,
    }
    async with (
        process(command, own, 0, **environ) as server,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        callers = [Caller(n, signed, own, http, figures) for n in range(talkers)]
        for caller in callers:
            await caller.open()
        counting = asyncio.Event()
        until = time.monotonic() + seconds + 4
        talks = [asyncio.ensure_future(caller.talk(until, counting)) for caller in callers]
        await asyncio.sleep(4)  # everything is warm, and every caller has begun
        counting.set()
        before = cpu_seconds(server.pid)
        tokens_before = figures.tokens
        await asyncio.sleep(seconds)
        counting.clear()
        figures.cpu_seconds = cpu_seconds(server.pid) - before
        figures.tokens -= tokens_before
        await asyncio.gather(*talks)
        before_idle = resident(server.pid)
        quiet = [Caller(talkers + n, signed, own, http, figures) for n in range(idle)]
        for caller in quiet:
            await caller.open()
        await asyncio.sleep(1)
        figures.idle_bytes = (resident(server.pid) - before_idle) / max(1, idle)
        for caller in [*callers, *quiet]:
            await caller.socket.close()
    return figures


async def main(talkers: int, seconds: float, idle: int, kinds: list[str], as_json: bool) -> None:
    _pin(1)
    model_port, port = _free_port(), _free_port()
    command = [sys.executable, "-m", "loadtests.relay_overhead", "--serve", "model", "--port", str(model_port)]
    results: dict[str, Figures] = {}
    async with process(command, model_port, 1):
        for kind in kinds:
            results[kind] = await measure(kind, talkers, seconds, idle, (port, model_port))
            port = _free_port()
    floor = results["bare"]
    rows = {kind: figures.row(floor) for kind, figures in results.items()}
    if as_json:
        names = ("added_ms", "relay_ms", "cpu_us_per_token", "cpu_ratio", "idle_kb")
        print(json.dumps({kind: dict(zip(names, row, strict=True)) for kind, row in rows.items()}))
        return
    print(f"{talkers} talkers, one core, {TOKENS} tokens at {TOKEN_GAP * 1000:.0f} ms; p50 / p99 in milliseconds")
    print(f"{'':10} {'added':>16} {'relay':>16} {'µs CPU/token':>14} {'of the floor':>13} {'KB/idle call':>13}")
    for kind, row in rows.items():
        print(f"{kind:10} {row[0]:>16} {row[1]:>16} {row[2]:>14} {row[3]:>13} {row[4]:>13}")
    for kind in results.keys() - {"bare"}:
        extra, extra99 = (_at(results[kind].added, percent) - _at(floor.added, percent) for percent in (50, 99))
        print(f"{kind} adds {extra:.2f} ms (p50) and {extra99:.2f} ms (p99) to the bare socket's first token")


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="What voicectl adds to a bare socket.")
    parser.add_argument("--talkers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--idle", type=int, default=300, help="quiet calls opened to measure memory")
    parser.add_argument("--servers", default="bare,voicectl,unread,tutorial")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=sorted(SERVERS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(SERVERS[given.serve](), given.port)
    else:
        kinds = given.servers.split(",")
        asyncio.run(main(given.talkers, given.seconds, given.idle, kinds, given.json))
