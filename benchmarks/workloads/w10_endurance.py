"""W10 endurance: steps poured in at half of the peak, for twenty minutes.

The peak is measured first, as in W1. Dead rows of the ready table are looked at fifty times in
each quarter; the 99th percentile (added to started, by the store's times) is that of the steps
of a quarter. WAL is what the server wrote from the first step to the last, by step: adding,
claiming and settling it, with indexes, full pages after checkpoints, and heartbeats.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Final

from benchmarks.bench import Bench
from benchmarks.places import PostgresPlace
from benchmarks.results import Result
from benchmarks.stores import with_steps
from benchmarks.subject import Subject, started
from benchmarks.workloads.w1_drain import prepare

TEMPLATE: Final = "no steps"
LOOKS: Final = 200
DEAD: Final = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'stepwell_ready'"
WAL: Final = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8"
P99: Final = """
    SELECT percentile_disc(0.99) WITHIN GROUP (
        ORDER BY extract(epoch FROM execution_started_at - created_at)::float8 * 1000
    )
    FROM stepwell_done
    WHERE created_at BETWEEN to_timestamp({}) AND to_timestamp({})
"""


def measure(bench: Bench) -> None:
    """On PostgreSQL, by one engine beside one process that adds."""
    place, minutes = bench.postgres, bench.sizes.minutes
    place.fill(TEMPLATE, with_steps(list))
    peak = prepare(bench, place).stepwell().run()
    assert isinstance(peak, float)
    rate = peak / 2
    found = endure(bench, place, rate, minutes * 60)
    size = f"{minutes:g} min at {rate:,.0f} steps/s"
    for variant, (values, unit) in found.items():
        bench.note(
            place,
            Result(
                workload="W10",
                system="stepwell",
                store=place.kind,
                variant=variant,
                unit=unit,
                size=size,
                rounds=tuple(values),
            ),
        )


def endure(
    bench: Bench, place: PostgresPlace, rate: float, seconds: float
) -> dict[str, tuple[list[float], str]]:
    """Figures by name, each with its unit; of dead rows and waits one value per quarter."""
    address = place.fresh(TEMPLATE)
    wal = place.ask(WAL)
    engine = Subject("benchmarks.subjects.stepwell_stand", [address, 1])
    adder = Subject("benchmarks.subjects.stepwell_pour", [address, rate, seconds])
    with started([engine, adder]):
        engine.go()
        adder.go()
        began = time.time()
        dead = _watched(bench, place, address, seconds)
        adder.result()
        ended = time.time()
        done = engine.result()["found"]
        written = place.ask(WAL) - wal
    p99 = [place.ask(P99.format(*times), address) for times in _quarters(began, ended)]
    place.drop(address)
    return {
        "dead rows, by quarter": (dead, "rows"),
        "p99, by quarter": ([one or 0.0 for one in p99], "ms"),
        "WAL": ([written / max(done, 1)], "bytes/step"),
        "throughput": ([done / (ended - began)], "steps/s"),
    }


def _watched(bench: Bench, place: PostgresPlace, address: str, seconds: float) -> list[float]:
    """The median number of dead rows in each quarter."""
    seen: list[float] = []
    for _ in range(LOOKS):
        time.sleep(seconds / LOOKS)
        seen.append(place.ask(DEAD, address) or 0)
        bench.say(f"W10 {seen[-1]:,} dead rows")
    share = LOOKS // 4
    return [median(seen[start : start + share]) for start in range(0, LOOKS, share)]


def _quarters(began: float, ended: float) -> list[tuple[float, float]]:
    length = (ended - began) / 4
    return [(began + number * length, began + (number + 1) * length) for number in range(4)]
