"""How the parts of the server are: scheduler, engine, launchers, database."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping, text

from stepwell import clock
from stepwell.server.services import QUEUE, Services
from stepwell.server.summary import queries
from stepwell.server.summary.records import Part, State
from stepwell.server.words import span
from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.inspecting import Inspectable, Inspection
from stepwell.stores.sqlite.inspecting import LITTLE_SPACE

TICK: Final = "v1/server/tick"
WARN: Final = timedelta(seconds=5)
BAD: Final = timedelta(seconds=60)
SLOW: Final = 0.5
"""Seconds above which the database is called slow."""


def parts(conn: Connection, services: Services) -> list[Part]:
    """Every part, each with a sentence."""
    store = services.db.store
    assert isinstance(store, Inspectable)
    seen = store.inspect()
    return [
        _scheduler(conn, services),
        _engines(seen),
        *_launchers(services),
        _database(conn, seen),
        _blobs(services),
        *_sources(conn),
    ]


def _scheduler(conn: Connection, services: Services) -> Part:
    query = StepQuery(name=TICK, status=StepStatus.READY, limit=1)
    tick = next(iter(services.db.steps(conn).search(query)), None)
    state, sentence = _lag(tick)
    return Part(name="scheduler", state=state, sentence=sentence)


def _lag(tick: Step | None) -> tuple[State, str]:
    if tick is None:
        return "problem", "There is no tick: no server has been started."
    behind = clock.now() - tick.schedule_time
    if tick.claimed_by is not None or behind < WARN:
        return "ok", "The scheduler is on time."
    said = f"The scheduler is behind by {span(behind)}."
    return ("problem" if behind >= BAD else "warning"), said


def _engines(seen: Inspection) -> Part:
    found = [one for one in seen.engines if not one.queues or QUEUE in one.queues]
    if not found:
        return Part(
            name="engines",
            state="problem",
            sentence="No engine runs the server's own steps: start `stepwell work`.",
        )
    many = "1 engine runs" if len(found) == 1 else f"{len(found)} engines run"
    return Part(name="engines", state="ok", sentence=f"{many} the server's own steps.")


def _launchers(services: Services) -> list[Part]:
    if not services.launchers:
        said = "No launcher is enabled on this server: it starts no image."
        return [Part(name="launchers", state="warning", sentence=said)]
    return [_launcher(name, services) for name in sorted(services.launchers)]


def _launcher(name: str, services: Services) -> Part:
    """Whether its engine or its cluster answers."""
    found = services.reach.of(name, services.launchers[name])
    state: State = "ok" if found.well else "problem"
    return Part(name=f"launcher {name}", state=state, sentence=found.sentence)


def _database(conn: Connection, seen: Inspection) -> Part:
    for one in seen.findings:
        if one.check == "disk":
            return Part(name="database", state="problem", sentence=f"{one.what} {one.why}")
    begin = time.monotonic()
    conn.execute(text("SELECT 1"))
    took = time.monotonic() - begin
    state: State = "warning" if took > SLOW else "ok"
    said = f"The database answers within {took * 1000:.0f} ms."
    return Part(name="database", state=state, sentence=said)


def _blobs(services: Services) -> Part:
    """How the latest use of it went, and how much room its folder has: a store that may be far
    away is not asked for this."""
    failure, answered = services.blobs.failure, services.blobs.answered
    if failure is not None:
        at, why = failure
        said = f"The store of reports did not answer {span(clock.now() - at)} ago: {why}"
        return Part(name="reports", state="problem", sentence=said)
    free = services.blobs.free
    if free is not None and free < LITTLE_SPACE:
        said = f"The disk of reports, results and logs has {free // 2**20} MiB left."
        return Part(name="reports", state="problem", sentence=said)
    if answered is None:
        said = "The store of reports was not needed since this server started."
        return Part(name="reports", state="ok", sentence=said)
    said = f"The store of reports answered {span(clock.now() - answered)} ago."
    return Part(name="reports", state="ok", sentence=said)


def _sources(conn: Connection) -> Iterator[Part]:
    """One part for all sources of images; none where there is no source."""
    found = queries.scans(conn)
    if not found:
        return
    now = clock.now()
    wrong = [row["name"] for row in found if row["scan_error"] is not None]
    late = [row["name"] for row in found if _is_late(row, now)]
    if wrong or late:
        named, what = (wrong, "could not be read") if wrong else (late, "was not scanned in time")
        said = f"The source {named[0]} {what}{_and_more(len(named) - 1)}."
        yield Part(name="sources", state="warning", sentence=said)
        return
    scanned = [row["scanned_at"] for row in found if row["scanned_at"] is not None]
    age = f"scanned {span(now - min(scanned))} ago" if scanned else "not scanned yet"
    yield Part(name="sources", state="ok", sentence=f"Sources of images: {age}.")


def _is_late(row: RowMapping, now: datetime) -> bool:
    if row["scan_every"] is None:
        return False
    since = row["scanned_at"] or row["created_at"]
    return bool((now - since).total_seconds() > 2 * row["scan_every"] + BAD.total_seconds())


def _and_more(others: int) -> str:
    return f", nor were {others} more" if others else ""
