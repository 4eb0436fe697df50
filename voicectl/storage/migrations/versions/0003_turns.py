"""Turns: what a reply begun early has gained, tools, and what nobody is to read; calls are found by the caller.

Only adds. Turns of before have none of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("resumes", sa.Integer(), nullable=True),
        sa.Column("tool", sa.JSON(), nullable=True),
        sa.Column("gained_ms", sa.Double(), nullable=True),
        sa.Column("wasted_tokens", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("sensitive", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("conversation_turn", column)
    for column in (
        sa.Column("gained_ms", sa.Double(), nullable=False, server_default=sa.text("0")),
        sa.Column("wasted_tokens", sa.Integer(), nullable=False, server_default=sa.text("0")),
    ):
        op.add_column("call_analytics", column)
    op.create_index("ix_call_session_caller", "call_session", ["caller"])
