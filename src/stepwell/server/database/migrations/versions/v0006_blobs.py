"""The blob store's books, logs, readers of state, samples of reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """New tables, and columns that the version before may leave empty."""
    _blobs()
    _log_segments()
    _state()
    _reports()
    op.add_column("staged", sa.Column("blob_id", sa.Uuid()))


def downgrade() -> None:
    """Drop them; what lies in the blob store stays there."""
    op.drop_column("staged", "blob_id")
    op.drop_table("report_samples")
    op.drop_index("ix_reports_keep_until", "reports")
    op.drop_index("ix_reports_created_at", "reports")
    op.drop_column("reports", "keep_until")
    op.drop_column("reports", "blob_id")
    op.drop_table("state_readers")
    op.drop_index("ix_state_entries_expires_at", "state_entries")
    op.drop_table("log_segments")
    op.drop_table("blobs")


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("dropped_at", Instant()),
    )
    op.create_index("ix_blobs_dropped_at", "blobs", ["dropped_at"])
    op.create_index("ix_blobs_kind_created_at", "blobs", ["kind", "created_at"])
    op.create_index("ix_blobs_run_id", "blobs", ["run_id"])


def _log_segments() -> None:
    op.create_table(
        "log_segments",
        sa.Column("run_id", sa.Uuid(), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("operation", sa.String(100)),
        sa.Column("execution", sa.Integer()),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("levels", sa.Integer(), nullable=False),
        sa.Column("from_at", Instant(), nullable=False),
        sa.Column("until_at", Instant(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("blob_id", sa.Uuid()),
    )
    inline = sa.text("content IS NOT NULL")
    op.create_index("ix_log_segments_until_at", "log_segments", ["until_at"])
    op.create_index(
        "ix_log_segments_inline",
        "log_segments",
        ["until_at"],
        sqlite_where=inline,
        postgresql_where=inline,
    )


def _state() -> None:
    op.create_index("ix_state_entries_expires_at", "state_entries", ["expires_at"])
    op.create_table(
        "state_readers",
        sa.Column("group_name", sa.String(100), primary_key=True),
        sa.Column("scope", sa.String(220), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("reader", sa.String(210), primary_key=True),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", Instant(), nullable=False),
    )
    op.create_index("ix_state_readers_read_at", "state_readers", ["read_at"])


def _reports() -> None:
    op.add_column("reports", sa.Column("blob_id", sa.Uuid()))
    op.add_column("reports", sa.Column("keep_until", Instant()))
    op.create_index("ix_reports_created_at", "reports", ["created_at"])
    op.create_index("ix_reports_keep_until", "reports", ["keep_until"])
    op.create_table(
        "report_samples",
        sa.Column("group_name", sa.String(100), primary_key=True),
        sa.Column("workflow", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("seen", sa.Integer(), nullable=False),
    )
