"""Measure what ends, in the transaction that ends it. Reading is in `reading`.

Measurements are only ever inserted here, so that those who settle at the same time
never wait for each other; the step `fold` adds them to the roll-ups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, insert

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.database.prepared import Prepared
from stepwell.server.database.tables import metrics_pending
from stepwell.server.metrics import moving
from stepwell.server.metrics.records import Ending, Wait
from stepwell.server.metrics.spans import EVERYTHING, NO_RELEASE
from stepwell.step import EndedAs

RUN: Final = EVERYTHING
"""The operation under which a workflow's runs are counted."""

RETRIED: Final = "retried"
WAIT: Final = "wait:"
COUNTED: Final = {EndedAs.DONE: "succeeded", EndedAs.FAILED: "failed"}
OTHER: Final = "other"

_PENDING: Final = Prepared(insert(metrics_pending), tuple(metrics_pending.c.keys()))


def record(conn: Connection, endings: Iterable[Ending] = (), waits: Iterable[Wait] = ()) -> None:
    """Keep what has ended, and what it waited for, in the caller's transaction."""
    rows = [row for one in endings for row in _ended(one)]
    rows += [_row(one, EVERYTHING, WAIT + one.reason, one.seconds) for one in waits]
    if rows:
        _PENDING.insert(conn, rows)


def retried(conn: Connection, endings: Iterable[Ending]) -> None:
    """Keep that something was begun again, and has not ended yet."""
    rows = [_row(one, one.operation, RETRIED, None) for one in endings]
    if rows:
        _PENDING.insert(conn, rows)


def move(conn: Connection, group: str, old: str, new: str, operations: Mapping[str, str]) -> None:
    """Give what was counted of a workflow and its operations their new names (R37).

    Parameters
    ----------
    operations : new name -> old name.
    """
    moving.move(conn, group, old, new, operations)


def _ended(one: Ending) -> Iterator[dict[str, Any]]:
    what = COUNTED.get(one.ended_as, OTHER)
    # What was skipped or cancelled says nothing about how long it takes.
    seconds = None if what == OTHER else one.duration
    cause = {"cause": one.cause, "run_id": one.run_id, "sentence": one.sentence}
    release = {} if one.release_id is None else {"release_id": one.release_id}
    yield {**_row(one, one.operation, what, seconds), **cause, **release}
    for _ in range(one.retries):
        yield _row(one, one.operation, RETRIED, None)


def _row(one: Ending | Wait, operation: str, what: str, seconds: float | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "at": clock.as_utc(one.at),
        "group_name": one.group,
        "workflow": one.workflow,
        "operation": operation,
        "release_id": NO_RELEASE,
        "what": what,
        "seconds": seconds,
        "cause": None,
        "run_id": None,
        "sentence": None,
    }
