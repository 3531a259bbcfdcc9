"""Searches go by an index where there is one for what they ask (R23)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Composed

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import EndedAs, StepQuery, StepStatus
from stepwell.stores.postgres import PostgresStore, search

LAST_WEEK = now() - timedelta(days=7)
ONE_STATUS = [StepStatus.READY, StepStatus.DONE, StepStatus.FAILED]
EVERYWHERE = {
    "id": StepQuery(ids=(new_id(), new_id())),
    "flow": StepQuery(flow_id=new_id()),
    "search": StepQuery(search_key="customer-7"),
    "search by prefix": StepQuery(search_key_prefix="customer-"),
    "correlation": StepQuery(correlation_id="order-7"),
    "correlation by prefix": StepQuery(correlation_id_prefix="order-"),
}
ENDED = {
    "name": StepQuery(name="v1/mail"),
    "name by prefix": StepQuery(name_prefix="v1/"),
    "name in a range of time": StepQuery(name="v1/mail", ended_from=LAST_WEEK, ended_to=now()),
}


def plan(store: PostgresStore, statement: tuple[Composed, dict[str, Any]], *dear: str) -> str:
    """How the statement is run where a sequential scan would be dear, and what else is named."""
    text, values = statement
    with store.transaction() as tx:
        for kind in ("enable_seqscan", *dear):
            tx.connection.execute("SELECT set_config(%s, 'off', true)", [kind])
        with psycopg.ClientCursor(tx.connection) as cursor:
            cursor.execute(SQL("EXPLAIN ") + text, values)
            return "\n".join(str(row[0]) for row in cursor.fetchall())


def _with(query: StepQuery, status: StepStatus) -> StepQuery:
    fields = {name: getattr(query, name) for name in StepQuery.__dataclass_fields__}
    return StepQuery(**fields | {"status": status})


@pytest.mark.parametrize("status", ONE_STATUS)
@pytest.mark.parametrize("kind", EVERYWHERE)
def test_every_table_is_searched_by_its_index(
    store: PostgresStore, kind: str, status: StepStatus
) -> None:
    found = plan(store, search.page(_with(EVERYWHERE[kind], status)))
    assert "Seq Scan" not in found
    index = "pkey" if (kind, status) == ("id", StepStatus.READY) else kind.split(maxsplit=1)[0]
    assert index in found


@pytest.mark.parametrize("kind", ENDED)
@pytest.mark.parametrize("status", [StepStatus.DONE, StepStatus.FAILED])
def test_history_is_searched_by_name_and_time(
    store: PostgresStore, kind: str, status: StepStatus
) -> None:
    counting = plan(store, search.counts(_with(ENDED[kind], status)))
    assert "Seq Scan" not in counting
    assert "_name_" in counting


def test_failures_of_a_kind_are_found_by_their_fingerprint(store: PostgresStore) -> None:
    query = StepQuery(status=StepStatus.FAILED, fingerprint="a", ended_from=LAST_WEEK)
    assert "fingerprint" in plan(store, search.counts(query))


def test_failures_are_grouped_without_reading_their_rows(store: PostgresStore) -> None:
    query = StepQuery(ended_as=EndedAs.FAILED)
    found = plan(store, search.failures(query), "enable_bitmapscan", "enable_sort")
    assert "Seq Scan" not in found
    assert re.search("Index Only Scan using stepwell_failed_standard.*fingerprint", found), found


def test_a_range_of_time_leaves_other_partitions_out(store: PostgresStore) -> None:
    query = StepQuery(status=StepStatus.DONE, ended_from=now() - timedelta(days=1), ended_to=now())
    found = plan(store, search.counts(query))
    coming = now() + timedelta(days=2)
    assert f"stepwell_done_short_{coming:%Y_%m_%d}" not in found
    assert "stepwell_done_standard" in found
