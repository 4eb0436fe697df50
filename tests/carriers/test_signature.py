from __future__ import annotations

import hmac
import random
import string
from urllib.parse import parse_qsl

import pytest
from signed_requests import FORM, PATH, PUBLIC, SID, TOKEN, Request, encoded, parties, samples
from twilio.request_validator import RequestValidator

from voicectl.carriers.signature import MAX_BODY, SignatureCheck, SignatureError, sign
from voicectl.errors import ConfigError

CHECK = SignatureCheck(PUBLIC, [TOKEN, ""], account_sid="")
VOICE = samples()[0]


def refusal(request: Request, check: SignatureCheck = CHECK, **changed: object) -> int:
    """The status the request is refused with; 0 when it is accepted."""
    given = {
        "path": PATH,
        "raw_query": b"",
        "body": request.body,
        "content_type": FORM,
        "header": request.header,
        "shared_key": None,
    } | changed
    try:
        check.webhook(**given)  # type: ignore[arg-type]
    except SignatureError as refused:
        return refused.status
    return 0


def test_published_vectors() -> None:
    assert sign("12345", "wss://example.com/ws/tok", {}) == "v6mZPGYzgTPbnxZnZV00kz2et6E="
    form = {"To": "+14155550101", "CallSid": "CA1", "From": "+14155550100"}
    assert sign("12345", "https://example.com/voice", form) == "A8vbs7lpEDLa17YzPbda1IAvcSU="


def test_ten_thousand_random_requests_sign_as_twilios_sdk_does() -> None:
    dice = random.Random(3)
    alphabet = string.printable + "éß你\U0001f600\x00"
    for _ in range(10_000):
        token = "".join(dice.choices(string.hexdigits, k=32))
        url = f"https://{dice.randrange(99)}.example:{dice.randrange(1, 9999)}/p?q=" + "".join(
            dice.choices(alphabet, k=4)
        )
        form = {
            "".join(dice.choices(alphabet, k=dice.randrange(1, 9))): "".join(
                dice.choices(alphabet, k=dice.randrange(20))
            )
            for _ in range(dice.randrange(12))
        }
        assert sign(token, url, form) == RequestValidator(token).compute_signature(url, form)


@pytest.mark.parametrize("request_", samples(), ids=lambda each: "-".join(sorted(n for n, _ in each.pairs))[:40])
def test_genuine_requests_are_accepted_whole(request_: Request) -> None:
    form = CHECK.webhook(PATH, b"", request_.body, FORM, request_.header)
    assert form == dict(request_.pairs)


def test_the_url_is_the_public_one_with_its_prefix_and_the_raw_query() -> None:
    query = b"tenant=42&x=%20a+b"
    assert refusal(Request(VOICE.pairs, f"{PUBLIC}{PATH}?{query.decode()}"), raw_query=query) == 0
    stripped = Request(VOICE.pairs, "https://voice.example.com" + PATH)
    assert refusal(stripped) == 403
    assert refusal(stripped, SignatureCheck("https://voice.example.com", [TOKEN])) == 0
    for url in (
        f"https://voice.example.com:443/tenant{PATH}",
        f"HTTPS://voice.example.com/tenant{PATH}",
        f"http://voice.example.com/tenant{PATH}",
        f"{PUBLIC}{PATH}/",
        f"{PUBLIC}{PATH}?",
        f"{PUBLIC}{PATH};",
        f"{PUBLIC}{PATH}#x",
        f"https://evil.example/tenant{PATH}",
    ):
        assert refusal(Request(VOICE.pairs, url)) == 403, url
    assert refusal(VOICE, path=PATH + "/") == 403
    assert refusal(VOICE, raw_query=b"a=b") == 403
    assert refusal(VOICE, raw_query=b";") == 403
    assert refusal(VOICE, raw_query=b"a=\xff") == 400
    assert refusal(VOICE, path="/a b") == 400
    assert refusal(VOICE, path="") == 400


