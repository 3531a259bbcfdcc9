"""A container's settlements: rows, state, reports and figures in one transaction (R38)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell.outcome import Settlement, Verdict
from stepwell.server.events import service as events
from stepwell.server.metrics import service as metrics
from stepwell.server.metrics.records import Ending
from stepwell.server.runs import measuring, results, staging
from stepwell.server.runs.judgement import operation_of, step_name
from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction


def settle(
    conn: Connection,
    tx: Transaction,
    run: RowMapping,
    engine_id: UUID,
    settlements: Sequence[Settlement],
    *,
    staged: bool,
) -> list[Verdict]:
    """Settle, and commit what was staged with what is applied now.

    What an earlier try has applied already (R13) has taken its staged writes then.

    Parameters
    ----------
    staged : whether anything is staged for the run, since its header was locked.

    Raises
    ------
    StateConflict : a compare-and-swap that does not hold; nothing of all this is kept.
    """
    held = _held(tx, run, engine_id, settlements)
    settlements = [results.marked(conn, run["id"], one) for one in settlements]
    verdicts = tx.settle(engine_id, settlements)
    fresh = [
        (settlement, held[settlement.claim.step_id])
        for settlement, verdict in zip(settlements, verdicts, strict=True)
        if verdict is Verdict.APPLIED and settlement.claim.step_id in held
    ]
    written = staging.claims(conn, run["id"]) if fresh and staged else set()
    for settlement, step in fresh:
        if step.claim in written:
            staging.commit(conn, run, step, keep=_good(settlement))
        results.attach(conn, run["id"], settlement)
    if fresh:
        events.tell(conn, "runs", "steps", str(run["id"]))
    measure(conn, [(run, *one) for one in fresh])
    return verdicts


def _held(
    tx: Transaction, run: RowMapping, engine_id: UUID, settlements: Sequence[Settlement]
) -> dict[UUID, Step]:
    """The rows that the engine holds under the claims that it settles."""
    claims = {one.claim.step_id: one.claim for one in settlements}
    query = StepQuery(
        ids=tuple(claims), flow_id=run["id"], status=StepStatus.READY, limit=len(claims) or 1
    )
    return {
        step.id: step
        for step in tx.search(query)
        if step.claimed_by == engine_id and step.claim == claims[step.id]
    }


def _good(settlement: Settlement) -> bool:
    """Whether what it wrote is kept: not of a failure, nor of an attempt that is tried again."""
    if settlement.ended_as is None:
        return settlement.failure_count == 0
    return settlement.ended_as.status is StepStatus.DONE


def measure(conn: Connection, settled: Sequence[tuple[RowMapping, Settlement, Step]]) -> None:
    """Count what has ended, and what is tried again: of each its run, and what it was."""
    metrics.record(conn, [one for run, s, step in settled for one in _endings(run, s, step)])
    again = [one for one in settled if one[1].ended_as is None and one[1].failure_count]
    metrics.retried(
        conn, [one for run, s, step in again for one in _endings(run, s, step, EndedAs.FAILED)]
    )


def _endings(
    run: RowMapping, settlement: Settlement, step: Step, ended_as: EndedAs | None = None
) -> list[Ending]:
    """What is counted: operations of the run's own workflow that have ended."""
    ended_as = ended_as or settlement.ended_as
    if ended_as is None or not measuring.is_measured(run):
        return []
    if step.name != step_name(run["group_name"], run["workflow"], operation_of(step)):
        return []
    duration = settlement.execution_duration
    return [
        Ending(
            at=settlement.execution_started_at + timedelta(seconds=duration),
            group=run["group_name"],
            workflow=run["workflow"],
            operation=operation_of(step),
            ended_as=ended_as,
            duration=duration,
            release_id=run["release_id"],
        )
    ]
