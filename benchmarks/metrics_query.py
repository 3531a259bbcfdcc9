"""How long questions about 90 days of a million runs take.

    python -m benchmarks.metrics_query            # SQLite, in a temporary file
    python -m benchmarks.metrics_query postgresql://...

Each is asked ten times. `wall` is what a caller waits, `cpu` what this process computes
(on a busy machine the one that can be compared).
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection

from benchmarks.metrics_data import fill
from stepwell import clock
from stepwell.server.database.session import Database
from stepwell.server.metrics import ranking, reading
from stepwell.server.metrics.records import By, Order, Step

Question = Callable[[Connection], Any]


def questions(now: datetime) -> dict[str, Question]:
    """What the screen of metrics asks."""
    over = reading.range_of(now - timedelta(days=90), now)
    week = reading.range_of(now - timedelta(days=7), now)
    daily = reading.range_of(now - timedelta(days=90), now, Step.DAY)
    group, workflow = "group-3", "workflow-4"
    return {
        "the whole server, 90 days, compared": lambda c: reading.query(c, over, compare=True),
        "a group, 90 days, compared": lambda c: reading.query(c, over, group=group, compare=True),
        "a workflow, 90 days, compared": lambda c: reading.query(
            c, over, group=group, workflow=workflow, compare=True
        ),
        "an operation, 90 days": lambda c: reading.query(
            c, over, group=group, workflow=workflow, operation="load"
        ),
        "a workflow, 7 days by the hour": lambda c: reading.query(
            c, week, group=group, workflow=workflow
        ),
        "20 slowest workflows of 100, 90 days": lambda c: ranking.ranking(
            c, over, By.WORKFLOW, Order.AVERAGE, 20
        ),
        "20 slowest operations of 400, 90 days": lambda c: ranking.ranking(
            c, over, By.OPERATION, Order.AVERAGE, 20
        ),
        "top causes, 90 days": lambda c: ranking.causes(c, daily, 20),
    }


def timed(db: Database, question: Question, times: int = 10) -> tuple[float, float, float]:
    """Median and longest wall time, and median CPU time of this process, in milliseconds."""
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        with db.read() as conn:
            question(conn).model_dump_json()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return median(walls), max(walls), median(cpus)


def main(url: str) -> None:
    """Fill, ask, print a table."""
    db, now = Database(url), clock.now()
    db.migrate()
    begun = time.perf_counter()
    rows = fill(db, now)
    print(f"{rows} rows of roll-ups written in {time.perf_counter() - begun:.0f} s\n")
    print("| question | wall p50 | wall max | cpu p50 |\n| --- | --- | --- | --- |")
    for name, question in questions(now).items():
        p50, longest, cpu = timed(db, question)
        print(f"| {name} | {p50:.0f} ms | {longest:.0f} ms | {cpu:.0f} ms |")
    db.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if sys.argv[1:] else f"sqlite:///{Path(folder) / 'metrics.db'}")
