"""Knowledge: where a document belongs, when it holds, what a passage is about, and what nobody could answer.

Only adds. Passages of before have no stems until their documents are read again; they are found all the same.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("collection", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("language", sa.Text(), nullable=False, server_default=sa.text("''")),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("knowledge_document", column)
    op.add_column("knowledge_chunk", sa.Column("page", sa.Integer(), nullable=True))
    op.add_column("knowledge_chunk", sa.Column("stems", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.create_table(
        "knowledge_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("calibrations", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_state"),
    )
    op.create_table(
        "knowledge_vector",
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("embedder", "digest", name="pk_knowledge_vector"),
    )
    op.create_table(
        "knowledge_gap",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("call_sid", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("collections", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge_gap"),
        sa.UniqueConstraint("uid", name="uq_knowledge_gap_uid"),
    )
    op.create_index("ix_knowledge_gap_at", "knowledge_gap", ["at"])
