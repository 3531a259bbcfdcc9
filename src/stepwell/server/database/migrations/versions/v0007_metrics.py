"""Occasions to notify of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0007"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    _occasions()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("occasions")


def _occasions() -> None:
    op.create_table(
        "occasions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100)),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("schedule_id", sa.Uuid()),
        sa.Column("discovery_id", sa.Uuid()),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("passed_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_occasions"),
    )
    op.create_index("ix_occasions_cause_at", "occasions", ["cause", "at"])
    unsolved = sa.text("kind = 'failure' AND passed_at IS NULL")
    op.create_index(
        "ix_occasions_open",
        "occasions",
        ["group_name", "workflow"],
        sqlite_where=unsolved,
        postgresql_where=unsolved,
    )
