"""Replies from OpenAI or any server that speaks its chat completions.

A reply is one streaming request. Three budgets run on the loop's clock: the first token, the gap between tokens, the
whole reply. They are ours because none of the layers below has them: a read timeout is no deadline (a server that
sends a comment now and then never meets it), and the SDK's retries wait inside themselves for longer than any caller
does. So nothing is tried again here, except that a parameter the server says it does not know is left out from then
on. Trying another model is the chain's business.

Tools are offered as functions. Two of them, which end the call or put the caller through, are known here and make the
reply's closing; the others are reported as they were called, with whatever was written for arguments, for the caller of
this model to carry out. Where other tools are offered, one that nobody offered is reported too: whoever carries it out
says so to the model.

A stream that ends without a finish_reason is a failure, however good its end looks. All failures are ReplyError, with
messages that name the status and the request's id and never quote: servers put keys and prompts into their errors.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from voicectl.conversation.turns import Closing, ToolCall, Usage
from voicectl.errors import ConfigError, ReplyError, ReplyFailure
from voicectl.llm._deadline import Deadline
from voicectl.llm._stream import Problem, ReplyStream, kind_of_status, read_problem
from voicectl.llm.prompt import messages
from voicectl.ports import ReplyEnd, ReplyRequest, ToolSpec
from voicectl.settings import AgentSettings, LlmSettings

if TYPE_CHECKING:
    import aiohttp

    from voicectl.llm._wire import Wire

_USAGE_WAIT = 1.0
"""Seconds the token counts may take after the finish_reason. The words are complete by then."""
_EOF_WAIT = 0.05
"""Seconds the end of the HTTP body may take after [DONE]; later, the connection is closed instead of used again."""
_MAX_ERROR_BODY = 64 * 1024
_OPTIONAL = ("temperature", "max_tokens", "stream_options", "tools", "tool_choice")
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


class _Transfer(msgspec.Struct):
    to: str = ""


class OpenAIModel:
    """The reply model described above.

    `llm` names the server, the model and the budgets in seconds; `agent` is who speaks where the request does not say.
    The caller is offered a person only if the agent has a transfer number or destinations. `now` tells the local time,
    so that the model knows what "today" is; without it the model is not told. Raises ConfigError when there is no
    server to talk to.
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
        """Calls of tools that were never offered, in replies that had words as well and where there are no tools."""
        self._llm = llm
        self._agent = agent
        self._now = now
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
        yield self._end(request, stream, spoke, answer)

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
        llm, agent = self._llm, request.agent or self._agent
        body: dict[str, Any] = {
            "model": llm.model,
            "messages": messages(request, agent, now=self._now() if self._now else None),
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": llm.temperature,
            "max_tokens": llm.max_tokens,
            "tools": [*_closings(agent), *map(_function, request.tools)],
        }
        if "no_tools" in request.notes:
            body["tool_choice"] = "none"
        if "max_tokens" in self._unknown:
            body["max_completion_tokens"] = llm.max_tokens
        for name in self._unknown:
            body.pop(name, None)
        if "tools" not in body:
            body.pop("tool_choice", None)
        return body

    def _end(self, request: ReplyRequest, stream: ReplyStream, spoke: bool, answer: aiohttp.ClientResponse) -> ReplyEnd:
        agent = request.agent or self._agent
        offered = {name: _CLOSINGS[name] for name in (each["function"]["name"] for each in _closings(agent))}
        called = stream.calls.whole()
        closings = [offered[call.name] for call in called if call.name in offered]
        closing: Closing | None = "person" if "person" in closings else "goodbye" if closings else None
        others = tuple(call for call in called if call.name not in offered)
        calls = others if request.tools else ()
        if not spoke and closing is None and not calls:
            if others:
                raise _failure("bad_data", "the reply is a call of a tool that was not offered", answer)
            raise _failure("empty", "the reply has no words", answer)
        self.ignored_tools += len(others) - len(calls)
        usage: Usage | None = stream.usage
        if usage is not None and not usage.model:
            usage = replace(usage, model=self._llm.model)
        destination = _destination(called, agent) if closing == "person" else ""
        return ReplyEnd(stream.finish_reason or "stop", closing, usage, calls=calls, destination=destination)

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


@lru_cache(maxsize=64)
def _closings(agent: AgentSettings) -> tuple[dict[str, Any], ...]:
    """The functions that close a call, as this agent's callers can have it closed."""
    functions = [_offer("end_call", _TOOLS["end_call"], {"type": "object", "properties": {}})]
    if agent.transfer_number or agent.destinations:
        functions.append(_offer("transfer_to_person", *_transfer(agent)))
    return tuple(functions)


def _transfer(agent: AgentSettings) -> tuple[str, dict[str, Any]]:
    """Description and parameters of putting a caller through."""
    description, parameters = _TOOLS["transfer_to_person"], {"type": "object", "properties": {}}
    if not agent.destinations:
        return description, parameters
    whom = "; ".join(f"{each.name}: {each.about or each.name}" for each in agent.destinations)
    usual = " Leave it out for anybody else." if agent.transfer_number else ""
    to = {"type": "string", "enum": [each.name for each in agent.destinations], "description": f"{whom}.{usual}"}
    return description, {
        "type": "object",
        "properties": {"to": to},
        **({} if agent.transfer_number else {"required": ["to"]}),
    }


def _function(spec: ToolSpec) -> dict[str, Any]:
    return _offer(spec.name, spec.description, spec.parameters)


def _offer(name: str, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def _destination(called: Sequence[ToolCall], agent: AgentSettings) -> str:
    """Whom the caller is put through to; "" where the model named nobody there is."""
    names = {each.name for each in agent.destinations}
    for call in called:
        if call.name == "transfer_to_person":
            try:
                to = msgspec.json.decode(call.arguments, type=_Transfer).to
            except (ValueError, RecursionError):
                continue
            if to in names:
                return to
    return ""


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
