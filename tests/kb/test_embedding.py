"""The embedder of this machine: who waits for what, who is turned away, what is left. The other is in
test_embedding_service.py."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest

from voicectl.errors import ServiceError
from voicectl.kb import embedding, minilm
from voicectl.kb.embedding import MOST_WAITING, REMEMBERED, LocalEmbedder
from voicectl.simulator.virtual_time import VirtualLoop, leftovers, run

if TYPE_CHECKING:
    from voicectl.ports import Vector


class Model:
    """Stands in for MiniLM: embeds when it is let, and writes down what."""

    def __init__(self) -> None:
        self.quick: list[str] = []
        self.exact: list[str] = []
        self.may = threading.Event()
        self.may.set()
        self.fail: Exception | None = None
        self.loads: list[bool] = []
        self.threads: set[str] = set()

    def loaded(self, *, quick: bool) -> Form:
        self.loads.append(quick)
        return Form(self, self.quick if quick else self.exact)


class Form:
    def __init__(self, model: Model, asked: list[str]) -> None:
        self._model, self._asked = model, asked

    def embed(self, text: str) -> Vector:
        self._asked.append(text)
        self._model.threads.add(threading.current_thread().name)
        assert self._model.may.wait(10)
        if self._model.fail:
            raise self._model.fail
        return np.asarray([len(text), len(self._asked)], dtype=np.float32)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    model = Model()
    monkeypatch.setattr(minilm, "loaded", model.loaded)
    yield model
    model.may.set()


@asynccontextmanager
async def opened() -> AsyncIterator[LocalEmbedder]:
    """When it is closed its threads end, and only those."""
    before = set(threading.enumerate())
    embedder = LocalEmbedder()
    try:
        yield embedder
    finally:
        await embedder.close()
        began = {each for each in threading.enumerate() if each.name.startswith("voicectl-")} - before
        for thread in began:
            thread.join(10)
            assert not thread.is_alive()


async def until(condition: object) -> None:
    """Until the embedder's thread has come as far. Real time: it is a real thread."""
    deadline = time.monotonic() + 10
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


# --- one question once -------------------------------------------------------------------------------------


