"""What lives in a group now: schedules, runs and waiting steps, as a review looks at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.errors import StepwellError
from stepwell.server.database.session import Database
from stepwell.server.reviews import queries
from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.protocol import Transaction

MOST: Final = 1000
"""So many waiting steps of a group are looked at."""

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that has not ended. `parameters` is None where its state shows none."""

    id: UUID
    workflow: str
    operation: str
    run_id: UUID | None
    parameters: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Live:
    """All of it; `unavailable` says what could not be looked at."""

    schedules: Sequence[Row] = ()
    runs: Sequence[Row] = ()
    steps: Sequence[Waiting] = ()
    unavailable: tuple[str, ...] = ()

    def of(self, workflow: str) -> Live:
        """The part of it that belongs to one workflow."""
        return Live(
            [row for row in self.schedules if row["workflow"] == workflow],
            [row for row in self.runs if row["workflow"] == workflow],
            [step for step in self.steps if step.workflow == workflow],
        )


def of_group(conn: Connection, db: Database, group: str) -> Live:
    """What lives in a group; at most 1,000 waiting steps, the newest."""
    found = _steps(db.steps(conn), group)
    cut = f"Only the newest {MOST:,} waiting steps were looked at; the rest is unavailable."
    return Live(
        queries.active_schedules(conn, group),
        queries.unfinished_runs(conn, group),
        [_waiting(step) for step in found[:MOST] if step.name.count("/") == 3],
        (cut,) if len(found) > MOST else (),
    )


def _steps(tx: Transaction, group: str) -> list[Step]:
    prefix = f"v1/{group}/"
    return tx.search(StepQuery(name_prefix=prefix, status=StepStatus.READY, limit=MOST + 1))


def _waiting(step: Step) -> Waiting:
    _, _, workflow, operation = step.name.split("/")
    return Waiting(step.id, workflow, operation, step.flow_id, _parameters(step))


def _parameters(step: Step) -> Mapping[str, Any] | None:
    try:
        state = None if step.state is None else JSON.decode(step.state)
    except StepwellError:
        return None
    found = state.get("parameters") if isinstance(state, Mapping) else None
    return found if isinstance(found, Mapping) else None
