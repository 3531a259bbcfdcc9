"""The ends of a run: how its header, its rows, its token and its figures are closed together."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.events import emit
from stepwell.server.blobs import service as blobs
from stepwell.server.metrics import service as metrics
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.runs import measuring, queries, slots, tracing
from stepwell.server.runs.judgement import Verdict, judge, operation_of, ready, step_name
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction
from stepwell.telemetry import run_spans


def rows(tx: Transaction, run_id: UUID) -> list[Step]:
    """All steps of a run, oldest first."""
    found: list[Step] = []
    after: UUID | None = None
    while True:
        query = StepQuery(flow_id=run_id, oldest_first=True, limit=500, after=after)
        page = tx.search(query)
        found += page
        if len(page) < query.limit:
            return found
        after = page[-1].id


def close_by_rows(conn: Connection, tx: Transaction, run: RowMapping, steps: list[Step]) -> None:
    """Nothing is ready any more: the rows say how the run ended (R32)."""
    prefix = step_name(run["group_name"], run["workflow"], "")
    verdict = judge(queries.entry(conn, run), prefix, steps)
    close(conn, tx, run, verdict, cause=measuring.cause(run, verdict, steps))


def fail(
    conn: Connection, tx: Transaction, run: RowMapping, reason: str, *, launched: bool = True
) -> None:
    """End what is still ready as failed, and the run with it."""
    waiting = ready(rows(tx, run["id"]))
    operation = operation_of(waiting[0]) if waiting else None
    end_ready(tx, run["id"], EndedAs.FAILED, reason)
    verdict = Verdict(RunState.FAILED, reason, operation=operation)
    cause = measuring.cause(run, verdict) if launched else measuring.cause_of_launch(verdict)
    close(conn, tx, run, verdict, cause=cause)


def close_cancelled(conn: Connection, tx: Transaction, run: RowMapping) -> None:
    """The launcher has confirmed the stop, or an operator forces the end (R34)."""
    reason = run["reason"] or "Cancelled."
    end_ready(tx, run["id"], EndedAs.CANCELLED, reason)
    close(conn, tx, run, Verdict(RunState.CANCELLED, reason))


def close(
    conn: Connection,
    tx: Transaction,
    run: RowMapping,
    verdict: Verdict,
    cause: str | None = None,
) -> None:
    """Write the end into the header, revoke the token, count and tell it; its slots are free."""
    now = clock.now()
    queries.change(
        conn,
        run["id"],
        state=verdict.state,
        reason=verdict.reason,
        warnings=verdict.warnings,
        finished_at=now,
        fingerprint=cause if measuring.is_measured(run) else None,
        failed_operation=verdict.operation,
        waiting_code=None,
        waiting=None,
        progress=None,
    )
    queries.change_attempt(conn, run["id"], run["attempt"], revoked_at=now)
    blobs.drop(conn, queries.drop_staged(conn, run["id"]))
    if measuring.is_measured(run):
        _measure(conn, run, verdict, now, cause)
        _tell(conn, tx, run, verdict, cause)
    if run_spans.wanted():
        attempts = queries.attempts_of(conn, run["id"])
        steps = rows(tx, run["id"])
        run_spans.send(list(tracing.spans(run, attempts, steps, verdict, now)))
    emit("run.ended", run=run["id"], state=verdict.state, reason=verdict.reason)
    if verdict.state is RunState.SUCCEEDED:
        _supersede(conn, run)
    slots.wake_next(conn, tx, freed=run)


def _supersede(conn: Connection, run: RowMapping) -> None:
    """What failed and was done by this run is superseded, with what failed before it.

    A repeat with other parameters is other work, and supersedes nothing.
    """
    one = run
    while before := one["reexecution_of"] or one["repeat_of"]:
        found = queries.in_place_of(conn, before)
        repeated = one["reexecution_of"] is None
        if found is None or (repeated and found["parameters"] != one["parameters"]):
            return
        queries.supersede(conn, before, run["id"])
        one = found


def end_ready(
    tx: Transaction, run_id: UUID, ended_as: EndedAs, reason: str, *, claimed: bool | None = None
) -> None:
    """End the run's ready rows by hand; `claimed` False spares those that are claimed."""
    query = StepQuery(flow_id=run_id, status=StepStatus.READY, claimed=claimed, limit=500)
    while found := tx.search(query):
        for step in ready(found):
            tx.end(step.id, ended_as, reason)


def _measure(
    conn: Connection, run: RowMapping, verdict: Verdict, now: datetime, cause: str | None
) -> None:
    ending = measuring.ending(run, verdict, now, cause)
    if measuring.is_reexecution(run):
        metrics.retried(conn, [ending])
        return
    waits = measuring.waits(run, queries.attempts_of(conn, run["id"]), now)
    metrics.record(conn, [ending], waits)


def _tell(
    conn: Connection, tx: Transaction, run: RowMapping, verdict: Verdict, cause: str | None
) -> None:
    """A failure, or the end of failures; a run that was cancelled says nothing."""
    group, workflow = run["group_name"], run["workflow"]
    labels = run.get("labels") or {}
    if verdict.state is RunState.SUCCEEDED:
        since = run["created_at"]
        names = {"group": group, "workflow": workflow, "run_id": run["id"], "labels": labels}
        notifications.passed(conn, tx, since=since, **names)
    elif verdict.state is RunState.FAILED:
        occasion = Occasion(
            kind=Kind.FAILURE,
            group=group,
            workflow=workflow,
            run_id=run["id"],
            fingerprint=cause,
            sentence=measuring.sentence(run, verdict),
            details={"trigger": run["trigger"], "attempt": run["attempt"]},
            labels=labels,
        )
        notifications.occur(conn, tx, occasion)
