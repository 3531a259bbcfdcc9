"""W9 idle: ten engines and no work. What they ask of the server, and what they write.

Queries are counted in the server's log, which is told to note each statement of the database;
BEGIN and COMMIT are not counted. Rows written are those of the server's own statistics, of all
tables but that of the engines: the heartbeat's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.bench import Bench, Contender
from benchmarks.places import PostgresPlace
from benchmarks.stores import with_steps
from benchmarks.subject import Subject, started

TEMPLATE: Final = "no steps"
ENGINES: Final = 10
SETTLING: Final = 3.0
"""Seconds after the start that are not counted."""
STATEMENT: Final = re.compile(r"LOG: +(?:execute [^:]*|statement): (?!BEGIN|COMMIT|ROLLBACK)")
WRITTEN: Final = """
    SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::float8
    FROM pg_stat_user_tables WHERE relname <> 'stepwell_engines'
"""


def measure(bench: Bench) -> None:
    """On PostgreSQL, once: it is a count and not a speed."""
    place, seconds = bench.postgres, bench.sizes.idle
    place.fill(TEMPLATE, with_steps(list))

    def run() -> dict[str, float]:
        return idle(place, seconds)

    size = f"{ENGINES} engines for {seconds:.0f} s"
    contender = Contender(system="stepwell", run=run)
    bench.compare("W9", place, [contender], unit="per s and engine", size=size, rounds=1)


def idle(place: PostgresPlace, seconds: float) -> dict[str, float]:
    """Queries per second and engine, and rows written that are no heartbeat."""
    address = place.fresh(TEMPLATE)
    place.log_statements(address)
    with _standing(address):
        time.sleep(min(SETTLING, seconds))
        before, written = place.log.stat().st_size, place.ask(WRITTEN, address)
        time.sleep(seconds)
        queries = _statements(place, before)
        more = place.ask(WRITTEN, address) - written
    place.drop(address)
    share = seconds * ENGINES
    return {"queries": queries / share, "rows written": more / share}


@contextmanager
def _standing(address: str) -> Iterator[None]:
    with started([Subject("benchmarks.subjects.stepwell_stand", [address, ENGINES])]) as [subject]:
        subject.go()
        yield
        subject.result()


def _statements(place: PostgresPlace, start: int) -> int:
    with place.log.open("rb") as log:
        log.seek(start)
        return len(STATEMENT.findall(log.read().decode(errors="replace")))
