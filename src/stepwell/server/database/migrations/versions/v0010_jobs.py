"""Launches for single steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """A table."""
    op.create_table(
        "step_jobs",
        sa.Column("step_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("launcher", sa.String(20), nullable=False),
        sa.Column("image", sa.String(1000), nullable=False),
        sa.Column("digest", sa.String(100)),
        sa.Column("handle", sa.JSON),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("launched_at", Instant),
        sa.Column("started_at", Instant),
        sa.Column("finished_at", Instant),
        sa.Column("revoked_at", Instant),
        sa.Column("outcome", sa.JSON),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("exit", sa.JSON),
        sa.Column("output", sa.Text),
    )
    is_open = sa.text("finished_at IS NULL")
    op.create_index(
        "ix_step_jobs_open",
        "step_jobs",
        ["created_at"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("ix_step_jobs_finished_at", "step_jobs", ["finished_at"])


def downgrade() -> None:
    """The reverse."""
    op.drop_table("step_jobs")
