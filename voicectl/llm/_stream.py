"""A streamed chat completion: bytes in, text out. No I/O, no clock.

Server-sent events are lines, ended by LF, CRLF or CR; a blank line ends an event; its payload is its `data` lines
joined by newlines; a line that starts with a colon is a comment. Reads end anywhere: in the middle of a line, of a
CRLF, of a UTF-8 character, of the byte order mark. So bytes are split on blank lines before anything is decoded, and
what is left over waits for the next read. Cut differently, the same bytes give the same text.

Of an event's JSON only the fields used here are decoded, straight into structs; everything that one read brought
comes out as one string. That is where the speed comes from: building the SDK's own chunk objects costs a hundred
times as much.

Tools are called in fragments, which _calls.py puts together.
"""

from __future__ import annotations

import msgspec

from voicectl.conversation.turns import Usage
from voicectl.errors import ReplyFailure
from voicectl.llm._calls import CallFragment, Calls

MAX_EVENT = 256 * 1024
"""Bytes; a longer event is not one."""

_BOM = b"\xef\xbb\xbf"


class _Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[CallFragment] | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    delta: _Delta | None = None
    finish_reason: str | None = None


class _PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None


_NO_ERROR = msgspec.Raw(b"null")


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    model: str | None = None
    error: msgspec.Raw = _NO_ERROR  # an object, or whatever else a server puts there


class Problem(msgspec.Struct):
    """The `error` object of OpenAI's API, as far as it says whose fault it is. Never its message: servers quote
    keys and prompts in it."""

    code: str | int | float | None = None
    type: str | None = None
    param: str | None = None


class _ErrorBody(msgspec.Struct):
    error: Problem | None = None


_decode_chunk = msgspec.json.Decoder(_Chunk).decode
_decode_problem = msgspec.json.Decoder(Problem).decode
_decode_error_body = msgspec.json.Decoder(_ErrorBody).decode

_QUOTA = ("quota", "billing", "credit", "balance")
_KINDS: tuple[tuple[str, ReplyFailure], ...] = (
    ("rate_limit", "rate_limit"),
    ("server_error", "overload"),
    ("overloaded", "overload"),
    ("slow_down", "overload"),
    ("unavailable", "overload"),
    ("authentication", "auth"),
    ("permission", "auth"),
    ("invalid_api_key", "auth"),
    ("timeout", "timeout"),
)


def kind_of_status(status: int, problem: Problem) -> ReplyFailure:
    """What an HTTP status of 400 or more means for the call."""
    words = f"{problem.code} {problem.type}".lower()
    if status == 402 or (status == 429 and any(word in words for word in _QUOTA)):
        return "quota"
    if status == 429:
        return "rate_limit"
    if status in (401, 403):
        return "auth"
    if status == 408:
        return "timeout"
    return "overload" if status >= 500 else "bad_data"


def kind_of_problem(problem: Problem) -> ReplyFailure:
    """What an error in the middle of a stream means. Servers put OpenAI's codes there, or an HTTP status."""
    code = problem.code
    number = int(code) if isinstance(code, (int, float)) else int(code) if code and code.isdigit() else 0
    if 400 <= number <= 599:
        return kind_of_status(number, problem)
    words = f"{code} {problem.type}".lower()
    if any(word in words for word in _QUOTA):
        return "quota"
    return next((kind for mark, kind in _KINDS if mark in words), "bad_data")


def read_problem(body: bytes) -> Problem:
    """The error object in the body of an HTTP error; an empty one when there is none."""
    try:
        return _decode_error_body(body).error or Problem()
    except (ValueError, RecursionError):
        return Problem()