@pytest.mark.parametrize(
    ("public_url", "webhook", "socket"),
    [
        ("https://Voice.Example.com/", "https://voice.example.com/x", "wss://voice.example.com/x"),
        ("https://voice.example.com:443", "https://voice.example.com/x", "wss://voice.example.com/x"),
        (
            "https://voice.example.com:8443/a/b/",
            "https://voice.example.com:8443/a/b/x",
            "wss://voice.example.com:8443/a/b/x",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", "ws://127.0.0.1:8080/x"),
        ("http://[::1]:80/", "http://[::1]/x", "ws://[::1]/x"),
    ],
)
def test_addresses_come_from_the_public_url(public_url: str, webhook: str, socket: str) -> None:
    check = SignatureCheck(public_url, [TOKEN])
    assert check.webhook_url("/x") == webhook
    assert check.socket_url("/x") == socket
    assert check.socket_url("/x", b"a=b") == socket + "?a=b"


@pytest.mark.parametrize(
    "public_url",
    [
        *[
            "",
            "voice.example.com",
            "ftp://voice.example.com",
            "https://",
            "https://a b.example",
            "https://u:p@x.example",
        ],
        *[
            "https://x.example/?a=b",
            "https://x.example/#a",
            "https://x.example:port",
            "https://x.example/é",
            "https://[::1",
        ],
    ],
)
def test_a_public_url_that_is_none(public_url: str) -> None:
    with pytest.raises(ConfigError):
        SignatureCheck(public_url, [TOKEN])


def test_without_a_token_there_is_no_check() -> None:
    for tokens in ([], [""], ["", ""]):
        with pytest.raises(ConfigError):
            SignatureCheck(PUBLIC, tokens)


def test_both_tokens_count_while_one_is_rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    old = "f" * 32
    check = SignatureCheck(PUBLIC, [TOKEN, old])
    signed_by_old = Request(VOICE.pairs, token=old)
    assert refusal(VOICE, check) == refusal(signed_by_old, check) == 0
    assert refusal(signed_by_old) == 403
    assert refusal(Request(VOICE.pairs, token="e" * 32), check) == 403
    compared = []
    honest = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append(1) or honest(a, b))
    for request in (VOICE, signed_by_old):
        compared.clear()
        assert refusal(request, check) == 0
        assert len(compared) == 2  # no early exit


def test_signature_headers_that_are_none() -> None:
    good = VOICE.header
    for header in (
        None,
        "",
        " ",
        good[:-1],
        good + "=",
        good.lower(),
        f"{good},{good}",
        f" {good}",
        "é",
        "\ud800",
        "A" * 9999,
    ):
        assert refusal(VOICE, header=header) == 403, header


def test_a_shared_key_is_named_as_the_reason() -> None:
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    with pytest.raises(SignatureError) as refused:
        CHECK.webhook(PATH, b"", VOICE.body, FORM, VOICE.header, shared_key=settings)
    assert refused.value.status == 403
    assert "SharedKey" in refused.value.why
    with pytest.raises(SignatureError, match="SharedKey"):
        CHECK.upgrade(PATH, b"", sign(TOKEN, CHECK.socket_url(PATH), {}), shared_key=settings)


def test_bodies_that_are_no_form() -> None:
    assert refusal(VOICE, content_type="application/x-www-form-urlencoded") == 0
    assert refusal(VOICE, content_type="Application/X-WWW-Form-Urlencoded ; a=b") == 0
    for kind in (
        "",
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencodedx",
    ):
        assert refusal(VOICE, content_type=kind) == 415
    assert refusal(VOICE, body=b"a=" + b"x" * (MAX_BODY - 1)) == 413
    assert refusal(VOICE, body=b"a=" + b"x" * (MAX_BODY - 2)) == 403
    assert refusal(VOICE, body=b"&".join(b"a%d=" % n for n in range(501))) == 400


@pytest.mark.parametrize(
    "extra",
    [
        *[
            b"&",
            b"&&X=1",
            b"&X",
            b"&=1",
            b"&X=%",
            b"&X=%4",
            b"&X=%zz",
            b"&X=1;Y=2",
            b"&X=a=b",
            b"&X=\xff",
            b"&X=%ff",
            b"&X=%00",
        ],
        *[
            b"&X= ",
            b"&X=\n",
            b"&X%20Y=1",
            b"&%C3%A9=1",
            b"&1X=1",
            b"&X[0]=1",
            b"&To=%2B1",
            b"&X=1&X=1",
            b"&X=%ED%A0%80",
        ],
    ],
)
def test_malformed_forms_are_refused_though_signed(extra: bytes) -> None:
    """The signature is made to fit, as far as such a form can be signed at all."""
    read = parse_qsl((VOICE.body + extra).decode("latin-1"), keep_blank_values=True, errors="replace")
    assert refusal(VOICE, body=VOICE.body + extra, header=Request(read).header) == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            ("CallSid", "CA1"),
            ("CallSid", "ca" + SID),
            ("CallSid", "CA" + SID + "0"),
            ("AccountSid", ""),
            ("CallStatus", ""),
        ],
        *[
            ("CallStatus", "Ringing"),
            ("CallStatus", "in_progress"),
            ("From", "+1415555010a"),
            ("From", "+1 415 555 0100"),
        ],
        *[("From", "+" + "1" * 21), ("To", "sip:a b"), ("To", "ann@example.com"), ("From", "client:" + "x" * 401)],
        *[("SessionId", "VX1"), ("SessionStatus", "ended!"), ("SessionDuration", "8.5"), ("SequenceNumber", "-1")],
        *[("CallDuration", "1234567890"), ("CallDuration", "٣"), ("ErrorCode", "64105 "), ("ErrorCode", "")],
        *[
            ("HandoffData", ""),
            ("HandoffData", "[1]"),
            ("HandoffData", '{"a":1}x'),
            ("HandoffData", "Person"),
            ("Direction", "IN"),
        ],
    ],
)
def test_fields_we_use_out_of_shape_are_refused_though_signed(name: str, value: str) -> None:
    pairs = [*((n, v) for n, v in VOICE.pairs if n != name), (name, value)]
    assert refusal(Request(pairs)) == 400


