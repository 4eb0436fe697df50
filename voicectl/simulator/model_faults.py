"""The ways in which a reply model's server can misbehave, and how one is asked for.

A fault is written as `name`, `name@n`, `name=value` or `name@n=value`: `n` counts tokens that are sent before it
strikes, `value` is in seconds where it is a time.
"""

from __future__ import annotations

from dataclasses import dataclass

from voicectl.simulator.model_calls import STYLES

FAULTS = {
    "ok": "none",
    "refuse": "hang up without a word (FIN)",
    "rst": "hang up without a word (reset)",
    "hang": "take the request and never answer",
    "ttft": "ttft=S: the first token comes S seconds late",
    "drip": "drip=S: S seconds between tokens",
    "gap": "gap@N=S: a pause of S seconds after N tokens",
    "stall": "stall@N: nothing more after N tokens, the connection stays open",
    "comments": "comments@N=S: after N tokens nothing but SSE comments, one every S seconds (0.05)",
    "cut": "cut@N: the connection is reset after N tokens",
    "cutclean": "cutclean@N: the answer ends in good order after N tokens, without a finish_reason",
    "eof": "eof@N: the connection is closed after N tokens, in the middle of the HTTP body",
    "quota": "429, credit exhausted",
    "slow_down": "503, asked to slow down",
    "badjson": "badjson@N: after N tokens an event that is not JSON",
    "errevent": "errevent@N: after N tokens an error event",
    "wrongtool": "wrongtool@N: after N tokens a call of a tool that was never offered",
    "tool": "tool=NAME: the whole reply, then a call of the tool NAME",
    "calls": f"calls=STYLE: tools are called in this style: {', '.join(name for name in STYLES if name)}",
    "cutargs": "the arguments of the tools called break off, with the finish_reason length",
    "unfinished": "the whole reply with its calls of tools, in good order but without a finish_reason",
    "finish": "finish=REASON: the whole reply, then this finish_reason",
    "refusal": "the whole reply, as a refusal",
    "endless": "tokens without end",
    "empty": "a finished reply without a word",
    "utf8split": "every write ends in the middle of a character; a reply in plain ASCII is replaced",
    "lazy": "lazy=S: the connection stays open for S seconds after the finish_reason, nothing follows",
    "html": "200 with a web page",
    "json": "200 with one JSON object: streaming was ignored",
    "param": "param=NAME: 400, the parameter NAME is not supported, for as long as it is sent",
}
"""What each fault does. Besides these, a status code from 400 to 599 is a fault: `500`, `429=7` (Retry-After)."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: str = "ok"
    after: int = 0
    """Tokens sent before the fault strikes."""
    value: str = ""

    @property
    def seconds(self) -> float:
        """The value as a time; 0.0 when there is none."""
        return float(self.value) if self.value else 0.0

    @property
    def status(self) -> int:
        """The status code that this fault is, or 0."""
        return int(self.name) if self.name.isdigit() else 0


def parse(spec: str) -> Fault:
    """Read one fault. ValueError says what is wrong with it."""
    head, _, value = spec.partition("=")
    name, at, count = head.partition("@")
    if name.isdigit():
        if not 400 <= int(name) <= 599:
            raise ValueError(f"{spec!r}: a status code must be from 400 to 599")
    elif name not in FAULTS:
        raise ValueError(f"{spec!r}: no such fault; there are {', '.join(FAULTS)} and status codes")
    if at and not count.isdigit():
        raise ValueError(f"{spec!r}: what follows @ must be a number of tokens")
    if name == "calls" and value.isalpha() and value not in STYLES:
        raise ValueError(f"{spec!r}: no such style; there are {', '.join(filter(None, STYLES))}")
    if value and name not in ("tool", "calls", "finish", "param"):
        try:
            float(value)
        except ValueError:
            raise ValueError(f"{spec!r}: what follows = must be seconds") from None
    return Fault(name, int(count or 0), value)
