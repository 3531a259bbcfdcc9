"""What became worse with a release: each release against the one before it.

Reported is what is both large enough to matter and too unlikely to be chance
(decision 0058).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, select

from stepwell import clock
from stepwell.server.database.tables import release_workflows, releases
from stepwell.server.metrics import queries
from stepwell.server.metrics.histogram import middle, quantile
from stepwell.server.metrics.lineage import names_of, workflows
from stepwell.server.metrics.records import Regression, Regressions
from stepwell.server.metrics.significance import chance
from stepwell.server.metrics.spans import day_of
from stepwell.server.metrics.tallies import Tally

WINDOW: Final = timedelta(days=90)
"""How far back is looked."""
MOST_CHANCE: Final = 0.001
LEAST_BEFORE: Final = 20
LEAST_AFTER: Final = 5
"""So many must have been judged before, and after."""
WORSE_RATE: Final = 0.01
"""An error rate must have risen by a hundredth."""
WORSE_P95: Final = 1.2
"""A p95 must have risen by a fifth."""


@dataclass(slots=True)
class Stage:
    """What a workflow did under one digest, from the release that brought it on."""

    number: int
    at: datetime
    digest: str
    tallies: dict[str, Tally] = field(default_factory=dict)


def regressions(
    conn: Connection, *, group: str | None = None, workflow: str | None = None
) -> Regressions:
    """Of all workflows, of a group or of one; the least likely to be chance first."""
    queries.together(conn)
    since = clock.now() - WINDOW
    found: list[Regression] = []
    compared = 0
    for name, of in workflows(conn, group, workflow):
        stages = [one for one in _stages(conn, name, of, since) if one.tallies]
        for before, after in pairwise(stages):
            compared += 1
            found += compare(name, of, before, after)
    found.sort(key=lambda one: (one.chance, one.group, one.workflow, one.operation or ""))
    return Regressions(as_of=clock.now(), regressions=found, compared=compared)


def compare(group: str, workflow: str, before: Stage, after: Stage) -> Iterator[Regression]:
    """What is worse after than before, of the runs and of each operation. Pure."""
    for operation, now in sorted(after.tallies.items()):
        was = before.tallies.get(operation, Tally())
        if was.judged < LEAST_BEFORE or now.judged < LEAST_AFTER:
            continue
        for measure, old, new, odds in _worse(was, now):
            yield Regression(
                group=group,
                workflow=workflow,
                operation=operation or None,
                release=after.number,
                released_at=after.at,
                measure=measure,
                before=old,
                after=new,
                judged_before=was.judged,
                judged_after=now.judged,
                chance=odds,
            )


def _worse(was: Tally, now: Tally) -> Iterator[tuple[str, float, float, float]]:
    old, new = was.failed / was.judged, now.failed / now.judged
    odds = chance(was.failed, was.judged, now.failed, now.judged)
    if new - old >= WORSE_RATE and odds < MOST_CHANCE:
        yield "error_rate", old, new, odds
    slow, slower = quantile(was.histogram, 0.95), quantile(now.histogram, 0.95)
    if slow is None or slower is None or slower < slow * WORSE_P95:
        return
    odds = chance(over(was, slow), was.timed, over(now, slow), now.timed)
    if odds < MOST_CHANCE:
        yield "p95", slow, slower, odds


def over(tally: Tally, seconds: float) -> int:
    """How many took longer than that, to the accuracy of the histogram."""
    return sum(count for key, count in tally.histogram.items() if middle(key) > seconds * 1.0001)


def _stages(conn: Connection, group: str, workflow: str, since: datetime) -> list[Stage]:
    """The releases of a workflow with what was measured under each, oldest first.

    Releases that kept its digest are one stage: they have not changed it.
    """
    names = names_of(conn, group, workflow)
    stages: list[Stage] = []
    by_release: dict[UUID, Stage] = {}
    for row in _releases(conn, group, names):
        if not stages or stages[-1].digest != row.digest:
            stages.append(Stage(row.number, row.created_at, row.digest))
        by_release[row.id] = stages[-1]
    for name in names:
        for day in queries.by_release(conn, day_of(since), group, name):
            stage = by_release.get(day["release_id"])
            if stage is not None:
                stage.tallies.setdefault(day["operation"], Tally()).add(day)
    return stages


def _releases(conn: Connection, group: str, names: Iterable[str]) -> Any:
    r, w = releases, release_workflows
    query = select(r.c.id, r.c.number, r.c.created_at, w.c.digest)
    query = query.join(w, w.c.release_id == r.c.id).where(r.c.group_name == group)
    query = query.where(w.c.workflow.in_(list(names)), r.c.number > 0)
    return conn.execute(query.order_by(r.c.number))
