"""The course of a call: webhooks, TwiML, sessions, callbacks, and every way it can end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from carrier_rig import FAST, HANG_UP, HOST, Rig, connect
from twilio.request_validator import RequestValidator

from voicectl.simulator.carrier import (
    Alert,
    CallOver,
    CloseSocket,
    Delays,
    DropSocket,
    Fetch,
    Knobs,
    OpenSocket,
    TwilioCall,
    Verb,
)

# --- what is asked, and how it is signed -------------------------------------------------------------------


def test_every_request_is_signed_over_its_own_url_and_parameters() -> None:
    rig = Rig().wait(1)
    rig.send(type="end", handoffData="ünïcode & more").finish()
    validator = RequestValidator("12345")
    assert [fetch.purpose for fetch in rig.of(Fetch)] == ["voice", "action", "status"]
    for fetch in rig.of(Fetch):
        assert fetch.method == "POST"
        assert validator.validate(fetch.url, fetch.form, fetch.headers["x-twilio-signature"])
    (socket,) = rig.of(OpenSocket)
    assert socket.headers["x-twilio-signature"] == validator.compute_signature(socket.url, {})


@pytest.mark.parametrize("apart", [True, False])
def test_an_upgrade_whose_url_has_a_query(apart: bool) -> None:
    url = "wss://voice.example.com/relay?b=2&a=1"
    rig = Rig(connect(url=url), knobs=Knobs(fast=True, query_as_parameters=apart)).wait(1)
    (socket,) = rig.of(OpenSocket)
    assert socket.url == url
    validator = RequestValidator("12345")
    whole = validator.compute_signature(url, {})
    split = validator.compute_signature("wss://voice.example.com/relay", {"a": "1", "b": "2"})
    assert socket.headers["x-twilio-signature"] == (split if apart else whole)


def test_the_voice_webhook() -> None:
    (voice,) = Rig(start=True, fetches=False).of(Fetch)
    assert (voice.purpose, voice.url) == ("voice", f"{HOST}/voice")
    expected = {"CallStatus": "ringing", "Direction": "inbound", "From": "+15550100001", "To": "+15550100002"}
    assert voice.form.items() >= expected.items()
    assert {"CallSid", "AccountSid", "ApiVersion", "CallToken", "StirVerstat", "FromCity"} <= voice.form.keys()


def test_setup_is_the_first_frame_and_has_all_its_keys() -> None:
    twiml = connect("<Parameter name='token' value='a&quot;b'/><Parameter name='tenant' value='42'/>")
    rig = Rig(twiml, call_sid="CA" + "7" * 32).wait(1)
    assert rig.frames[0] == {
        "type": "setup",
        "sessionId": rig.call.sessions[0],
        "callSid": "CA" + "7" * 32,
        "parentCallSid": "",
        "from": "+15550100001",
        "to": "+15550100002",
        "forwardedFrom": "+15550100002",
        "callerName": "",
        "direction": "inbound",
        "callType": "PSTN",
        "callStatus": "RINGING",
        "accountSid": "AC" + "0" * 32,
        "customParameters": {"token": 'a"b', "tenant": "42"},
    }
    assert rig.call.sessions[0].startswith("VX") and len(rig.call.sessions[0]) == 34
    assert rig.call.status == "in-progress"


def test_a_call_already_answered_says_so_in_setup() -> None:
    twiml = connect().replace("<Connect", "<Say>One moment.</Say><Connect")
    rig = Rig(twiml).wait(5)
    assert rig.frames[0]["callStatus"] == "IN_PROGRESS"


def test_the_same_seed_gives_the_same_call() -> None:
    def log(seed: int) -> list[Any]:
        rig = Rig(connect(welcomeGreeting="Hello there."), knobs=Knobs(), seed=seed).wait(5)
        rig.speak("I would like to ask something").wait(5).say("Certainly. Ask away.").wait(3)
        return [*rig.hang_up().finish().log, rig.call.call_sid]

    assert log(3) == log(3)
    assert log(3) != log(4)


# --- sessions and their action callback ---------------------------------------------------------------------


def session_after(ending: str, knobs: Knobs = FAST) -> tuple[Rig, dict[str, str]]:
    """A session that lasts ten seconds and then ends in some way; the action callback's form."""
    rig = Rig(connect(), knobs=knobs).wait(12.5)
    if ending == "hang_up":
        rig.hang_up()
    elif ending == "end":
        rig.send(type="end")
    elif ending == "end with hand-off":
        rig.send(type="end", handoffData='{"reason":"x"}')
    elif ending == "close":
        rig.close(1000)
    elif ending == "lost":
        rig.close(1006)
    elif ending == "dropped":
        rig.drop()
    elif ending == "malformed":
        for _ in range(10):
            rig.send_raw("what?")
    rig.finish()
    (action,) = rig.fetched("action")
    return rig, action.form


