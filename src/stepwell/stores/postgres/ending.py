"""The end of ready rows by somebody other than their claims' holder (R6, R8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from stepwell.step import EndedAs
from stepwell.stores.joins import Ending
from stepwell.stores.postgres.statements import Statements


@dataclass(frozen=True, slots=True)
class Ended:
    """How many rows have ended, and which of them were members of joins."""

    count: int
    endings: list[Ending]


def end(
    statements: Statements,
    ids: Sequence[UUID],
    ended_as: EndedAs,
    reason: str,
    result: str | None = None,
    raised: int = 1,
) -> Ended:
    """Move ready rows to where they end; their claim numbers rise by `raised`."""
    rows = statements.rows(
        "end", ids=list(ids), ended_as=ended_as.value, reason=reason, result=result, raised=raised
    )
    members = [(step_id, join_id, name) for step_id, join_id, name in rows if join_id is not None]
    return Ended(
        len(rows),
        [Ending(join_id, step_id, name, ended_as, reason) for step_id, join_id, name in members],
    )
