"""A simulated call with an application that answers at once, on a clock that the test moves."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import quoteattr

from voicectl.simulator.carrier import (
    Action,
    CallOver,
    CloseSocket,
    DropSocket,
    Fetch,
    Knobs,
    OpenSocket,
    SendFrame,
    TwilioCall,
)

HOST = "https://voice.example.com"
ALL_EVENTS = "speaker-events tokens-played config-updated"
FAST = Knobs(fast=True)
HANG_UP = "<Response><Hangup/></Response>"


def connect(children: str = "", *, action: str | None = "/after", **attributes: str) -> str:
    """TwiML with a relay that subscribes to everything, and `attributes` besides."""
    given = {
        "url": "wss://voice.example.com/relay",
        "events": ALL_EVENTS,
        "dtmfDetection": "true",
        "partialPrompts": "true",
        "speechModel": "flux",
    } | attributes
    relay = " ".join(f"{name}={quoteattr(value)}" for name, value in given.items())
    after = f" action={quoteattr(action)}" if action is not None else ""
    return f"<Response><Connect{after}><ConversationRelay {relay}>{children}</ConversationRelay></Connect></Response>"


class Rig:
    """`twiml` answers the voice webhook, `after` the action callbacks one by one, then comes <Hangup/>.

    With `sockets=False` sockets are left alone; with `fetches=False` only status callbacks are answered.
    """

    def __init__(
        self,
        twiml: str | None = None,
        *,
        after: list[str] | None = None,
        knobs: Knobs | None = None,
        sockets: bool = True,
        fetches: bool = True,
        start: bool = True,
        **call: Any,
    ) -> None:
        self.twiml = connect() if twiml is None else twiml
        self.after = list(after or [])
        self.sockets = sockets
        self.fetches = fetches
        self.now = 0.0
        self.log: list[tuple[float, Action]] = []
        defaults = {
            "voice_url": f"{HOST}/voice",
            "status_url": f"{HOST}/status",
            "auth_token": "12345",
            "knobs": FAST if knobs is None else knobs,
        }
        self.call = TwilioCall(**(defaults | call))
        if start:
            self.take(self.call.start(self.now))

    # --- driving --------------------------------------------------------------------------------------------

    def take(self, actions: list[Action]) -> None:
        for action in actions:
            assert not self.over, f"{action} after the call was over"
            self.log.append((self.now, action))
        for action in actions:
            if isinstance(action, OpenSocket) and self.sockets:
                self.take(self.call.socket_opened(self.now, session=action.session))
            elif isinstance(action, Fetch) and action.purpose == "status":
                self.take(self.call.answered(action.id, 204, "", b"", self.now))
            elif isinstance(action, Fetch) and self.fetches:
                self.take(self.call.answered(action.id, 200, "text/xml", self.answer(action), self.now))
        due = self.call.due
        assert due is None or due > self.now, "something is overdue"

    def answer(self, fetch: Fetch) -> str:
        if fetch.purpose == "action":
            return self.after.pop(0) if self.after else HANG_UP
        return self.twiml

    def wait(self, seconds: float) -> Rig:
        """Let so much time pass."""
        until = self.now + seconds
        while (due := self.call.due) is not None and due <= until:
            self.now = due
            self.take(self.call.advance(due))
        self.now = until
        self.take(self.call.advance(until))
        return self

    def finish(self) -> Rig:
        """Let all the time pass that the call needs to come to its end."""
        for _ in range(1000):
            if self.over or self.call.due is None:
                break
            self.wait(self.call.due - self.now)
        assert self.over, "the call does not end"
        return self

    def send(self, **frame: Any) -> Rig:
        """A frame of the application."""
        return self.send_raw(json.dumps(frame))

    def send_raw(self, data: str | bytes) -> Rig:
        self.take(self.call.socket_message(data, self.now))
        return self

    def say(self, text: str, **more: Any) -> Rig:
        """A whole talk cycle in one token."""
        return self.send(type="text", token=text, last=True, **more)

    def speak(self, text: str, **more: Any) -> Rig:
        self.take(self.call.speak(text, self.now, **more))
        return self

    def press(self, keys: str) -> Rig:
        self.take(self.call.press(keys, self.now))
        return self

    def hang_up(self) -> Rig:
        self.take(self.call.hang_up(self.now))
        return self

    def drop(self) -> Rig:
        self.take(self.call.drop(self.now))
        return self

    def close(self, code: int = 1000) -> Rig:
        """The application closes the socket."""
        self.take(self.call.socket_closed(code, self.now))
        return self

    # --- looking --------------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return bool(self.log) and isinstance(self.log[-1][1], CallOver)

    @property
    def ending(self) -> CallOver:
        last = self.log[-1][1]
        assert isinstance(last, CallOver)
        return last

    def of(self, kind: type[Any]) -> list[Any]:
        return [action for _, action in self.log if isinstance(action, kind)]

    def when(self, kind: type[Any], index: int = 0) -> float:
        return [at for at, action in self.log if isinstance(action, kind)][index]

    @property
    def timed_frames(self) -> list[tuple[float, dict[str, Any]]]:
        return [(at, json.loads(action.text)) for at, action in self.log if isinstance(action, SendFrame)]

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [frame for _, frame in self.timed_frames]

    @property
    def brief(self) -> list[str]:
        """The frames after the first setup, and what became of the socket, one word or two for each."""
        brief = []
        for _, action in self.log:
            if isinstance(action, SendFrame):
                brief.append(_brief(json.loads(action.text)))
            elif isinstance(action, CloseSocket):
                brief.append(f"close {action.code}")
            elif isinstance(action, DropSocket):
                brief.append("drop")
        return brief[1:]

    def forget(self) -> Rig:
        """Only what comes from now on is of interest (a setup is kept in front)."""
        self.log = [(at, action) for at, action in self.log if _is_setup(action)][:1]
        return self

    def fetched(self, purpose: str) -> list[Fetch]:
        return [fetch for fetch in self.of(Fetch) if fetch.purpose == purpose]

    def prompts(self, *, last: bool = True) -> list[str]:
        return [frame["voicePrompt"] for frame in self.frames if frame["type"] == "prompt" and frame["last"] is last]

    def played(self) -> list[str]:
        return [frame["value"] for frame in self.frames if frame.get("name") == "tokensPlayed"]


def opened(knobs: Knobs = FAST, *, children: str = "", seed: int = 0, **attributes: str) -> Rig:
    """A call whose relay socket is open, and nothing else has happened."""
    rig = Rig(connect(children, **attributes), knobs=knobs, seed=seed)
    while not rig.frames:
        rig.wait(0.1)
    return rig.forget()


def knobs(**given: Any) -> Knobs:
    """Without delays."""
    return Knobs(fast=True, **given)


def _is_setup(action: Action) -> bool:
    return isinstance(action, SendFrame) and json.loads(action.text)["type"] == "setup"


def _brief(frame: dict[str, Any]) -> str:
    kind = frame["type"]
    if kind == "info" and frame["name"] == "tokensPlayed":
        return f"played {frame['value']!r}"
    if kind == "info":
        who = {"agentSpeaking": "agent", "clientSpeaking": "caller"}.get(frame["name"], frame["name"])
        return f"{who} {frame['value']}"
    if kind == "prompt":
        return f"{'final' if frame['last'] else 'partial'} {frame['voicePrompt']!r}"
    if kind == "interrupt":
        return f"interrupt {frame['utteranceUntilInterrupt']!r}"
    if kind == "dtmf":
        return f"dtmf {frame['digit']}"
    return str(kind)
