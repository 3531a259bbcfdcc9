"""How many, and how many of a kind, without reading millions of rows for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.matching import counted, failed_alone
from stepwell.stores.postgres import search
from stepwell.stores.postgres.rows import utc
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import Counts, Failures


def count(statements: Statements, query: StepQuery, at_most: int | None) -> Counts:
    """Exact up to `at_most`; beyond it a whole table's number is an estimate by its size."""
    found: dict[str, int] = dict(statements.composed(*search.counts(query, at_most)))
    counts = counted([found.get(status.value, 0) for status in StepStatus], at_most)
    if at_most is None or not counts.more or search.narrows(query):
        return counts
    return _with_estimates(statements, counts, at_most)


def _with_estimates(statements: Statements, counts: Counts, at_most: int) -> Counts:
    estimates = {status: _estimate(statements, status) for status in counts.more}
    higher = {status: rows for status, rows in estimates.items() if rows > at_most}
    numbers: dict[str, Any] = {status.value: rows for status, rows in higher.items()}
    more = tuple(status for status in counts.more if status not in higher)
    return replace(counts, more=more, estimated=tuple(higher), **numbers)


def _estimate(statements: Statements, status: StepStatus) -> int:
    ((rows,),) = statements.rows("estimate", name=f"stepwell_{status}")
    return int(rows)


def failures(statements: Statements, query: StepQuery) -> list[Failures]:
    """The failed steps that match, grouped by name and fingerprint, newest end first."""
    rows = statements.composed(*search.failures(failed_alone(query)))
    return [
        Failures(name, fingerprint, number, utc(first), utc(last), step_id, description)
        for name, fingerprint, number, first, last, step_id, description in rows
    ]
