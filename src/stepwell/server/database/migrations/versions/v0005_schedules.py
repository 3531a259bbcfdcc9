"""Calendars, backfills, alerts, downtimes; what a schedule's jitter, pause and skips need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add nullable columns and new tables: the version before works on beside them."""
    for table, column in _columns():
        op.add_column(table, column)
    _calendars()
    _backfills()
    _backfill_instants()
    _alerts()
    _downtimes()


def downgrade() -> None:
    """Drop what was added."""
    for name in ("downtimes", "schedule_alerts", "backfill_instants", "backfills", "calendars"):
        op.drop_table(name)
    for table, column in _columns():
        op.drop_column(table, str(column.name))


def _columns() -> list[tuple[str, sa.Column[object]]]:
    return [
        ("schedules", sa.Column("jitter_key", sa.String(310))),
        ("schedules", sa.Column("paused_until", Instant())),
        ("schedules", sa.Column("skips", sa.JSON(none_as_null=True))),
        ("schedules", sa.Column("late_after", sa.Integer)),
        ("schedules", sa.Column("too_long_after", sa.Integer)),
        ("ledger", sa.Column("spec", sa.JSON(none_as_null=True))),
    ]


def _calendars() -> None:
    op.create_table(
        "calendars",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("timezone", sa.String(100)),
        sa.Column("days", sa.JSON, nullable=False),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_calendars"),
    )


def _backfills() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("schedule_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("begin", Instant(), nullable=False),
        sa.Column("end", Instant(), nullable=False),
        sa.Column("which", sa.String(20), nullable=False),
        sa.Column("order", sa.String(20), nullable=False),
        sa.Column("concurrency", sa.Integer, nullable=False),
        sa.Column("per_minute", sa.Integer),
        sa.Column("parameters", sa.JSON(none_as_null=True)),
        sa.Column("instants", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("next_start_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
        _of_schedule("backfills"),
    )
    op.create_index(
        "ix_backfills_schedule_id_created_at", "backfills", ["schedule_id", "created_at"]
    )


def _backfill_instants() -> None:
    table = "backfill_instants"
    op.create_table(
        table,
        sa.Column("backfill_id", sa.Uuid, nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("schedule_id", sa.Uuid, nullable=False),
        sa.Column("fate", sa.String(20), nullable=False),
        sa.Column("why", sa.Text),
        sa.Column("run_id", sa.Uuid),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("backfill_id", "due_at", name="pk_backfill_instants"),
        sa.ForeignKeyConstraint(
            ["backfill_id"], ["backfills.id"], name="fk_backfill_instants_backfill_id_backfills"
        ),
        _of_schedule(table),
    )
    op.create_index("ix_backfill_instants_schedule_id_due_at", table, ["schedule_id", "due_at"])
    op.create_index("ix_backfill_instants_backfill_id_fate", table, ["backfill_id", "fate"])


def _alerts() -> None:
    op.create_table(
        "schedule_alerts",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("schedule_id", sa.Uuid),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("run_id", sa.Uuid),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("noticed_at", Instant(), nullable=False),
        sa.Column("over_at", Instant()),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule_alerts"),
        sa.UniqueConstraint("kind", "subject", name="uq_schedule_alerts_kind_subject"),
        _of_schedule("schedule_alerts"),
    )
    op.create_index("ix_schedule_alerts_over_at", "schedule_alerts", ["over_at"])


def _downtimes() -> None:
    op.create_table(
        "downtimes",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_downtimes"),
    )
    op.create_index("ix_downtimes_ended_at", "downtimes", ["ended_at"])


def _of_schedule(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_schedule_id_schedules"
    return sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=name)
