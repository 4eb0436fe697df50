"""The meanings of texts in the database. Numbers of 16 bits: a hundred thousand passages take 77 MB instead of 154."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from voicectl.storage.database import Database
from voicectl.storage.tables import KnowledgeVector, table_of

_vectors = table_of(KnowledgeVector)
_AT_ONCE = 500
"""Digests in one statement."""
_ALL = 5_000
"""From so many on, all are read instead of each being asked for."""


class VectorStore:
    """See ports.VectorStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def have(self, embedder: str) -> set[str]:
        """See ports.VectorStore."""
        found = sa.select(_vectors.c.digest).where(_vectors.c.embedder == embedder)
        return set(await self._database.read(lambda connection: connection.execute(found).scalars().all()))

    async def load(self, embedder: str, digests: Sequence[str] | None = None) -> dict[str, bytes]:
        """See ports.VectorStore. Does not wait for what is being written."""
        found = sa.select(_vectors.c.digest, _vectors.c.vector).where(_vectors.c.embedder == embedder)
        few = found.where(_vectors.c.digest.in_(sa.bindparam("digests", expanding=True)))

        def work(connection: Connection) -> dict[str, bytes]:
            if digests is None or len(digests) > _ALL:
                wanted = None if digests is None else set(digests)
                return {key: vector for key, vector in connection.execute(found) if wanted is None or key in wanted}
            rows: dict[str, bytes] = {}
            for start in range(0, len(digests), _AT_ONCE):
                asked = list(digests[start : start + _AT_ONCE])
                rows |= {digest: vector for digest, vector in connection.execute(few, {"digests": asked})}
            return rows

        return await self._database.read(work, after_writes=False)

    async def keep(self, embedder: str, vectors: Mapping[str, bytes]) -> None:
        """See ports.VectorStore."""
        if not vectors:
            return
        rows = [{"embedder": embedder, "digest": digest, "vector": vector} for digest, vector in vectors.items()]
        insert = self._database.insert(KnowledgeVector)
        upsert = insert.on_conflict_do_update(
            index_elements=["embedder", "digest"], set_={"vector": insert.excluded.vector}
        )

        def work(connection: Connection) -> None:
            connection.execute(upsert, rows)

        await self._database.run_apart(work)

    async def prune(self, embedder: str, keep: Collection[str]) -> int:
        """See ports.VectorStore."""
        unused = sorted(await self.have(embedder) - set(keep))
        forget = sa.delete(_vectors).where(
            _vectors.c.embedder == embedder, _vectors.c.digest.in_(sa.bindparam("digests", expanding=True))
        )

        def work(connection: Connection) -> None:
            for start in range(0, len(unused), _AT_ONCE):
                connection.execute(forget, {"digests": unused[start : start + _AT_ONCE]})

        if unused:
            await self._database.run_apart(work)
        return len(unused)
