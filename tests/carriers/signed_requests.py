"""Requests as Twilio sends and signs them, for the tests of signatures."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote_plus, urlencode

from relay_recordings import PRESENT, lines

from voicectl.carriers.signature import sign

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://voice.example.com/tenant"
PATH = "/api/v1/voice/conversation-relay"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
SID = "0123456789abcdef" * 2
USED = (
    *("AccountSid", "CallSid", "CallStatus", "From", "To", "Direction", "SessionId", "SessionStatus"),
    *("SessionDuration", "SequenceNumber", "CallDuration", "ErrorCode", "HandoffData"),
)

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    pairs: Pairs
    url: str = PUBLIC + PATH
    token: str = TOKEN

    @property
    def header(self) -> str:
        return sign(self.token, self.url, dict(self.pairs))

    @property
    def body(self) -> bytes:
        return encoded(self.pairs)

    @property
    def used(self) -> dict[str, str]:
        return {name: value for name, value in self.pairs if name in USED}


def encoded(pairs: Pairs) -> bytes:
    return urlencode(pairs, quote_via=quote_plus).encode()


def parties(caller: str, called: str, geo: str = "") -> Pairs:
    pairs = [("From", caller), ("To", called), ("Caller", caller), ("Called", called)]
    if geo:
        for who in ("From", "To", "Caller", "Called"):
            pairs += [(who + "City", geo), (who + "State", "CA"), (who + "Zip", "94105"), (who + "Country", "US")]
    return pairs


IDS: Pairs = [
    ("AccountSid", "AC" + SID),
    ("CallSid", "CA" + SID),
    ("ApiVersion", "2010-04-01"),
    ("Direction", "inbound"),
]


def samples() -> list[Request]:
    """Each webhook with all its documented parameters, callers of every kind, and what was recorded."""
    pstn = parties("+14155550100", "+14155550199", "SAN FRANCISCO")
    geo_empty = [(name, "" if len(name) > 6 else value) for name, value in pstn]
    voice: Pairs = [("CallStatus", "ringing"), ("CallToken", '{"parentCallInfoToken":"eyJ.x"}')]
    over: Pairs = [("CallStatus", "in-progress"), ("SessionId", "VX" + SID), ("SessionDuration", "25")]
    failed: Pairs = [("SessionStatus", "failed"), ("ErrorCode", "64105"), ("ErrorMessage", "Websocket ended")]
    progress: Pairs = [("CallbackSource", "call-progress-events"), ("Timestamp", "Sun, 22 Nov 2026 10:00:00 +0000")]
    forms = [
        [*IDS, *pstn, *voice, ("StirVerstat", "TN-Validation-Passed-A")],
        [*IDS, *geo_empty, *voice, ("CallerName", "ANN & BOB; = %41 Grüße"), ("ForwardedFrom", "+14155550199")],
        [*IDS, *parties("client:ann", ""), *voice, ("ApplicationSid", "AP" + SID)],
        [*IDS, *parties("sip:ann@example.com", "sip:100@x.sip.twilio.com"), *voice, ("SipHeader_X-Tenant", "42")],
        [*IDS, *parties("anonymous", "+14155550199"), *voice, ("SomethingNew", "1"), ("Zebra_2.0-x", "")],
        [*IDS, *parties("", "+14155550199", "OAKLAND"), *voice],
        [*IDS, *parties("client:JohnSmith", "UNKNOWN"), *voice, ("roomName", "x")],
        [*IDS, *pstn, *over, ("SessionStatus", "ended"), ("HandoffData", '{"reason":"person","n":[1,{"a":"}"}]}')],
        [*IDS, *pstn, *over, ("SessionStatus", "ended"), ("HandoffData", "person"), ("ParentCallSid", "CA" + SID)],
        [*IDS, *pstn, *over, *failed],
        [*IDS, *pstn, *progress, ("CallStatus", "ringing"), ("SequenceNumber", "12")],
        [*IDS, *pstn, *progress, ("CallStatus", "completed"), ("SequenceNumber", "3"), ("CallDuration", "362")],
        [*IDS, *pstn, ("CallStatus", "ringing"), ("ErrorCode", "11200"), ("ErrorUrl", "https://x.example/voice")],
    ]
    if PRESENT:
        forms += [list(line["form"].items()) for line in lines("http") if "form" in line]
    return [Request(form) for form in forms]
