"""TwiML carried out verb by verb.

<Say>, <Play> and <Pause> take their time, <Dial> and <Enqueue> as long as the person reached talks (knobs
dial_seconds, dial_status); verbs that need more than this simulator has (<Gather>, <Record> …) are noted and take no
time. What ends a document for good is <Connect> (its session decides what is next), <Redirect>, <Hangup>, <Reject>,
or its end, which hangs up.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol
from urllib.parse import urljoin

from voicectl.simulator import speech_clock, twiml
from voicectl.simulator.actions import Alert, Verb
from voicectl.simulator.stage import Stage, Timer

REJECTIONS = {"busy": "busy", "rejected": "no-answer"}
"""<Reject reason>, and the CallStatus it leads to."""

Webhook = tuple[str, str]
"""method, url"""


class Host(Protocol):
    """The call that a program runs in."""

    def answer(self) -> None:
        """The caller hears something: the call is in progress."""

    def redirect(self, webhook: Webhook) -> None:
        """Go on with the document that is there."""

    def connect(self, relay: twiml.Relay, action: Webhook | None) -> None:
        """Open a session; without an action, the next verb follows it."""

    def dialled(self, action: Webhook, status: str, seconds: float) -> None:
        """A <Dial> is over; its action is to be posted."""

    def finish(self, unanswered: str, why: str) -> None:
        """Hang up. `unanswered` is the CallStatus if the call was never in progress."""


class Program:
    def __init__(self, stage: Stage, host: Host) -> None:
        self._stage = stage
        self._host = host
        self._verbs: deque[twiml.Element] = deque()
        self._base = ""
        self._step: Timer | None = None

    def run(self, document: twiml.Document, base: str) -> None:
        """Carry out a document; `base` is where it came from, relative urls start there."""
        for warning in document.warnings:
            self._stage.emit(Alert(self._stage.now, 12200, warning))
        self._verbs = deque(document.verbs)
        self._base = base
        self.go_on()

    def go_on(self) -> None:
        """The next verb, and those after it until one takes time."""
        while self._verbs:
            if self._carry_out(self._verbs.popleft()):
                return
        self._host.finish("completed", "the TwiML came to its end")

    def stop(self) -> None:
        self._verbs.clear()
        if self._step is not None:
            self._step.do = None

    def _carry_out(self, verb: twiml.Element) -> bool:
        """False: on to the next verb at once."""
        self._stage.emit(Verb(self._stage.now, verb.name, verb.attributes, verb.text))
        knobs = self._stage.knobs
        match verb.name:
            case "Connect":
                return self._connect(verb)
            case "Say":
                self._host.answer()
                self._wait(speech_clock.seconds_to_say(verb.text) * knobs.pace * _number(verb, "loop", 1))
            case "Play":
                self._host.answer()
                digits = verb.attributes.get("digits")
                once = knobs.play_seconds if digits is None else speech_clock.seconds_to_dial(digits)
                self._wait(once * _number(verb, "loop", 1))
            case "Pause":
                self._wait(_number(verb, "length", 1))
            case "Dial" | "Enqueue":
                self._dial(verb)
            case "Redirect":
                self._host.redirect((_method(verb), self._resolved(verb.text)))
            case "Hangup":
                self._host.finish("completed", "the application hung up")
            case "Reject":
                reason = verb.attributes.get("reason", "rejected")
                self._host.finish(REJECTIONS.get(reason, "no-answer"), "the application rejected the call")
            case _:
                for noun in verb.children:
                    self._stage.emit(Verb(self._stage.now, noun.name, noun.attributes, noun.text))
                return False
        return True

    def _connect(self, verb: twiml.Element) -> bool:
        nouns = [child for child in verb.children if child.name == "ConversationRelay"]
        if len(nouns) != 1 or len(verb.children) != 1:
            self._stage.emit(Alert(self._stage.now, 12200, "<Connect> holds exactly one <ConversationRelay>"))
        if not nouns:
            return False
        relay = twiml.relay(nouns[0], allow_ws=self._stage.knobs.allow_ws)
        for warning in relay.warnings:
            self._stage.emit(Alert(self._stage.now, 12200, warning))
        self._host.connect(relay, self._action(verb))
        return True

    def _dial(self, verb: twiml.Element) -> None:
        self._host.answer()
        knobs = self._stage.knobs
        seconds = knobs.dial_seconds if knobs.dial_status == "completed" else 0.0
        action = self._action(verb)
        self._wait(seconds)
        if action is not None and self._step is not None:
            self._step.do = lambda: self._host.dialled(action, knobs.dial_status, seconds)

    def _action(self, verb: twiml.Element) -> Webhook | None:
        action = verb.attributes.get("action")
        return None if action is None else (_method(verb), self._resolved(action))

    def _resolved(self, url: str) -> str:
        """A relative url starts from the document's own. What makes no sense is left to fail when it is fetched."""
        try:
            return urljoin(self._base, url)
        except ValueError:
            return url

    def _wait(self, seconds: float) -> None:
        self._step = self._stage.at(self._stage.now + seconds, self.go_on)


def _method(verb: twiml.Element) -> str:
    return "GET" if verb.attributes.get("method", "").upper() == "GET" else "POST"


def _number(verb: twiml.Element, name: str, default: int) -> int:
    """A count or a number of seconds; a loop of 0 is as good as for ever."""
    given = verb.attributes.get(name, "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 6 else default
    return 1000 if name == "loop" and number == 0 else number
