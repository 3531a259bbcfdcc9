"""Metrics by hour and day, targets, and notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables; those that others refer to come first."""
    _occasions()
    _notification_targets()
    _notification_rules()
    _notification_threads()
    _deliveries()
    _notification_mutes()
    _metrics_pending()
    _metrics_rollups()
    _metrics_waits()
    _metrics_causes()
    _workflow_targets()
    _target_misses()


def downgrade() -> None:
    """Drop the tables; those that refer to others go first."""
    for name in TABLES:
        op.drop_table(name)


TABLES = (
    "target_misses",
    "workflow_targets",
    "metrics_causes",
    "metrics_waits",
    "metrics_rollups",
    "metrics_pending",
    "notification_mutes",
    "deliveries",
    "notification_threads",
    "notification_rules",
    "notification_targets",
    "occasions",
)


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
    op.create_index("ix_occasions_at_id", "occasions", ["at", "id"])
    op.create_index("ix_occasions_cause_at", "occasions", ["cause", "at"])
    op.create_index(
        "ix_occasions_open",
        "occasions",
        ["group_name", "workflow"],
        sqlite_where=sa.text("kind = 'failure' AND passed_at IS NULL"),
        postgresql_where=sa.text("kind = 'failure' AND passed_at IS NULL"),
    )


def _notification_targets() -> None:
    op.create_table(
        "notification_targets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("removed_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_notification_targets"),
    )
    op.create_index(
        "ix_notification_targets_in_use",
        "notification_targets",
        ["name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _notification_rules() -> None:
    op.create_table(
        "notification_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("group_name", sa.String(100)),
        sa.Column("workflow", sa.String(100)),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["notification_targets.id"], name="fk_notification_rules_target_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notification_rules"),
    )


def _notification_threads() -> None:
    op.create_table(
        "notification_threads",
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", Instant()),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Uuid()),
        sa.ForeignKeyConstraint(
            ["target_id"], ["notification_targets.id"], name="fk_notification_threads_target_id"
        ),
        sa.PrimaryKeyConstraint("cause", "target_id", name="pk_notification_threads"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("occasion_id", sa.Uuid()),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("next_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.ForeignKeyConstraint(
            ["target_id"], ["notification_targets.id"], name="fk_deliveries_target_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_created_at_id", "deliveries", ["created_at", "id"])


def _notification_mutes() -> None:
    op.create_table(
        "notification_mutes",
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("muted_by", sa.String(100), nullable=False),
        sa.Column("muted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("cause", name="pk_notification_mutes"),
    )


def _metrics_pending() -> None:
    op.create_table(
        "metrics_pending",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(30), nullable=False),
        sa.Column("seconds", sa.Float()),
        sa.Column("cause", sa.String(300)),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("sentence", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_pending"),
    )


def _metrics_rollups() -> None:
    op.create_table(
        "metrics_rollups",
        sa.Column("span", sa.String(5), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("start", Instant(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer(), nullable=False),
        sa.Column("retried", sa.Integer(), nullable=False),
        sa.Column("timed", sa.Integer(), nullable=False),
        sa.Column("duration_sum", sa.Float(), nullable=False),
        sa.Column("histogram", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span",
            "group_name",
            "workflow",
            "operation",
            "start",
            "release_id",
            name="pk_metrics_rollups",
        ),
    )
    op.create_index(
        "ix_metrics_rollups_sums",
        "metrics_rollups",
        [
            "span",
            "start",
            "group_name",
            "workflow",
            "operation",
            "succeeded",
            "failed",
            "other",
            "retried",
            "timed",
            "duration_sum",
        ],
    )


def _metrics_waits() -> None:
    op.create_table(
        "metrics_waits",
        sa.Column("span", sa.String(5), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("start", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("histogram", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "span", "group_name", "workflow", "reason", "start", name="pk_metrics_waits"
        ),
    )
    op.create_index("ix_metrics_waits_span_start", "metrics_waits", ["span", "start"])


def _metrics_causes() -> None:
    op.create_table(
        "metrics_causes",
        sa.Column("day", Instant(), nullable=False),
        sa.Column("cause", sa.String(300), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", "cause", "group_name", "workflow", name="pk_metrics_causes"),
    )


def _workflow_targets() -> None:
    op.create_table(
        "workflow_targets",
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("set_by", sa.String(100), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "workflow", name="pk_workflow_targets"),
    )


def _target_misses() -> None:
    op.create_table(
        "target_misses",
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("objective", sa.String(20), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("group_name", "workflow", "objective", name="pk_target_misses"),
    )
