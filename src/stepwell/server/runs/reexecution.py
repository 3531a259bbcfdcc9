"""Re-execution: a new run that does again what an ended one has not done, and keeps the rest.

The results that are taken over become rows of the new run, so its operations read them
as they read any other. See docs/decisions/0048.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.errors import Conflict, InvalidInput
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.runs import course, headers, queries, results, starting
from stepwell.server.runs.approvals import OPERATIONS
from stepwell.server.runs.closing import rows
from stepwell.server.runs.judgement import operation_of, step_name
from stepwell.server.runs.planning import Mark, Mode, Planned, Planner, warnings
from stepwell.server.runs.records import PRIORITIES, Run, RunState
from stepwell.server.runs.wishes import Wishes
from stepwell.step import EndedAs, Step, new_step
from stepwell.stores.protocol import Transaction


class RunNotEnded(Conflict):
    """The run goes on, so nothing of it can be re-executed."""

    code = "run-not-ended"


class NothingToReexecute(Conflict):
    """Every operation was done."""

    code = "nothing-to-reexecute"


class ReexecutionOpen(Conflict):
    """Another re-execution of the run has not ended."""

    code = "reexecution-open"


class OperationUnknown(InvalidInput):
    """The workflow has no operation of this name in that release."""

    code = "operation-unknown"


class Reexecution(BaseModel):
    """What is to be done again, and by which release: the run's own, or the current one."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Mode.FAILED
    operation: str | None = None
    release: Literal["same", "current"] = "same"
    reason: str | None = Field(default=None, max_length=1000)


class ReexecutionPlan(BaseModel):
    """What a re-execution would do with each operation, before it is asked for."""

    run_id: UUID
    mode: Mode
    release_id: UUID
    digest: str
    same_release: bool
    operations: list[Planned]
    warnings: list[str]


def plan(conn: Connection, db: Database, run_id: UUID, asked: Reexecution) -> ReexecutionPlan:
    """What would become of each operation.

    Raises
    ------
    RunNotFound, RunNotEnded, WorkflowNotReleased, OperationUnknown, ParametersInvalid.
    """
    run = headers.found(queries.get(conn, run_id), run_id)
    return _planned(conn, db, run, asked)[0]


def start(conn: Connection, db: Database, run_id: UUID, asked: Reexecution, *, by: str) -> Run:
    """Start the re-execution as a new run, in the caller's transaction.

    Raises
    ------
    As `plan`, and NothingToReexecute, ReexecutionOpen.
    """
    run = headers.found(queries.lock(conn, run_id), run_id)
    made, release, last = _planned(conn, db, run, asked)
    _check(conn, run, made)
    out = [one.operation for one in made.operations if one.mark is not Mark.RUN]
    values: dict[str, Any] = {
        "id": new_id(),
        "trigger": "reexecution",
        "requested_by": by,
        "reexecution_of": run_id,
        **{name: run[name] for name in ("group_name", "parameters", "schedule_id", "due_at")},
    }
    wishes = Wishes(labels=run["labels"] or {}, priority=PRIORITIES[run["band"]])
    pinned = course.of(release["entry"], out)
    for one in made.operations:
        if one.mark is not Mark.RUN:
            _take_over(conn, db.steps(conn), values, run, one, last.get(one.operation))
    header = starting.insert_run(conn, db, release, values, wishes, pinned)
    details = {"run": str(header["id"]), "mode": asked.mode, "release": asked.release}
    audit.record(conn, by, "run.re-execute", str(run_id), asked.reason, details)
    return headers.get(conn, header["id"])


def _planned(
    conn: Connection, db: Database, run: RowMapping, asked: Reexecution
) -> tuple[ReexecutionPlan, RowMapping, Mapping[str, Step]]:
    if not RunState(run["state"]).ended:
        raise RunNotEnded(
            f"The run {run['id']} is {run['state']}.", fix="Wait for its end, or cancel it first."
        )
    same = run["release_id"] if asked.release == "same" else None
    release = starting.released(conn, run["group_name"], run["workflow"], same)
    entry = release["entry"]
    starting.check_parameters(run["workflow"], entry, run["parameters"])
    _check_operation(entry, asked)
    last = {operation_of(one): one for one in _ordered(rows(db.steps(conn), run["id"]))}
    operations = Planner(entry, last, queries.entry(conn, run)).plan(asked.mode, asked.operation)
    made = ReexecutionPlan(
        run_id=run["id"],
        mode=asked.mode,
        release_id=release["release_id"],
        digest=release["digest"],
        same_release=release["release_id"] == run["release_id"],
        operations=operations,
        warnings=warnings(operations, entry),
    )
    return made, release, last


def _ordered(found: list[Step]) -> list[Step]:
    return sorted(found, key=lambda one: (one.created_at, one.id))


def _check_operation(entry: Mapping[str, Any], asked: Reexecution) -> None:
    names = [one["name"] for one in entry["operations"]]
    if (asked.mode is Mode.FROM_OPERATION) != (asked.operation is not None):
        raise OperationUnknown(
            "An operation is named exactly where it is the mode to begin at one.",
            fix=f"With mode {Mode.FROM_OPERATION.value!r} name one of: {', '.join(names)}.",
        )
    if asked.operation is not None and asked.operation not in names:
        raise OperationUnknown(
            f"{entry['name']} has no operation {asked.operation!r} in that release.",
            fix=f"It has: {', '.join(names)}.",
        )


def _check(conn: Connection, run: RowMapping, made: ReexecutionPlan) -> None:
    if all(one.mark is not Mark.RUN for one in made.operations):
        raise NothingToReexecute(
            f"Every operation of the run {run['id']} was done.",
            fix="Begin from an operation, from start, or repeat the run.",
        )
    other = queries.open_reexecution(conn, run["id"])
    if other is not None:
        raise ReexecutionOpen(
            f"The run {run['id']} is being re-executed by the run {other}.",
            fix="Wait for its end, or cancel it.",
        )


def _take_over(
    conn: Connection,
    tx: Transaction,
    new_run: Mapping[str, Any],
    run: RowMapping,
    planned: Planned,
    source: Step | None,
) -> None:
    """A row that has ended as the one before did, or as skipped where that gave nothing."""
    name, flow = step_name(run["group_name"], run["workflow"], planned.operation), new_run["id"]
    new = new_step(name, queue=OPERATIONS, flow_id=flow, correlation_id=str(flow))
    added = seal(new, JSON, clock.now())
    if planned.mark is Mark.SKIP or source is None:
        tx.add([added])
        tx.end(new.id, EndedAs.SKIPPED, planned.why)
        return
    row = replace(added.step, copy_of=source.id, result_format=source.result_format)
    tx.add([replace(added, step=row)])
    results.share(conn, flow, source)
    said = f"Its result was taken over from the run {run['id']}."
    tx.end(new.id, EndedAs.DONE, said, source.result)
