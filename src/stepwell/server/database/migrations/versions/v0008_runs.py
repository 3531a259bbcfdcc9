"""Re-execution, labels, limits and waiting of runs; what came before each attempt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stepwell.server.database.tables import Instant

revision = "0008"
down_revision = "0007"

_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add columns that the version before does not know and need not fill."""
    for column in _run_columns():
        op.add_column("runs", column)
    op.create_index("ix_runs_waiting_code_band_due_at", "runs", ["waiting_code", "band", "due_at"])
    op.create_index("ix_runs_reexecution_of", "runs", ["reexecution_of"])
    op.add_column("schedules", sa.Column("labels", _JSON))
    op.add_column("attempts", sa.Column("waited_for", sa.String(20)))
    op.add_column("attempts", sa.Column("lined_up_at", Instant()))
    _run_labels()
    _run_limits()


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("run_limits")
    op.drop_table("run_labels")
    op.drop_column("schedules", "labels")
    op.drop_column("attempts", "lined_up_at")
    op.drop_column("attempts", "waited_for")
    op.drop_index("ix_runs_reexecution_of", "runs")
    op.drop_index("ix_runs_waiting_code_band_due_at", "runs")
    for column in reversed(_run_columns()):
        op.drop_column("runs", column.name)


def _run_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("reexecution_of", sa.Uuid()),
        sa.Column("superseded_by", sa.Uuid()),
        sa.Column("course", _JSON),
        sa.Column("labels", _JSON),
        sa.Column("band", sa.Integer(), nullable=False, server_default="2"),
        sa.Column("pool", sa.String(100)),
        sa.Column("limits", _JSON),
        sa.Column("waiting_code", sa.String(20)),
        sa.Column("waiting", _JSON),
        sa.Column("progress", _JSON),
    ]


def _run_labels() -> None:
    op.create_table(
        "run_labels",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(63), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "key", name="pk_run_labels"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_run_labels_run_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_run_labels_key_value_run_id", "run_labels", ["key", "value", "run_id"])


def _run_limits() -> None:
    op.create_table(
        "run_limits",
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(210), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_run_limits"),
    )
