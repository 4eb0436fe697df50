"""Replies from OpenAI or any server that speaks its chat completions.

A reply is one streaming request. Three budgets run on the loop's clock: the first token, the gap between tokens, the
whole reply. They are ours because none of the layers below has them: a read timeout is no deadline (a server that
sends a comment now and then never meets it), and the SDK's retries wait inside themselves for longer than any caller
does. So nothing is tried again here, except that a parameter the server says it does not know is left out from then
on. Trying another model is the chain's business.

A stream that ends without a finish_reason is a failure, however good its end looks. All failures are ReplyError, with
messages that name the status and the request's id and never quote: servers put keys and prompts into their errors.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from voicectl.conversation.turns import Closing, Usage
from voicectl.errors import ConfigError, ReplyError, ReplyFailure
from voicectl.llm._deadline import Deadline
from voicectl.llm._stream import Problem, ReplyStream, kind_of_status, read_problem
from voicectl.llm.prompt import messages
from voicectl.ports import ReplyEnd, ReplyRequest
from voicectl.settings import AgentSettings, LlmSettings

if TYPE_CHECKING:
    import aiohttp

    from voicectl.llm._wire import Wire

_USAGE_WAIT = 1.0
"""Seconds the token counts may take after the finish_reason. The words are complete by then."""
_EOF_WAIT = 0.05
"""Seconds the end of the HTTP body may take after [DONE]; later, the connection is closed instead of used again."""
_MAX_ERROR_BODY = 64 * 1024
_OPTIONAL = ("temperature", "max_tokens", "stream_options", "tools")
"""Parameters that a server may refuse by name; the reply is worth having without them."""

_BROKEN_OFF: dict[ReplyFailure, str] = {
    "truncated": "the reply ended without saying why",
    "bad_data": "the reply model's server sent something else than a chat completion",
}
_REPORTED = "the reply model's server reported an error in place of the reply"

_CLOSINGS: dict[str, Closing] = {"end_call": "goodbye", "transfer_to_person": "person"}
_TOOLS = {
    "end_call": "Hang up. Use it when the caller says goodbye or wants to end the call. Say goodbye first, in the "
    "same reply.",
    "transfer_to_person": "Put the caller through to a person. Use it when the caller asks for one, or needs what "
    "you cannot do. Say so first, in the same reply.",
}


class OpenAIModel:
    """The reply model described above.

    `llm` names the server, the model and the budgets in seconds; `agent` is who speaks. The caller is offered a
    person only if the agent has a transfer number. `now` tells the local time, so that the model knows what "today"
    is; without it the model is not told. Raises ConfigError when there is no server to talk to.
    """

    def __init__(self, llm: LlmSettings, agent: AgentSettings, *, now: Callable[[], datetime] | None = None) -> None:
        if not llm.api_key and not llm.base_url:
            raise ConfigError(
                "the reply model has no key and no server",
                "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own, or llm.kind = offline",
            )
        if llm.base_url and not re.match(r"https?://[^/]", llm.base_url):
            raise ConfigError(
                "llm.base_url is no web address", "set it like https://api.openai.com/v1, with http:// or https://"
            )
        if not llm.api_key.isascii() or not llm.api_key.strip().isprintable():
            raise ConfigError("the reply model's key holds characters that no key has", "copy the key again")
        self.name = f"openai:{llm.model}"
        self.ignored_tools = 0
        """Calls of tools that were never offered, in replies that had words as well."""
        self._llm = llm
        self._agent = agent
        self._now = now
        self._offered = ("end_call", "transfer_to_person") if agent.transfer_number else ("end_call",)
        self._unknown: set[str] = set()
        self._wire: Wire | None = None
        self._broken: tuple[type[BaseException], ...] = ()
        self._opening = asyncio.Lock()

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        """See ports.ReplyModel. Cancelling the task that waits, or closing the iterator, closes the connection."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        total = started + self._llm.total_seconds
        due = min(started + self._llm.first_token_seconds, total)
        stream = ReplyStream()
        deadline = Deadline(loop)
        answer: aiohttp.ClientResponse | None = None
        spoke = False
        try:
            wire = self._wire or await self._open()
            answer = await self._ask(wire, request, deadline, due)
            read = answer.content.readany
            tokens = 0
            while True:
                try:
                    data = await deadline.wait(read(), due)
                except TimeoutError:
                    if stream.finish_reason:
                        break
                    raise self._late(tokens, loop.time() >= total) from None
                except self._broken:
                    if stream.finish_reason:
                        break
                    raise _failure("truncated", "the reply broke off: the connection was lost", answer) from None
                text = stream.feed(data) if data else stream.feed_eof()
                if text:
                    spoke = True
                    yield text
                if stream.failure:
                    raise _failure(stream.failure, _BROKEN_OFF.get(stream.failure, _REPORTED), answer)
                if not data:
                    break
                if stream.done:
                    due = min(due, loop.time() + _EOF_WAIT)
                elif stream.finish_reason:
                    due = min(due, loop.time() + _USAGE_WAIT)
                elif stream.tokens != tokens:
                    tokens = stream.tokens
                    due = min(loop.time() + self._llm.gap_seconds, total)
        finally:
            deadline.close()
            if answer is not None:
                answer.close()
        yield self._end(stream, spoke, answer)

    async def warm_up(self) -> None:
        """Import the SDK, open a connection, and ask for the list of models, which costs nothing."""
        try:
            wire = self._wire or await self._open()
            async with asyncio.timeout(self._llm.first_token_seconds):
                await wire.client.models.list()
        except Exception:  # the first reply will say what is wrong, to somebody who can act on it
            pass

    async def close(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    async def _open(self) -> Wire:
        async with self._opening:
            if self._wire is None:
                from voicectl.llm import _wire

                self._broken = _wire.BROKEN
                try:
                    self._wire = await _wire.open_wire(self._llm)
                except Exception as bad:
                    raise ReplyError("internal", "the reply model's client cannot be set up") from bad
            return self._wire

    async def _ask(self, wire: Wire, request: ReplyRequest, deadline: Deadline, due: float) -> aiohttp.ClientResponse:
        """Send the request; returns an answer that promises a stream."""
        while True:
            body = self._body(request)
            try:
                answer = await deadline.wait(wire.post(msgspec.json.encode(body)), due)
            except TimeoutError:
                raise self._late(0, False) from None
            except self._broken:
                raise ReplyError("refused", "the reply model's server cannot be reached") from None
            if answer.status < 400 and not answer.headers.get("content-type", "").startswith("text/html"):
                return answer
            try:
                problem = await deadline.wait(_problem(answer), due)
            except self._broken:  # or too late: TimeoutError is an OSError
                problem = Problem()
            finally:
                answer.close()
            if answer.status < 400:
                raise _failure("bad_data", "the reply model's server answered with a web page", answer)
            if answer.status == 400 and problem.param in _OPTIONAL and problem.param in body:
                self._unknown.add(problem.param)
                continue
            raise _status_failure(answer, problem)

    def _body(self, request: ReplyRequest) -> dict[str, Any]:
        llm = self._llm
        body: dict[str, Any] = {
            "model": llm.model,
            "messages": messages(request, self._agent, now=self._now() if self._now else None),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": llm.temperature,
            "max_tokens": llm.max_tokens,
            "tools": [_tool(name) for name in self._offered],
        }
        for name in self._unknown:
            value = body.pop(name)
            if name == "max_tokens":
                body["max_completion_tokens"] = value
        return body

    def _end(self, stream: ReplyStream, spoke: bool, answer: aiohttp.ClientResponse) -> ReplyEnd:
        called = [_CLOSINGS[name] for name in stream.tools if name in self._offered]
        closing: Closing | None = "person" if "person" in called else "goodbye" if called else None
        strange = len(stream.tools) - len(called)
        if not spoke and closing is None:
            if strange:
                raise _failure("bad_data", "the reply is a call of a tool that was not offered", answer)
            raise _failure("empty", "the reply has no words", answer)
        self.ignored_tools += strange
        usage: Usage | None = stream.usage
        if usage is not None and not usage.model:
            usage = replace(usage, model=self._llm.model)
        return ReplyEnd(stream.finish_reason or "stop", closing, usage)

    def _late(self, tokens: int, total: bool) -> ReplyError:
        if not tokens:
            return ReplyError("timeout", "the reply model wrote no first word in time")
        if total:
            return ReplyError("timeout", "the reply took too long to write")
        return ReplyError("stall", "the reply model stopped in the middle of the reply")


async def _problem(answer: aiohttp.ClientResponse) -> Problem:
    body = b""
    while len(body) < _MAX_ERROR_BODY and (data := await answer.content.readany()):
        body += data
    return read_problem(body)


def _tool(name: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": _TOOLS[name], "parameters": nothing}}


def _failure(kind: ReplyFailure, text: str, answer: aiohttp.ClientResponse) -> ReplyError:
    return ReplyError(kind, text + _request_id(answer))


def _status_failure(answer: aiohttp.ClientResponse, problem: Problem) -> ReplyError:
    return ReplyError(
        kind_of_status(answer.status, problem),
        f"the reply model's server answered {answer.status}{_request_id(answer)}",
        retry_after=_retry_after(answer),
    )


def _request_id(answer: aiohttp.ClientResponse) -> str:
    """For a message; the id comes from outside and is shown only if it looks like one."""
    found = answer.headers.get("x-request-id", "")
    return f" (request {found})" if re.fullmatch(r"[\w.:-]{1,80}", found, re.ASCII) else ""


def _retry_after(answer: aiohttp.ClientResponse) -> float | None:
    """Seconds, from the headers that the SDK reads too; its third form, a date, is not read."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(answer.headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return seconds
    return None


__all__ = ["OpenAIModel"]