@pytest.mark.parametrize(
    ("ending", "call_status", "session_status", "more"),
    [
        ("hang_up", "completed", "completed", {}),
        ("end", "in-progress", "ended", {}),
        ("end with hand-off", "in-progress", "ended", {"HandoffData": '{"reason":"x"}'}),
        ("close", "in-progress", "failed", {"ErrorCode": "64105", "ErrorMessage": "Websocket ended"}),
        ("lost", "in-progress", "failed", {"ErrorCode": "64105", "ErrorMessage": "Websocket ended"}),
        ("dropped", "in-progress", "failed", {"ErrorCode": "64105", "ErrorMessage": "Websocket ended"}),
        ("malformed", "in-progress", "failed", {"ErrorCode": "64105", "ErrorMessage": "Websocket ended"}),
    ],
)
def test_the_action_callback(ending: str, call_status: str, session_status: str, more: dict[str, str]) -> None:
    rig, form = session_after(ending)
    optional = ("HandoffData", "ErrorCode", "ErrorMessage")
    assert form["CallStatus"] == call_status
    assert form["SessionStatus"] == session_status
    assert form["SessionDuration"] == "12"
    assert form["SessionId"] == rig.call.sessions[0]
    assert {name: form[name] for name in optional if name in form} == more  # absent, not blank


@pytest.mark.parametrize(
    ("ending", "low", "high"),
    [
        ("hang_up", 0.1, 1.2),
        ("end", 0.26 + 0.085, 0.98 + 0.1),
        ("lost", 1.15, 1.25),
        ("malformed", 0.085 + 0.06 + 0.15, 0.1 + 0.07 + 0.2),
    ],
)
def test_the_action_callback_keeps_its_distance(ending: str, low: float, high: float) -> None:
    for _ in range(3):
        rig, _form = session_after(ending, Knobs())
        at = next(at for at, each in rig.log if isinstance(each, Fetch) and each.purpose == "action")
        assert low <= at - 12.5 <= high


@pytest.mark.parametrize("ending", ["end", "lost", "malformed"])
def test_the_answer_to_the_action_callback_is_run(ending: str) -> None:
    rig, _ = session_after(ending)
    assert [verb.name for verb in rig.of(Verb)] == ["Connect", "Hangup"]
    assert rig.ending == CallOver("completed", "the application hung up")


def test_after_a_hang_up_it_is_requested_but_not_run() -> None:
    rig, _ = session_after("hang_up")
    assert [verb.name for verb in rig.of(Verb)] == ["Connect"]
    assert rig.ending == CallOver("completed", "the caller hung up")


def test_a_hang_up_after_end_leaves_the_session_ended_but_nothing_runs() -> None:
    rig = Rig(knobs=Knobs()).wait(3)
    rig.send(type="end").hang_up().hang_up().finish()
    assert rig.brief == ["close 1000"]
    (action,) = rig.fetched("action")
    assert (action.form["SessionStatus"], action.form["CallStatus"]) == ("ended", "completed")
    assert [verb.name for verb in rig.of(Verb)] == ["Connect"]


def test_a_hang_up_while_the_action_callback_is_out() -> None:
    rig = Rig(knobs=FAST, fetches=False)
    (voice,) = rig.of(Fetch)
    rig.take(rig.call.answered(voice.id, 200, "text/xml", connect(), rig.now))
    rig.send(type="end").hang_up()
    assert not rig.over
    (action,) = rig.fetched("action")
    rig.take(rig.call.answered(action.id, 200, "text/xml", "<Response><Say>Bye</Say></Response>", rig.now))
    rig.finish()
    assert [verb.name for verb in rig.of(Verb)] == ["Connect"]