def test_a_question_is_reckoned_once_however_often_and_however_written_it_comes(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            at_once = await asyncio.gather(*(embedder.question("do you rent bikes") for _ in range(20)))
            later = await embedder.question("Do you rent bikes?")
            assert model.quick == ["do you rent bikes"]
            assert all(each is later for each in at_once)
            await embedder.question("do you rent boats")
            assert len(model.quick) == 2

    run(main(), tidy=True)


def test_the_questions_asked_last_are_remembered(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            await embedder.question("first")
            await embedder.question("second")
            for number in range(REMEMBERED - 2):
                await embedder.question(f"number {number}")
            await embedder.question("first")  # asked again, it is not the oldest any more
            await embedder.question("one more")
            asked = len(model.quick)
            await embedder.question("first")
            assert len(model.quick) == asked == REMEMBERED + 1
            await embedder.question("second")
            assert len(model.quick) == asked + 1

    run(main(), tidy=True)


def test_who_does_not_wait_any_more_does_not_stop_the_reckoning(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.may.clear()
            gone = asyncio.create_task(embedder.question("do you rent bikes"))
            waits = asyncio.create_task(embedder.question("do you rent bikes?"))
            await until(lambda: model.quick)
            gone.cancel()
            with pytest.raises(asyncio.CancelledError):
                await gone
            model.may.set()
            vector = await waits
            assert await embedder.question("do you rent bikes") is vector
            assert model.quick == ["do you rent bikes"]

    run(main(), tidy=True)


def test_what_nobody_waited_for_is_there_for_the_next(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.may.clear()
            gone = asyncio.create_task(embedder.question("do you rent bikes"))
            await until(lambda: model.quick)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            model.may.set()
            await embedder.question("do you rent bikes")
            assert model.quick == ["do you rent bikes"]

    run(main(), tidy=True)


def test_a_failure_is_not_remembered_and_reaches_all_who_wait(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.fail = RuntimeError("out of memory")
            failed = await asyncio.gather(*(embedder.question("a") for _ in range(3)), return_exceptions=True)
            assert [str(each) for each in failed] == ["the embedder failed (RuntimeError)"] * 3
            assert all(isinstance(each, ServiceError) for each in failed)
            model.fail = None
            assert len(await embedder.question("a")) == 2
            assert model.quick == ["a", "a"]

    run(main(), tidy=True)


# --- who is turned away ------------------------------------------------------------------------------------


def test_who_comes_when_too_many_wait_is_turned_away_at_once(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.may.clear()
            waiting = [asyncio.create_task(embedder.question(f"number {n}")) for n in range(MOST_WAITING)]
            await until(lambda: model.quick)
            with pytest.raises(ServiceError, match="more questions than it can answer"):
                await embedder.question("one too many")
            again = asyncio.create_task(embedder.question("number 3"))  # that is no question more
            await asyncio.sleep(0)
            model.may.set()
            await asyncio.gather(*waiting, again)
            assert sorted(model.quick) == sorted(f"number {n}" for n in range(MOST_WAITING))
            assert len(await embedder.question("one too many")) == 2  # and is welcome when the others are served

    run(main(), tidy=True)


def test_who_is_early_is_turned_away_where_anybody_waits(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            await embedder.question("nobody waits", early=True)
            model.may.clear()
            waits = asyncio.create_task(embedder.question("a caller waits"))
            await until(lambda: len(model.quick) == 2)
            with pytest.raises(ServiceError):
                await embedder.question("one is early", early=True)
            same = asyncio.create_task(embedder.question("a caller waits", early=True))
            served = asyncio.create_task(embedder.question("another caller waits"))
            await asyncio.sleep(0)
            model.may.set()
            await asyncio.gather(waits, same, served)
            assert model.quick == ["nobody waits", "a caller waits", "another caller waits"]

    run(main(), tidy=True)


def test_failures_and_cancellations_do_not_fill_the_queue(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.fail = RuntimeError("no")
            for number in range(3 * MOST_WAITING):
                with pytest.raises(ServiceError, match="failed"):
                    await embedder.question(f"number {number}")
            model.fail = None
            for number in range(3 * MOST_WAITING):
                gone = asyncio.create_task(embedder.question(f"again {number}"))
                await until(lambda number=number: f"again {number}" in model.quick)  # type: ignore[misc]
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
                await until(lambda: not embedder._waiting)
            await embedder.question("here i am")

    run(main(), tidy=True)


# --- an ingest ---------------------------------------------------------------------------------------------


def test_an_ingest_gets_its_meanings_in_order_and_exact(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            texts = ["a" * length for length in (5, 3, 9, 3, 1)]
            assert [vector[0] for vector in await embedder.texts(texts)] == [5, 3, 9, 3, 1]
            assert sorted(model.exact) == sorted(texts) and model.quick == []
            assert await embedder.texts([]) == []

    run(main(), tidy=True)


def test_an_ingest_does_not_hold_up_a_caller(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            await embedder.texts(["the thread begins"])
            model.may.clear()
            ingest = asyncio.create_task(embedder.texts([f"text {n}" for n in range(50)]))
            await until(lambda: len(model.exact) > 1)
            asked = asyncio.create_task(embedder.question("do you rent bikes"))
            await until(lambda: model.quick)  # begun, although the ingest is not through
            assert not ingest.done()
            model.may.set()
            await asyncio.gather(asked, ingest)
            assert {name.rpartition("_")[0] for name in model.threads} == {"voicectl-embedder", "voicectl-ingest"}

    run(main(), tidy=True)


def test_an_ingest_of_which_one_text_fails_fails(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.fail = MemoryError()
            with pytest.raises(ServiceError, match="MemoryError"):
                await embedder.texts(["a", "b"])

    run(main())


# --- what is missing ---------------------------------------------------------------------------------------


def test_a_missing_package_is_named_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = (*embedding.NEEDED, "no_such_package", "no_such.sub_package")
    monkeypatch.setattr(embedding, "NEEDED", needed)
    assert embedding.missing() == ["no_such_package", "no_such.sub_package"]

    async def main() -> None:
        async with opened() as embedder:
            await embedder.warm_up()  # must not raise
            for ask in (embedder.question("a"), embedder.question("b"), embedder.texts(["a"])):
                with pytest.raises(ServiceError, match=r"no_such_package, no_such\.sub_package cannot") as told:
                    await ask
                assert told.value.hint == "pip install no_such_package no_such.sub_package"

    run(main(), tidy=True)


def test_nothing_is_missing_here() -> None:
    assert embedding.missing() == []


@pytest.mark.parametrize("bad", [ValueError("not the weights"), ImportError("wrong processor"), OSError("gone")])
def test_a_model_that_cannot_be_loaded_is_not_loaded_again_and_again(
    bad: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[bool] = []

    def loaded(*, quick: bool) -> None:
        loads.append(quick)
        raise bad

    monkeypatch.setattr(minilm, "loaded", loaded)

    async def main() -> None:
        async with opened() as embedder:
            await embedder.warm_up()
            for ask in (embedder.question("a"), embedder.question("b"), embedder.texts(["a"])):
                with pytest.raises(ServiceError, match=f"cannot be loaded: {bad}"):
                    await ask
            assert loads == [True]

    run(main(), tidy=True)


def test_warming_up_leaves_nothing_to_load(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            await embedder.warm_up()
            assert model.loads == [True] and len(model.quick) == 1

    run(main(), tidy=True)


# --- the end -----------------------------------------------------------------------------------------------


def test_one_that_was_never_used_ends(model: Model) -> None:
    async def main() -> None:
        async with opened():
            pass

    run(main(), tidy=True)
    assert model.loads == []


def test_what_is_queued_when_it_closes_is_not_reckoned(model: Model) -> None:
    async def main() -> None:
        async with opened() as embedder:
            model.may.clear()
            asked = [asyncio.create_task(embedder.question(f"number {n}")) for n in range(3)]
            await until(lambda: model.quick)
            await embedder.close()
            model.may.set()
            ended = await asyncio.gather(*asked, return_exceptions=True)
            assert len(model.quick) == 1 and len(ended[0]) == 2  # type: ignore[arg-type]
            assert all(isinstance(each, (ServiceError, asyncio.CancelledError)) for each in ended[1:])

    run(main(), tidy=True)


# --- the model itself --------------------------------------------------------------------------------------


def test_questions_and_texts_mean_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with opened() as embedder:
            text = "how much does it cost to rent a bike"
            asked, other, (told,) = (
                await embedder.question(text),
                await embedder.question("what is the capital of mongolia"),
                await embedder.texts([text]),
            )
            assert asked @ told > 0.985 and other @ told < 0.3
            assert embedder.name == minilm.NAME and embedder.known().keys() == minilm.known().keys()

    run(main(), tidy=True)


def test_the_clock_stands_still_while_it_works() -> None:
    """So that in a rehearsal no budget runs out while a slow machine reckons."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        async with opened() as embedder:
            async with asyncio.timeout(0.000_001):
                await embedder.question("is the clock standing still")
            await until(lambda: not leftovers(loop))
            return loop.time()

    assert run(main(), tidy=True) < 0.001
