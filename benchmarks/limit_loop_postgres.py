"""The limit on PostgreSQL: a plain loop with written claims and no features (R45).

One transaction per batch settles what has been run and claims what is next: an UPDATE marks
the rows as this loop's own, so that no transaction is open while handlers run. Tables, indexes,
isolation and session settings are the product's; there is one connection and no thread, no
pipeline, no retry, no heartbeat, no fence against late outcomes. It changes only with a decision.

    python -m benchmarks.limit_loop_postgres postgresql://...
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg

from benchmarks.handlers import HANDLERS
from benchmarks.subject import serve
from stepwell.ids import new_id

BATCH: Final = 500
SESSION: Final = (
    "-c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off -c timezone=UTC"
)

CLAIM: Final = """
    UPDATE stepwell_ready
    SET claimed_by = %(me)s, claim_no = claim_no + 1, claimed_at = statement_timestamp()
    WHERE id = ANY(ARRAY(
        SELECT id FROM stepwell_ready
        WHERE queue = 'default' AND priority = 2 AND schedule_time <= statement_timestamp()
            AND claimed_by IS NULL AND NOT parked AND lost_count < 2
            AND waiting_for = 0 AND limit_key IS NULL AND rate_key IS NULL
        ORDER BY schedule_time, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, name, flow_id, state
"""

SETTLE: Final = """
    WITH over AS (
        DELETE FROM stepwell_ready WHERE id = ANY(%(ids)s) AND claimed_by = %(me)s RETURNING *
    )
    INSERT INTO stepwell_done
    SELECT
        id, name, flow_id, created_at, schedule_time, queue, priority, unique_key,
        correlation_id, search_key, description, created_by_step_id, copy_of, retention,
        state, state_format, activation_args, activation_no, activation_seen,
        execution_count + 1, failure_count, lost_count, claimed_at, 0, 'limit loop', result,
        result_format, statement_timestamp(), 'done', claimed_by, claim_no, claim_request,
        claimed_at, started, parked, fingerprint, join_id, join_policy, waiting_for,
        limit_key, limit_slots, rate_key
    FROM over
"""

SPAWN: Final = """
    INSERT INTO stepwell_ready (
        id, name, flow_id, state, created_at, schedule_time, queue, priority, retention,
        state_format, activation_no, activation_seen, execution_count, failure_count,
        lost_count, result_format, claim_no, started, parked
    )
    SELECT
        id, name, flow_id, state, statement_timestamp(), statement_timestamp(), 'default', 2, 1,
        'json', 0, 0, 0, 0, 0, 'json', 0, false, false
    FROM unnest(%(ids)s::uuid[], %(names)s::text[], %(flows)s::uuid[], %(states)s::text[])
        AS spawned (id, name, flow_id, state)
"""

Row: TypeAlias = tuple[UUID, str, UUID, str]
Handlers: TypeAlias = dict[str, Callable[[Any], tuple[str, Any] | None]]


def execute(rows: list[Row], handlers: Handlers) -> list[Row]:
    """Decode each state and call its handler; the steps that they spawn, encoded."""
    spawned: list[Row] = []
    for _, name, flow_id, state in rows:
        follow_up = handlers[name](json.loads(state))
        if follow_up:
            spawned.append((new_id(), follow_up[0], flow_id, json.dumps(follow_up[1])))
    return spawned


def columns(spawned: list[Row]) -> dict[str, list[Any]]:
    """Rows as the arrays that SPAWN takes."""
    ids, names, flows, states = map(list, zip(*spawned, strict=True))
    return {"ids": ids, "names": names, "flows": flows, "states": states}


def drain(url: str, handlers: Handlers = HANDLERS) -> int:
    """Run until nothing is due; the number of batches."""
    me, rows, spawned = new_id(), list[Row](), list[Row]()
    with psycopg.connect(url, options=SESSION, prepare_threshold=0) as connection:
        cursor = connection.cursor(binary=True)
        for batch in count():
            if rows:
                cursor.execute(SETTLE, {"me": me, "ids": [row[0] for row in rows]})
            if spawned:
                cursor.execute(SPAWN, columns(spawned))
            rows = cursor.execute(CLAIM, {"me": me, "limit": BATCH}).fetchall()
            connection.commit()
            if not rows:
                return batch
            spawned = execute(rows, handlers)
    raise AssertionError("a loop without end ends by its return")


if __name__ == "__main__":
    serve(drain)