def test_another_relay_from_the_action_callback() -> None:
    """New socket, new session, same call, and the greeting again."""
    again = connect(welcomeGreeting="Hello again.")
    rig = Rig(connect(welcomeGreeting="Hello there."), after=[again]).wait(3)
    rig.send(type="end").wait(3)
    setups = [frame for frame in rig.frames if frame["type"] == "setup"]
    assert [setup["callStatus"] for setup in setups] == ["RINGING", "IN_PROGRESS"]
    assert setups[0]["callSid"] == setups[1]["callSid"]
    assert [setup["sessionId"] for setup in setups] == list(rig.call.sessions)
    assert setups[0]["sessionId"] != setups[1]["sessionId"]
    assert rig.played() == ["Hello there.", "Hello again."]
    assert [socket.session for socket in rig.of(OpenSocket)] == [1, 2]


@pytest.mark.parametrize(
    ("action", "url"),
    [
        ("/after", f"{HOST}/after"),
        ("after?x=1", f"{HOST}/hooks/after?x=1"),
        ("https://other.example.com/a", "https://other.example.com/a"),
    ],
)
def test_action_urls_start_from_the_document(action: str, url: str) -> None:
    rig = Rig(connect(action=action), voice_url=f"{HOST}/hooks/voice").wait(1)
    rig.hang_up().finish()
    assert rig.fetched("action")[0].url == url


def test_an_action_may_be_a_get() -> None:
    rig = Rig(connect().replace("<Connect ", "<Connect method='GET' ")).wait(1)
    rig.hang_up().finish()
    (action,) = rig.fetched("action")
    assert (action.method, action.form) == ("GET", {})
    assert "SessionStatus=completed" in action.url


@pytest.mark.parametrize(("more", "verbs"), [("", []), ("<Say>Bye.</Say>", ["Say"])])
def test_without_an_action_the_next_verb_follows(more: str, verbs: list[str]) -> None:
    rig = Rig(connect(action=None).replace("</Response>", f"{more}</Response>")).wait(1)
    rig.send(type="end").finish()
    assert rig.fetched("action") == []
    assert [verb.name for verb in rig.of(Verb)] == ["Connect", *verbs]
    assert rig.ending == CallOver("completed", "the TwiML came to its end")


def test_without_an_action_a_hang_up_needs_none() -> None:
    rig = Rig(connect(action=None)).wait(1).hang_up().finish()
    assert rig.fetched("action") == []
    assert rig.ending.status == "completed"


# --- sockets that do not open -------------------------------------------------------------------------------


def refused(knobs: Knobs = FAST, status: int | None = 403, **more: Any) -> Rig:
    rig = Rig(sockets=False, knobs=knobs, **more).wait(2)
    rig.take(rig.call.socket_refused(status, rig.now))
    return rig


@pytest.mark.parametrize("status", [403, 500, None])
def test_a_refused_socket_is_heard_as_busy(status: int | None) -> None:
    rig = refused(Knobs(), status)
    assert not rig.over
    at = rig.now
    rig.finish()
    assert 3.0 <= rig.now - at <= 6.0
    assert rig.ending.status == "busy"
    assert rig.fetched("action") == []
    assert rig.fetched("status")[0].form["CallStatus"] == "busy"
    assert [alert.code for alert in rig.of(Alert)] == [64102]


def test_a_caller_who_does_not_wait_for_the_busy_tone() -> None:
    rig = refused(Knobs(delays=Delays(busy=(3.0, 3.0)))).wait(2.9).hang_up().wait(10)
    assert rig.ending.status == "canceled"
    assert [fetch.form["CallStatus"] for fetch in rig.fetched("status")] == ["canceled"]


def test_or_the_action_callback_tells_of_it() -> None:
    rig = refused(Knobs(fast=True, ws_fail_runs_action=True)).finish()
    (action,) = rig.fetched("action")
    assert action.form["SessionStatus"] == "failed"
    assert action.form["ErrorCode"] == "64102"
    assert action.form["SessionId"].startswith("VX")
    assert "Hangup" in [verb.name for verb in rig.of(Verb)]


def test_a_socket_that_does_not_answer_is_given_up() -> None:
    rig = Rig(sockets=False, knobs=FAST)
    rig.wait(9.9)
    assert rig.of(DropSocket) == []
    rig.wait(0.2)
    assert len(rig.of(DropSocket)) == 1
    assert rig.finish().ending.status == "busy"


