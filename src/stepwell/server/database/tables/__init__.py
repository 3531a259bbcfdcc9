"""The server's tables, a module per room.

The steps themselves are the step store's (`stepwell_*`, R44).

Ids are UUIDs version 7. Instants are aware UTC. JSON is readable with plain SQL.
"""

from stepwell.server.database.tables.access import answers, tokens
from stepwell.server.database.tables.audit import audit
from stepwell.server.database.tables.columns import Instant, metadata
from stepwell.server.database.tables.groups import discoveries, groups
from stepwell.server.database.tables.metrics import metrics_hourly
from stepwell.server.database.tables.notifications import occasions
from stepwell.server.database.tables.reports import reports
from stepwell.server.database.tables.reviews import decisions, release_workflows, releases
from stepwell.server.database.tables.runs import attempts, run_labels, run_limits, runs, staged
from stepwell.server.database.tables.schedules import ledger, schedules
from stepwell.server.database.tables.sources import source_images, sources
from stepwell.server.database.tables.state import state_entries

__all__ = [
    "Instant",
    "answers",
    "attempts",
    "audit",
    "decisions",
    "discoveries",
    "groups",
    "ledger",
    "metadata",
    "metrics_hourly",
    "occasions",
    "release_workflows",
    "releases",
    "reports",
    "run_labels",
    "run_limits",
    "runs",
    "schedules",
    "source_images",
    "sources",
    "staged",
    "state_entries",
    "tokens",
]
