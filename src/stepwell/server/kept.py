"""The list of all that is kept for some time only. A room adds itself by one line in `KINDS`."""

from __future__ import annotations

from typing import Final

from stepwell.server.access import kept as access
from stepwell.server.audit import kept as audit
from stepwell.server.discoveries import kept as discoveries
from stepwell.server.events import kept as events
from stepwell.server.jobs import kept as jobs
from stepwell.server.logs import kept as logs
from stepwell.server.metrics import kept as metrics
from stepwell.server.notifications import kept as notifications
from stepwell.server.reports import kept as reports
from stepwell.server.retention.records import Kind
from stepwell.server.runs import kept as runs
from stepwell.server.schedules import kept as schedules
from stepwell.server.state import kept as state
from stepwell.server.steps import kept as steps

KINDS: Final[tuple[Kind, ...]] = (
    *access.KINDS,
    *events.KINDS,
    *steps.KINDS,
    *runs.KINDS,
    *schedules.KINDS,
    *audit.KINDS,
    *discoveries.KINDS,
    *jobs.KINDS,
    *logs.KINDS,
    *metrics.KINDS,
    *notifications.KINDS,
    *reports.KINDS,
    *state.KINDS,
)
"""Every kind, in the order in which they are shown and swept."""
