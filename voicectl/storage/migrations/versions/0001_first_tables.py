"""First tables.

There is no way back but a backup: a downgrade would throw calls away.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# An external-content FTS5 table holds the index alone and reads the text from knowledge_chunk; to forget a row it must
# be told the row's old text, which the triggers do, also for rows that go with their document.
FULLTEXT = {
    "sqlite": (
        """
        CREATE VIRTUAL TABLE fulltext USING fts5(
            title, text, content='knowledge_chunk', content_rowid='id',
            tokenize='porter unicode61 remove_diacritics 2'
        )
        """,
        """
        CREATE TRIGGER fulltext_insert AFTER INSERT ON knowledge_chunk BEGIN
            INSERT INTO fulltext (rowid, title, text) VALUES (new.id, new.title, new.text);
        END
        """,
        """
        CREATE TRIGGER fulltext_delete AFTER DELETE ON knowledge_chunk BEGIN
            INSERT INTO fulltext (fulltext, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
        END
        """,
        """
        CREATE TRIGGER fulltext_update AFTER UPDATE ON knowledge_chunk BEGIN
            INSERT INTO fulltext (fulltext, rowid, title, text) VALUES ('delete', old.id, old.title, old.text);
            INSERT INTO fulltext (rowid, title, text) VALUES (new.id, new.title, new.text);
        END
        """,
    ),
    "postgresql": (
        """
        ALTER TABLE knowledge_chunk ADD COLUMN fulltext tsvector GENERATED ALWAYS AS (
            setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', text), 'B')
        ) STORED
        """,
        "CREATE INDEX fulltext_index ON knowledge_chunk USING gin (fulltext)",
    ),
}


def upgrade() -> None:
    op.create_table(
        "call_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_event"),
        sa.UniqueConstraint("uid", name="uq_call_event_uid"),
    )
    op.create_index("ix_call_event_call_sid_id", "call_event", ["call_sid", "id"])
    op.create_table(
        "call_session",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_rank", sa.Integer(), nullable=False),
        sa.Column("status_sequence", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration", sa.Double(), nullable=True),
        sa.Column("carrier_duration", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("resume_count", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sid", name="pk_call_session"),
    )
    op.create_index(
        "ix_call_session_live",
        "call_session",
        ["started_at", "sid"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_call_session_started_at_sid", "call_session", ["started_at", "sid"])
    op.create_table(
        "knowledge_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_document"),
        sa.UniqueConstraint("source", name="uq_knowledge_document_source"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "relay_token",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_relay_token"),
    )
    op.create_index("ix_relay_token_expires_at", "relay_token", ["expires_at"])
    op.create_table(
        "system_metric",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_system_metric"),
    )
    op.create_index("ix_system_metric_name_at", "system_metric", ["name", "at"])
    op.create_table(
        "call_analytics",
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("interruptions", sa.Integer(), nullable=False),
        sa.Column("reprompts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("response_p50_ms", sa.Double(), nullable=True),
        sa.Column("response_max_ms", sa.Double(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_sid"], ["call_session.sid"], name="fk_call_analytics_call_sid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_sid", name="pk_call_analytics"),
    )
    op.create_table(
        "conversation_turn",
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("turn_order", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("generated", sa.Text(), nullable=False),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("first_token_at", sa.Double(), nullable=True),
        sa.Column("first_audio_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("passages", sa.JSON(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_sid"], ["call_session.sid"], name="fk_conversation_turn_call_sid", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_sid", "turn_order", name="pk_conversation_turn"),
    )
    op.create_table(
        "knowledge_chunk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("chunk_order", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["knowledge_document.id"], name="fk_knowledge_chunk_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_chunk"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_knowledge_chunk_document_id_chunk_order", "knowledge_chunk", ["document_id", "chunk_order"])
    for statement in FULLTEXT[op.get_context().dialect.name]:
        op.execute(statement)
