"""Adding measurements to the roll-ups: many at once, by one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table

from stepwell.server.database.tables import metrics_causes, metrics_rollups, metrics_waits
from stepwell.server.metrics import queries
from stepwell.server.metrics.service import RETRIED, WAIT
from stepwell.server.metrics.spans import (
    NO_RELEASE,
    Key,
    WaitKey,
    day_of,
    keys,
    wait_keys,
)
from stepwell.server.metrics.tallies import Tally, Waited


class CauseKey(NamedTuple):
    """The primary key of a cause on one day."""

    day: datetime
    cause: str
    group_name: str
    workflow: str


class Sums:
    """Measurements, added up by the keys under which they are kept."""

    def __init__(self) -> None:
        self.tallies: dict[Key, Tally] = {}
        self.waits: dict[WaitKey, Waited] = {}
        self.causes: dict[CauseKey, dict[str, Any]] = {}

    def measure(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add measurements, as they were kept."""
        for row in rows:
            if row["what"].startswith(WAIT):
                self._wait(row)
                continue
            names = (row["group_name"], row["workflow"], row["operation"])
            for key in keys(row["at"], *names, row["release_id"]):
                self._tally(key).count(row["what"], row["seconds"])
            if row["cause"] is not None and row["what"] != RETRIED:
                self._cause(row)

    def hourly(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add hours that an earlier version has counted."""
        for row in rows:
            timed = sum(row["histogram"].values())
            names = (row["group_name"], row["workflow"], row["operation"])
            for key in keys(row["hour"], *names, NO_RELEASE):
                self._tally(key).add({**row, "retried": 0, "timed": timed})

    def _tally(self, key: Key) -> Tally:
        return self.tallies.setdefault(key, Tally())

    def _wait(self, row: Mapping[str, Any]) -> None:
        reason = row["what"].removeprefix(WAIT)
        for key in wait_keys(row["at"], row["group_name"], row["workflow"], reason):
            self.waits.setdefault(key, Waited()).once(row["seconds"])

    def _cause(self, row: Mapping[str, Any]) -> None:
        key = CauseKey(day_of(row["at"]), row["cause"], row["group_name"], row["workflow"])
        add_cause(
            self.causes.setdefault(key, {}),
            {**row, "count": 1, "first_at": row["at"], "last_at": row["at"]},
        )


def add_cause(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Count failures of one cause together; the last one says how it looked."""
    newest = not into or more["last_at"] >= into["last_at"]
    into["count"] = into.get("count", 0) + more["count"]
    into["first_at"] = min(into.get("first_at", more["first_at"]), more["first_at"])
    if newest:
        into |= {name: more[name] for name in ("last_at", "run_id")}
        into["sentence"] = more["sentence"] or ""


def fold(conn: Connection, limit: int) -> int:
    """Move at most so many measurements into the roll-ups; how many those were."""
    queries.alone(conn)
    sums, old = Sums(), queries.take_hourly(conn, limit)
    sums.hourly(old)
    found = queries.take_pending(conn, limit)
    sums.measure(found)
    keep(conn, sums)
    return len(found) + len(old)


def keep(conn: Connection, sums: Sums) -> None:
    """Add sums to what is kept under their keys."""
    _keep(conn, metrics_rollups, sums.tallies)
    _keep(conn, metrics_waits, sums.waits)
    _keep_causes(conn, sums.causes)


def _keep(conn: Connection, table: Table, sums: Mapping[Any, Tally | Waited]) -> None:
    if not sums:
        return
    names = [column.name for column in table.primary_key]
    known = set()
    for row in queries.kept(conn, table, list(sums)):
        key = tuple(row[name] for name in names)
        sums[key].add(row)
        known.add(key)
    rows = (
        {**dict(zip(names, key, strict=True)), **one.values()} for key, one in sorted(sums.items())
    )
    queries.replace(conn, table, rows, known)


def _keep_causes(conn: Connection, causes: Mapping[CauseKey, dict[str, Any]]) -> None:
    if not causes:
        return
    names = [column.name for column in metrics_causes.primary_key]
    known = set()
    for row in queries.kept(conn, metrics_causes, list(causes)):
        key = CauseKey(*(row[name] for name in names))
        add_cause(causes[key], row)
        known.add(tuple(key))
    rows = ({**key._asdict(), **values} for key, values in sorted(causes.items()))
    queries.replace(conn, metrics_causes, rows, known)
