"""Samples of figures over time, for who has no other place to keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from voicectl.storage.database import Database
from voicectl.storage.tables import SystemMetric, table_of


@dataclass(frozen=True, slots=True)
class Sample:
    """What a figure was at a moment (with its time zone)."""

    at: datetime
    name: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


_metrics = table_of(SystemMetric)


class Metrics:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rows: Sequence[Sample]) -> None:
        """Store samples, all or none; they are durable when this returns."""
        if not rows:
            return
        values = [{"at": row.at, "name": row.name, "value": row.value, "labels": dict(row.labels)} for row in rows]

        def work(connection: Connection) -> None:
            connection.execute(sa.insert(_metrics), values)

        await self._database.run(work).wait()

    async def series(self, name: str, since: datetime) -> list[Sample]:
        """The samples of one figure from `since` on, oldest first."""
        found = sa.select(_metrics).where(_metrics.c.name == name, _metrics.c.at >= since)
        found = found.order_by(_metrics.c.at, _metrics.c.id)
        rows = await self._database.read(lambda connection: connection.execute(found).all())
        return [Sample(row.at, row.name, row.value, row.labels) for row in rows]
