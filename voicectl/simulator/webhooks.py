"""The requests Twilio makes: what is in them, and how they are signed.

Signature: base64 of HMAC-SHA1, keyed with the account's auth token, over the exact URL followed by every form
parameter, name and value, sorted by name. The relay socket's upgrade is signed over the `wss://` url as written in the
TwiML, without parameters. Header names arrive in lower case.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

API_VERSION = "2010-04-01"
BEDROCK_HEADER = "x-amzn-bedrock-agentcore-runtime-custom-twilio-signature"
_EPOCH = 1_767_225_600
"""Simulated time starts on 1 January 2026: timestamps must be the same in every run."""


def signature(auth_token: str, url: str, parameters: Mapping[str, str]) -> str:
    data = url + "".join(name + parameters[name] for name in sorted(parameters))
    digest = hmac.new(auth_token.encode(), data.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Leg:
    """Who is on the line."""

    account_sid: str
    call_sid: str
    caller: str
    called: str
    direction: str

    @property
    def call_type(self) -> str:
        """callType of `setup`."""
        party = self.caller if self.direction == "inbound" else self.called
        return {"client": "CLIENT", "sip": "SIP"}.get(party.partition(":")[0], "PSTN")


def form(leg: Leg, call_status: str, **more: str) -> dict[str, str]:
    """The parameters every webhook carries, and `more`."""
    fields = {
        "AccountSid": leg.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": leg.call_sid,
        "CallStatus": call_status,
        "Direction": leg.direction,
    }
    parties = {"From": leg.caller, "To": leg.called, "Caller": leg.caller, "Called": leg.called}
    for party, number in parties.items():
        fields[party] = number
        if number.startswith("+"):
            fields |= {f"{party}City": "", f"{party}State": "", f"{party}Zip": "", f"{party}Country": "US"}
    return fields | more


def timestamp(now: float) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(_EPOCH + now))


def signed(
    auth_token: str, method: str, url: str, fields: dict[str, str]
) -> tuple[str, dict[str, str], dict[str, str]]:
    """url, headers and form of a request. For a GET the fields move into the query."""
    headers = {"accept": "*/*", "user-agent": "TwilioProxy/1.1"}
    if method == "GET":
        url += ("&" if "?" in url else "?") + urlencode(fields)
        return url, {**headers, "x-twilio-signature": signature(auth_token, url, {})}, {}
    headers["content-type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    return url, {**headers, "x-twilio-signature": signature(auth_token, url, fields)}, fields


def upgrade_headers(auth_token: str, url: str, *, query_as_parameters: bool) -> dict[str, str]:
    """Headers of the relay socket's upgrade, beside those of every WebSocket handshake."""
    bare, _, query = url.partition("?")
    if query_as_parameters:
        sign = signature(auth_token, bare, dict(parse_qsl(query, keep_blank_values=True)))
    else:
        sign = signature(auth_token, url, {})
    return {
        "accept-encoding": "gzip",
        "cache-control": "no-cache",
        "pragma": "no-cache",
        "user-agent": "Jetty/11.0.24",
        "x-twilio-signature": sign,
        BEDROCK_HEADER: sign,
    }
