"""The knowledge base in the database: documents, their passages, and full-text search over them.

A caller's question arrives as terms and is answered by the passages that hold any of them, the best first. Words in
titles count twice. SQLite ranks by bm25 of its FTS5 index, PostgreSQL by ts_rank (which, unlike bm25, does not know
how rare a word is); both stem English words. A term of several words is looked for as a phrase. Terms are data: no
operator of either search language gets through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from voicectl.conversation.turns import Passage
from voicectl.ports import Calibration, Contents, Findings, NewDocument, Scope, ShelvedPassage, StoredDocument
from voicectl.storage.database import Database
from voicectl.storage.tables import KnowledgeChunk, KnowledgeDocument, KnowledgeState, storable, table_of

_documents = table_of(KnowledgeDocument)
_chunks = table_of(KnowledgeChunk)
_state = table_of(KnowledgeState)

_COUNT = sa.select(sa.func.count()).select_from(_chunks)
_SEARCH_SQLITE = sa.text(
    """
    SELECT chunk.id, chunk.title, chunk.text, document.source, -found.cost AS score, chunk.page
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
           ts_rank('{0, 0, 0.5, 1}', chunk.fulltext, asked.question, 1)::float8 AS score, chunk.page
    FROM asked
    JOIN knowledge_chunk AS chunk ON chunk.fulltext @@ asked.question
    JOIN knowledge_document AS document ON document.id = chunk.document_id
    ORDER BY score DESC, chunk.id
    LIMIT :limit
    """
).bindparams(sa.bindparam("terms", type_=postgresql.ARRAY(sa.Text)))
_AT_ONCE = 500
"""Documents asked for in one statement."""
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
        of = _documents.c
        found = (
            sa.select(
                of.source,
                of.digest,
                of.title,
                sa.func.count(_chunks.c.id),
                of.version,
                of.collection,
                of.language,
                of.valid_from,
                of.valid_until,
                of.read_at,
            )
            .join_from(_documents, _chunks, isouter=True)
            .group_by(of.id)
            .order_by(of.source)
        )
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [StoredDocument(*row) for row in rows]

    async def count(self) -> int:
        """How many passages there are."""
        return await self._database.read(lambda connection: connection.execute(_COUNT).scalar_one())

    async def passages(self) -> list[Passage]:
        """Every passage, in the order of their ids."""
        return [each.passage for each in (await self.contents({})).passages]

    async def version(self) -> int:
        """See ports.KnowledgeStore. Does not wait for what is being written: calls are waiting."""
        return await self._database.read(lambda connection: _version(connection)[0], after_writes=False)

    async def contents(self, known: Mapping[int, int] | None) -> Contents:
        """See ports.KnowledgeStore."""
        of = _documents.c
        scopes = sa.select(
            of.id, of.version, of.source, of.collection, of.language, of.valid_from, of.valid_until
        ).order_by(of.id)
        of_new = _chunks.c.document_id.in_(sa.bindparam("new", expanding=True))
        passages = sa.select(_chunks).where(of_new)

        def work(connection: Connection) -> Contents:
            # PostgreSQL shows each statement the newest commit: looked at until nothing changed in between.
            while True:
                version, calibrations = _version(connection)
                documents = [Scope(*row) for row in connection.execute(scopes)]
                sources = {
                    scope.id: scope.source
                    for scope in documents
                    if known is not None and known.get(scope.id) != scope.version
                }
                wanted = list(sources)
                found = [
                    ShelvedPassage(
                        Passage(row.id, row.title, row.text, sources[row.document_id], page=row.page),
                        row.document_id,
                        row.stems,
                    )
                    for start in range(0, len(wanted), _AT_ONCE)
                    for row in connection.execute(passages, {"new": wanted[start : start + _AT_ONCE]})
                ]
                if _version(connection)[0] == version:
                    break
            found.sort(key=lambda each: each.passage.id)
            kept = {name: Calibration(**_tuples(each)) for name, each in calibrations.items()}
            return Contents(version, tuple(documents), tuple(found), kept)

        return await self._database.read(work, after_writes=False)

    async def calibrate(self, calibrations: Mapping[str, Calibration]) -> None:
        """See ports.KnowledgeStore."""

        def work(connection: Connection) -> None:
            state = connection.execute(sa.select(_state.c.calibrations).with_for_update()).scalar_one_or_none()
            self._changed(connection, (state or {}) | {name: asdict(each) for name, each in calibrations.items()})

        await self._database.run_apart(work)

    async def replace(self, put: Sequence[NewDocument], remove: Sequence[str]) -> None:
        """Remove the documents of these sources, then store those of `put` in place of what their sources had.

        All or nothing: whoever searches meanwhile finds the old contents or the new, never a mixture.
        """
        insert = self._database.insert(KnowledgeDocument)
        changing = ("digest", "title", "collection", "language", "valid_from", "valid_until", "read_at")
        upsert = insert.on_conflict_do_update(
            index_elements=["source"],
            set_={name: insert.excluded[name] for name in changing} | {"version": _documents.c.version + 1},
        ).returning(_documents.c.id)
        now = datetime.now(UTC)

        def work(connection: Connection) -> None:
            for source in remove:
                connection.execute(sa.delete(_documents).where(_documents.c.source == source))
            for document in put:
                row = {name: getattr(document, name) for name in changing if name != "read_at"}
                row |= {"source": document.source, "version": 1, "read_at": now}
                number = connection.execute(upsert, row).scalar_one()
                connection.execute(sa.delete(_chunks).where(_chunks.c.document_id == number))
                rows = [
                    {
                        "document_id": number,
                        "chunk_order": order,
                        "title": chunk.title,
                        "text": chunk.text,
                        "page": chunk.page,
                        "stems": chunk.stems,
                    }
                    for order, chunk in enumerate(document.chunks)
                ]
                if rows:
                    connection.execute(sa.insert(_chunks), rows)
            self._changed(connection)

        await self._database.run_apart(work)

    def _changed(self, connection: Connection, calibrations: dict[str, Any] | None = None) -> None:
        """Count the version up, at the end of a change. None leaves the calibrations alone."""
        insert = self._database.insert(KnowledgeState)
        change: dict[str, Any] = {"version": _state.c.version + 1}
        if calibrations is not None:
            change["calibrations"] = insert.excluded.calibrations
        upsert = insert.on_conflict_do_update(index_elements=["id"], set_=change)
        connection.execute(upsert, {"id": 1, "version": 1, "calibrations": calibrations or {}})

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
                    found.setdefault(row.id, Passage(*row))
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


def _version(connection: Connection) -> tuple[int, dict[str, Any]]:
    """The version of the contents, and the calibrations; of a knowledge base that was never filled, 0 and none."""
    row = connection.execute(sa.select(_state.c.version, _state.c.calibrations)).one_or_none()
    return (0, {}) if row is None else (row.version, row.calibrations)


def _tuples(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}


def _phrase(term: str) -> str:
    """A term in FTS5's query language, in which nothing of it is an operator."""
    return '"' + term.replace('"', '""') + '"'
