"""How long runs took, to say what may overlap and when a backfill ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from stepwell.server.database.tables import runs
from stepwell.server.schedules.records import Observed

LATEST: Final = 100
"""So many of a workflow's latest successful runs are looked at."""


def observed(conn: Connection, group: str, workflow: str) -> Observed:
    """Quantiles of the workflow's latest successful runs; None where there are none."""
    query = (
        select(runs.c.started_at, runs.c.finished_at)
        .where(
            runs.c.group_name == group,
            runs.c.workflow == workflow,
            runs.c.state == "succeeded",
            runs.c.started_at.is_not(None),
            runs.c.finished_at.is_not(None),
        )
        .order_by(runs.c.created_at.desc())
        .limit(LATEST)
    )
    took = sorted((end - begin).total_seconds() for begin, end in conn.execute(query))
    return Observed(runs=len(took), p50=_quantile(took, 0.5), p95=_quantile(took, 0.95))


class Durations:
    """As `observed`, asked once for each workflow."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[tuple[str, str], Observed] = {}

    def of(self, group: str, workflow: str) -> Observed:
        """Quantiles of the workflow's latest successful runs."""
        place = (group, workflow)
        if place not in self._known:
            self._known[place] = observed(self._conn, group, workflow)
        return self._known[place]


def _quantile(rising: Sequence[float], share: float) -> float | None:
    return rising[max(1, math.ceil(share * len(rising))) - 1] if rising else None
