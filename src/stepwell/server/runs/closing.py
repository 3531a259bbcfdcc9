"""The ends of a run: how its header, its rows, its token and its figures are closed together."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.events import emit
from stepwell.server.metrics import service as metrics
from stepwell.server.metrics.records import Ending
from stepwell.server.runs import queries, slots
from stepwell.server.runs.judgement import Verdict, judge, ready, step_name
from stepwell.server.runs.records import RunState
from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

_ENDED_AS: Final = {
    RunState.SUCCEEDED: EndedAs.DONE,
    RunState.FAILED: EndedAs.FAILED,
    RunState.CANCELLED: EndedAs.CANCELLED,
}


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
    close(conn, tx, run, judge(queries.entry(conn, run), prefix, steps))


def fail(conn: Connection, tx: Transaction, run: RowMapping, reason: str) -> None:
    """End what is still ready as failed, and the run with it."""
    end_ready(tx, run["id"], EndedAs.FAILED, reason)
    close(conn, tx, run, Verdict(RunState.FAILED, reason))


def close_cancelled(conn: Connection, tx: Transaction, run: RowMapping) -> None:
    """The launcher has confirmed the stop, or an operator forces the end (R34)."""
    reason = run["reason"] or "Cancelled."
    end_ready(tx, run["id"], EndedAs.CANCELLED, reason)
    close(conn, tx, run, Verdict(RunState.CANCELLED, reason))


def close(conn: Connection, tx: Transaction, run: RowMapping, verdict: Verdict) -> None:
    """Write the end into the header, revoke the token, count the run; its slots are free."""
    now = clock.now()
    queries.change(
        conn,
        run["id"],
        state=verdict.state,
        reason=verdict.reason,
        warnings=verdict.warnings,
        finished_at=now,
        waiting_code=None,
        waiting=None,
        progress=None,
    )
    queries.change_attempt(conn, run["id"], run["attempt"], revoked_at=now)
    queries.drop_staged(conn, run["id"])
    metrics.record(conn, [_ending(run, verdict, now)])
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


def _ending(run: RowMapping, verdict: Verdict, now: datetime) -> Ending:
    begun = run["started_at"] or run["created_at"]
    return Ending(
        at=now,
        group=run["group_name"],
        workflow=run["workflow"],
        operation=metrics.RUN,
        ended_as=_ENDED_AS[verdict.state],
        duration=(now - begun).total_seconds(),
    )
