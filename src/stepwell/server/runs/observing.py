"""A run as it is found: header, open attempt, rows, and what its launcher says. Read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import StepwellError
from stepwell.launchers.protocol import Condition
from stepwell.server.groups import service as groups
from stepwell.server.runs import approvals, closing, launching, queries, slots, waits
from stepwell.server.runs.judgement import operation_of, ready
from stepwell.server.runs.line import Row
from stepwell.server.runs.records import Waiting
from stepwell.server.services import Services
from stepwell.step import Step


@dataclass(frozen=True, slots=True)
class Observed:
    """One run. `condition` is what its container waits for, `trouble` what ails the launcher,
    `waiting` what it waits for without a container."""

    run: Row
    attempt: RowMapping | None
    rows: list[Step]
    entry: dict[str, Any]
    condition: Condition | None
    trouble: str
    waiting: Waiting | None

    @property
    def ready(self) -> list[Step]:
        """The rows that have not ended, the one due first at the front."""
        return ready(self.rows)

    @staticmethod
    def operation_of(step: Step) -> str:
        """The operation that a row is an execution of."""
        return operation_of(step)


def observe(conn: Connection, services: Services, run: RowMapping) -> Observed:
    """Everything about a run whose header was read."""
    attempt = queries.attempt(conn, run["id"], run["attempt"])
    rows = closing.rows(services.db.steps(conn), run["id"])
    condition, trouble = _condition(conn, services, run, attempt)
    return Observed(
        run, attempt, rows, queries.entry(conn, run), condition, trouble, waits.fresh(conn, run)
    )


def foresee(
    conn: Connection,
    run: Row,
    entry: dict[str, Any],
    first: Step,
    condition: Condition | None,
    trouble: str,
) -> Observed:
    """A run as it would be found, were it started now.

    Parameters
    ----------
    run, first : its header and its first operation, neither of them written.
    condition, trouble : what its launcher said to the plan of its start.
    """
    asked = approvals.asked(first)
    full = None if asked else slots.look(conn, run)
    lined_up = None if full is None else full.waiting(clock.now())
    waiting = asked.waiting if asked else lined_up
    return Observed(run, None, [first], entry, condition, trouble, waiting)


def _condition(
    conn: Connection, services: Services, run: RowMapping, attempt: RowMapping | None
) -> tuple[Condition | None, str]:
    """What the launcher says of the open attempt now, or else said last; and what ails it."""
    if attempt is None or attempt["finished_at"] is not None:
        return None, ""
    if attempt["launched_at"] is None:
        kept = launching.kept_condition(attempt)
        return kept, "" if kept else attempt["condition"] or ""
    try:
        launcher = services.launcher(groups.get(conn, run["group_name"]).launcher)
        name = launching.name(run["id"], attempt["number"])
        return launcher.poll(attempt["handle"] or launcher.find(name)).condition, ""
    except StepwellError as error:
        kept = launching.kept_condition(attempt)
        return kept, "" if kept else str(error)
