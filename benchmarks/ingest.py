"""How many operation results per second a server takes from containers.

    python -m benchmarks.ingest --database sqlite --seconds 10

A real `stepwell serve` process, and processes of clients that speak `stores.http` over real
sockets. Each line names the results per second, the processor time per result of both sides,
and the ratio to two limits that are measured right before it with as many results at once:
rows moved by plain SQL with one commit per settlement, and a listener that only reads and
answers. On a machine that has other work, the processor time and the ratios are what counts.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update

from benchmarks.machine import machine
from benchmarks.places import PostgresPlace
from benchmarks.server.served import cpu, until
from benchmarks.subject import Subject, race
from benchmarks.subjects.ingest import NAME
from stepwell import clock
from stepwell.cli.serving.listener import bound
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.server.database.session import Database
from stepwell.server.database.tables import discoveries, groups, release_workflows, releases
from stepwell.server.runs import queries, service
from stepwell.step import new_step

KEY: Final = "a key of the benchmark"
CLIENTS: Final = 2
HEADING: Final = (
    "| database | results at once | results/s | server ms | client ms | of plain SQL "
    "| of bare ASGI |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=16, help="containers that settle at once")
    parser.add_argument("--at-once", type=int, nargs="*", default=[1, 20])
    options = parser.parse_args()
    print(machine())
    print(HEADING)
    for at_once in options.at_once:
        with tempfile.TemporaryDirectory() as folder, _database(options.database, folder) as url:
            rows = int(options.seconds * (6_000 if at_once > 1 else 1_500) / options.runs)
            plain, bare = plain_sql(Path(folder), at_once), bare_asgi(at_once)
            taken = ingest(url, Path(folder), at_once, options.seconds, options.runs, rows)
        rate = taken["rate"]
        print(
            f"| {options.database} | {at_once} | {rate:.0f} | {taken['server'] * 1000:.2f} "
            f"| {taken['client'] * 1000:.2f} | {rate / plain:.2f} | {rate / bare:.2f} |",
            flush=True,
        )


def ingest(
    url: str, folder: Path, at_once: int, seconds: float, runs: int, rows: int
) -> dict[str, float]:
    """Results per second, and seconds of processor per result of the server and the clients."""
    ids = prepared(url, runs, rows)
    with served(url, folder) as (address, pid):
        clients = [
            Subject(
                "benchmarks.subjects.ingest",
                [address, KEY, at_once, seconds, *ids[number::CLIENTS]],
            )
            for number in range(CLIENTS)
        ]
        before: list[float] = []
        _, found = race(_noting(clients, pid, before))
        used = cpu([pid]) - before[0]
    results = [one["found"] for one in found]
    settled = sum(one["settled"] for one in results)
    return {
        "rate": sum(one["settled"] / one["seconds"] for one in results),
        "server": used / settled,
        "client": sum(one["processor"] for one in results) / settled,
    }


def _noting(clients: list[Subject], pid: int, before: list[float]) -> list[Subject]:
    """The clients, ready; the server's processor time until then is of no interest."""
    for one in clients:
        one.ready()
        one.ready = lambda one=one: one  # type: ignore[method-assign,misc]
    before.append(cpu([pid]))
    return clients


def plain_sql(folder: Path, at_once: int, seconds: float = 2.0) -> float:
    """Rows per second that move from one table to another by SQL alone, on SQLite."""
    path = folder / "plain.db"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS ready (id TEXT PRIMARY KEY, flow TEXT, state TEXT)")
    db.execute("CREATE TABLE IF NOT EXISTS done (id TEXT PRIMARY KEY, flow TEXT, result TEXT)")
    ids = [str(new_id()) for _ in range(60_000)]
    db.execute("BEGIN")
    db.executemany("INSERT INTO ready VALUES (?, 'f', '{}')", [(one,) for one in ids])
    db.execute("COMMIT")
    moved, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds and moved + at_once <= len(ids):
        db.execute("BEGIN IMMEDIATE")
        for one in ids[moved : moved + at_once]:
            db.execute("DELETE FROM ready WHERE id = ?", (one,))
            db.execute("INSERT INTO done VALUES (?, 'f', ?)", (one, '{"rows":1}'))
        db.execute("COMMIT")
        moved += at_once
    rate = moved / (time.monotonic() - begun)
    db.close()
    path.unlink()
    return rate


