"""The chain: the next model answers for one that cannot, but only before the first word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from model_rig import ask, collect, served

from voicectl.errors import ReplyError
from voicectl.llm.chain import Chain
from voicectl.llm.scripted import ScriptedModel, ScriptedReply
from voicectl.ports import ReplyEnd, ReplyModel, ReplyRequest
from voicectl.simulator.virtual_time import run


class Failures:
    """An on_failure that keeps what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def __call__(self, name: str, error: ReplyError) -> None:
        self.seen.append((name, error.kind))


class Odd:
    """A model that does what its script says: text and ends are given, exceptions raised, numbers waited for."""

    def __init__(self, name: str, *script: Any) -> None:
        self.name = name
        self.script = script
        self.asked = 0
        self.closed = 0

    async def reply(self, request: ReplyRequest) -> AsyncIterator[str | ReplyEnd]:
        self.asked += 1
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, (int, float)):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            self.closed += 1

    async def warm_up(self) -> None:
        pass

    async def close(self) -> None:
        raise RuntimeError("cannot close")


GOOD = ScriptedModel(["Second best."], first_token=0.5, per_token=0.1)


def chain(*models: ReplyModel, seconds: float = 4.0) -> tuple[Chain, Failures]:
    failures = Failures()
    return Chain(models, first_token_seconds=seconds, on_failure=failures), failures


def test_the_first_model_answers_while_it_can():
    second = Odd("second", "Never.", ReplyEnd())

    async def main() -> None:
        both, failures = chain(GOOD, second)
        got = await collect(both)
        assert (got.text, got.kind) == ("Second best.", "ok")
        assert (second.asked, failures.seen) == (0, [])

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("script", "kind", "seconds"),
    [
        ([ReplyError("overload", "down")], "overload", 0.5),
        ([2.0, ReplyError("refused", "gone")], "refused", 2.5),
        ([100.0, "late"], "timeout", 4.5),
        ([ReplyEnd()], "empty", 0.5),
        ([ReplyEnd("length")], "empty", 0.5),
        ([], "truncated", 0.5),
        ([ValueError("a bug")], "internal", 0.5),
    ],
)
def test_a_failure_before_the_first_word_is_answered_by_the_next(script: Any, kind: str, seconds: float) -> None:
    first = Odd("first", *script)

    async def main() -> None:
        both, failures = chain(first, GOOD)
        got = await collect(both)
        assert (got.text, got.kind) == ("Second best.", "ok")
        assert got.seconds == pytest.approx(seconds + 0.1)
        assert failures.seen == [("first", kind)]
        assert first.closed == 1

    run(main(), tidy=True)


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (["Half a", ReplyError("stall", "stuck")], "stall"),
        (["Half a"], "truncated"),
        (["Half a", ValueError("a bug")], "internal"),
    ],
)
def test_after_the_first_word_nobody_else_takes_over(script: Any, kind: str) -> None:
    second = Odd("second", "Never.", ReplyEnd())

    async def main() -> None:
        both, failures = chain(Odd("first", *script), second)
        got = await collect(both)
        assert (got.text, got.kind) == ("Half a", kind)
        assert failures.seen == [("first", kind)]
        assert second.asked == 0

    run(main(), tidy=True)


def test_after_the_first_word_there_is_no_first_token_budget():
    async def main() -> None:
        both, _ = chain(Odd("first", "A", 60.0, " B", ReplyEnd()), GOOD)
        assert (await collect(both)).text == "A B"

    run(main(), tidy=True)


def test_each_model_has_its_own_time_and_the_last_failure_is_raised():
    async def main() -> None:
        all_, failures = chain(Odd("a", 100.0), Odd("b", 100.0), Odd("c", 3.0, ReplyError("auth", "no")))
        got = await collect(all_)
        assert (got.kind, got.seconds) == ("auth", pytest.approx(11.0))
        assert failures.seen == [("a", "timeout"), ("b", "timeout"), ("c", "auth")]

    run(main(), tidy=True)


def test_a_bug_keeps_its_traceback():
    async def main() -> None:
        alone, _ = chain(Odd("a", ValueError("a bug")))
        got = await collect(alone)
        assert got.error is not None
        assert isinstance(got.error.__cause__, ValueError)

    run(main(), tidy=True)


def test_a_wish_to_close_the_call_needs_no_words():
    async def main() -> None:
        both, failures = chain(Odd("first", ReplyEnd(closing="goodbye")), GOOD)
        got = await collect(both)
        assert got.end == ReplyEnd(closing="goodbye")
        assert failures.seen == []

    run(main(), tidy=True)


@pytest.mark.parametrize("after", [1.0, 4.2, 4.55])
def test_a_cancellation_is_no_failure(after: float) -> None:
    first, second = Odd("first", 100.0), ScriptedModel(["A B C D"], first_token=0.5, per_token=9)

    async def main() -> None:
        both, failures = chain(first, second)
        task = asyncio.create_task(collect(both))
        await asyncio.sleep(after)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert failures.seen == ([] if after < 4 else [("first", "timeout")])
        assert first.closed == 1

    run(main(), tidy=True)


def test_closing_the_chains_reply_closes_the_models():
    first = Odd("first", "A", " B", 100.0)

    async def main() -> None:
        both, failures = chain(first, GOOD)
        items = both.reply(ask())
        assert await anext(items) == "A"
        await items.aclose()  # type: ignore[attr-defined]
        assert (first.closed, failures.seen) == (1, [])

    run(main(), tidy=True)


def test_a_hung_server_is_given_up_and_its_connection_with_it():
    async def main() -> None:
        async with served("hang", first_token_seconds=10.0) as (model, server):
            both, failures = chain(model, GOOD)
            got = await collect(both)
            assert got.text == "Second best."
            assert got.seconds == pytest.approx(4.6)
            assert failures.seen == [(model.name, "timeout")]
            assert server.requests[0].left_at == pytest.approx(4.0)
            assert server.connections == 0

    run(main(), tidy=True)


def test_all_models_are_closed_even_if_one_fails_at_it():
    class Slow(Odd):
        async def close(self) -> None:
            await asyncio.sleep(1)
            self.closed += 1

    slow = Slow("slow")

    async def main() -> None:
        both, _ = chain(Odd("odd"), slow)
        with pytest.raises(RuntimeError, match="cannot close"):
            await both.close()
        assert slow.closed == 1

    run(main(), tidy=True)


def test_warming_up_warms_all():
    async def main() -> None:
        async with served() as (one, first), served() as (two, second):
            both, _ = chain(one, two)
            assert both.name == f"{one.name} > {two.name}"
            await both.warm_up()
            assert (first.connected, second.connected) == (1, 1)

    run(main(), tidy=True)


def test_a_chain_needs_a_model():
    with pytest.raises(ValueError, match="no models"):
        Chain([], first_token_seconds=1)


def test_a_script_in_the_chain_fails_where_it_says():
    first = ScriptedModel([ScriptedReply("One two three", fail="stall", after=2)], first_token=0.1, per_token=0.1)

    async def main() -> None:
        both, _ = chain(first, GOOD)
        got = await collect(both)
        assert (got.text, got.kind) == ("One two", "stall")

    run(main(), tidy=True)