def test_a_second_socket_that_is_refused_ends_an_answered_call() -> None:
    rig = Rig(after=[connect()]).wait(1)
    rig.sockets = False
    rig.send(type="end").wait(1)
    rig.take(rig.call.socket_refused(503, rig.now))
    assert rig.finish().ending.status == "completed"


def test_a_caller_who_does_not_wait_for_the_socket() -> None:
    rig = Rig(sockets=False, knobs=FAST).hang_up()
    assert len(rig.of(DropSocket)) == 1
    assert rig.finish().ending == CallOver("canceled", "the caller hung up")


def test_nor_for_its_being_dialled() -> None:
    rig = Rig(knobs=Knobs()).hang_up().finish()
    assert rig.of(OpenSocket) == []
    assert rig.ending.status == "canceled"


def test_a_network_that_fails_while_dialling() -> None:
    rig = Rig(sockets=False, knobs=FAST).drop().finish()
    assert len(rig.of(DropSocket)) == 1
    assert rig.ending.status == "busy"


def test_reports_that_cannot_be_are_ignored() -> None:
    rig = Rig().wait(1)
    rig.take(rig.call.socket_opened(rig.now))
    rig.take(rig.call.socket_refused(503, rig.now))
    assert [frame["type"] for frame in rig.frames] == ["setup"]
    rig = Rig(sockets=False).wait(1)
    rig.take(rig.call.socket_message("{}", rig.now))
    rig.take(rig.call.socket_closed(1006, rig.now))
    assert rig.frames == [] and not rig.over


def test_reports_of_an_old_socket_are_ignored() -> None:
    rig = Rig(after=[connect()]).wait(1)
    rig.send(type="end").wait(1)
    rig.take(rig.call.socket_closed(1000, rig.now, session=1))
    rig.take(rig.call.socket_message("nonsense", rig.now, session=1))
    rig.wait(5)
    assert rig.brief.count("error") == 0
    assert len(rig.fetched("action")) == 1
    rig.take(rig.call.socket_closed(1000, rig.now, session=2))
    assert len(rig.wait(5).fetched("action")) == 2


# --- bad configuration --------------------------------------------------------------------------------------


def test_a_bad_attribute_ends_the_session_at_once() -> None:
    rig = Rig(
        connect(interruptible="sometimes", welcomeGreeting="Hello."), after=["<Response><Say>Sorry.</Say></Response>"]
    )
    rig.finish()
    assert rig.brief == ["error", "close 1000"]
    assert "code: 64101" in rig.frames[1]["description"] and "sometimes" in rig.frames[1]["description"]
    (action,) = rig.fetched("action")
    assert (action.form["SessionStatus"], action.form["ErrorCode"]) == ("failed", "64101")
    assert [verb.name for verb in rig.of(Verb)] == ["Connect", "Say"]


def test_a_url_that_is_none_has_no_socket_to_complain_on() -> None:
    rig = Rig(connect(url="ws://voice.example.com/relay")).finish()
    assert rig.of(OpenSocket) == []
    (action,) = rig.fetched("action")
    assert (action.form["SessionStatus"], action.form["ErrorCode"]) == ("failed", "64101")


def test_an_unencrypted_url_where_it_is_allowed() -> None:
    rig = Rig(connect(url="ws://127.0.0.1:8080/relay"), knobs=Knobs(fast=True, allow_ws=True)).wait(1)
    assert [socket.url for socket in rig.of(OpenSocket)] == ["ws://127.0.0.1:8080/relay"]


def test_a_misspelt_attribute_is_only_warned_of() -> None:
    rig = Rig(connect(wellcomeGreeting="Hello.")).wait(5)
    assert rig.brief == []
    assert [alert.code for alert in rig.of(Alert)] == [12200]


def test_the_configuration_refused_for_no_reason() -> None:
    rig = Rig(after=[connect()], knobs=Knobs(fast=True, refuse_configuration=True)).wait(5)
    assert rig.brief[:2] == ["error", "close 1000"]
    assert rig.fetched("action")[0].form["ErrorCode"] == "64101"
    assert len(rig.call.sessions) == 2  # the second one works
    assert rig.say("Hello.").wait(1).played() == ["Hello."]


