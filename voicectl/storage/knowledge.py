"""The knowledge base in the database: documents, their passages, and full-text search over them.

A caller's question arrives as terms and is answered by the passages that hold any of them, the best first. Words in
titles count twice. SQLite ranks by bm25 of its FTS5 index, PostgreSQL by ts_rank (which, unlike bm25, does not know
how rare a word is); both stem English words. A term of several words is looked for as a phrase. Terms are data: no
operator of either search language gets through.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from voicectl.conversation.turns import Passage
from voicectl.ports import Findings, NewDocument, StoredDocument
from voicectl.storage.database import Database
from voicectl.storage.tables import KnowledgeChunk, KnowledgeDocument, storable, table_of

_documents = table_of(KnowledgeDocument)
_chunks = table_of(KnowledgeChunk)

_COUNT = sa.select(sa.func.count()).select_from(_chunks)
_SEARCH_SQLITE = sa.text(
    """
    SELECT chunk.id, chunk.title, chunk.text, document.source, -found.cost AS score
    FROM (
        SELECT rowid, bm25(fulltext, 2.0, 1.0) AS cost FROM fulltext
        WHERE fulltext MATCH :question ORDER BY cost, rowid LIMIT :limit
    ) AS found
    JOIN knowledge_chunk AS chunk ON chunk.id = found.rowid
    JOIN knowledge_document AS document ON document.id = chunk.document_id
    ORDER BY found.cost, chunk.id
    """
)
# The weights of ts_rank are those of D, C, B (text) and A (title); 1 divides by the logarithm of the length.
_SEARCH_POSTGRESQL = sa.text(
    """
    WITH asked AS (
        SELECT string_agg(phrase::text, ' | ')::tsquery AS question
        FROM (SELECT phraseto_tsquery('english', term) AS phrase FROM unnest(:terms) AS term) AS phrases
        WHERE numnode(phrase) > 0
    )
    SELECT chunk.id, chunk.title, chunk.text, document.source,
           ts_rank('{0, 0, 0.5, 1}', chunk.fulltext, asked.question, 1)::float8 AS score
    FROM asked
    JOIN knowledge_chunk AS chunk ON chunk.fulltext @@ asked.question
    JOIN knowledge_document AS document ON document.id = chunk.document_id
    ORDER BY score DESC, chunk.id
    LIMIT :limit
    """
).bindparams(sa.bindparam("terms", type_=postgresql.ARRAY(sa.Text)))
# Counting a word that stands everywhere would take as long as the index is large.
_COUNT_UP_TO = 5000
_HOLDING_SQLITE = sa.text(
    """
    SELECT term.key, (
        SELECT count(*) FROM (SELECT 1 FROM fulltext WHERE fulltext MATCH term.value LIMIT :limit)
    ) AS held
    FROM json_each(:terms) AS term
    """
)
_HOLDING_POSTGRESQL = sa.text(
    """
    SELECT term.key - 1 AS key, (
        SELECT count(*) FROM (
            SELECT 1 FROM knowledge_chunk WHERE fulltext @@ phraseto_tsquery('english', term.value) LIMIT :limit
        ) AS found
    ) AS held
    FROM unnest(:terms) WITH ORDINALITY AS term (value, key)
    """
).bindparams(sa.bindparam("terms", type_=postgresql.ARRAY(sa.Text)))


class KnowledgeStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def documents(self) -> list[StoredDocument]:
        """All documents, by source."""
        counted = sa.func.count(_chunks.c.id)
        found = (
            sa.select(_documents.c.source, _documents.c.digest, _documents.c.title, counted, _documents.c.version)
            .join_from(_documents, _chunks, isouter=True)
            .group_by(_documents.c.id)
            .order_by(_documents.c.source)
        )
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [StoredDocument(*row) for row in rows]

    async def count(self) -> int:
        """How many passages there are."""
        return await self._database.read(lambda connection: connection.execute(_COUNT).scalar_one())

    async def passages(self) -> list[Passage]:
        """Every passage, in the order of their ids."""
        found = (
            sa.select(_chunks.c.id, _chunks.c.title, _chunks.c.text, _documents.c.source)
            .join_from(_chunks, _documents)
            .order_by(_chunks.c.id)
        )
        rows = await self._database.read(lambda connection: connection.execute(found).all(), after_writes=False)
        return [Passage(*row) for row in rows]

    async def stamp(self, most: int) -> str | None:
        """See ports.KnowledgeStore."""
        contents = sa.select(_documents.c.id, _documents.c.source, _documents.c.digest, _documents.c.version)

        def work(connection: Connection) -> str | None:
            if connection.execute(_COUNT).scalar_one() > most:
                return None
            rows = connection.execute(contents.order_by(_documents.c.id)).all()
            return hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()

        return await self._database.read(work, after_writes=False)

    async def replace(self, put: Sequence[NewDocument], remove: Sequence[str]) -> None:
        """Remove the documents of these sources, then store those of `put` in place of what their sources had.

        All or nothing: whoever searches meanwhile finds the old contents or the new, never a mixture.
        """
        insert = self._database.insert(KnowledgeDocument)
        new = insert.excluded
        upsert = insert.on_conflict_do_update(
            index_elements=["source"],
            set_={"digest": new.digest, "title": new.title, "version": _documents.c.version + 1},
        ).returning(_documents.c.id)

        def work(connection: Connection) -> None:
            for source in remove:
                connection.execute(sa.delete(_documents).where(_documents.c.source == source))
            for document in put:
                row = {"source": document.source, "digest": document.digest, "title": document.title, "version": 1}
                number = connection.execute(upsert, row).scalar_one()
                connection.execute(sa.delete(_chunks).where(_chunks.c.document_id == number))
                rows = [
                    {"document_id": number, "chunk_order": order, "title": chunk.title, "text": chunk.text}
                    for order, chunk in enumerate(document.chunks)
                ]
                if rows:
                    connection.execute(sa.insert(_chunks), rows)

        await self._database.run_apart(work)

    async def search(self, terms: Sequence[str], *, limit: int) -> list[Passage]:
        """Up to `limit` passages that hold any of the terms, best first. Scores compare within one answer only."""
        return list((await self.find([terms], limit=limit)).passages)

    async def find(self, searches: Sequence[Sequence[str]], words: Sequence[str] = (), *, limit: int) -> Findings:
        """See ports.KnowledgeStore. Does not wait for what is being written: calls are waiting. Counts to 5,000."""
        asked = [self._asked(terms, limit) for terms in searches]
        distinct = list(dict.fromkeys(words))
        counted = [word for word in distinct if storable(word).strip()]
        sqlite = self._database.is_sqlite
        search = _SEARCH_SQLITE if sqlite else _SEARCH_POSTGRESQL
        holding = _HOLDING_SQLITE if sqlite else _HOLDING_POSTGRESQL
        phrases = [_phrase(storable(word)) if sqlite else storable(word) for word in counted]
        how_many = {"limit": _COUNT_UP_TO, "terms": json.dumps(phrases) if sqlite else phrases}

        def work(connection: Connection) -> Findings:
            found: dict[int, Passage] = {}
            for each in asked:
                for row in connection.execute(search, each).all() if each else ():
                    found.setdefault(row.id, Passage(row.id, row.title, row.text, row.source, row.score))
            held = dict.fromkeys(distinct, 0)
            for row in connection.execute(holding, how_many).all() if counted else ():
                held[counted[row.key]] = row.held
            return Findings(tuple(found.values()), held, connection.execute(_COUNT).scalar_one())

        return await self._database.read(work, after_writes=False)

    def _asked(self, terms: Sequence[str], limit: int) -> dict[str, Any] | None:
        """What a search is asked; None when there is nothing to ask."""
        wanted = [term for term in map(storable, terms) if term.strip()]
        if not wanted:
            return None
        if self._database.is_sqlite:
            return {"limit": limit, "question": " OR ".join(map(_phrase, wanted))}
        return {"limit": limit, "terms": wanted}


def _phrase(term: str) -> str:
    """A term in FTS5's query language, in which nothing of it is an operator."""
    return '"' + term.replace('"', '""') + '"'
