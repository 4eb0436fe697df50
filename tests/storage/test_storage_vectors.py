"""Meanings in the database, in numbers that lie on both sides of its bounds."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from storage_databases import opened

from voicectl.errors import StoreError
from voicectl.storage.vectors import VectorStore

COUNTS = (0, 1, 501, 6_000)


def some(count: int, prefix: str = "d", vector: bytes = b"") -> dict[str, bytes]:
    return {f"{prefix}{number:05}": vector or number.to_bytes(4, "big") * 2 for number in range(count)}


@pytest.mark.parametrize("count", COUNTS)
def test_what_was_kept_is_loaded(url: str, count: int) -> None:
    rows = some(count)

    async def run() -> None:
        async with opened(url) as database:
            await VectorStore(database).keep("a", rows)
        async with opened(url) as database:  # durable: another process has it
            vectors = VectorStore(database)
            assert await vectors.have("a") == set(rows)
            assert await vectors.load("a") == rows
            assert await vectors.load("a", list(rows)) == rows
            assert await vectors.load("a", [*rows, "missing"]) == rows
            assert await vectors.load("a", []) == {}
            assert await vectors.load("a", ["missing"]) == {}
            half = list(rows)[: count // 2]
            assert await vectors.load("a", half) == {key: rows[key] for key in half}

    asyncio.run(run())


@pytest.mark.parametrize("count", COUNTS)
def test_what_no_text_has_any_more_is_forgotten(url: str, count: int) -> None:
    rows = some(count)
    keep = list(rows)[::3]

    async def run() -> None:
        async with opened(url) as database:
            vectors = VectorStore(database)
            await vectors.keep("a", rows)
            await vectors.keep("b", rows)
            assert await vectors.prune("a", rows.keys() | {"missing"}) == 0
            assert await vectors.prune("a", keep) == count - len(keep)
            assert await vectors.load("a") == {key: rows[key] for key in keep}
            assert await vectors.prune("a", ()) == len(keep)
            assert await vectors.have("a") == set()
            assert await vectors.load("b") == rows  # another embedder's are its own

    asyncio.run(run())


def test_embedders_do_not_see_each_others(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            vectors = VectorStore(database)
            await vectors.keep("a", {"x": b"of a"})
            await vectors.keep("b", {"x": b"of b", "y": b"of b"})
            assert await vectors.load("a") == {"x": b"of a"}
            assert await vectors.load("a", ["x", "y"]) == {"x": b"of a"}
            assert await vectors.have("c") == set()

    asyncio.run(run())


def test_a_vector_that_is_kept_again_takes_the_place_of_the_first(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            vectors = VectorStore(database)
            await vectors.keep("a", some(3, vector=b"old"))
            await vectors.keep("a", some(2, vector=b"new") | some(1, "e", b"new"))
            expected = {"d00000": b"new", "d00001": b"new", "d00002": b"old", "e00000": b"new"}
            assert await vectors.load("a") == expected
            await vectors.keep("a", {})
            assert await vectors.load("a") == expected

    asyncio.run(run())


def test_a_batch_is_kept_whole_or_not_at_all(url: str) -> None:
    async def run() -> None:
        async with opened(url) as database:
            vectors = VectorStore(database)
            await vectors.keep("a", some(2))

            def fail(connection: object) -> None:
                raise OSError(5, "pulled the plug")

            sa.event.listen(database.engine, "commit", fail)
            for refused in (vectors.keep("a", some(9, "e")), vectors.prune("a", ())):
                with pytest.raises(StoreError):
                    await refused
            sa.event.remove(database.engine, "commit", fail)
            assert await vectors.load("a") == some(2)

    asyncio.run(run())
