"""Holds with an end, proposals, comments, trials, and what a group was given at a release."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns that may be empty, and two tables."""
    op.add_column("decisions", sa.Column("hold_until", Instant))
    op.add_column("groups", sa.Column("two_person", sa.Boolean))
    op.add_column("runs", sa.Column("trial", sa.JSON))
    op.add_column("release_workflows", sa.Column("renamed_operations", sa.JSON))
    for column in _of_releases():
        op.add_column("releases", column)
    _proposals()
    _comments()


def downgrade() -> None:
    """Take away what was added."""
    for table in ("comments", "proposals"):
        op.drop_table(table)
    for column in _of_releases():
        op.drop_column("releases", column.name)
    op.drop_column("release_workflows", "renamed_operations")
    op.drop_column("runs", "trial")
    op.drop_column("groups", "two_person")
    op.drop_column("decisions", "hold_until")


def _of_releases() -> list[sa.Column[object]]:
    return [
        sa.Column("confirmed_by", sa.String(100)),
        sa.Column("image", sa.Text),
        sa.Column("environment", sa.JSON),
        sa.Column("secrets", sa.JSON),
    ]


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("discovery_id", sa.Uuid),
        sa.Column("to_release", sa.Integer),
        sa.Column("against_release", sa.Integer, nullable=False),
        sa.Column("decisions", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("requested_at", Instant, nullable=False),
        sa.Column("ended_by", sa.String(100)),
        sa.Column("ended_at", Instant),
        sa.Column("ended_reason", sa.Text),
        sa.Column("release", sa.Integer),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_proposals_group_name"),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name="fk_proposals_discovery_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_proposals"),
    )
    op.create_index("ix_proposals_group_name_state", "proposals", ["group_name", "state"])


def _comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("discovery_id", sa.Uuid, nullable=False),
        sa.Column("written_by", sa.String(100), nullable=False),
        sa.Column("written_at", Instant, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name="fk_comments_discovery_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
    )
    op.create_index("ix_comments_discovery_id", "comments", ["discovery_id"])
