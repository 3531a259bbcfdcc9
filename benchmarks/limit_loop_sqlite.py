"""The limit on SQLite: a plain loop with written claims and no features (R45).

As on PostgreSQL: one transaction per batch settles what has been run and claims what is next.
Tables, indexes, isolation and durability (WAL, `synchronous=FULL`) are the product's. It
changes only with a decision.

    python -m benchmarks.limit_loop_sqlite steps.db
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import count
from typing import Any, Final, TypeAlias

from benchmarks.handlers import HANDLERS
from benchmarks.subject import serve
from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.stores.sqlite.rows import instant

BATCH: Final = 500

CLAIM: Final = """
    UPDATE stepwell_ready
    SET claimed_by = :me, claim_no = claim_no + 1, claimed_at = :now
    WHERE rowid IN (
        SELECT rowid FROM stepwell_ready
        WHERE queue = 'default' AND priority = 2 AND schedule_time <= :now
            AND claimed_by IS NULL AND parked = 0 AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT :limit
    )
    RETURNING rowid, name, flow_id, state
"""

SETTLE: Final = """
    INSERT INTO stepwell_done
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, description, created_by_step_id, copy_of, retention,
        state, state_format, activation_args, activation_no, activation_seen,
        execution_count + 1, failure_count, lost_count, claimed_at, 0.0, 'limit loop', result,
        result_format, :now, 'done', claimed_by, claim_no, claim_request, claimed_at, started,
        parked, fingerprint, join_id, join_policy, waiting_for, limit_key, limit_slots, rate_key
    FROM stepwell_ready
    WHERE rowid IN (SELECT value FROM json_each(:rowids)) AND claimed_by = :me
"""

REMOVE: Final = """
    DELETE FROM stepwell_ready
    WHERE rowid IN (SELECT value FROM json_each(:rowids)) AND claimed_by = :me
"""

SPAWN: Final = """
    INSERT INTO stepwell_ready (
        id, name, flow_id, state, created_at, schedule_time, queue, priority, retention,
        state_format, activation_no, activation_seen, execution_count, failure_count,
        lost_count, result_format, claim_no, started, parked
    )
    VALUES (?, ?, ?, ?, ?, ?, 'default', 2, 1, 'json', 0, 0, 0, 0, 0, 'json', 0, 0, 0)
"""

Row: TypeAlias = tuple[int, str, str, str]
Handlers: TypeAlias = dict[str, Callable[[Any], tuple[str, Any] | None]]


def execute(rows: list[Row], handlers: Handlers) -> list[tuple[str, ...]]:
    """Decode each state and call its handler; the steps that they spawn, encoded."""
    spawned: list[tuple[str, ...]] = []
    for _, name, flow_id, state in rows:
        follow_up = handlers[name](json.loads(state))
        if follow_up:
            at = instant(now())
            row = (str(new_id()), follow_up[0], flow_id, json.dumps(follow_up[1]), at, at)
            spawned.append(row)
    return spawned


def drain(path: str, handlers: Handlers = HANDLERS) -> int:
    """Run until nothing is due; the number of batches."""
    me, rows, spawned = str(new_id()), list[Row](), list[tuple[str, ...]]()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=15)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        for batch in count():
            connection.execute("BEGIN IMMEDIATE")
            values: dict[str, Any] = {"me": me, "now": instant(now()), "limit": BATCH}
            if rows:
                values["rowids"] = json.dumps([row[0] for row in rows])
                connection.execute(SETTLE, values)
                connection.execute(REMOVE, values)
            connection.executemany(SPAWN, spawned)
            values["now"] = instant(now())
            rows = connection.execute(CLAIM, values).fetchall()
            connection.execute("COMMIT")
            if not rows:
                return batch
            spawned = execute(rows, handlers)
    raise AssertionError("a loop without end ends by its return")


if __name__ == "__main__":
    serve(drain)