# --- webhooks that fail -------------------------------------------------------------------------------------


def webhook_fails(how: str, **call: Any) -> Rig:
    rig = Rig(fetches=False, **call)
    (voice,) = rig.fetched("voice")
    if how == "timeout":
        rig.wait(14.9)
        assert len(rig.of(Fetch)) == 1
        rig.wait(0.2)
    elif how == "unreachable":
        rig.take(rig.call.fetch_failed(voice.id, "connection refused", rig.now))
    else:
        status, kind, body = {
            "500": (500, "text/xml", HANG_UP),
            "redirect": (302, "text/xml", ""),
            "empty": (200, "text/xml", ""),
            "not XML": (200, "text/xml", "{}"),
            "JSON": (200, "application/json", "{}"),
        }[how]
        rig.take(rig.call.answered(voice.id, status, kind, body, rig.now))
    return rig


FAILURES = [
    ("timeout", 11200),
    ("unreachable", 11200),
    ("500", 11200),
    ("redirect", 11200),
    ("empty", 12100),
    ("not XML", 12100),
    ("JSON", 12300),
]


@pytest.mark.parametrize(("how", "code"), FAILURES)
def test_a_failed_webhook_ends_the_call(how: str, code: int) -> None:
    rig = webhook_fails(how).finish()
    assert [alert.code for alert in rig.of(Alert)] == [code]
    assert rig.ending.status == "failed"
    assert rig.ending.why.startswith(str(code))
    assert rig.fetched("status")[0].form["CallStatus"] == "failed"


@pytest.mark.parametrize(("how", "code"), FAILURES)
def test_or_is_asked_of_the_fallback(how: str, code: int) -> None:
    rig = webhook_fails(how, fallback_url=f"{HOST}/hooks/fallback")
    (fallback,) = rig.fetched("fallback")
    assert fallback.url == f"{HOST}/hooks/fallback"
    assert fallback.form["ErrorCode"] == str(code)
    assert fallback.form["ErrorUrl"] == f"{HOST}/voice"
    twiml = connect(action="then")
    rig.take(rig.call.answered(fallback.id, 200, "text/xml", twiml, rig.now))
    rig.hang_up()
    assert rig.fetched("action")[0].url == f"{HOST}/hooks/then"


def test_a_fallback_that_fails_is_the_end() -> None:
    rig = webhook_fails("500", fallback_url=f"{HOST}/fallback")
    rig.take(rig.call.fetch_failed(rig.fetched("fallback")[0].id, "no route", rig.now))
    assert rig.finish().ending.status == "failed"
    assert len(rig.fetched("fallback")) == 1


def test_an_answer_too_late_changes_nothing() -> None:
    rig = webhook_fails("timeout", fallback_url=f"{HOST}/fallback")
    rig.take(rig.call.answered(rig.fetched("voice")[0].id, 200, "text/xml", connect(), rig.now))
    rig.take(rig.call.answered(99, 200, "text/xml", connect(), rig.now))
    assert rig.of(Verb) == []


def test_a_failed_action_callback_ends_an_answered_call() -> None:
    rig = Rig(after=["nonsense"]).wait(1)
    rig.send(type="end").finish()
    assert rig.ending.status == "completed"
    assert rig.ending.why.startswith("12100")


def test_a_status_callback_that_fails_does_not_hold_up_the_end() -> None:
    call = TwilioCall(voice_url=f"{HOST}/voice", status_url=f"{HOST}/status", auth_token="x", knobs=FAST)
    (voice,) = call.start(0)
    assert isinstance(voice, Fetch)
    actions = call.answered(voice.id, 200, "text/xml", "<Response/>", 0)
    status = next(action for action in actions if isinstance(action, Fetch))
    assert call.fetch_failed(status.id, "no route", 1.0) == [CallOver("completed", "the TwiML came to its end")]


def test_nor_does_one_that_is_never_answered() -> None:
    call = TwilioCall(voice_url=f"{HOST}/voice", status_url=f"{HOST}/status", auth_token="x", knobs=FAST)
    call.start(0)
    call.hang_up(1)
    assert not call.over
    assert call.advance(16)[-1] == CallOver("canceled", "the caller hung up")


# --- the end of the call ------------------------------------------------------------------------------------


