"""Roll-ups as a million runs in 90 days leave them, without the runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Table

from stepwell.server.database.session import Database
from stepwell.server.database.tables import metrics_causes, metrics_rollups, metrics_waits
from stepwell.server.metrics import queries
from stepwell.server.metrics.folding import Sums
from stepwell.server.metrics.spans import NO_RELEASE, day_of, hour_of, keys, wait_keys
from stepwell.server.metrics.tallies import Tally, Waited

GROUPS: Final = 10
WORKFLOWS: Final = 10
"""Of each group."""
BY_THE_HOUR: Final = "group-3"
"""The group that has rows for each hour of the last days too; the others have days only."""
OPERATIONS: Final = ("fetch", "check", "load", "report")
DAYS: Final = 90
CAUSES: Final = 40
SHAPES: Final = 6
"""So many days of a workflow are drawn run by run, and the others are like one of these: to draw
all of them takes longer than all else, and makes no row more."""


class _Draw:
    """What so many runs of a workflow leave: by chance, and one of `SHAPES`."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self._made: dict[tuple[object, ...], dict[str, Any]] = {}

    def tally(self, count: int, scale: float) -> dict[str, Any]:
        """How they ended, after about `scale` seconds."""
        return self._one_of(self._tally, count, scale)

    def waited(self, count: int) -> dict[str, Any]:
        """How long each waited for a reason."""
        return self._one_of(self._waited, count)

    def _one_of(self, made: Callable[..., Tally | Waited], *given: float) -> dict[str, Any]:
        key = (made.__name__, *given, self.rng.randrange(SHAPES))
        if key not in self._made:
            self._made[key] = made(*given).values()
        return self._made[key]

    def _tally(self, count: int, scale: float) -> Tally:
        made, rng = Tally(), self.rng
        for _ in range(count):
            made.count(
                "failed" if rng.random() < 0.03 else "succeeded", scale * rng.lognormvariate(0, 0.7)
            )
        return made

    def _waited(self, count: int) -> Waited:
        made = Waited()
        for _ in range(count):
            made.once(self.rng.lognormvariate(0, 1.0))
        return made


def fill(db: Database, now: datetime, runs: int = 1_000_000, seed: int = 1) -> int:
    """Write the roll-ups of so many runs that ended before `now`; how many rows those are.

    Where there are none yet: so nothing has to be looked for, which takes longer than all else.
    """
    draw, rows, whole = _Draw(seed), 0, Sums()
    each = runs // (GROUPS * WORKFLOWS * DAYS)
    for back in range(DAYS):
        sums = _day(draw, day_of(now) - timedelta(days=back), each, hourly=back < 8)
        _move(sums.tallies, whole.tallies)
        _move(sums.waits, whole.waits)
        rows += _written(db, sums)
    return rows + _written(db, whole)


def _move(found: dict[Any, Any], whole: dict[Any, Any]) -> None:
    """Take out what is not of one day, and add it to what the other days have of it."""
    for key in [one for one in found if one.span == "all"]:
        more = found.pop(key)
        whole.setdefault(key, type(more)()).add(more.values())


def _written(db: Database, sums: Sums) -> int:
    parts: list[tuple[Table, Mapping[Any, Tally | Waited]]]
    parts = [(metrics_rollups, sums.tallies), (metrics_waits, sums.waits)]
    rows = {
        table: [_row(table, key, one.values()) for key, one in sorted(found.items())]
        for table, found in parts
    }
    causes = sorted(sums.causes.items())
    rows[metrics_causes] = [_row(metrics_causes, key, values) for key, values in causes]
    with db.write() as conn:
        for table, some in rows.items():
            queries.replace(conn, table, some, known=())
    return sum(map(len, rows.values()))


def _row(table: Table, key: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    names = [column.name for column in table.primary_key]
    return {**dict(zip(names, key, strict=True)), **values}


def _day(draw: _Draw, day: datetime, each: int, *, hourly: bool) -> Sums:
    sums = Sums()
    for group, workflow, scale in _workflows():
        by_hour = hourly and group == BY_THE_HOUR
        for at, count in _parts(day, each, hourly=by_hour):
            for place, operation in enumerate(("", *OPERATIONS)):
                tally = draw.tally(count, scale * (1.0 if place == 0 else 0.2 * place))
                for key in keys(at, group, workflow, operation, NO_RELEASE):
                    if by_hour or key.span != "hour":
                        sums.tallies.setdefault(key, Tally()).add(tally)
            for reason in ("late", "queued", "launching", "starting"):
                waited = draw.waited(count)
                for wait in wait_keys(at, group, workflow, reason):
                    if by_hour or wait.span != "hour":
                        sums.waits.setdefault(wait, Waited()).add(waited)
        _causes(draw.rng, sums, day, group, workflow)
    return sums


def _workflows() -> Iterator[tuple[str, str, float]]:
    for group in range(GROUPS):
        for workflow in range(WORKFLOWS):
            yield f"group-{group}", f"workflow-{workflow}", 5.0 * (1 + group) * (1 + workflow)


def _parts(day: datetime, each: int, *, hourly: bool) -> Iterator[tuple[datetime, int]]:
    """The runs of a day at once, or hour by hour."""
    if not hourly:
        yield day, each
        return
    for hour in range(24):
        yield hour_of(day + timedelta(hours=hour)), max(each // 24, 1)


def _causes(rng: random.Random, sums: Sums, day: datetime, group: str, workflow: str) -> None:
    cause = f"{rng.randrange(CAUSES):016x}"
    row = {
        "at": day,
        "cause": cause,
        "group_name": group,
        "workflow": workflow,
        "operation": "",
        "release_id": NO_RELEASE,
        "what": "other",
        "seconds": None,
        "run_id": None,
        "sentence": "It broke.",
    }
    sums.measure([row])
