"""Questions that were not answered, kept for the owner. They are a caller's words: private, and never logged."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from voicectl.ports import Gap, Receipt
from voicectl.storage.database import Database
from voicectl.storage.tables import KnowledgeGap, table_of

_gaps = table_of(KnowledgeGap)


class GapStore:
    """See ports.GapStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        insert = database.insert(KnowledgeGap)
        self._insert = insert.on_conflict_do_nothing(index_elements=["uid"])

    def record_gap(self, gap: Gap) -> Receipt:
        """See ports.GapStore."""
        row = {
            "uid": uuid.uuid4().hex,
            "at": gap.at,
            "call_sid": gap.call_sid,
            "question": gap.question,
            "confidence": gap.confidence,
            "language": gap.language,
            "collections": list(gap.collections),
        }
        return self._database.put(self._insert, row)

    async def gaps(self, since: datetime | None = None) -> list[Gap]:
        """See ports.GapStore."""
        found = sa.select(_gaps).order_by(_gaps.c.at.desc(), _gaps.c.id.desc())
        if since is not None:
            found = found.where(_gaps.c.at >= since)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [
            Gap(row.at, row.call_sid, row.question, row.confidence, row.language, tuple(row.collections))
            for row in rows
        ]

    async def clear_gaps(self) -> int:
        """See ports.GapStore."""

        def work(connection: Connection) -> int:
            return connection.execute(sa.delete(_gaps)).rowcount

        return await self._database.run_apart(work)
