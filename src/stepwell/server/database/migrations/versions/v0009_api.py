"""What the screens ask for: causes, views, bulk actions, a feed of changes, indexes for search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.migrations import feeds
from stepwell.server.database.tables import Instant

revision = "0009"
down_revision = "0008"

FOUND_BY: tuple[tuple[str, ...], ...] = (
    ("created_at",),
    ("state", "created_at"),
    ("schedule_id", "created_at"),
    ("group_name", "created_at"),
    ("group_name", "workflow", "created_at"),
    ("workflow", "created_at"),
    ("workflow", "state", "created_at"),
    ("requested_by", "created_at"),
)
# With the id behind them these are the order of pages; without it they are of no more use.
SHORTER = FOUND_BY[1:3] + FOUND_BY[4:5]
TABLES = ("view_defaults", "views", "cause_mutes", "bulk", "changes")


def upgrade() -> None:
    """New tables, columns that may be empty, indexes; then the triggers that tell of changes."""
    _views()
    _cause_mutes()
    _bulk()
    _changes()
    op.add_column("runs", sa.Column("fingerprint", sa.String(64)))
    op.add_column("runs", sa.Column("failed_operation", sa.String(100)))
    op.add_column("attempts", sa.Column("launch_condition", sa.JSON))
    for columns in FOUND_BY:
        op.create_index(_name(*columns, "id"), "runs", [*columns, "id"])
    for columns in SHORTER:
        op.drop_index(_name(*columns), "runs")
    known = sa.text("fingerprint IS NOT NULL")
    op.create_index(
        _name("fingerprint", "created_at", "id"),
        "runs",
        ["fingerprint", "created_at", "id"],
        sqlite_where=known,
        postgresql_where=known,
    )
    for feed in feeds.FIRST:
        feeds.tell(feed)


def downgrade() -> None:
    """The reverse."""
    for feed in feeds.FIRST:
        feeds.silence(feed)
    op.drop_index(_name("fingerprint", "created_at", "id"), "runs")
    for columns in SHORTER:
        op.create_index(_name(*columns), "runs", columns)
    for columns in FOUND_BY:
        op.drop_index(_name(*columns, "id"), "runs")
    op.drop_column("attempts", "launch_condition")
    for column in ("failed_operation", "fingerprint"):
        op.drop_column("runs", column)
    for name in TABLES:
        op.drop_table(name)


def _name(*columns: str) -> str:
    return f"ix_runs_{'_'.join(columns)}"


def _views() -> None:
    op.create_table(
        "views",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("screen", sa.String(20), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("changed_at", Instant, nullable=False),
    )
    op.create_index("ix_views_owner_screen_name", "views", ["owner", "screen", "name"], unique=True)
    op.create_table(
        "view_defaults",
        sa.Column("owner", sa.String(100), primary_key=True),
        sa.Column("screen", sa.String(20), primary_key=True),
        sa.Column("builtin", sa.String(20)),
        sa.Column("view_id", sa.Uuid, sa.ForeignKey("views.id")),
    )


def _cause_mutes() -> None:
    op.create_table(
        "cause_mutes",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("until", Instant, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("muted_by", sa.String(100), nullable=False),
        sa.Column("muted_at", Instant, nullable=False),
    )


def _bulk() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("arguments", sa.JSON, nullable=False),
        sa.Column("query", sa.Text),
        sa.Column("ids", sa.JSON),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("more", sa.Boolean, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("failures", sa.JSON, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("after_at", Instant),
        sa.Column("after_id", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("finished_at", Instant),
    )
    op.create_index("ix_bulk_created_at_id", "bulk", ["created_at", "id"])


def _changes() -> None:
    op.create_table(
        "changes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", Instant, nullable=False),
        sa.Column("topic", sa.String(20), nullable=False),
        sa.Column("what", sa.String(30), nullable=False),
        sa.Column("key", sa.String(420), nullable=False),
        sa.Column("group_name", sa.String(100)),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_at", "changes", ["at"])