class ReplyStream:
    """Collects one reply. Feed it what was read; then look at what has become known."""

    __slots__ = ("_begun", "_rest", "calls", "done", "events", "failure", "finish_reason", "tokens", "usage")

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self.events = 0
        """Events seen: not comments."""
        self.failure: ReplyFailure | None = None
        """The stream has gone wrong; what was fed and is fed after that is not looked at."""
        self.finish_reason: str | None = None
        self.done = False
        """The server said that nothing more will come."""
        self.tokens = 0
        """Pieces of text or of a tool call so far: the stream is alive. Comments and empty deltas do not count."""
        self.calls = Calls()
        """The tools called, in order. They are whole only once there is a finish_reason."""
        self.usage: Usage | None = None

    def feed(self, data: bytes) -> str:
        """Take what was read and return the new text, "" if there is none. Never raises; see `failure`."""
        if self.failure or self.done:
            return ""
        buffer = self._rest + data if self._rest else data
        if not self._begun:
            if len(buffer) < 3 and _BOM.startswith(buffer):
                self._rest = buffer
                return ""
            self._begun = True
            if buffer.startswith(_BOM):
                buffer = buffer[3:]
        held = b""
        if b"\r" in buffer:
            if buffer.endswith(b"\r"):  # perhaps the first half of a CRLF
                buffer, held = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        events = buffer.split(b"\n\n")
        rest = events.pop()
        self._rest = rest + held
        text = [piece for event in events if (piece := self._event(event))]
        if len(rest) > MAX_EVENT:
            self.failure = self.failure or "bad_data"
        return "".join(text)

    def feed_eof(self) -> str:
        """The connection has ended. An event whose blank line is missing counts if it is whole."""
        rest, self._rest = self._rest, b""
        if self.failure or self.done:
            return ""
        text = self._event(rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
        self._settle(something=bool(rest))
        return text

    def _settle(self, *, something: bool) -> None:
        """What the end of the connection makes of it. `something`: there was more than whole events."""
        if self.failure not in (None, "bad_data"):
            return
        if self.finish_reason:
            self.failure = None
        elif something and not self.events:  # no event stream at all: a web page, a JSON document
            self.failure = "bad_data"
        else:
            self.failure = "truncated"

    def _event(self, event: bytes) -> str:
        if self.failure or self.done:
            return ""
        is_error = False
        if event.startswith(b"data: ") and b"\n" not in event:
            payload = event[6:]
        else:
            lines = []
            for line in event.split(b"\n"):
                name, _, value = line.partition(b":")
                if name == b"data":
                    lines.append(value.removeprefix(b" "))
                elif name == b"event":
                    is_error = value.strip() == b"error"
            if not lines:
                return ""
            payload = b"\n".join(lines)
        self.events += 1
        if payload == b"[DONE]":
            self.done = True
            return ""
        try:
            if is_error:
                self.failure = kind_of_problem(read_problem(payload))
                return ""
            return self._chunk(_decode_chunk(payload))
        except (ValueError, RecursionError):
            self.failure = "bad_data"
            return ""

    def _chunk(self, chunk: _Chunk) -> str:
        if chunk.error is not _NO_ERROR and (error := bytes(chunk.error)) != b"null":
            self.failure = self._kind_of_error(error)
            return ""
        if chunk.usage is not None:
            self._note_usage(chunk, chunk.usage)
        for choice in chunk.choices or ():
            if choice.index == 0:
                return self._choice(choice)
        return ""

    def _choice(self, choice: _Choice) -> str:
        if choice.finish_reason:
            self.finish_reason = choice.finish_reason
        delta = choice.delta
        if delta is None:
            return ""
        if delta.tool_calls:
            self.tokens += 1
            for fragment in delta.tool_calls:
                if not self.calls.add(fragment):
                    self.failure = "bad_data"
        text = delta.content or ""
        if delta.refusal:  # also meant for the person asking
            text += delta.refusal
        if text:
            self.tokens += 1
        return text

    def _note_usage(self, chunk: _Chunk, usage: _Usage) -> None:
        details = usage.prompt_tokens_details
        self.usage = Usage(
            chunk.model or "",
            usage.prompt_tokens or 0,
            usage.completion_tokens or 0,
            (details.cached_tokens or 0) if details else 0,
        )

    @staticmethod
    def _kind_of_error(raw: bytes) -> ReplyFailure:
        try:
            return kind_of_problem(_decode_problem(raw))
        except (ValueError, RecursionError):
            return "bad_data"
