"""What a flow's owner asks with every settlement: answered as any query, by fixed texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.stores.postgres.support import add, make

from stepwell.ids import new_id
from stepwell.step import Step, StepQuery, StepStatus
from stepwell.stores.columns import COLUMNS
from stepwell.stores.postgres import PostgresStore, flows, search
from stepwell.stores.postgres.queries import sql

FLOW = new_id()


@pytest.fixture
def rows(store: PostgresStore) -> list[Step]:
    """Rows of a flow, the newest first, beside one of another flow."""
    made = [make(flow_id=FLOW, search_key=str(number)) for number in range(3)]
    add(store, *made, make())
    return made[::-1]


def test_the_columns_are_those_of_a_step_in_its_order() -> None:
    """They are read by their places."""
    named = sql("ready_of_flow").text.decode().partition("SELECT")[2].partition("FROM")[0]
    assert tuple(one.strip() for one in named.split(",")) == COLUMNS


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_rows_of_a_flow_are_those_that_any_query_finds(
    store: PostgresStore, rows: list[Step], limit: int
) -> None:
    ids = (rows[2].id, rows[0].id, new_id())
    query = StepQuery(ids=ids, flow_id=FLOW, status=StepStatus.READY, limit=limit)
    with store.transaction() as tx:
        found = tx.search(query)
        assert found == tx._do.steps(*search.page(query))
    assert found == [rows[0], rows[2]][:limit]


def test_rows_of_another_flow_are_not_found_by_their_ids(
    store: PostgresStore, rows: list[Step]
) -> None:
    query = StepQuery(ids=(rows[0].id,), flow_id=new_id(), status=StepStatus.READY)
    with store.transaction() as tx:
        assert tx.search(query) == []


@pytest.mark.parametrize(("most", "ready", "more"), [(1, 1, True), (3, 3, False)])
def test_the_ready_rows_of_a_flow_are_counted_up_to_what_was_asked(
    store: PostgresStore, rows: list[Step], most: int, ready: int, *, more: bool
) -> None:
    with store.transaction() as tx:
        found = tx.count(StepQuery(flow_id=FLOW, status=StepStatus.READY), at_most=most)
    assert (found.ready, found.done, found.failed) == (ready, 0, 0)
    assert found.more == ((StepStatus.READY,) if more else ())
    assert len(rows) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"name": "v1/work"},
        {"status": None},
        {"flow_id": None},
        {"after": new_id()},
        {"oldest_first": True},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_query_that_asks_for_anything_else_is_put_together(
    store: PostgresStore, other: dict[str, Any]
) -> None:
    query = replace(StepQuery(ids=(new_id(),), flow_id=FLOW, status=StepStatus.READY), **other)
    with store.transaction() as tx:
        assert flows.ready(tx._do, query) is None
        assert flows.count_ready(tx._do, replace(query, ids=None), 1) is None
