"""The limit of adding in bulk on PostgreSQL: COPY into the product's table, and nothing else.

Run as `python -m benchmarks.subjects.plain_copy ADDRESS STEPS`.
"""

from __future__ import annotations

import json
from typing import Any, Final

import psycopg

from benchmarks.handlers import state
from benchmarks.subject import serve
from stepwell.clock import now
from stepwell.ids import new_id

COPY: Final = """
    COPY stepwell_ready (
        id, name, flow_id, state, created_at, schedule_time, queue, priority, retention,
        state_format, activation_no, activation_seen, execution_count, failure_count,
        lost_count, result_format, claim_no, started, parked
    ) FROM STDIN
"""


def prepare(address: str, steps: str) -> tuple[psycopg.Connection[Any], int]:
    """With the connection open."""
    return psycopg.connect(address), int(steps)


def copy(job: tuple[psycopg.Connection[Any], int]) -> int:
    """Copy so many rows in one transaction."""
    connection, steps = job
    at = now()
    rest = (at, at, "default", 2, 1, "json", 0, 0, 0, 0, 0, "json", 0, False, False)
    with connection, connection.cursor().copy(COPY) as rows:
        for _ in range(steps):
            step_id = new_id()
            rows.write_row((step_id, "v1/noop", step_id, json.dumps(state()), *rest))
    return steps


if __name__ == "__main__":
    serve(copy, prepare)