def test_the_status_callback_follows_the_action_callback() -> None:
    rig = Rig(knobs=Knobs()).wait(90)
    hung_up = rig.now
    rig.hang_up().finish()
    assert [fetch.purpose for fetch in rig.of(Fetch)] == ["voice", "action", "status"]
    action, status = rig.when(Fetch, 1), rig.when(Fetch, 2)
    assert 0.4 <= status - action <= 1.0
    form = rig.fetched("status")[0].form
    duration = hung_up - rig.when(OpenSocket)
    assert duration <= float(form["CallDuration"]) + 1 <= duration + 3
    assert form["Duration"] == "2"
    assert form["CallStatus"] == "completed"
    assert (form["CallbackSource"], form["SequenceNumber"]) == ("call-progress-events", "0")
    assert form["Timestamp"].endswith("+0000")


def test_without_a_status_url_the_call_just_ends() -> None:
    rig = Rig(status_url=None).wait(1).hang_up()
    assert rig.over
    assert rig.fetched("status") == []


def test_a_call_cannot_last_for_ever() -> None:
    rig = Rig(knobs=Knobs(fast=True, max_call_seconds=60)).wait(59)
    assert rig.of(CloseSocket) == []
    rig.wait(2)
    assert rig.brief[-1] == "close 1000"
    form = rig.finish().fetched("action")[0].form
    assert (form["SessionStatus"], form["ErrorCode"], form["CallStatus"]) == ("failed", "64104", "completed")
    assert rig.ending.status == "completed"


def test_nothing_happens_after_the_end() -> None:
    rig = Rig().wait(1).hang_up().finish()
    call, now = rig.call, rig.now + 1
    assert call.over and call.due is None
    assert call.advance(now) == call.speak("Hello?", now) == call.press("1", now) == call.hang_up(now) == []
    assert call.socket_message("{}", now) == call.socket_closed(1006, now) == call.drop(now) == []
    assert call.answered(1, 200, "text/xml", "<Response/>", now) == call.fetch_failed(1, "", now) == []


def test_time_never_goes_back() -> None:
    """A driver that reports something late, with an earlier time, does not upset the clock."""
    rig = Rig(knobs=Knobs()).wait(5)
    assert rig.call.due is not None
    rig.call.speak("Hello", 1.0)
    assert rig.call.due is not None and rig.call.due >= 5.0


# --- other verbs --------------------------------------------------------------------------------------------


def run(verbs: str, *, knobs: Knobs = FAST, **more: Any) -> Rig:
    return Rig(f"<Response>{verbs}</Response>", knobs=knobs, **more)


@pytest.mark.parametrize(
    ("verb", "seconds"),
    [
        ("<Say>Hello, this is a test.</Say>", 0.28 + 0.045 * 22),
        ("<Say loop='2'>Hello, this is a test.</Say>", 2 * (0.28 + 0.045 * 22)),
        ("<Pause/>", 1),
        ("<Pause length='7'/>", 7),
        ("<Pause length='soon'/>", 1),
        ("<Play>https://example.com/a.mp3</Play>", 2),
        ("<Play loop='3'>https://example.com/a.mp3</Play>", 6),
        ("<Play loop='0'>https://example.com/a.mp3</Play>", 2000),
        ("<Play digits='1w2'/>", 1.26),
        ("<Dial>+15550100009</Dial>", 5),
        ("<Enqueue>people</Enqueue>", 5),
        ("<Start><Recording/></Start>", 0),
        ("<Gather><Say>Hm?</Say></Gather>", 0),
        ("<Connect><Stream url='wss://x'/></Connect>", 0),
        ("<Dance/>", 0),
    ],
)
def test_how_long_a_verb_takes(verb: str, seconds: float) -> None:
    rig = run(verb).finish()
    assert rig.now == pytest.approx(seconds)
    assert rig.ending.status == "completed"


def test_verbs_are_shown_with_what_is_in_them() -> None:
    rig = run("<Start><Recording channels='dual'/></Start><Dial callerId='+1'><Number>+15550100009</Number></Dial>")
    rig.finish()
    assert [(verb.name, verb.attributes, verb.text) for verb in rig.of(Verb)] == [
        ("Start", {}, ""),
        ("Recording", {"channels": "dual"}, ""),
        ("Dial", {"callerId": "+1"}, "+15550100009"),
    ]


