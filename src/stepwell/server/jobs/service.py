"""The room's verbs: opening a launch, what its container reads and says, and closing it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import Denied, InvalidInput
from stepwell.outcome import Settlement
from stepwell.server.groups.service import OWN_NAMES
from stepwell.server.jobs import queries
from stepwell.server.jobs.records import JobCaller, StepAssignment, StepJob
from stepwell.server.jobs.tokens import JobTokenRevoked
from stepwell.server.services import QUEUE
from stepwell.step import Addition, OnConflict, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

RUNS: Final = "runs"
"""The queue of workflows' operations, which no step of its own may join."""

_OWN: Final = tuple(f"v1/{name}/" for name in sorted(OWN_NAMES))
_STEP: Final = TypeAdapter(Step)
_SETTLEMENT: Final = TypeAdapter(Settlement)


class JobOutOfScope(Denied):
    """A container of a step adds what only the server may add (R35)."""

    code = "job-out-of-scope"


def opened(conn: Connection, step: Step, *, image: str, launcher: str) -> RowMapping:
    """The launch for the step's next execution, made unless it is there.

    Tokens of earlier ones are revoked in the same transaction (R35).
    """
    number, now = step.execution_count + 1, clock.now()
    queries.revoke_before(conn, step.id, number, revoked_at=now)
    if queries.lock(conn, step.id, number) is None:
        of = {"step_id": step.id, "number": number, "name": step.name}
        lost = _lost_so_far(conn, step)
        queries.add(conn, **of, image=image, launcher=launcher, created_at=now, lost=lost)
    found = queries.get(conn, step.id, number)
    assert found is not None
    return found


def finish(
    conn: Connection, job: RowMapping, *, at: datetime | None, exit: dict[str, Any], output: str
) -> None:
    """The container has ended: its token falls. Without an outcome it was lost."""
    found = queries.lock(conn, job["step_id"], job["number"])
    assert found is not None
    if found["finished_at"] is not None:
        return
    now = clock.now()
    lost = 0 if found["outcome"] is not None else found["lost"] + 1
    queries.change(
        conn,
        job["step_id"],
        job["number"],
        finished_at=at or now,
        revoked_at=found["revoked_at"] or now,
        exit=exit,
        output=output,
        lost=lost,
    )


def outcome(conn: Connection, step_id: UUID, number: int) -> Settlement | None:
    """What the container has said; None if it has said nothing."""
    job = queries.get(conn, step_id, number)
    if job is None or job["outcome"] is None:
        return None
    return _SETTLEMENT.validate_python(job["outcome"])


def assignment(conn: Connection, tx: Transaction, caller: JobCaller) -> StepAssignment:
    """The step's row, for its container; the first look is the start of the launch."""
    job, step = admitted(conn, tx, caller)
    if job["started_at"] is None:
        queries.change(conn, caller.step_id, caller.number, started_at=clock.now())
    return StepAssignment(number=caller.number, step=_STEP.dump_python(step, mode="json"))


def take(conn: Connection, tx: Transaction, caller: JobCaller, data: dict[str, Any]) -> None:
    """Keep what the execution came to; the same again changes nothing.

    Raises
    ------
    JobTokenRevoked, JobOutOfScope.
    InvalidInput : that is no settlement of this step.
    """
    job, step = admitted(conn, tx, caller)
    try:
        settlement = _SETTLEMENT.validate_python(data)
    except ValidationError as error:
        raise InvalidInput(
            "The outcome does not fit.",
            why=f"{error}.",
            fix="Use the same version of Stepwell on both sides.",
        ) from error
    if settlement.claim.step_id != caller.step_id:
        raise JobOutOfScope(f"The outcome is of the step {settlement.claim.step_id}.")
    for addition in settlement.additions:
        _check(conn, tx, step, addition)
    if job["outcome"] is None:
        kept = _SETTLEMENT.dump_python(settlement, mode="json")
        queries.change(conn, caller.step_id, caller.number, outcome=kept)


def admitted(conn: Connection, tx: Transaction, caller: JobCaller) -> tuple[RowMapping, Step]:
    """The launch and its step, if the launch is the one that counts; `JobTokenRevoked`."""
    job = queries.lock(conn, caller.step_id, caller.number)
    query = StepQuery(ids=(caller.step_id,), status=StepStatus.READY, limit=1)
    step = next(iter(tx.search(query)), None)
    counts = step is not None and step.execution_count + 1 == caller.number
    if job is not None and step is not None and counts and job["revoked_at"] is None:
        return job, step
    raise JobTokenRevoked(
        f"The token of execution {caller.number} of the step {caller.step_id} is not valid now.",
        why="The step has ended or was cancelled, or another execution of it has begun.",
        fix="Nothing: this container has no more to do.",
    )


def listed(conn: Connection, step_id: UUID) -> list[StepJob]:
    """A step's launches, the newest first."""
    return [StepJob.model_validate(dict(row)) for row in queries.of_step(conn, step_id)]


def _lost_so_far(conn: Connection, step: Step) -> int:
    """How many launches in a row were lost before this one."""
    before = queries.get(conn, step.id, step.execution_count)
    return 0 if before is None else int(before["lost"])


def _check(conn: Connection, tx: Transaction, own: Step, addition: Addition) -> None:
    """Raise `JobOutOfScope` for what would reach the server's own steps, or a run."""
    step = addition.step
    if step.queue in (QUEUE, RUNS):
        raise JobOutOfScope(
            f"The step {step.name!r} is for the queue {step.queue!r}.",
            why="That queue is the server's own.",
            fix="Name another queue.",
        )
    if step.name.startswith(_OWN):
        raise _out(f"The name {step.name!r} is one of the server's own.")
    if step.claimed_by is not None or step.ended_as is not None:
        raise JobOutOfScope(f"The new step {step.name!r} is claimed or ended already.")
    if step.flow_id != own.flow_id and queries.is_run(conn, step.flow_id):
        raise _out(f"The new step {step.name!r} would be one of a run.")
    if any(_is_of_server(one, own) for one in _touched(tx, addition)):
        raise _out(f"The new step {step.name!r} would replace, or hold up, one of a run.")


def _touched(tx: Transaction, addition: Addition) -> Iterator[Step]:
    """The rows that an addition would replace, or make wait."""
    step = addition.step
    if addition.on_conflict is OnConflict.REPLACE and step.unique_key is not None:
        same = StepQuery(name=step.name, unique_key=step.unique_key, status=StepStatus.READY)
        yield from tx.search(same)
    if step.join_id is not None:
        yield from tx.search(StepQuery(ids=(step.join_id,), limit=1))


def _is_of_server(step: Step, own: Step) -> bool:
    return step.queue in (QUEUE, RUNS) and step.flow_id != own.flow_id


def _out(what: str) -> JobOutOfScope:
    return JobOutOfScope(
        what,
        why="The token of a step reaches neither the server's own steps nor runs.",
        fix="Take another name or flow; start runs by the API.",
    )
