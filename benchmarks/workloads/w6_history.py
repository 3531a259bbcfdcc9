"""W6 history: the drain in a database that is full of other rows.

Done rows of the last weeks, rows that are due tomorrow, and, at the head of the queue, rows
whose names no engine here handles: met for the first time (each is parked once), and parked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg

from benchmarks.bench import Bench, Sizes
from benchmarks.draining import Drain
from benchmarks.handlers import state
from benchmarks.stores import with_steps
from benchmarks.workloads.w1_drain import prepare
from stepwell import new_step

COMMON: Final = (
    "name, created_at, schedule_time, queue, priority, retention, state, state_format,"
    " activation_no, activation_seen, execution_count, failure_count, lost_count, result_format,"
    " claim_no, started, parked"
)
DONE: Final = f"""
    INSERT INTO stepwell_done (id, flow_id, {COMMON}, executed_by, ended_at, ended_as)
    SELECT id, id, 'v1/noop', at, at, 'default', 2, 1, '{{}}', 'json',
        0, 0, 1, 0, 0, 'json', 1, false, false, 'history', at, 'done'
    FROM (
        SELECT gen_random_uuid() AS id,
            now() - number * interval '2 weeks' / %(rows)s AS at
        FROM generate_series(1, %(rows)s) AS number
    ) AS made
"""
READY: Final = f"""
    INSERT INTO stepwell_ready (id, flow_id, {COMMON})
    SELECT id, id, %(name)s, now(), at, 'default', 2, 1, '{{}}', 'json',
        0, 0, 0, 0, 0, 'json', 0, false, %(parked)s
    FROM (
        SELECT gen_random_uuid() AS id,
            now() + %(due)s::interval + number * interval '1 day' / %(rows)s AS at
        FROM generate_series(1, %(rows)s) AS number
    ) AS made
"""


def measure(bench: Bench) -> None:
    """On PostgreSQL, by one process; each variant beside the limit on the same rows."""
    place, sizes = bench.postgres, bench.sizes
    variants = {"empty": prepare(bench, place)}
    for name, fill in FILLINGS.items():
        place.fill(name, _filled(sizes, fill))
        variants[name] = Drain(place=place, template=name, expected=sizes.steps)
    contenders = [
        contender
        for name, task in variants.items()
        for contender in (
            *([] if "foreign" in name else [task.limit(variant=name)]),
            task.stepwell(variant=name),
        )
    ]
    size = (
        f"{sizes.steps:,} steps beside {sizes.history:,} done, {sizes.future:,} future,"
        f" {sizes.foreign:,} foreign rows"
    )
    bench.compare("W6", place, contenders, size=size)


Rows = Callable[[Sizes], list[tuple[str, dict[str, object]]]]


def history(sizes: Sizes) -> list[tuple[str, dict[str, object]]]:
    """Done rows, and future ones."""
    future = {"name": "v1/noop", "due": "1 day", "rows": sizes.future, "parked": False}
    return [(DONE, {"rows": sizes.history}), (READY, future)]


def foreign(sizes: Sizes, *, parked: bool) -> list[tuple[str, dict[str, object]]]:
    """The same, and names that nobody handles, due since yesterday."""
    heads = {"name": "v1/elsewhere", "due": "-2 days", "rows": sizes.foreign, "parked": parked}
    return [*history(sizes), (READY, heads)]


FILLINGS: Final[dict[str, Rows]] = {
    "history": history,
    "history, foreign": lambda sizes: foreign(sizes, parked=False),
    "history, foreign parked": lambda sizes: foreign(sizes, parked=True),
}


def _filled(sizes: Sizes, rows: Rows) -> Callable[[str], None]:
    one_step_flows = with_steps(lambda: (new_step("v1/noop", state()) for _ in range(sizes.steps)))

    def fill(address: str) -> None:
        one_step_flows(address)
        with psycopg.connect(address) as connection:
            for statement, values in rows(sizes):
                connection.execute(statement.encode(), values)

    return fill
