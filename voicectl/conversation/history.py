"""The turns of a call, and the conversation as the reply model is shown it.

What the model is shown is what the caller heard. Fillers are left out: they say nothing, and a model that reads them
writes them. What the caller said in one go, in however many prompts, is one line; so is what the agent said and, after
a sound had cut it off, went on to say. Calls of tools hang on the line they followed, and none is without a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from voicectl.conversation.hearing.joining import join
from voicectl.conversation.turns import Line, ToolStatus, ToolUse, Turn

NO_RESULT = "No result yet: the caller spoke in the meantime."
MASK = "•"
_KEYS = re.compile(r"(?:(?P<field>.+): )?(?P<keys>[0-9*#]+|•+)")


class History:
    """Turns are added at the end and replaced by newer versions of themselves; `order` tells which is which."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        """The turns of this socket, in order; the first one's `order` is `first_order`."""
        self.first_order = 0
        self._secrets: list[str] = []
        """Keys that nobody is to read, the longest first: one may begin with another."""
        self._earlier: tuple[Turn, ...] = ()

    def begin(self, earlier: tuple[Turn, ...]) -> None:
        """`earlier`: the turns of the call's sockets before this one."""
        self._earlier = earlier
        self.first_order = max((turn.order + 1 for turn in earlier), default=0)

    @property
    def next_order(self) -> int:
        return self.first_order + len(self.turns)

    def __getitem__(self, order: int) -> Turn:
        return self.turns[order - self.first_order]

    def __setitem__(self, order: int, turn: Turn) -> None:
        self.turns[order - self.first_order] = turn

    def __contains__(self, order: int) -> bool:
        return self.first_order <= order < self.next_order

    def caller_turn(self) -> int:
        """The order of the caller's last turn; -1 before the first."""
        return next((turn.order for turn in reversed(self.turns) if turn.role == "caller"), -1)

    def last_words(self) -> str:
        """What the agent said last in answer to the caller, as far as it was or will be heard: no reprompts, no
        fillers."""
        said: list[str] = []
        for turn in reversed(self.turns):
            if turn.role == "caller":
                break
            if turn.kind in ("reply", "greeting", "notice", "apology"):
                said.append(heard_of(turn))
        if not "".join(said).strip():
            said = [heard_of(turn) for turn in reversed(self.turns) if turn.kind in ("reply", "greeting", "notice")][:1]
        return " ".join(text.strip() for text in reversed(said) if text.strip())

    def call_ids(self) -> set[str]:
        """The ids of all tool calls so far."""
        return {turn.tool.call.id for turn in (*self._earlier, *self.turns) if turn.tool is not None}

    def tool_turn(self, call_id: str) -> Turn | None:
        """The turn of a tool call that is still waiting."""
        for turn in reversed(self.turns):
            if turn.tool is not None and turn.tool.call.id == call_id and turn.tool.status == "waiting":
                return turn
        return None

    def returned(self, turn: Turn, result: str, status: ToolStatus, at: float) -> Turn:
        """A tool call has come to an end; returns its turn as it is now."""
        assert turn.tool is not None
        use = replace(turn.tool, result=result, status=status, seconds=at - turn.at)
        changed = replace(turn, tool=use, finished_at=at)
        self[turn.order] = changed
        return changed

    def keep_secret(self, *forms: str) -> None:
        """Nobody is to read these keys, wherever they turn up; `forms` are the ways in which they may be written."""
        self._secrets = sorted({*self._secrets, *forms}, key=lambda each: (-len(each), each))

    def masked(self, turn: Turn) -> Turn:
        """The turn as it may be stored and logged. Keys come back in what a tool is given, and in what is said."""
        for secret in self._secrets:
            if turn.role == "caller" and not turn.sensitive:
                continue
            said = turn.said.replace(secret, MASK * len(secret))
            # What was heard is a beginning of what was said, and may end in the middle of the secret.
            heard = said[: len(turn.heard)] if turn.role == "agent" else turn.heard.replace(secret, MASK * len(secret))
            generated = turn.generated.replace(secret, MASK * len(secret))
            turn = replace(turn, generated=generated, said=said, heard=heard)
            if turn.tool is not None:
                call = turn.tool.call
                arguments = call.arguments.replace(secret, MASK * len(secret))
                result = turn.tool.result.replace(secret, MASK * len(secret))
                turn = replace(turn, tool=replace(turn.tool, call=replace(call, arguments=arguments), result=result))
        return turn

    def lines(self) -> tuple[Line, ...]:
        """The conversation as the caller heard it; words still to be heard count as heard."""
        lines: list[Line] = []
        parts: list[str] = []
        """What the last line is joined from, where it is the caller's speech."""
        for turn in self._shown():
            last = lines[-1] if lines else None
            if turn.tool is not None:
                if last is not None:
                    lines[-1] = replace(last, tools=(*last.tools, _settled(turn.tool)))
                continue
            if turn.role == "caller":
                text = _said_by(turn)
                spoken = turn.kind == "speech" and text == turn.generated
                if spoken and parts and last is not None and last.role == "caller" and not last.tools:
                    parts.append(text)
                    lines[-1] = Line("caller", join(parts, turn.lang))
                    continue
                parts = [text] if spoken else []
                lines.append(Line("caller", text))
                continue
            text = heard_of(turn).strip()
            if text:
                parts = []
            if turn.resumes is not None and last is not None and last.role == "agent" and last.cut:
                lines[-1] = replace(last, text=f"{last.text} {text}".strip(), cut=turn.interrupted)
            elif text:
                lines.append(Line("agent", text, turn.interrupted))
        return tuple(lines)

    def _shown(self) -> Iterator[Turn]:
        return (turn for turn in (*self._earlier, *self.turns) if turn.kind != "filler")


def heard_of(turn: Turn) -> str:
    """What the caller heard of a turn of the agent, or still will."""
    return turn.heard if turn.interrupted else turn.said


def _said_by(turn: Turn) -> str:
    """A turn of the caller as the model reads it."""
    if turn.kind != "keys":
        return turn.generated
    found = _KEYS.fullmatch(turn.generated)
    if found is None:  # a menu's choice, which stands for words
        return turn.generated
    what = f" for {found['field']}" if found["field"] else ""
    return f"(pressed keys{what}: {found['keys']})"


def _settled(use: ToolUse) -> ToolUse:
    return use if use.status != "waiting" else replace(use, result=NO_RESULT)
