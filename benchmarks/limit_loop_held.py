"""For information, on PostgreSQL: the plain loop with row locks in place of a written claim.

One short open transaction locks a batch, runs it, settles it and commits: no row is written
twice. What it gives up: a transaction is open while user code runs, nobody can see who runs
what, and a killed process is noticed only when its connection is.

    python -m benchmarks.limit_loop_held postgresql://...
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import psycopg

from benchmarks.handlers import HANDLERS
from benchmarks.limit_loop_postgres import BATCH, SESSION, SPAWN, Handlers, columns, execute
from benchmarks.subject import serve
from stepwell.ids import new_id

LOCK: Final = """
    SELECT id, name, flow_id, state FROM stepwell_ready
    WHERE queue = 'default' AND priority = 2 AND schedule_time <= statement_timestamp()
        AND claimed_by IS NULL AND NOT parked AND lost_count < 2
        AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
    ORDER BY schedule_time, id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
"""

SETTLE: Final = """
    WITH over AS (
        DELETE FROM stepwell_ready WHERE id = ANY(%(ids)s) RETURNING *
    )
    INSERT INTO stepwell_done
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, description, created_by_step_id, copy_of, retention,
        state, state_format, activation_args, activation_no, activation_seen,
        execution_count + 1, failure_count, lost_count, transaction_timestamp(), 0,
        'limit loop', result, result_format, statement_timestamp(), 'done', %(me)s,
        claim_no + 1, claim_request, claimed_at, started, parked, fingerprint, join_id,
        join_policy, waiting_for, limit_key, limit_slots, rate_key
    FROM over
"""


def drain(url: str, handlers: Handlers = HANDLERS) -> int:
    """Run until nothing is due; the number of batches."""
    me = new_id()
    with psycopg.connect(url, options=SESSION, prepare_threshold=0) as connection:
        cursor: psycopg.Cursor[Any] = connection.cursor(binary=True)
        for batch in count():
            rows = cursor.execute(LOCK, {"limit": BATCH}).fetchall()
            if not rows:
                return batch
            spawned = execute(rows, handlers)
            cursor.execute(SETTLE, {"me": me, "ids": [row[0] for row in rows]})
            if spawned:
                cursor.execute(SPAWN, columns(spawned))
            connection.commit()
    raise AssertionError("a loop without end ends by its return")


if __name__ == "__main__":
    serve(drain)
