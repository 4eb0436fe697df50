"""The event stream's decoder, over its one door: bytes in, text out."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from voicectl.conversation.turns import Usage
from voicectl.llm._stream import MAX_EVENT, ReplyStream


def chunk(content: str | None = None, finish: str | None = None, **more: Any) -> str:
    delta = {} if content is None else {"content": content}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return json.dumps({"id": "x", "object": "chat.completion.chunk", "choices": [choice], **more}, ensure_ascii=False)


def event(payload: str, newline: str = "\n") -> str:
    return f"data: {payload}{newline}{newline}"


def fed(*reads: bytes | str, eof: bool = True) -> tuple[str, ReplyStream]:
    stream = ReplyStream()
    text = "".join(stream.feed(read.encode() if isinstance(read, str) else read) for read in reads)
    return text + (stream.feed_eof() if eof else ""), stream


def outcome(reads: list[bytes]) -> tuple[Any, ...]:
    text, stream = fed(*reads)
    return text, stream.failure, stream.finish_reason, stream.done, stream.usage, names(stream), stream.tokens


def names(stream: ReplyStream) -> list[str]:
    return [call.name for call in stream.calls.whole()]


WHOLE = event(chunk("Hello")) + event(chunk(" there.")) + event(chunk(finish="stop")) + event("[DONE]")


def test_an_ordinary_reply():
    text, stream = fed(WHOLE)
    assert text == "Hello there."
    assert (stream.finish_reason, stream.done, stream.failure) == ("stop", True, None)


def test_all_of_one_read_is_one_text():
    stream = ReplyStream()
    assert (
        stream.feed((event(chunk("One")) + event(chunk(" two")) + event(chunk(" three"))).encode()) == "One two three"
    )


TWO_LINES = 'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "two lines"}}]}\n\n'
PIECES = st.lists(
    st.sampled_from(
        [
            ": ping\n\n",
            ":\n\n",
            "\n",
            "event: message\nid: 7\nretry: 10\n" + event(chunk("named")),
            event(chunk("Grüße, 你好 👋🏽 ")),
            event(chunk("")),
            event(chunk(None)),
            event('{"choices": []}'),
            event('{"choices": null, "usage": null, "x": {"y": [1, 2]}}'),
            "data:" + chunk("tight") + "\n\n",
            TWO_LINES,
            event(json.dumps({"choices": [{"index": 1, "delta": {"content": "other"}}]})),
            event(json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [{"function": {"name": "t"}}]}}]})),
            event(chunk(finish="stop")),
            event('{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}'),
            event("[DONE]"),
            event("{broken"),
            event('{"error": {"code": 500}}'),
            'data: {"unfinished',
        ]
    ),
    max_size=8,
)


@given(PIECES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.data())
@example([event(chunk("Grüße")), TWO_LINES], "\r\n", True, None)
@example([event(chunk("Grüße")), TWO_LINES], "\r", True, None)
def test_where_the_reads_end_makes_no_difference(pieces: list[str], newline: str, bom: bool, data: Any) -> None:
    stream = ("\ufeff" if bom else "").encode() + "".join(pieces).replace("\n", newline).encode()
    expected = outcome([stream])
    if data is None:
        cuts = list(range(len(stream)))
    else:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    ends = [0, *cuts, len(stream)]
    assert outcome([stream[a:b] for a, b in pairwise(ends)]) == expected
    assert outcome([stream[i : i + 1] for i in range(len(stream))]) == expected


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_make_it_raise(reads: list[bytes]) -> None:
    fed(*reads)
    fed(*(b"data: " + read + b"\n\n" for read in reads))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_all_line_ends(newline: str) -> None:
    text, stream = fed(event(chunk("One"), newline) + event(chunk(finish="stop"), newline))
    assert (text, stream.failure) == ("One", None)


def test_text_that_came_with_a_failure_is_not_lost():
    text, stream = fed(event(chunk("Half")) + event("{") + event(chunk("never")))
    assert (text, stream.failure) == ("Half", "bad_data")


def test_nothing_is_read_after_done():
    text, stream = fed(event(chunk("A", "stop")) + event("[DONE]") + event(chunk("B")) + event("{"))
    assert (text, stream.failure) == ("A", None)


def test_only_the_first_choice_speaks():
    both = {"choices": [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]}
    assert fed(event(json.dumps(both)))[0] == "A"


def test_a_refusal_is_spoken():
    refusal = {"choices": [{"index": 0, "delta": {"content": None, "refusal": "I cannot help with that."}}]}
    assert fed(event(json.dumps(refusal)))[0] == "I cannot help with that."


def test_usage_comes_with_empty_choices():
    counts = {"prompt_tokens": 30, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}
    _, stream = fed(WHOLE.replace(event("[DONE]"), event(json.dumps({"model": "m", "choices": [], "usage": counts}))))
    assert stream.usage == Usage("m", 30, 7, 20)


def test_a_tool_call_in_pieces_is_one_name():
    pieces = [{"index": 0, "function": {"name": "end_call", "arguments": ""}}]
    pieces += [{"index": 0, "function": {"arguments": "{}"}}]
    calls = [{"choices": [{"index": 0, "delta": {"content": None, "tool_calls": [piece]}}]} for piece in pieces]
    _, stream = fed(*(event(json.dumps(call)) for call in calls))
    assert names(stream) == ["end_call"]
    assert stream.tokens == 2  # arguments are a sign of life


def test_comments_and_empty_deltas_are_no_tokens():
    assert fed(": ping\n\n", event(chunk("")), event('{"choices": []}'))[1].tokens == 0


@pytest.mark.parametrize(
    ("tail", "failure"),
    [
        ("", "truncated"),
        ('data: {"choices"', "truncated"),  # cut in the middle of an event
        (event(chunk(finish="stop")), None),
        ("data: " + chunk(finish="stop"), None),  # only the blank line is missing
        (event(chunk(finish="stop")) + "data: {", None),  # complete before it was cut
    ],
)
def test_how_it_ended(tail: str, failure: str | None) -> None:
    text, stream = fed(event(chunk("Half a")) + tail)
    assert (text, stream.failure) == ("Half a", failure)


@pytest.mark.parametrize("body", ["<!doctype html><h1>It works!</h1>", '{"object": "chat.completion"}', "\n\nhello"])
def test_what_is_no_event_stream_is_bad_data(body: str) -> None:
    assert fed(body)[1].failure == "bad_data"


def test_a_connection_that_ends_without_a_byte_is_truncated():
    assert fed("")[1].failure == "truncated"


@pytest.mark.parametrize(
    "payload",
    [
        '{"choices": [{"delta": {"content": ["x"]}}]}',
        '{"choices": [{"delta": {"content": "\\ud800"}}]}',
        "[]",
        "\\",
        '{"x": ' + "[" * 100_000,
    ],
    ids=["not text", "half a character", "not an object", "not JSON", "too deep"],
)
def test_data_of_the_wrong_shape(payload: str) -> None:
    assert fed(event(payload), eof=False)[1].failure == "bad_data"


def test_bytes_that_are_not_utf8():
    assert fed(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n', eof=False)[1].failure == "bad_data"


def test_an_event_without_end_is_not_collected_for_ever():
    stream = ReplyStream()
    for _ in range(MAX_EVENT // 1024):
        stream.feed(b"x" * 1024)
    assert stream.failure is None
    stream.feed(b"x")
    assert stream.failure == "bad_data"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "m", "type": "server_error", "code": None}, "overload"),
        ({"message": "m", "type": "requests", "code": "rate_limit_exceeded"}, "rate_limit"),
        ({"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}, "quota"),
        ({"message": "m", "code": "billing_hard_limit_reached"}, "quota"),
        ({"message": "m", "code": 429}, "rate_limit"),
        ({"message": "m", "code": "502"}, "overload"),
        ({"message": "m", "code": 402}, "quota"),
        ({"message": "m", "code": "invalid_api_key"}, "auth"),
        ({"message": "m", "type": "overloaded_error"}, "overload"),
        ({"message": "m"}, "bad_data"),
        ({}, "bad_data"),
        ("a string", "bad_data"),
        (["a", "list"], "bad_data"),
        ({"code": {"not": "a code"}}, "bad_data"),
    ],
)
def test_errors_in_the_stream(error: object, kind: str) -> None:
    assert fed(event(json.dumps({"error": error})), eof=False)[1].failure == kind
    named = "event: error\n" + event(json.dumps({"error": error}))
    assert fed(named, eof=False)[1].failure == kind


def test_an_error_that_is_null_is_none():
    assert fed(event(chunk("Fine", "stop", error=None)))[1].failure is None
