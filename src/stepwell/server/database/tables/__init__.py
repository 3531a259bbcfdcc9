"""The server's tables, a module per room.

The steps themselves are the step store's (`stepwell_*`, R44).

Ids are UUIDs version 7. Instants are aware UTC. JSON is readable with plain SQL.
"""

from stepwell.server.database.tables.access import (
    answers,
    login_throttles,
    one_time_links,
    sessions,
    tokens,
    users,
)
from stepwell.server.database.tables.audit import audit, audit_horizon
from stepwell.server.database.tables.blobs import blob_uses, blobs
from stepwell.server.database.tables.bulk import bulk
from stepwell.server.database.tables.causes import cause_mutes
from stepwell.server.database.tables.changes import changes
from stepwell.server.database.tables.columns import Instant, metadata
from stepwell.server.database.tables.floor import schema_floor
from stepwell.server.database.tables.groups import discoveries, groups
from stepwell.server.database.tables.jobs import step_jobs
from stepwell.server.database.tables.logs import log_segments
from stepwell.server.database.tables.metrics import (
    metrics_causes,
    metrics_hourly,
    metrics_pending,
    metrics_rollups,
    metrics_waits,
    target_misses,
    workflow_targets,
)
from stepwell.server.database.tables.notifications import (
    deliveries,
    notification_mutes,
    notification_rules,
    notification_targets,
    notification_threads,
    occasions,
)
from stepwell.server.database.tables.reports import report_samples, reports
from stepwell.server.database.tables.retention import retention_policies
from stepwell.server.database.tables.reviews import (
    comments,
    decisions,
    proposals,
    release_workflows,
    releases,
)
from stepwell.server.database.tables.runs import attempts, run_labels, run_limits, runs, staged
from stepwell.server.database.tables.schedules import (
    backfill_instants,
    backfills,
    calendars,
    downtimes,
    ledger,
    schedule_alerts,
    schedules,
)
from stepwell.server.database.tables.sources import source_images, sources
from stepwell.server.database.tables.state import state_entries, state_readers
from stepwell.server.database.tables.views import view_defaults, views

__all__ = [
    "Instant",
    "answers",
    "attempts",
    "audit",
    "audit_horizon",
    "backfill_instants",
    "backfills",
    "blob_uses",
    "blobs",
    "bulk",
    "calendars",
    "cause_mutes",
    "changes",
    "comments",
    "decisions",
    "deliveries",
    "discoveries",
    "downtimes",
    "groups",
    "ledger",
    "log_segments",
    "login_throttles",
    "metadata",
    "metrics_causes",
    "metrics_hourly",
    "metrics_pending",
    "metrics_rollups",
    "metrics_waits",
    "notification_mutes",
    "notification_rules",
    "notification_targets",
    "notification_threads",
    "occasions",
    "one_time_links",
    "proposals",
    "release_workflows",
    "releases",
    "report_samples",
    "reports",
    "retention_policies",
    "run_labels",
    "run_limits",
    "runs",
    "schedule_alerts",
    "schedules",
    "schema_floor",
    "sessions",
    "source_images",
    "sources",
    "staged",
    "state_entries",
    "state_readers",
    "step_jobs",
    "target_misses",
    "tokens",
    "users",
    "view_defaults",
    "views",
    "workflow_targets",
]