@pytest.mark.parametrize(("status", "seconds"), [("completed", 30), ("busy", 0), ("no-answer", 0), ("failed", 0)])
def test_a_dial_reports_how_it_went(status: Any, seconds: int) -> None:
    knobs = Knobs(fast=True, dial_seconds=30, dial_status=status)
    rig = run("<Dial action='/dialled'>+15550100009</Dial>", knobs=knobs, after=["<Response><Say>Hm.</Say></Response>"])
    rig.finish()
    (action,) = rig.fetched("action")
    assert action.url == f"{HOST}/dialled"
    assert (action.form["DialCallStatus"], action.form["DialCallDuration"]) == (status, str(seconds))
    assert rig.when(Fetch, 1) == seconds
    assert [verb.name for verb in rig.of(Verb)] == ["Dial", "Say"]


def test_a_caller_who_leaves_while_a_verb_runs() -> None:
    rig = run("<Say>One two three.</Say><Say>Never said.</Say>").hang_up().finish()
    assert len(rig.of(Verb)) == 1
    assert rig.ending == CallOver("completed", "the caller hung up")


def test_redirect() -> None:
    rig = run("<Redirect>other?x=1</Redirect><Say>Never said.</Say>", fetches=False, voice_url=f"{HOST}/a/voice")
    rig.take(rig.call.answered(1, 200, "text/xml", rig.twiml, rig.now))
    _, redirected = rig.fetched("voice")
    assert redirected.url == f"{HOST}/a/other?x=1"
    rig.take(rig.call.answered(redirected.id, 200, "text/xml", connect(action="then"), rig.now))
    rig.hang_up()
    assert rig.fetched("action")[0].url == f"{HOST}/a/then"


def test_a_redirect_to_nonsense_fails_when_it_is_fetched() -> None:
    rig = run("<Redirect>https://[nonsense</Redirect>", fetches=False)
    rig.take(rig.call.answered(1, 200, "text/xml", rig.twiml, rig.now))
    assert rig.fetched("voice")[1].url == "https://[nonsense"


@pytest.mark.parametrize(
    ("verb", "status", "why"),
    [
        ("<Reject/>", "no-answer", "the application rejected the call"),
        ("<Reject reason='busy'/>", "busy", "the application rejected the call"),
        ("<Hangup/>", "completed", "the application hung up"),
        ("", "completed", "the TwiML came to its end"),
    ],
)
def test_calls_that_are_never_answered(verb: str, status: str, why: str) -> None:
    rig = run(verb).finish()
    assert rig.ending == CallOver(status, why)
    form = rig.fetched("status")[0].form
    assert (form["CallStatus"], form["CallDuration"], form["Duration"]) == (status, "0", "0")


def test_hanging_up_on_a_call_that_is_over_changes_nothing() -> None:
    rig = run("<Reject/>", knobs=Knobs()).hang_up().finish()
    assert rig.ending == CallOver("no-answer", "the application rejected the call")


# --- outbound -----------------------------------------------------------------------------------------------

ALL_STATUSES = ("initiated", "ringing", "answered", "completed")


def test_an_outbound_call_fetches_its_twiml_when_it_is_answered() -> None:
    rig = Rig(direction="outbound-api", knobs=Knobs()).wait(10)
    (voice,) = rig.fetched("voice")
    assert (voice.form["Direction"], voice.form["CallStatus"]) == ("outbound-api", "in-progress")
    setup = rig.frames[0]
    assert (setup["direction"], setup["callStatus"], setup["forwardedFrom"]) == ("outbound-api", "IN_PROGRESS", "")
    rig.hang_up().finish()
    assert [fetch.form["SequenceNumber"] for fetch in rig.fetched("status")] == ["0"]


def test_its_status_callbacks() -> None:
    rig = Rig(direction="outbound-api", status_events=ALL_STATUSES, knobs=Knobs()).wait(10)
    rig.hang_up().finish()
    forms = [fetch.form for fetch in rig.fetched("status")]
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]


def test_status_callbacks_out_of_order() -> None:
    knobs = Knobs(status_out_of_order=True)
    rig = Rig(direction="outbound-api", status_events=ALL_STATUSES, knobs=knobs).wait(10)
    rig.hang_up().finish()
    forms = [fetch.form for fetch in rig.fetched("status")]
    assert [form["SequenceNumber"] for form in forms] == ["1", "0", "2", "3"]
    assert [form["CallStatus"] for form in forms][:2] == ["ringing", "initiated"]