def bare_asgi(at_once: int, seconds: float = 3.0) -> float:
    """Results per second that a listener reads and answers, with the same number of clients."""
    with bound("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.subjects.bare_asgi", str(port)]
    process = subprocess.Popen(command)
    try:
        arguments = [f"http://127.0.0.1:{port}", at_once, seconds]
        clients = [Subject("benchmarks.subjects.ingest_bare", arguments) for _ in range(CLIENTS)]
        _, found = race(clients)
        return float(sum(one["found"] for one in found))
    finally:
        process.terminate()
        process.wait()


@contextmanager
def served(url: str, folder: Path) -> Iterator[tuple[str, int]]:
    """`stepwell serve` without an engine: its address, and its process."""
    with bound("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "stepwell.cli", "serve", "--api-only"]
    where = ["--database", url, "--data-dir", str(folder / "data"), "--port", str(port)]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *where],
            env=os.environ | {"STEPWELL_SECRET_KEY": KEY},
            stdout=log,
            stderr=log,
        )
        try:
            until(lambda: b"stepwell serves" in (folder / "server.log").read_bytes())
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait()


def prepared(url: str, runs: int, rows: int) -> list[str]:
    """Runs whose containers have just been launched, each with so many rows to settle."""
    db = Database(url)
    db.migrate()
    _release(db)
    ids = []
    for _ in range(runs):
        with db.write() as conn:
            wanted: dict[str, Any] = {"group": "bench", "workflow": "three", "parameters": {}}
            run_id = service.start_run(conn, db, trigger="request", requested_by="b", **wanted)
            queries.add_attempt(conn, run_id=run_id, number=1, queued_at=clock.now())
            queries.change(conn, run_id, attempt=1, state="starting")
            _load(db, conn, run_id, rows)
        ids.append(str(run_id))
    db.close()
    return ids


def _load(db: Database, conn: Any, run_id: UUID, rows: int) -> None:
    step = new_step(NAME, {"parameters": {}}, queue="runs", flow_id=run_id)
    template = seal(step, JSON, clock.now()).step
    db.steps(conn).load(template, ((str(new_id()), '{"parameters":{}}') for _ in range(rows)))


def _release(db: Database) -> None:
    now, discovery, made = clock.now(), new_id(), new_id()
    by = {"created_at": now, "created_by": "b"}
    entry = {"name": "three", "parameters": {}, "operations": [{"name": "first"}]}
    group = {"name": "bench", "provisional": False, "launcher": "process", "image": "x.py"}
    found = {"id": discovery, "group_name": "bench", "state": "succeeded", "trigger": "request"}
    with db.write() as conn:
        conn.execute(
            insert(groups).values(
                **group, environment={}, secrets={}, discover_with_secrets=False, **by
            )
        )
        conn.execute(
            insert(discoveries).values(
                **found, requested_by="b", created_at=now, finished_at=now, digest="sha256:0"
            )
        )
        conn.execute(
            insert(releases).values(
                id=made, group_name="bench", number=1, discovery_id=discovery, **by
            )
        )
        conn.execute(
            insert(release_workflows).values(
                release_id=made,
                workflow="three",
                discovery_id=discovery,
                digest="sha256:0",
                entry=entry,
            )
        )
        conn.execute(update(groups).where(groups.c.name == "bench").values(release_id=made))


@contextmanager
def _database(kind: str, folder: str) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{Path(folder) / 'ingest.db'}"
        return
    with PostgresPlace() as place:
        yield place.empty()


if __name__ == "__main__":
    main()
