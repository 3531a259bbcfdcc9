"""The server's first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table; those that others refer to come first."""
    _answers()
    _audit()
    _groups()
    _metrics_hourly()
    _state_entries()
    _tokens()
    _discoveries()
    _schedules()
    _decisions()
    _ledger()
    _releases()
    _release_workflows()
    _runs()
    _attempts()
    _reports()
    _staged()


def downgrade() -> None:
    """Drop every table; those that refer to others go first."""
    for name in TABLES:
        op.drop_table(name)


TABLES = (
    "staged",
    "reports",
    "attempts",
    "runs",
    "release_workflows",
    "releases",
    "ledger",
    "decisions",
    "schedules",
    "discoveries",
    "tokens",
    "state_entries",
    "metrics_hourly",
    "groups",
    "audit",
    "answers",
)


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("caller", sa.String(100), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_answers"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("target", sa.String(300), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("details", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_at_id", "audit", ["at", "id"])


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("launcher", sa.String(20), nullable=False),
        sa.Column("image", sa.Text(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("secrets", sa.JSON(), nullable=False),
        sa.Column("discover_with_secrets", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("archived_at", Instant()),
        sa.Column("release_id", sa.Uuid()),
        sa.PrimaryKeyConstraint("name", name="pk_groups"),
    )


def _metrics_hourly() -> None:
    op.create_table(
        "metrics_hourly",
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("other", sa.Integer(), nullable=False),
        sa.Column("duration_sum", sa.Float(), nullable=False),
        sa.Column("histogram", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour", "group_name", "workflow", "operation", name="pk_metrics_hourly"
        ),
    )


def _state_entries() -> None:
    op.create_table(
        "state_entries",
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("scope", sa.String(220), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("value", sa.JSON()),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("step_id", sa.Uuid()),
        sa.Column("written_by", sa.String(100), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant()),
        sa.PrimaryKeyConstraint("group_name", "scope", "key", "version", name="pk_state_entries"),
    )


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("expires_at", Instant()),
        sa.Column("last_used_at", Instant()),
        sa.Column("revoked_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("name", name="uq_tokens_name"),
        sa.UniqueConstraint("secret_hash", name="uq_tokens_secret_hash"),
    )


def _discoveries() -> None:
    op.create_table(
        "discoveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("trigger", sa.String(20), nullable=False),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("launcher", sa.String(20)),
        sa.Column("handle", sa.JSON(none_as_null=True)),
        sa.Column("digest", sa.String(100)),
        sa.Column("location", sa.Text()),
        sa.Column("manifest", sa.JSON(none_as_null=True)),
        sa.Column("error", sa.JSON(none_as_null=True)),
        sa.Column("output", sa.Text()),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_discoveries_group_name"),
        sa.PrimaryKeyConstraint("id", name="pk_discoveries"),
    )
    op.create_index(
        "ix_discoveries_group_name_created_at", "discoveries", ["group_name", "created_at"]
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("override_reason", sa.Text()),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_due", Instant()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("paused_at", Instant()),
        sa.Column("pause_reason", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_schedules_group_name"),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sa.UniqueConstraint(
            "group_name", "workflow", "name", name="uq_schedules_group_name_workflow_name"
        ),
    )
    op.create_index("ix_schedules_next_due", "schedules", ["next_due"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("discovery_id", sa.Uuid(), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("renamed_from", sa.String(100)),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_by", sa.String(100), nullable=False),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name="fk_decisions_discovery_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_discovery_id", "decisions", ["discovery_id"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("first_due", Instant(), nullable=False),
        sa.Column("last_due", Instant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("fate", sa.String(20), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("next_due", Instant()),
        sa.Column("schedule_version", sa.Integer(), nullable=False),
        sa.Column("entered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name="fk_ledger_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
        sa.UniqueConstraint("schedule_id", "first_due", name="uq_ledger_schedule_id_first_due"),
    )
    queued = sa.text("fate = 'queued'")
    op.create_index(
        "ix_ledger_queued",
        "ledger",
        ["schedule_id", "first_due"],
        sqlite_where=queued,
        postgresql_where=queued,
    )


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("discovery_id", sa.Uuid()),
        sa.Column("rollback_of", sa.Integer()),
        sa.Column("reason", sa.Text()),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name="fk_releases_discovery_id"
        ),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_releases_group_name"),
        sa.PrimaryKeyConstraint("id", name="pk_releases"),
        sa.UniqueConstraint("group_name", "number", name="uq_releases_group_name_number"),
    )


def _release_workflows() -> None:
    op.create_table(
        "release_workflows",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("discovery_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("renamed_from", sa.String(100)),
        sa.ForeignKeyConstraint(
            ["discovery_id"], ["discoveries.id"], name="fk_release_workflows_discovery_id"
        ),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name="fk_release_workflows_release_id"
        ),
        sa.PrimaryKeyConstraint("release_id", "workflow", name="pk_release_workflows"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("trigger", sa.String(20), nullable=False),
        sa.Column("requested_by", sa.String(100), nullable=False),
        sa.Column("schedule_id", sa.Uuid()),
        sa.Column("repeat_of", sa.Uuid()),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("deadline_at", Instant(), nullable=False),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_runs_group_name"),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name="fk_runs_release_id"),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name="fk_runs_schedule_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index(
        "ix_runs_group_name_workflow_created_at", "runs", ["group_name", "workflow", "created_at"]
    )
    op.create_index("ix_runs_schedule_id_created_at", "runs", ["schedule_id", "created_at"])
    op.create_index("ix_runs_state_created_at", "runs", ["state", "created_at"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("handle", sa.JSON()),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("launched_at", Instant()),
        sa.Column("started_at", Instant()),
        sa.Column("finished_at", Instant()),
        sa.Column("revoked_at", Instant()),
        sa.Column("exit", sa.JSON()),
        sa.Column("condition", sa.Text()),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_attempts_run_id"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_attempts"),
    )


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(100), nullable=False),
        sa.Column("workflow", sa.String(100), nullable=False),
        sa.Column("operation", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["group_name"], ["groups.name"], name="fk_reports_group_name"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_reports_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
    )
    op.create_index(
        "ix_reports_group_name_workflow_name_created_at",
        "reports",
        ["group_name", "workflow", "name", "created_at"],
    )
    op.create_index("ix_reports_run_id", "reports", ["run_id"])


def _staged() -> None:
    op.create_table(
        "staged",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("claim_no", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_staged_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staged"),
    )
    op.create_index("ix_staged_step_id_claim_no", "staged", ["step_id", "claim_no"])
