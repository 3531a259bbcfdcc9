"""What the room keeps for some time only."""

from __future__ import annotations

from typing import Final

from stepwell.server.database.tables import step_jobs
from stepwell.server.retention.records import of_rows

KINDS: Final = (
    of_rows(
        "step-jobs",
        "What became of the containers of single steps, and the end of what they wrote.",
        lambda settings: settings.keep_step_jobs_days,
        step_jobs,
        lambda before: step_jobs.c.finished_at < before,
    ),
)
