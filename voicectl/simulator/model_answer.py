"""How the simulated reply model answers one request: OpenAI's chat completions, at a pace, with the fault ordered."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from voicectl.simulator.model_calls import broken_rule, call_pieces
from voicectl.simulator.model_faults import Fault

_NON_ASCII = "Grüß Gott, das macht 12 € — naïve café 你好 ☎️👋🏽 schön."
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A reply that calls tools."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    """Names and arguments, as the model writes them."""


class Channel(Protocol):
    """The connection an answer is written to."""

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written."""

    def head(self, status: int, *fields: str) -> None: ...

    def whole(self, status: int, kind: str, body: bytes, *fields: str) -> None: ...

    def close(self) -> None: ...

    def reset(self) -> None: ...


@dataclass(slots=True)
class ModelRequest:
    """A chat completion that was asked for. Times are the loop's."""

    number: int
    """Counts from 1."""
    headers: dict[str, str]
    """Names in lower case."""
    query: str
    body: dict[str, Any]
    fault: Fault
    at: float
    tokens: int = 0
    """Tokens of the reply that have been sent."""
    ended_at: float | None = None
    """When the server was through with it, whether it answered in full or broke off by order."""
    left_at: float | None = None
    """When the client closed the connection before the server was through."""


@dataclass(slots=True)
class Answer:
    """One answer being given. `stamp` tokens with their time take the place of `text` if it is not 0."""

    to: Channel
    request: ModelRequest
    text: str
    first_token: float
    per_token: float
    stamp: int = 0
    calls: tuple[tuple[str, str], ...] = ()
    held: bytes | None = None
    """For utf8split: the event stream is held back, to be sent in pieces of our own."""

    async def give(self) -> None:
        fault = self.request.fault
        if self._refused_by_status(fault) or self._refused_by_rule():
            return
        match fault.name:
            case "refuse":
                self.to.close()
            case "rst":
                self.to.reset()
            case "hang":
                await asyncio.get_running_loop().create_future()
            case "html":
                self.to.whole(200, "text/html", b"<!doctype html><title>Welcome</title><h1>It works!</h1>")
            case "json":
                self._at_once()
            case _ if self.request.body.get("stream"):
                await self._stream(fault)
            case _:
                self._at_once()

    def _refused_by_status(self, fault: Fault) -> bool:
        status, text, kind, code, param = fault.status, "Simulated failure", "server_error", "", ""
        fields = [f"retry-after: {fault.value}"] if status and fault.value else []
        if fault.name == "quota":
            status, text, kind = 429, "You exceeded your current quota", "insufficient_quota"
            code = kind
        elif fault.name == "slow_down":
            status, text, code = 503, "Slow down", "slow_down"
        elif fault.name == "param":
            status, text, kind, code = 400, "Unsupported", "invalid_request_error", "unsupported_parameter"
            param = fault.value
            if param not in self.request.body:
                return False
        elif 400 <= status < 500:
            kind = "requests" if status == 429 else "invalid_request_error"
            code = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}.get(status, "")
        elif not status:
            return False
        self.to.whole(status, "application/json", error_body(text, kind, code, param), *fields)
        return True

    def _refused_by_rule(self) -> bool:
        fault, at = broken_rule(self.request.body["messages"])
        if fault:
            param = f"messages.[{at}]"
            self.to.whole(400, "application/json", error_body(fault, "invalid_request_error", "", param))
        return bool(fault)

    def _at_once(self) -> None:
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.calls:
            message["tool_calls"] = [
                {"id": self._id(at), "type": "function", "function": {"name": name, "arguments": arguments}}
                for at, (name, arguments) in enumerate(self.calls)
            ]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if self.calls else "stop"}
        usage = self._usage(len(_tokens(self.text)))
        document = {**self._frame("chat.completion"), "choices": [choice], "usage": usage}
        self.to.whole(200, "application/json", json.dumps(document, ensure_ascii=False).encode())

    async def _stream(self, fault: Fault) -> None:
        if fault.name == "utf8split":
            self.held = b""
        self.to.head(200, "content-type: text/event-stream; charset=utf-8", "transfer-encoding: chunked")
        self._event({"choices": [_choice({"role": "assistant", "content": ""})]})
        sent = 0
        async for token in self._paced(fault):
            if sent == fault.after and await self._strikes(fault):
                return
            self._event({"choices": [_choice({"refusal" if fault.name == "refusal" else "content": token})]})
            sent += 1
            self.request.tokens = sent
            await self.to.drain()
        if sent <= fault.after and await self._strikes(fault):
            return
        tool = "delete_everything" if fault.name == "wrongtool" else fault.value if fault.name == "tool" else ""
        calls = ((tool, "{}"),) if tool else self.calls
        if fault.name == "cutargs":
            calls = tuple((name, arguments[: len(arguments) // 2]) for name, arguments in calls)
        for piece in call_pieces(fault.value if fault.name == "calls" else "", calls, self._id):
            self._event({"choices": [_choice({"tool_calls": piece})]})
        if fault.name == "unfinished":
            self.to.write(_LAST_CHUNK)
            return
        reason = "length" if fault.name == "cutargs" else "tool_calls" if calls else "stop"
        if fault.name == "finish":
            reason = fault.value
        self._event({"choices": [_choice({}, reason)]})
        if fault.name == "lazy":
            await asyncio.sleep(fault.seconds)
        if (self.request.body.get("stream_options") or {}).get("include_usage"):
            self._event({"choices": [], "usage": self._usage(sent)})
        self._framed(b"data: [DONE]\n\n")
        await self._send_held()
        self.to.write(_LAST_CHUNK)

    async def _paced(self, fault: Fault) -> AsyncIterator[str]:
        """The reply's tokens, each at its time."""
        loop = asyncio.get_running_loop()
        per_token = fault.seconds if fault.name == "drip" else self.per_token
        due = loop.time() + self.first_token + (fault.seconds if fault.name == "ttft" else 0.0)
        endless = fault.name == "endless"
        if endless:
            per_token = per_token or 0.001
        text = _NON_ASCII if fault.name == "utf8split" and self.text.isascii() else self.text
        tokens = [] if self.stamp else _tokens(text)
        count = self.stamp or len(tokens)
        index = 0
        while endless or index < count:
            wait = due - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if self.stamp:
                yield f"{self.request.number}.{index}.{time.monotonic_ns()} "
            else:
                yield tokens[index % count]
            index += 1
            due += per_token

    async def _strikes(self, fault: Fault) -> bool:
        """Do what the fault does at this point; True when the answer ends here."""
        match fault.name:
            case "gap":
                await asyncio.sleep(fault.seconds)
                return False
            case "stall":
                await asyncio.get_running_loop().create_future()
            case "comments":
                while True:
                    self._framed(b": ping\n\n")
                    await asyncio.sleep(fault.seconds or 0.05)
            case "cut":
                self.to.reset()
            case "cutclean":
                self.to.write(_LAST_CHUNK)
            case "eof":
                self.to.close()
            case "badjson":
                self._framed(b'data: {"choices": [{"index": 0, "delta": {"content": nonsense\n\n')
                self.to.write(_LAST_CHUNK)
            case "errevent":
                self._framed(b"data: " + error_body("The server had an error", "server_error") + b"\n\n")
                self.to.write(_LAST_CHUNK)
            case _:
                return False
        return True

    def _id(self, at: int) -> str:
        return f"call_{self.request.number}_{at}"

    def _event(self, document: dict[str, Any]) -> None:
        text = json.dumps({**self._frame("chat.completion.chunk"), **document}, ensure_ascii=False)
        self._framed(f"data: {text}\n\n".encode())

    def _frame(self, kind: str) -> dict[str, Any]:
        model = self.request.body.get("model", "simulated")
        return {"id": f"chatcmpl-{self.request.number}", "object": kind, "created": 0, "model": model}

    def _usage(self, tokens: int) -> dict[str, Any]:
        prompt = sum(len(str(message).split()) for message in self.request.body["messages"])
        counts = {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens}
        return {**counts, "prompt_tokens_details": {"cached_tokens": 0}}

    def _framed(self, data: bytes) -> None:
        if self.held is None:
            self.to.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            self.held += data

    async def _send_held(self) -> None:
        """Send what was held so that every character of several bytes arrives in several reads."""
        held, self.held = self.held, None
        for piece in re.findall(rb"[\x80-\xbf]?[^\x80-\xbf]*", held or b""):
            if piece:
                self._framed(piece)
                await asyncio.sleep(0.001)


def error_body(text: str, kind: str, code: str = "", param: str = "") -> bytes:
    """An error as OpenAI's API words it."""
    return json.dumps({"error": {"message": text, "type": kind, "param": param or None, "code": code or None}}).encode()


def _tokens(text: str) -> Sequence[str]:
    """Words with the space before them, as models write."""
    return re.findall(r"\s*\S+", text)


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}


__all__ = ["Answer", "Channel", "ModelReply", "ModelRequest", "error_body"]