def test_what_every_request_has_must_be_there() -> None:
    for name in ("AccountSid", "CallSid", "CallStatus", "From", "To"):
        assert refusal(Request([pair for pair in VOICE.pairs if pair[0] != name])) == 400
    assert refusal(Request([])) == 400


def test_only_our_account() -> None:
    ours = SignatureCheck(PUBLIC, [TOKEN], account_sid="AC" + SID)
    assert refusal(VOICE, ours) == 0
    theirs = [*(pair for pair in VOICE.pairs if pair[0] != "AccountSid"), ("AccountSid", "AC" + "f" * 32)]
    assert refusal(Request(theirs)) == 0
    assert refusal(Request(theirs), ours) == 403


def test_the_upgrade_is_signed_over_the_wss_url() -> None:
    url = "wss://voice.example.com/tenant" + PATH
    CHECK.upgrade(PATH, b"", sign(TOKEN, url, {}))
    for wrong in (
        sign(TOKEN, url.replace("wss", "https"), {}),
        sign(TOKEN, url.replace("wss", "ws"), {}),
        sign(TOKEN, url + "/", {}),
        sign(TOKEN, url.replace("/tenant", ""), {}),
        sign(TOKEN, url.replace(".com", ".com:443"), {}),
        sign("x", url, {}),
        None,
    ):
        with pytest.raises(SignatureError) as refused:
            CHECK.upgrade(PATH, b"", wrong)
        assert refused.value.status == 403
    with pytest.raises(SignatureError):
        CHECK.upgrade(PATH, b"token=1", sign(TOKEN, url, {}))


def test_refusals_tell_nothing_of_the_request() -> None:
    pairs = [*VOICE.pairs, ("HandoffData", "My card is 4929")]
    with pytest.raises(SignatureError) as refused:
        CHECK.webhook(PATH, b"", encoded(pairs), FORM, Request(pairs).header)
    assert "4929" not in str(refused.value)
    assert str(refused.value) == "400: HandoffData is not what it should be"


def test_addresses_may_hold_whatever_their_owners_like() -> None:
    pairs = [pair for pair in VOICE.pairs if not pair[0].startswith(("From", "To", "Call"))]
    pairs += [("CallSid", "CA" + SID), ("CallStatus", "ringing")]
    for caller in (
        "client:Sip-Agent.7",
        "client:Queue",
        "sip:+14155550100@x.example;user=phone",
        "sips:ToM@x",
        "+266696687",
    ):
        assert refusal(Request([*pairs, *parties(caller, caller)])) == 0, caller
        assert refusal(Request([*pairs, ("From", caller), ("To", caller)])) == 0, caller
    assert refusal(Request([*pairs, ("From", "client:ann"), ("To", ""), ("Caller", "client:bob")])) == 400


def test_parameters_twilio_may_add_do_no_harm() -> None:
    over = [*VOICE.pairs, ("SessionId", "VX" + SID), ("SessionStatus", "ended")]
    for pairs in (
        [*VOICE.pairs, ("ErrorCodeDetail", "timeout")],  # begins like a field of ours, but no value of it follows
        [*VOICE.pairs, ("Note", "SessionId ErrorCode: 7")],
        [*VOICE.pairs, ("AgentSessionId", "VX" + SID)],  # ours would not stand there
        [*over, ("HandoffData", '{"SequenceNumber1":"CallDuration2"}')],  # a closed shape hides nothing
        [*VOICE.pairs, ("Zone", ""), ("x", "1"), ("A-B_c.d", "")],
    ):
        assert refusal(Request(pairs)) == 0, pairs[-1]


def test_an_address_cannot_change_while_its_twin_is_hidden() -> None:
    """Two borders moved at once: Caller disappears into CallToken's value, and From loses its end."""
    ids = [pair for pair in VOICE.pairs if pair[0] in ("AccountSid", "CallSid", "CallStatus", "CallToken")]
    genuine = Request([*ids, ("Caller", "client:JohnSmith"), ("From", "client:JohnSmith"), ("To", "+14155550199")])
    token = dict(ids)["CallToken"]
    forged = [pair for pair in ids if pair[0] != "CallToken"]
    forged += [
        ("CallToken", token + "Callerclient:JohnSmith"),
        ("From", "client:John"),
        ("Smith", ""),
        ("To", "+14155550199"),
    ]
    assert Request(forged).header == genuine.header
    assert refusal(genuine) == 0
    assert refusal(Request(forged)) == 400
