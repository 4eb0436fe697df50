"""Replies from a file, at a human pace: for tests, demonstrations and benchmarks.

A plain text file holds one reply a line; empty lines and lines that begin with # are skipped. A YAML file says more:

    first_token: 0.3            # seconds before a reply begins
    per_token: 0.02             # seconds between its words
    replies:
      - We open at nine.
      - say: Goodbye, and thank you for calling.
        when: \\b(bye|goodbye)\\b # a regular expression, looked for in the caller's words, in any case
        closing: goodbye        # or person
      - say: Let me think about that for a moment.
        when: think
        fail: stall             # a failure, after so many words
        after: 3
      - when: my order
        call: {name: find_order, arguments: {number: "4711"}}   # a tool; or a list of them; arguments may be text
      - say: "It is here: {result}"                             # what the tool brought
        after_tool: find_order
      - say: where was I
        note: resume            # or wind_down, no_tools: what the model is told besides the conversation

A reply with `when`, `after_tool` or `note` answers whenever all of them fit, the first that fits. One without `note`
fits with any notes; one with `when` and no `after_tool` only where no tool was just used. The others are given in
order, each call from the first one, and then round again.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from voicectl.conversation.turns import ToolCall, Usage
from voicectl.errors import ConfigError, ReplyError
from voicectl.llm._script import FIRST_TOKEN, PER_TOKEN, Script, ScriptedCall, ScriptedReply, read_script
from voicectl.ports import ReplyEnd, ReplyRequest

_CALLS = 10_000
"""Calls whose place in the script is remembered."""


class ScriptedModel:
    """The reply model described above. Times are in seconds, on the loop's clock."""

    name = "scripted"

    def __init__(
        self,
        replies: Sequence[ScriptedReply | str],
        *,
        first_token: float = FIRST_TOKEN,
        per_token: float = PER_TOKEN,
    ) -> None:
        script = [ScriptedReply(reply) if isinstance(reply, str) else reply for reply in replies]
        asked = [bool(reply.when or reply.note or reply.after_tool) for reply in script]
        answers = [reply for reply, on_condition in zip(script, asked, strict=True) if on_condition]
        self._answers = [(re.compile(reply.when, re.IGNORECASE), reply) for reply in answers]
        self._turns = [reply for reply, on_condition in zip(script, asked, strict=True) if not on_condition]
        self._first_token = first_token
        self._per_token = per_token
        self._places: OrderedDict[str, int] = OrderedDict()

    @classmethod
    def load(cls, path: str | Path) -> ScriptedModel:
        """Read a script; a name that ends in .yaml or .yml holds YAML. ConfigError names the line and what to do."""
        path = Path(path)
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as bad:
            raise ConfigError(
                f"cannot read the script of replies {str(path)!r}: {bad}",
                "set llm.script to a file of replies in UTF-8",
            ) from bad
        if path.suffix.lower() in (".yaml", ".yml"):
            script = read_script(path, text)
            return cls(script.replies, first_token=script.first_token, per_token=script.per_token)
        lines = [line.strip() for line in text.splitlines()]
        replies = [line for line in lines if line and not line.startswith("#")]
        if not replies:
            raise ConfigError(f"{path}: holds no reply", "write one reply a line")
        return cls(replies)

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        """See ports.ReplyModel. With a script that has nothing for this turn: ReplyError("empty")."""
        script = self._choose(request)
        words = re.findall(r"\s*\S+", script.say.replace("{result}", _last_result(request)))
        loop = asyncio.get_running_loop()
        due = loop.time() + (self._first_token if script.first_token is None else script.first_token)
        pace = self._per_token if script.per_token is None else script.per_token
        count = min(script.after, len(words)) if script.fail else len(words)
        for word in words[:count]:
            await _until(due)
            yield word
            due += pace
        if count == 0 or count < len(words):
            await _until(due)
        if script.fail:
            raise ReplyError(script.fail, "the script says so")
        if not words and script.closing is None and not script.calls:
            raise ReplyError("empty", "the reply has no words")
        usage = Usage(self.name, completion_tokens=len(words))
        yield ReplyEnd("stop", script.closing, usage, calls=_calls(script, request))

    async def warm_up(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do."""

    def _choose(self, request: ReplyRequest) -> ScriptedReply:
        question = request.question
        used = {use.call.name for use in request.lines[-1].tools} if request.lines else set()
        for pattern, reply in self._answers:
            just_used = reply.after_tool in used if reply.after_tool else not (used and reply.when)
            noted = reply.note is None or reply.note in request.notes
            if just_used and noted and pattern.search(question):
                return reply
        if not self._turns:
            raise ReplyError("empty", "the script has no reply to this")
        place = self._places.pop(request.call.sid, 0)
        self._places[request.call.sid] = place + 1
        if len(self._places) > _CALLS:
            self._places.popitem(last=False)
        return self._turns[place % len(self._turns)]


def _last_result(request: ReplyRequest) -> str:
    """What the tool brought that was used last; "" where none was."""
    return next((line.tools[-1].result for line in reversed(request.lines) if line.tools), "")


def _calls(script: ScriptedReply, request: ReplyRequest) -> tuple[ToolCall, ...]:
    """The reply's calls: c1, c2 and so on, counted over the conversation."""
    before = sum(len(line.tools) for line in request.lines)
    return tuple(
        ToolCall(f"c{before + number}", call.name, call.arguments) for number, call in enumerate(script.calls, 1)
    )


async def _until(due: float) -> None:
    """Wait for the loop's time `due`, and let others run in any case."""
    await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))


__all__ = ["FIRST_TOKEN", "PER_TOKEN", "Script", "ScriptedCall", "ScriptedModel", "ScriptedReply"]
