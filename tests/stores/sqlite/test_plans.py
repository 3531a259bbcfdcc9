"""No statement of the hot path reads rows that it cannot use (promises 8 and 9, R18-R20, R23)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.step import EndedAs, StepQuery, StepStatus
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.search import count_sql, failures_sql, page_sql, parameters
from stepwell.stores.sqlite.sql import QUERIES

HOT = {
    "claim_lane": ["stepwell_ready_claim"],
    "claim_rows": ["INTEGER PRIMARY KEY"],
    "claim_window": ["stepwell_ready_claim", "stepwell_ready_parked"],
    "claim_window_flow": ["stepwell_ready_flow"],
    "claim_window_suspect": ["stepwell_ready_suspect"],
    "claim_outlook": ["stepwell_ready_claim", "stepwell_ready_parked"],
    "claim_outlook_flow": ["stepwell_ready_flow"],
    "claim_outlook_suspect": ["stepwell_ready_suspect", "stepwell_ready_limited"],
    "claim_limited_keys": ["stepwell_ready_keys", "stepwell_ready_slots"],
    "claim_limited_flow": ["stepwell_ready_flow", "stepwell_ready_slots"],
    "bury": ["stepwell_ready_claimed"],
    "leave": ["stepwell_ready_claimed"],
    "claim": ["INTEGER PRIMARY KEY"],
    "park": ["INTEGER PRIMARY KEY"],
    "known": ["sqlite_autoindex_stepwell_done_1"],
    "held": ["sqlite_autoindex_stepwell_ready_1"],
    "settled_before": ["sqlite_autoindex_stepwell_done_1"],
    "move_done": ["sqlite_autoindex_stepwell_ready_1"],
    "move_failed": ["sqlite_autoindex_stepwell_ready_1"],
    "move_away": ["sqlite_autoindex_stepwell_ready_1"],
    "activate": ["sqlite_autoindex_stepwell_ready_1"],
    "end": ["sqlite_autoindex_stepwell_ready_1"],
    "reschedule": ["sqlite_autoindex_stepwell_ready_1"],
    "settle_done": ["sqlite_autoindex_stepwell_ready_1"],
    "settle_again": ["sqlite_autoindex_stepwell_ready_1"],
    "joins_any": ["COVERING INDEX stepwell_ready_join"],
    "held_by": ["sqlite_autoindex_stepwell_ready_1"],
    "sweep_done": ["ended USING INTEGER PRIMARY KEY", "sqlite_autoindex_stepwell_ready_1"],
    "sweep_failed": ["ended USING INTEGER PRIMARY KEY", "sqlite_autoindex_stepwell_ready_1"],
    "remove_done": ["INTEGER PRIMARY KEY"],
    "remove_failed": ["INTEGER PRIMARY KEY"],
}


class _Anything(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return None


@pytest.fixture
def connection(sqlite_store: SQLiteStore, sqlite_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(sqlite_path)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, sql: str, values: dict[str, Any] | None = None) -> str:
    places = [None] * max(map(int, re.findall(r"\?(\d+)", sql)), default=0)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", places or values or _Anything())
    return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize("query", HOT)
def test_the_hot_path_goes_by_its_index(connection: sqlite3.Connection, query: str) -> None:
    found = plan(connection, QUERIES[query])
    assert re.findall(r"SCAN (?:stepwell_\w+|r|ready)\b(?! (?:EXISTS )?USING)", found) == []
    assert [index for index in HOT[query] if index not in found] == []


@pytest.mark.parametrize("query", ["claim_lane", "claim_window", "claim_outlook"])
def test_a_claim_sorts_nothing(connection: sqlite3.Connection, query: str) -> None:
    assert "TEMP B-TREE" not in plan(connection, QUERIES[query])


@pytest.mark.parametrize("index", ["flow", "search", "correlation", "name"])
def test_history_is_searched_by_its_indexes(connection: sqlite3.Connection, index: str) -> None:
    query = {
        "flow": StepQuery(status=StepStatus.DONE, flow_id=new_id()),
        "search": StepQuery(status=StepStatus.DONE, search_key="customer-7"),
        "correlation": StepQuery(status=StepStatus.DONE, correlation_id="order-7"),
        "name": StepQuery(status=StepStatus.DONE, name="v1/mail", ended_from=now()),
    }[index]
    found = plan(connection, page_sql(query), parameters(query))
    assert f"stepwell_done_{index}" in found


@pytest.mark.parametrize("query", [StepQuery(), StepQuery(search_key="a"), StepQuery(queue="a")])
def test_a_page_is_merged_and_not_sorted(connection: sqlite3.Connection, query: StepQuery) -> None:
    found = plan(connection, page_sql(query), parameters(query))
    assert "MERGE" in found
    assert "TEMP B-TREE" not in found


def test_a_count_by_key_reads_its_index_alone(connection: sqlite3.Connection) -> None:
    query = StepQuery(search_key="customer-7")
    found = plan(connection, count_sql(query), parameters(query))
    assert found.count("COVERING INDEX") == 3


def test_a_count_that_may_stop_goes_by_the_index_too(connection: sqlite3.Connection) -> None:
    query = StepQuery(search_key="customer-7")
    found = plan(connection, count_sql(query, capped=True), parameters(query) | {"at_most": 10})
    assert found.count("COVERING INDEX") == 3


def test_failures_are_grouped_without_reading_their_rows(connection: sqlite3.Connection) -> None:
    query = StepQuery(ended_as=EndedAs.FAILED, ended_from=now())
    found = plan(connection, failures_sql(query), parameters(query))
    assert "SCAN stepwell_failed USING COVERING INDEX stepwell_failed_fingerprint" in found


def test_failures_of_a_kind_are_found_by_their_fingerprint(connection: sqlite3.Connection) -> None:
    query = StepQuery(status=StepStatus.FAILED, fingerprint="a", ended_from=now())
    found = plan(connection, page_sql(query), parameters(query))
    assert "stepwell_failed_fingerprint (fingerprint=? AND ended_at>?)" in found


def test_every_statement_is_used_or_gone() -> None:
    """A file in queries/ that no verb names is dead."""
    package = Path(__file__).parents[3] / "src" / "stepwell" / "stores" / "sqlite"
    code = "".join(path.read_text() for path in package.glob("*.py"))
    named = {name for name in QUERIES if f'"{name}"' in code}
    assert QUERIES.keys() - named == {"move_done", "move_failed"}
