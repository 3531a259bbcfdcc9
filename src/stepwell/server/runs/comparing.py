"""What is different between two runs, and what changed since the last success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.server.database.session import Database
from stepwell.server.runs import queries
from stepwell.server.runs.closing import rows
from stepwell.server.runs.judgement import operation_of
from stepwell.server.runs.records import Run
from stepwell.server.runs.service import found, shown
from stepwell.server.state import service as state
from stepwell.server.words import counted, span
from stepwell.step import Step

NOTABLE: Final = 1.0
TIMES: Final = 2
"""So many seconds, and so many times, longer or shorter is said in words."""

TENTH: Final = 0.1
SHORT: Final = 10
"""Seconds below which a length is told with one place behind the point."""

NAMED: Final = 3


class Difference(BaseModel):
    """A value that is not the same; null where one run has none of that name."""

    name: str
    before: Any
    after: Any


class OperationBrief(BaseModel):
    """How an operation went. `duration` in seconds, of its last execution."""

    outcome: str
    duration: float | None
    executions: int
    reused: bool


class OperationPair(BaseModel):
    """One operation in both runs; null where it is not in one of them."""

    operation: str
    before: OperationBrief | None
    after: OperationBrief | None
    slower_by: float | None


class AttemptsBrief(BaseModel):
    """The containers of a run: how many, where, and what was last said of one."""

    count: int
    node: str | None
    condition: str | None


class StateKey(BaseModel):
    """A key of the state store that was written between the two runs, or by the later one."""

    scope: str
    key: str
    version: int
    deleted: bool
    written_by: str
    written_at: datetime
    run_id: UUID | None


class Comparison(BaseModel):
    """Two runs beside each other, the earlier one as `before`.

    `release`, by number, and `digest` are null where they are the same; a trial has no
    number. `sentences` say what differs, what matters most first.
    """

    before: Run
    after: Run
    release: Difference | None
    digest: Difference | None
    parameters: list[Difference]
    operations: list[OperationPair]
    attempts_before: AttemptsBrief
    attempts_after: AttemptsBrief
    state: list[StateKey]
    sentences: list[str]


class Changes(BaseModel):
    """What changed since the last success; `comparison` is null where there was none."""

    run_id: UUID
    last_success: UUID | None
    comparison: Comparison | None


def changes(conn: Connection, db: Database, run_id: UUID) -> Changes:
    """The run beside the newest success of its workflow before it; raises `RunNotFound`."""
    run = found(queries.get(conn, run_id), run_id)
    before = queries.last_success(conn, run)
    if before is None:
        return Changes(run_id=run_id, last_success=None, comparison=None)
    comparison = _compared(conn, db, before, run)
    return Changes(run_id=run_id, last_success=before["id"], comparison=comparison)


def compare(conn: Connection, db: Database, run_id: UUID, other_id: UUID) -> Comparison:
    """Two runs, whichever is the earlier; raises `RunNotFound`."""
    pair = [found(queries.get(conn, one), one) for one in (run_id, other_id)]
    before, after = sorted(pair, key=lambda row: (row["created_at"], str(row["id"])))
    return _compared(conn, db, before, after)


def _compared(conn: Connection, db: Database, before: RowMapping, after: RowMapping) -> Comparison:
    operations = _operations(conn, db, before, after)
    briefs = [_attempts(conn, one) for one in (before, after)]
    made = Comparison(
        before=shown(before),
        after=shown(after),
        release=_releases(conn, before, after),
        digest=_differs("digest", before["digest"], after["digest"]),
        parameters=_parameters(before["parameters"], after["parameters"]),
        operations=operations,
        attempts_before=briefs[0],
        attempts_after=briefs[1],
        state=_state(conn, before, after),
        sentences=[],
    )
    return made.model_copy(update={"sentences": sentences(made)})


def sentences(made: Comparison) -> list[str]:
    """What differs, in words."""
    told = [_code(made)] if made.digest is not None or made.release is not None else []
    told += [
        f"{one.name} was {_given(one.before)}, and is {_given(one.after)}."
        for one in made.parameters
    ]
    for one in made.operations:
        before, after = one.before, one.after
        was, now = (None if part is None else part.outcome for part in (before, after))
        if was != now:
            told.append(f"{one.operation} was {was or 'not there'}, and is {now or 'not there'}.")
        told += _longer(one)
    first, second = made.attempts_before, made.attempts_after
    if first.node != second.node:
        told.append(f"It ran on {first.node or '?'}, and now on {second.node or '?'}.")
    if second.count > max(first.count, 1):
        told.append(f"It took {second.count} containers; the last said: {second.condition or '-'}")
    if made.state:
        told.append(_written(made.state))
    return told or ["Nothing that Stepwell sees."]


def _code(made: Comparison) -> str:
    if made.digest is None:
        assert made.release is not None
        was, now = _named(made.release.before), _named(made.release.after)
        return f"It ran by {now} instead of {was}, with the same image."
    was, now = (_short(one) for one in (made.digest.before, made.digest.after))
    if made.release is not None:
        was = f"{_named(made.release.before)} ({was})"
        now = f"{_named(made.release.after)} ({now})"
    return f"The image is another: {was} became {now}."


def _named(number: int | None) -> str:
    return "a trial" if number is None else f"release {number}"


def _short(digest: str) -> str:
    """Enough of it to tell two images apart."""
    return digest.removeprefix("sha256:")[:12]


def _longer(one: OperationPair) -> list[str]:
    """That it took much longer, or was much quicker; small differences are in the table."""
    if one.before is None or one.after is None or one.slower_by is None:
        return []
    was, now = one.before.duration or 0.0, one.after.duration or 0.0
    if abs(one.slower_by) < NOTABLE or max(was, now) < TIMES * min(was, now):
        return []
    return [f"{one.operation} took {_length(now)}, and {_length(was)} before."]


def _length(seconds: float) -> str:
    if seconds < TENTH:
        return "less than 0.1 s"
    return f"{seconds:.1f} s" if seconds < SHORT else span(timedelta(seconds=seconds))


def _written(keys: Sequence[StateKey]) -> str:
    names = ", ".join(f"{one.scope}/{one.key}" for one in keys[:NAMED])
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    were = "was" if len(keys) == 1 else "were"
    return f"{counted(len(keys), 'key')} of the state {were} written since: {names}{more}."


def _releases(conn: Connection, before: RowMapping, after: RowMapping) -> Difference | None:
    if before["release_id"] == after["release_id"]:
        return None
    was, now = (queries.release_of(conn, one)[0] for one in (before, after))
    return Difference(
        name="release", before=was if was > 0 else None, after=now if now > 0 else None
    )


def _given(value: Any) -> str:
    return "not given" if value is None else JSON.encode(value)


def _differs(name: str, before: Any, after: Any) -> Difference | None:
    return None if before == after else Difference(name=name, before=before, after=after)


def _parameters(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    names = sorted({*before, *after})
    pairs = (_differs(name, before.get(name), after.get(name)) for name in names)
    return [one for one in pairs if one is not None]


def _operations(
    conn: Connection, db: Database, before: RowMapping, after: RowMapping
) -> list[OperationPair]:
    tx = db.steps(conn)
    steps = [_briefs(rows(tx, one["id"])) for one in (before, after)]
    order = [op["name"] for run in (after, before) for op in queries.entry(conn, run)["operations"]]
    return [_pair(name, *(one.get(name) for one in steps)) for name in dict.fromkeys(order)]


def _pair(name: str, before: OperationBrief | None, after: OperationBrief | None) -> OperationPair:
    lengths = [None if one is None else one.duration for one in (before, after)]
    slower = None
    if lengths[0] is not None and lengths[1] is not None:
        slower = lengths[1] - lengths[0]
    return OperationPair(operation=name, before=before, after=after, slower_by=slower)


def _briefs(steps: Sequence[Step]) -> dict[str, OperationBrief]:
    return {
        operation_of(step): OperationBrief(
            outcome=step.ended_as or ("running" if step.claimed_by else "waiting"),
            duration=step.execution_duration,
            executions=step.execution_count,
            reused=step.copy_of is not None and step.execution_count == 0,
        )
        for step in sorted(steps, key=lambda one: (one.created_at, one.id))
    }


def _attempts(conn: Connection, run: RowMapping) -> AttemptsBrief:
    attempts = queries.attempts_of(conn, run["id"])
    last = attempts[-1] if attempts else None
    handle = (last["handle"] if last else None) or {}
    condition = last["condition"] if last else None
    return AttemptsBrief(count=len(attempts), node=handle.get("node"), condition=condition)


def _state(conn: Connection, before: RowMapping, after: RowMapping) -> list[StateKey]:
    since = before["finished_at"] or before["created_at"]
    until = after["finished_at"] or clock.now()
    names = StateKey.model_fields
    return [
        StateKey(**{name: getattr(entry, name) for name in names})
        for entry in state.written_between(conn, after["group_name"], since, until)
    ]
