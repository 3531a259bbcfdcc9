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
from stepwell.server.database.tables.columns import Instant, metadata
from stepwell.server.database.tables.floor import schema_floor
from stepwell.server.database.tables.groups import discoveries, groups
from stepwell.server.database.tables.metrics import metrics_hourly
from stepwell.server.database.tables.notifications import occasions
from stepwell.server.database.tables.reports import reports
from stepwell.server.database.tables.retention import retention_policies
from stepwell.server.database.tables.reviews import decisions, release_workflows, releases
from stepwell.server.database.tables.runs import attempts, runs, staged
from stepwell.server.database.tables.schedules import ledger, schedules
from stepwell.server.database.tables.sources import source_images, sources
from stepwell.server.database.tables.state import state_entries

__all__ = [
    "Instant",
    "answers",
    "attempts",
    "audit",
    "audit_horizon",
    "decisions",
    "discoveries",
    "groups",
    "ledger",
    "login_throttles",
    "metadata",
    "metrics_hourly",
    "occasions",
    "one_time_links",
    "release_workflows",
    "releases",
    "reports",
    "retention_policies",
    "runs",
    "schedules",
    "schema_floor",
    "sessions",
    "source_images",
    "sources",
    "staged",
    "state_entries",
    "tokens",
    "users",
]
