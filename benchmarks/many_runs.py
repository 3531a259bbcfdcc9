"""A page of runs among a million: how long queries take, on SQLite and on PostgreSQL.

    python -m benchmarks.many_runs --runs 1000000 --database sqlite:///runs.db

Makes the rows unless they are there, then asks each query of the table below some times,
through the HTTP app in this process, and prints wall-clock and processor time, in milliseconds:
the median and the least of them.
Processor time is that of this process, in which SQLite runs and PostgreSQL does not.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text
from starlette.testclient import TestClient

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.access import service as access
from stepwell.server.access.records import NewToken, Role
from stepwell.server.app import Server
from stepwell.server.database.tables import discoveries, groups, releases, runs
from stepwell.server.settings import Settings

QUERIES = (
    "",
    "state:failed",
    "state:failed workflow:workflow-17",
    "state:running",
    "workflow:workflow-17",
    "group:group-3",
    "group:group-3 state:failed",
    "schedule:none by:me",
    "cause:f0000000000000a7",
    "since:2h",
    "state:failed since:1d took>5m",
    "-state:succeeded",
    "trigger:repeat",
    "input.customer:customer-999",
    "refused",
    '"no such text"',
    "error:refused state:failed",
    "version:1 step:load",
)
BATCH = 5_000
DAYS = 90
COPIES = 20
HEADING = (
    "| what | query | median | least | processor | found |\n"
    "| --- | --- | ---: | ---: | ---: | ---: |"
)
STATES = ["succeeded"] * 94 + ["failed"] * 5 + ["cancelled"]


def main() -> None:
    """Make the rows, ask the queries, print the table."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        url = options.database or f"sqlite:///{Path(folder) / 'runs.db'}"
        settings = Settings(data_dir=Path(folder), database_url=url, run_engine=False)
        server = Server(settings, launchers={})
        server.db.migrate()
        with server:
            fill(server, options.runs)
            _ask(server, options.times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--database", default="")
    return parser.parse_args()


def fill(server: Server, wanted: int) -> None:
    """The newest runs one by one, all others as copies of these from earlier days."""
    with server.db.write() as conn:
        if conn.execute(select(func.count()).select_from(runs)).scalar_one():
            return
        rows = _rows(_released(conn), wanted // COPIES)
    begin = time.monotonic()
    while some := list(islice(rows, BATCH)):
        with server.db.write() as conn:
            conn.execute(insert(runs), some)
    with server.db.write() as conn:
        _be_silent(conn)
        indexes = _without_indexes(conn)
    for number in range(1, COPIES):
        with server.db.write() as conn:
            conn.execute(text(_copy(conn, number)))
    for index in [*indexes, "ANALYZE"]:
        with server.db.write() as conn:
            conn.exec_driver_sql(index)
    print(f"made {wanted:,} runs in {time.monotonic() - begin:.0f} s")


def _be_silent(conn: Any) -> None:
    """Nobody listens here."""
    conn.execute(text("DELETE FROM changes"))
    if conn.dialect.name == "sqlite":
        conn.execute(text("DROP TRIGGER changes_of_runs_insert"))
    else:
        conn.execute(text("ALTER TABLE runs DISABLE TRIGGER USER"))


def _without_indexes(conn: Any) -> list[str]:
    """Drop those of SQLite, which makes a million rows of them faster at once than one by one."""
    if conn.dialect.name != "sqlite":
        return []
    found = conn.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master "
        "WHERE type = 'index' AND tbl_name = 'runs' AND sql IS NOT NULL"
    ).all()
    for name, _ in found:
        conn.exec_driver_sql(f"DROP INDEX {name}")
    return [sql for _, sql in found]


def _copy(conn: Any, number: int) -> str:
    """SQL: the newest runs again, as many spans earlier; their ids differ at the beginning."""
    seconds, mark = number * DAYS * 86400 // COPIES, f"{number + 1:02x}"
    if conn.dialect.name == "sqlite":
        own, earlier = "id", "strftime('%Y-%m-%dT%H:%M:%f000Z', {}, '-{} seconds')"
        new_id_of = f"'{mark}' || substr(id, 3)"
    else:
        own, earlier = "id::text", "{} - interval '{} seconds'"
        new_id_of = f"('{mark}' || substr(id::text, 3))::uuid"
    columns = [column.name for column in runs.columns]
    shifted = {name: earlier.format(name, seconds) for name in columns if name.endswith("_at")}
    values = [{**shifted, "id": new_id_of}.get(name, name) for name in columns]
    source = f"runs WHERE {own} LIKE '01%' AND state <> 'running'"
    return f"INSERT INTO runs ({', '.join(columns)}) SELECT {', '.join(values)} FROM {source}"


def _released(conn: Any) -> UUID:
    now, made, discovery = clock.now(), new_id(), new_id()
    by = {"created_at": now, "created_by": "bench"}
    for number in range(10):
        conn.execute(
            insert(groups).values(
                name=f"group-{number}",
                provisional=False,
                launcher="process",
                image="x",
                environment={},
                secrets={},
                discover_with_secrets=False,
                **by,
            )
        )
    conn.execute(
        insert(discoveries).values(
            id=discovery,
            group_name="group-0",
            state="failed",
            trigger="request",
            requested_by="bench",
            created_at=now,
        )
    )
    values = {"id": made, "group_name": "group-0", "number": 1, "discovery_id": discovery}
    conn.execute(insert(releases).values(**values, **by))
    return made


def _rows(release: UUID, wanted: int) -> Iterator[dict[str, Any]]:
    chance, now = random.Random(17), clock.now()
    step = timedelta(days=DAYS / COPIES) / wanted
    for number in range(wanted):
        at = now - step * (wanted - number)
        state = "running" if number > wanted - 40 else chance.choice(STATES)
        workflow = int(chance.triangular(0, 200, 0))
        failed, took = state == "failed", chance.expovariate(1 / 90)
        yield {
            "id": new_id(),
            "group_name": f"group-{workflow % 10}",
            "workflow": f"workflow-{workflow}",
            "release_id": release,
            "digest": f"sha256:{workflow:064x}",
            "state": state,
            "parameters": {"day": f"{at:%Y-%m-%d}", "customer": f"customer-{number % 1000}"},
            "trigger": "repeat" if chance.random() < 0.001 else "schedule",
            "requested_by": "schedule default",
            "due_at": at,
            "created_at": at,
            "deadline_at": at + timedelta(days=1),
            "started_at": at,
            "finished_at": None if state == "running" else at + timedelta(seconds=took),
            "attempt": 1,
            "warnings": 0,
            "reason": f"connection refused to db-{number % 300}" if failed else None,
            "fingerprint": f"f{number % 300:015x}" if failed else None,
            "failed_operation": "load" if failed else None,
        }


def client_of(server: Server) -> TestClient:
    """An admin who asks the app in this process."""
    with server.db.write() as conn:
        new = NewToken(name=f"bench-{new_id().hex}", role=Role.ADMIN)
        secret = access.issue(conn, new, by="bench").secret
    return TestClient(
        server.app,
        base_url="http://bench/api/v1/",
        headers={"Authorization": f"Bearer {secret}"},
    )


def _ask(server: Server, times: int) -> None:
    client = client_of(server)
    print(HEADING)
    for query in QUERIES:
        _line(client, "runs", query, times, lambda page: len(page["items"]))
    for query in ("", "state:failed", "refused"):
        _line(client, "runs/counts", query, times, lambda found: found["shown"])
        _line(client, "runs/histogram", f"since:7d {query}", times, lambda one: one["looked_at"])
    _line(client, "causes", "", times, lambda one: one["causes"])
    _line(client, "summary", "", times, lambda one: one["counts"]["failing"])


def _line(client: TestClient, path: str, query: str, times: int, found: Any) -> None:
    took, used, answer = [], [], None
    for _ in range(times):
        begin, cpu = time.perf_counter(), time.process_time()
        answer = client.get(path, params={"q": query} if query else {})
        used.append((time.process_time() - cpu) * 1000)
        took.append((time.perf_counter() - begin) * 1000)
    assert answer is not None
    assert answer.status_code == 200, answer.text
    name = f"`{query}`" if query else "(all)"
    middle, cpu = statistics.median(took), statistics.median(used)
    figures = f"{middle:.0f} | {min(took):.0f} | {cpu:.0f} | {found(answer.json())}"
    print(f"| {path} | {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
