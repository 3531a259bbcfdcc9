"""A sweep of a file finds what is old behind any number of rows that stay (R23)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stepwell.retention import Expiry, Retention
from stepwell.step import StepStatus
from stepwell.stores.sqlite import SQLiteStore
from stepwell.stores.sqlite.rows import instant
from stepwell.stores.sqlite.sweeping import WINDOW

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
FILL = """
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :count)
    INSERT INTO stepwell_done (
        id, name, flow_id, created_at, schedule_time, queue, priority, retention, state_format,
        activation_no, activation_seen, execution_count, failure_count, lost_count,
        result_format, ended_at, ended_as, claim_no, started, parked
    )
    SELECT
        lower(hex(randomblob(16))), 'v1/work', lower(hex(randomblob(16))), :at, :at, 'default',
        2, :retention, 'json', 0, 0, 1, 0, 0, 'json', :at, 'done', 1, 0, 0
    FROM number
"""


def fill(path: Path, count: int, retention: Retention, day: int) -> None:
    """So many rows that ended on that day."""
    at = instant(BEGIN + timedelta(days=day))
    with closing(sqlite3.connect(path)) as connection:
        values = {"count": count, "retention": int(retention), "at": at}
        connection.execute(FILL, values)
        connection.commit()


def left(path: Path) -> dict[int, int]:
    """Rows by class."""
    query = "SELECT retention, count(*) FROM stepwell_done GROUP BY retention"
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute(query).fetchall())


def sweep(store: SQLiteStore, day: int, limit: int) -> list[int]:
    """How many rows each call has removed, until there was no more."""
    expiry = Expiry(StepStatus.DONE, Retention.STANDARD, BEGIN + timedelta(days=day))
    removed, more = [], True
    while more:
        with store.transaction() as tx:
            swept = tx.sweep([expiry], limit)
        removed.append(swept.removed)
        more = swept.more
    return removed


def test_rows_that_stay_hide_none_that_go(sqlite_store: SQLiteStore, sqlite_path: Path) -> None:
    fill(sqlite_path, 2 * WINDOW, Retention.LONG, day=1)
    fill(sqlite_path, WINDOW + 500, Retention.STANDARD, day=2)
    fill(sqlite_path, 10, Retention.STANDARD, day=4)
    assert sweep(sqlite_store, day=3, limit=1000) == [1000, 500]
    assert left(sqlite_path) == {Retention.LONG: 2 * WINDOW, Retention.STANDARD: 10}


def test_a_sweep_reads_no_further_than_the_first_stretch_without_old_rows(
    sqlite_store: SQLiteStore, sqlite_path: Path
) -> None:
    """Rows are there in the order of their ends; what a bent clock put behind waits its turn."""
    fill(sqlite_path, 5, Retention.STANDARD, day=1)
    fill(sqlite_path, 2 * WINDOW, Retention.STANDARD, day=4)
    fill(sqlite_path, 5, Retention.STANDARD, day=1)
    assert sweep(sqlite_store, day=3, limit=1000) == [5]
    assert left(sqlite_path) == {Retention.STANDARD: 2 * WINDOW + 5}
    assert sum(sweep(sqlite_store, day=5, limit=1000)) == 2 * WINDOW + 5