def test_an_outbound_call_called_off_before_it_is_answered() -> None:
    rig = Rig(direction="outbound-api", knobs=Knobs()).wait(0.5).hang_up().finish()
    assert rig.ending.status == "canceled"
    assert rig.fetched("voice") == []


# --- applicationReconnect -----------------------------------------------------------------------------------


def reconnecting(delay: float = 1.0, **knobs: Any) -> Rig:
    none = {name: (0.0, 0.0) for name in ("setup", "speech", "reaction", "action_lost")}
    delays = Delays(**none, reconnect=(delay, delay))
    return Rig(connect(applicationReconnect="true"), knobs=Knobs(delays=delays, **knobs)).wait(1)


@pytest.mark.parametrize("lose", [Rig.drop, Rig.close])
def test_a_lost_socket_is_dialled_again_and_what_was_missed_is_told(lose: Any) -> None:
    rig = reconnecting().forget()
    rig.say("One. Two. Three.").wait(0.1)
    lose(rig)
    rig.wait(5)
    assert rig.fetched("action") == []
    first, second = rig.call.sessions
    setups = [frame for frame in rig.frames if frame["type"] == "setup"]
    assert [setup["sessionId"] for setup in setups] == [first, second]
    assert setups[1]["callStatus"] == "IN_PROGRESS"
    told = [line for line in rig.brief if line != "drop"]
    assert told == ["agent on", "setup", "played 'One.'", "played ' Two.'", "played ' Three.'", "agent off"]
    assert rig.say("Four.").wait(1).played()[-1] == "Four."


def test_or_goes_on_without_a_setup() -> None:
    rig = reconnecting(reconnect_new_setup=False).forget()
    rig.say("One. Two.").drop().wait(3)
    assert rig.brief == ["agent on", "drop", "played 'One.'", "played ' Two.'", "agent off"]
    assert len(rig.call.sessions) == 1
    assert rig.of(OpenSocket)[-1].url == "wss://voice.example.com/relay"


def test_at_most_500_frames_are_held() -> None:
    rig = reconnecting(delay=300.0).forget()
    rig.drop().press("1" * 600).wait(299)
    assert rig.brief == ["drop"]
    rig.wait(2)
    assert rig.brief == ["drop", "setup", *["dtmf 1"] * 500]


def test_a_socket_that_cannot_be_dialled_again_has_failed() -> None:
    rig = reconnecting(reconnect_attempts=2)
    rig.sockets = False
    rig.drop()
    for _ in range(2):
        rig.wait(1.5)
        rig.take(rig.call.socket_refused(None, rig.now))
    assert len(rig.of(OpenSocket)) == 3
    form = rig.finish().fetched("action")[0].form
    assert form["ErrorCode"] == "64105"
    assert (form["SessionId"],) == rig.call.sessions


def test_a_hang_up_while_the_socket_is_lost() -> None:
    rig = reconnecting().drop().wait(0.5)
    rig.hang_up().finish()
    assert rig.fetched("action")[0].form["SessionStatus"] == "completed"
    assert len(rig.of(OpenSocket)) == 1


def test_end_and_a_malformed_close_are_not_dialled_again() -> None:
    rig = reconnecting()
    rig.send(type="end").wait(5).finish()
    assert len(rig.of(OpenSocket)) == 1
    rig = reconnecting()
    for _ in range(10):
        rig.send_raw("what?")
    rig.finish()
    assert len(rig.of(OpenSocket)) == 1


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_the_socket_is_lost_after_so_many_frames(frames: int) -> None:
    rig = Rig(connect(welcomeGreeting="Hello."), after=[connect()], knobs=Knobs(fast=True, drop_after_frames=frames))
    rig.wait(3).say("One. Two. Three.").wait(10)
    before_drop = rig.brief.index("drop")
    received = json.dumps(rig.brief[:before_drop]).count("played")
    assert received <= frames
    assert len(rig.of(DropSocket)) == 1
    assert rig.fetched("action")[0].form["ErrorCode"] == "64105"
    assert len(rig.call.sessions) == 2
