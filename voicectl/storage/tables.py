"""The tables, and the column types that make every value storable on SQLite and PostgreSQL alike.

Full-text search is not modelled here: SQLite keeps an FTS5 table filled by triggers, PostgreSQL a generated
tsvector column. Their names begin with `fulltext`, the migrations alone create them, and `is_modelled` keeps
Alembic's comparison away from them.

A change here needs a new file in migrations/versions; a test compares the two on both databases.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` without NUL, which PostgreSQL cannot hold, and without lone surrogates, which UTF-8 cannot."""
    return _UNSTORABLE.sub("", text)


def storable_json(value: Any) -> Any:
    """`value` with every text in it made storable; numbers that JSON does not know (NaN, infinity) become None."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {storable(key): storable_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(each) for each in value]
    return value


class CleanText(TypeDecorator[str]):
    """Text that is made storable on its way in, wherever it is bound."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value if value is None else _UNSTORABLE.sub("", value)


class CleanJson(TypeDecorator[Any]):
    """JSON, made storable on its way in."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return storable_json(value)


class Utc(TypeDecorator[datetime]):
    """A moment of wall-clock time. Aware in Python, always in UTC; SQLite has no zones and holds it without one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Table(DeclarativeBase):
    """Base of all tables. NOT NULL is the rule; what may be missing says so with `| None`."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: CleanText, datetime: Utc, float: sa.Double}


CALL = "call_session.sid"


class CallSession(Table):
    """One call. The row exists from whatever is heard first of it: a status callback or its first socket."""

    __tablename__ = "call_session"

    sid: Mapped[str] = mapped_column(primary_key=True)
    session: Mapped[str]
    """The carrier's id of the newest socket; "" before the first."""
    caller: Mapped[str] = mapped_column(index=True)
    called: Mapped[str]
    direction: Mapped[str]
    language: Mapped[str]
    agent: Mapped[str]
    status: Mapped[str]
    """The carrier's word for how far the call has come; the furthest stands."""
    status_rank: Mapped[int]
    status_sequence: Mapped[int | None]
    """The highest number of a status callback so far."""
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    """The call's first socket opened."""
    ended_at: Mapped[datetime | None]
    duration: Mapped[float | None]
    """Seconds from the first socket's opening to the last one's end."""
    carrier_duration: Mapped[int | None]
    """Seconds the carrier bills."""
    end_reason: Mapped[str]
    resume_count: Mapped[int]
    generation: Mapped[int]
    """Which socket owns the call: 0 before the first, one more with each."""

    __table_args__ = (
        sa.Index(None, "started_at", "sid"),
        sa.Index(
            "ix_call_session_live",
            "started_at",
            "sid",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )


class ConversationTurn(Table):
    """One turn of a call, in its newest version. See conversation.turns.Turn for the fields."""

    __tablename__ = "conversation_turn"

    call_sid: Mapped[str] = mapped_column(sa.ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    turn_order: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str]
    kind: Mapped[str]
    at: Mapped[float]
    generated: Mapped[str]
    heard: Mapped[str]
    said: Mapped[str]
    interrupted: Mapped[bool]
    done: Mapped[bool]
    generation: Mapped[int]
    first_token_at: Mapped[float | None]
    first_audio_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    failure: Mapped[str]
    model: Mapped[str | None]
    """NULL: nobody reported what the turn cost. The same holds for the three counts below."""
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    passages: Mapped[Any] = mapped_column(CleanJson)
    lang: Mapped[str]
    resumes: Mapped[int | None]
    tool: Mapped[Any | None] = mapped_column(CleanJson(none_as_null=True))
    gained_ms: Mapped[float | None]
    wasted_tokens: Mapped[int] = mapped_column(server_default=sa.text("0"))
    sensitive: Mapped[bool] = mapped_column(server_default=sa.false())


class CallEventRow(Table):
    """Something that happened to a call and is not a turn. May precede the call's own row."""

    __tablename__ = "call_event"

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    """Made by the writer: storing the same event again, after a commit of unknown outcome, changes nothing."""
    call_sid: Mapped[str]
    at: Mapped[float]
    kind: Mapped[str]
    data: Mapped[Any] = mapped_column(CleanJson)

    __table_args__ = (sa.Index(None, "call_sid", "id"),)


class CallAnalytics(Table):
    """How a call went, counted at its end. See ports.CallSummary for the fields."""

    __tablename__ = "call_analytics"

    call_sid: Mapped[str] = mapped_column(sa.ForeignKey(CALL, ondelete="CASCADE"), primary_key=True)
    turns: Mapped[int]
    interruptions: Mapped[int]
    reprompts: Mapped[int]
    failures: Mapped[int]
    response_p50_ms: Mapped[float | None]
    response_max_ms: Mapped[float | None]
    prompt_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    gained_ms: Mapped[float] = mapped_column(server_default=sa.text("0"))
    wasted_tokens: Mapped[int] = mapped_column(server_default=sa.text("0"))


class RelayToken(Table):
    """A one-time token for a call's next socket. The token itself is never stored."""

    __tablename__ = "relay_token"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    call_sid: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class KnowledgeDocument(Table):
    """A document of the knowledge base, by the file it came from."""

    __tablename__ = "knowledge_document"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str]
    title: Mapped[str]
    version: Mapped[int]
    """1 when first ingested, one more each time its contents are replaced."""
    collection: Mapped[str] = mapped_column(server_default=sa.text("''"))
    language: Mapped[str] = mapped_column(server_default=sa.text("''"))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    read_at: Mapped[datetime | None]

    __table_args__ = {"sqlite_autoincrement": True}


class KnowledgeChunk(Table):
    """A passage of a document. Its id is never used again: stored turns refer to it."""

    __tablename__ = "knowledge_chunk"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(sa.ForeignKey("knowledge_document.id", ondelete="CASCADE"))
    chunk_order: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    page: Mapped[int | None]
    stems: Mapped[str] = mapped_column(server_default=sa.text("''"))
    """The stems it holds, separated by spaces; "" where they have not been taken yet."""

    __table_args__ = (sa.Index(None, "document_id", "chunk_order"), {"sqlite_autoincrement": True})


class KnowledgeState(Table):
    """What is true of the knowledge base as a whole: one row, number 1."""

    __tablename__ = "knowledge_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    """One more with every change of anything that a search depends on: whoever holds a copy looks at this alone."""
    calibrations: Mapped[Any] = mapped_column(CleanJson)


class KnowledgeVector(Table):
    """The meaning of a text, by the text's digest: what was reckoned once is never reckoned again."""

    __tablename__ = "knowledge_vector"

    embedder: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes]


class KnowledgeGap(Table):
    """A question that was not answered. See ports.Gap for the fields."""

    __tablename__ = "knowledge_gap"

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(index=True)
    call_sid: Mapped[str]
    question: Mapped[str]
    confidence: Mapped[float]
    language: Mapped[str]
    collections: Mapped[Any] = mapped_column(CleanJson)


class SystemMetric(Table):
    """One sample of one figure."""

    __tablename__ = "system_metric"

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)
    at: Mapped[datetime]
    name: Mapped[str]
    value: Mapped[float]
    labels: Mapped[Any] = mapped_column(CleanJson)

    __table_args__ = (sa.Index(None, "name", "at"),)


def table_of(model: type[Table]) -> sa.Table:
    """The Core table of a model: what is hot is written without ORM objects."""
    table = model.__table__
    assert isinstance(table, sa.Table)
    return table


def is_modelled(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's `include_object`: False for the tables, columns and indexes of full-text search."""
    return not (name or "").startswith("fulltext")
