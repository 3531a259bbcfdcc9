"""What a flow's owner asks with every settlement, in statements that are the same each time.

Any other query is put together, and planned for its values; these few name a flow, and rows by
their ids, so one plan is good for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.columns import COLUMNS
from stepwell.stores.matching import counted
from stepwell.stores.postgres.arrays import uuids
from stepwell.stores.postgres.rows import step_reader
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import Counts

_read: Final = step_reader(COLUMNS)
_read_among: Final = step_reader(("in_flow", *COLUMNS))


def ready(statements: Statements, query: StepQuery) -> list[Step] | None:
    """The ready rows of these ids in a flow; None where the query asks for anything else."""
    if query.ids is None or not _asks_of_flow(query, ids=query.ids, limit=query.limit):
        return None
    values = {"ids": list(query.ids), "flow_id": query.flow_id, "limit": query.limit}
    return [_read(row) for row in statements.rows("ready_of_flow", **values)]


def among(statements: Statements, ids: Sequence[UUID], most: int) -> list[tuple[Step, int]]:
    """The ready rows of these ids; each with how many rows of its flow are ready, up to `most`."""
    rows = statements.rows("ready_among", ids=uuids(ids), most=most)
    return [(_read_among(row), row[0]) for row in rows]


def count_ready(statements: Statements, query: StepQuery, at_most: int | None) -> Counts | None:
    """How many rows of a flow are ready, up to `at_most`; None where anything else is asked."""
    if at_most is None or not _asks_of_flow(query, limit=query.limit):
        return None
    rows = statements.rows("count_ready_of_flow", flow_id=query.flow_id, most=at_most + 1)
    return counted([rows[0][0], 0, 0], at_most)


def _asks_of_flow(query: StepQuery, *, limit: int, ids: tuple[UUID, ...] | None = None) -> bool:
    flow_id, status = query.flow_id, StepStatus.READY
    alone = StepQuery(ids=ids, flow_id=flow_id, status=status, limit=limit)
    return flow_id is not None and query == alone
