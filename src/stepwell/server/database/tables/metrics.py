"""What ended, and how long it took and waited: as it comes in, and rolled up."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, Index, Integer, String, Table, Text, Uuid

from stepwell.server.database.tables.columns import Instant, id_column, metadata

metrics_hourly = Table(
    "metrics_hourly",
    metadata,
    Column("hour", Instant, primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("operation", String(100), primary_key=True),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("other", Integer, nullable=False),
    Column("duration_sum", Float, nullable=False),
    Column("histogram", JSON, nullable=False),
)
"""The roll-ups of earlier versions. What one of them still writes is folded like the rest."""

metrics_pending = Table(
    "metrics_pending",
    metadata,
    id_column(),
    Column("at", Instant, nullable=False),
    Column("group_name", String(100), nullable=False),
    Column("workflow", String(100), nullable=False),
    Column("operation", String(100), nullable=False),
    Column("release_id", Uuid, nullable=False),
    Column("what", String(30), nullable=False),
    Column("seconds", Float),
    Column("cause", String(300)),
    Column("run_id", Uuid),
    Column("sentence", Text),
)
"""Measurements that are not in the roll-ups yet: only ever inserted, so nobody waits."""

metrics_rollups = Table(
    "metrics_rollups",
    metadata,
    Column("span", String(5), primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("operation", String(100), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("release_id", Uuid, primary_key=True),
    Column("succeeded", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("other", Integer, nullable=False),
    Column("retried", Integer, nullable=False),
    Column("timed", Integer, nullable=False),
    Column("duration_sum", Float, nullable=False),
    Column("histogram", JSON, nullable=False),
    Index(
        "ix_metrics_rollups_sums",
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
    ),
)
"""Per hour, per day (by release) and over all time. A workflow of '' is the whole group,
a group of '' the whole server, an operation of '' the runs themselves. Rankings add up what
is in the index, and never touch the histograms."""

metrics_waits = Table(
    "metrics_waits",
    metadata,
    Column("span", String(5), primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("reason", String(20), primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("histogram", JSON, nullable=False),
    Index(None, "span", "start"),
)

metrics_causes = Table(
    "metrics_causes",
    metadata,
    Column("day", Instant, primary_key=True),
    Column("cause", String(300), primary_key=True),
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("run_id", Uuid),
    Column("sentence", Text, nullable=False),
)
"""Failed runs per day and cause; `run_id` and `sentence` are those of the last one."""

workflow_targets = Table(
    "workflow_targets",
    metadata,
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("spec", JSON, nullable=False),
    Column("reason", Text),
    Column("set_by", String(100), nullable=False),
    Column("set_at", Instant, nullable=False),
)
"""Targets that an operator has set, in place of those in the source."""

target_misses = Table(
    "target_misses",
    metadata,
    Column("group_name", String(100), primary_key=True),
    Column("workflow", String(100), primary_key=True),
    Column("objective", String(20), primary_key=True),
    Column("since", Instant, nullable=False),
)
"""Targets that are missed now, so that each miss is told once."""
