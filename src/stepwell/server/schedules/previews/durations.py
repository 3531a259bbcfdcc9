"""How long runs took, to say what may overlap and when a backfill ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, literal_column, select

from stepwell.server.database.prepared import Prepared
from stepwell.server.database.tables import runs
from stepwell.server.schedules.records import Observed

LATEST: Final = 100
"""So many of a workflow's latest successful runs are looked at."""


_LATEST: Final = Prepared(
    select(runs.c.started_at, runs.c.finished_at)
    .where(
        runs.c.group_name == bindparam("group", type_=runs.c.group_name.type),
        runs.c.workflow == bindparam("workflow", type_=runs.c.workflow.type),
        runs.c.state == literal_column("'succeeded'"),
        runs.c.started_at.is_not(None),
        runs.c.finished_at.is_not(None),
    )
    .order_by(runs.c.created_at.desc())
    .limit(literal_column(str(LATEST)))
    .offset(literal_column("0"))
)
"""The strip asks it once for each of its schedules' workflows."""


def observed(conn: Connection, group: str, workflow: str) -> Observed:
    """Quantiles of the workflow's latest successful runs; None where there are none."""
    found = _LATEST.tuples(conn, {"group": group, "workflow": workflow})
    took = sorted((end - begin).total_seconds() for begin, end in found)
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
