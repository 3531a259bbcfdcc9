"""The limit of a latency on PostgreSQL: two plain loops and no features (R45).

One adds a row and tells of it in a single statement, a commit of its own; the other hears of it,
locks the row, notes when its handler is called, and settles. Tables, indexes and session settings
are the product's. It changes only with a decision.

    python -m benchmarks.limit_latency listen postgresql://... STEPS
    python -m benchmarks.limit_latency trickle postgresql://... STEPS SECONDS
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

import psycopg

from benchmarks.handlers import state
from benchmarks.limit_loop_held import LOCK, SETTLE
from benchmarks.limit_loop_postgres import BATCH, SESSION, SPAWN, columns
from benchmarks.subject import serve
from stepwell.ids import new_id

ADD: Final = f"""
    WITH added AS ({SPAWN} RETURNING id) SELECT pg_notify('limit_loop', '') FROM added
"""


class Listening:
    """Two connections: one hears, the other works."""

    def __init__(self, url: str, steps: str) -> None:
        self._steps, self._me = int(steps), new_id()
        self._ear = psycopg.connect(url, autocommit=True)
        self._ear.execute("LISTEN limit_loop")
        self._connection = psycopg.connect(url, options=SESSION, prepare_threshold=0)

    def work(self) -> dict[int, float]:
        """Run all that comes; when each step was started, in Unix seconds."""
        started: dict[int, float] = {}
        while len(started) < self._steps:
            if not self._batch(started):
                list(self._ear.notifies(timeout=60, stop_after=1))
        return started

    def _batch(self, started: dict[int, float]) -> bool:
        with self._connection.transaction():
            cursor: psycopg.Cursor[Any] = self._connection.cursor(binary=True)
            rows = cursor.execute(LOCK, {"limit": BATCH}).fetchall()
            for *_, text in rows:
                number = json.loads(text)["number"]
                started[number] = time.time()
            if rows:
                cursor.execute(SETTLE, {"me": self._me, "ids": [row[0] for row in rows]})
        return bool(rows)


class Trickling:
    """One connection that adds."""

    def __init__(self, url: str, steps: str, apart: str) -> None:
        self._steps, self._apart = int(steps), float(apart)
        self._connection = psycopg.connect(
            url, options=SESSION, prepare_threshold=0, autocommit=True
        )

    def work(self) -> dict[int, float]:
        """One step at a time; when each was asked for, in Unix seconds."""
        asked: dict[int, float] = {}
        begun = time.monotonic()
        for number in range(self._steps):
            time.sleep(max(begun + (number + 1) * self._apart - time.monotonic(), 0))
            asked[number] = time.time()
            text = json.dumps(state() | {"number": number})
            self._connection.execute(ADD, columns([(new_id(), "v1/note", new_id(), text)]))
        return asked


def prepare(role: str, *words: str) -> Listening | Trickling:
    """With the connections open."""
    return Listening(*words) if role == "listen" else Trickling(*words)


if __name__ == "__main__":
    serve(lambda loop: loop.work(), prepare)
