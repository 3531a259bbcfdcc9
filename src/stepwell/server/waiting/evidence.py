"""What is looked at to say why a run waits: read once, before anything is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.engine.braking import held_up
from stepwell.errors import NotFound
from stepwell.launchers.protocol import Condition
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Waiting, WaitingCode
from stepwell.server.runs.service import SUPERVISE
from stepwell.server.services import QUEUE, Services
from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.controls import Control, ControlKind
from stepwell.stores.inspecting import Inspectable
from stepwell.stores.protocol import EngineInfo

QUEUES: Final = (QUEUE, "runs")
"""The queues without which no run moves."""


class OperationUnknown(NotFound):
    """The run's workflow has no such operation, and the run no such step."""

    code = "operation-not-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One run, and the step of it that is asked about.

    Parameters
    ----------
    step : the row asked about, or else the one due first; None where there is none.
    operation : its operation, also where its row does not exist yet.
    held : what the engine says of a limit, rate or pause that holds the row.
    ahead : the operations before the one asked about that have not ended.
    limit : what an operator has set of the slots that the run waits for.
    """

    now: datetime
    run: Mapping[Any, Any]
    attempt: RowMapping | None
    step: Step | None
    operation: str | None
    retries: int
    supervisor: Step | None
    pauses: tuple[Control, ...]
    rate: Control | None
    held: str | None
    joined: str | None
    ahead: tuple[tuple[str, Step | None], ...]
    engines: tuple[EngineInfo, ...]
    condition: Condition | None
    trouble: str = ""
    waiting: Waiting | None = None
    limit: RowMapping | None = None
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def due(self) -> bool:
        """Whether the row could run now, as far as it is concerned."""
        return (
            self.step is not None
            and self.step.ended_as is None
            and not self.step.waiting_for
            and self.step.schedule_time <= self.now
        )


def gather(conn: Connection, services: Services, run_id: UUID, asked: str | None) -> Evidence:
    """Everything about one run.

    Raises
    ------
    RunNotFound, OperationUnknown.
    """
    return of(conn, services, runs.observed(conn, services, run_id), asked)


def of(conn: Connection, services: Services, seen: runs.Observed, asked: str | None) -> Evidence:
    """The same of a run that was looked at, or that is not written yet."""
    tx, now = services.db.steps(conn), clock.now()
    operation, step = _asked(seen, asked)
    controls = tx.controls()
    client = services.db.client(conn)
    return Evidence(
        now=now,
        run=seen.run,
        attempt=seen.attempt,
        step=step,
        operation=operation,
        retries=_retries(seen.entry, operation),
        supervisor=_supervisor(tx, seen.run["id"]),
        pauses=tuple(
            one for one in controls if one.kind is ControlKind.PAUSE and one.key in QUEUES
        ),
        rate=_rate(controls, step),
        held=None if step is None else held_up(tx, step, now),
        joined=client.explained(step) if step is not None and step.waiting_for else None,
        ahead=_ahead(seen, operation) if step is None else (),
        engines=_engines(services),
        condition=seen.condition,
        trouble=seen.trouble,
        waiting=seen.waiting,
        limit=_limit(conn, seen.waiting),
    )


def _limit(conn: Connection, waiting: Waiting | None) -> RowMapping | None:
    if waiting is None or waiting.code is not WaitingCode.LIMIT:
        return None
    return runs.limit_set(conn, waiting.details["kind"], waiting.details["name"])


def _asked(seen: Any, asked: str | None) -> tuple[str | None, Step | None]:
    if asked is None:
        step = seen.ready[0] if seen.ready else None
        return (seen.operation_of(step) if step else None), step
    names = [one["name"] for one in seen.entry["operations"]]
    steps = [one for one in seen.rows if asked in (seen.operation_of(one), str(one.id))]
    if not steps and asked not in names:
        raise OperationUnknown(
            f"The run {seen.run['id']} has no step {asked!r}.",
            why=f"Its workflow has {', '.join(names)}.",
            fix="Give the name of an operation, or the id of a step of the run.",
        )
    step = steps[-1] if steps else None
    return (seen.operation_of(step) if step else asked), step


def _retries(entry: dict[str, Any], operation: str | None) -> int:
    named = [one for one in entry["operations"] if one["name"] == operation]
    return int(named[0].get("retries") or 0) if named else 0


def _ahead(seen: Any, operation: str | None) -> tuple[tuple[str, Step | None], ...]:
    last = {seen.operation_of(one): one for one in seen.rows}
    before = []
    for one in seen.entry["operations"]:
        if one["name"] == operation:
            break
        row = last.get(one["name"])
        if row is None or row.status is not StepStatus.DONE:
            before.append((one["name"], row))
    return tuple(before)


def _supervisor(tx: Any, run_id: UUID) -> Step | None:
    query = StepQuery(name=SUPERVISE, unique_key=str(run_id), status=StepStatus.READY, limit=1)
    return next(iter(tx.search(query)), None)


def _rate(controls: list[Control], step: Step | None) -> Control | None:
    key = step.rate_key if step is not None else None
    rates = (one for one in controls if one.kind is ControlKind.RATE and one.key == key)
    return next(rates, None)


def _engines(services: Services) -> tuple[EngineInfo, ...]:
    """Who takes the server's own steps."""
    store = services.db.store
    assert isinstance(store, Inspectable)
    return tuple(one for one in store.inspect().engines if not one.queues or QUEUE in one.queues)
