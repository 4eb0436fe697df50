"""Signatures, against Twilio's own SDK and against known vectors."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from voicectl.simulator import webhooks

LEG = webhooks.Leg("AC1", "CA1", "+14155550100", "+14155550101", "inbound")


@pytest.mark.parametrize(
    ("url", "parameters", "expected"),
    [
        ("wss://example.com/ws/tok", {}, "v6mZPGYzgTPbnxZnZV00kz2et6E="),
        (
            "https://example.com/voice",
            {"From": "+14155550100", "To": "+14155550101", "CallSid": "CA1"},
            "A8vbs7lpEDLa17YzPbda1IAvcSU=",
        ),
    ],
)
def test_known_signatures(url: str, parameters: dict[str, str], expected: str) -> None:
    assert webhooks.signature("12345", url, parameters) == expected


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6), st.text(min_size=1, max_size=20))
def test_signed_as_the_sdk_signs(parameters: dict[str, str], token: str) -> None:
    url = "https://example.com/voice?a=b%20c"
    expected = RequestValidator(token).compute_signature(url, parameters)
    assert webhooks.signature(token, url, parameters) == expected


def test_a_post_carries_its_parameters_in_the_body() -> None:
    fields = webhooks.form(LEG, "ringing", Extra="")
    url, headers, form = webhooks.signed("12345", "POST", "https://example.com/voice", fields)
    assert url == "https://example.com/voice"
    assert form["CallStatus"] == "ringing"
    assert form["FromCity"] == form["Extra"] == ""  # blank values are part of the signature
    assert headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert RequestValidator("12345").validate(url, form, headers["x-twilio-signature"])
    assert not RequestValidator("12345").validate(url, {**form, "CallStatus": "busy"}, headers["x-twilio-signature"])


@pytest.mark.parametrize("url", ["https://example.com/voice", "https://example.com/voice?x=1"])
def test_a_get_carries_them_in_the_url(url: str) -> None:
    fields = webhooks.form(LEG, "ringing")
    address, headers, form = webhooks.signed("12345", "GET", url, fields)
    assert form == {}
    assert dict(parse_qsl(urlsplit(address).query, keep_blank_values=True)).items() >= fields.items()
    assert "content-type" not in headers
    assert RequestValidator("12345").validate(address, {}, headers["x-twilio-signature"])


def test_every_webhook_names_the_parties() -> None:
    fields = webhooks.form(LEG, "ringing")
    assert fields["From"] == fields["Caller"] == "+14155550100"
    assert fields["To"] == fields["Called"] == "+14155550101"
    for party in ("From", "To", "Caller", "Called"):
        assert {f"{party}City", f"{party}State", f"{party}Zip", f"{party}Country"} <= fields.keys()
    assert fields["ApiVersion"] == "2010-04-01"


def test_the_upgrade() -> None:
    url = "wss://example.com/ws/tok"
    headers = webhooks.upgrade_headers("12345", url, query_as_parameters=False)
    assert headers["x-twilio-signature"] == headers[webhooks.BEDROCK_HEADER] == "v6mZPGYzgTPbnxZnZV00kz2et6E="
    assert headers["user-agent"] == "Jetty/11.0.24"
    assert headers["accept-encoding"] == "gzip"
    assert all(name == name.lower() for name in headers)
    assert not {"origin", "sec-websocket-protocol", "sec-websocket-extensions"} & headers.keys()


def test_an_upgrade_with_a_query_is_signed_one_way_or_the_other() -> None:
    url = "wss://example.com/ws?b=2&a=1"
    whole = webhooks.upgrade_headers("12345", url, query_as_parameters=False)
    apart = webhooks.upgrade_headers("12345", url, query_as_parameters=True)
    validator = RequestValidator("12345")
    assert whole["x-twilio-signature"] == validator.compute_signature(url, {})
    assert apart["x-twilio-signature"] == validator.compute_signature("wss://example.com/ws", {"a": "1", "b": "2"})


@pytest.mark.parametrize(
    ("caller", "direction", "expected"),
    [
        ("+15550100001", "inbound", "PSTN"),
        ("client:ann", "inbound", "CLIENT"),
        ("sip:ann@example.com", "inbound", "SIP"),
        ("client:ann", "outbound-api", "PSTN"),
    ],
)
def test_call_type(caller: str, direction: str, expected: str) -> None:
    assert webhooks.Leg("AC1", "CA1", caller, "+15550100002", direction).call_type == expected


def test_timestamps_are_rfc_2822_and_the_same_in_every_run() -> None:
    assert webhooks.timestamp(61.5) == "Thu, 01 Jan 2026 00:01:01 +0000"
