"""A page of runs among a million: how long queries take, on SQLite and on PostgreSQL.

    python -m benchmarks.many_runs --runs 1000000 --database sqlite:///runs.db

Makes the rows unless they are there, then asks each query of the table below some times,
through the HTTP app in this process, and prints the median and the slowest, in milliseconds.
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
            _fill(server, options.runs)
            _ask(server, options.times)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--database", default="")
    return parser.parse_args()


def _fill(server: Server, wanted: int) -> None:
    with server.db.write() as conn:
        there = conn.execute(select(func.count()).select_from(runs)).scalar_one()
        known = conn.execute(select(releases.c.id)).scalar()
        released = known or _released(conn)
    if there >= wanted:
        return
    begin = time.monotonic()
    rows = islice(_rows(released, wanted), there, None)
    for _ in range(there, wanted, BATCH):
        with server.db.write() as conn:
            conn.execute(insert(runs), list(islice(rows, BATCH)))
    with server.db.write() as conn:
        conn.execute(text("DELETE FROM changes"))
        conn.execute(text("ANALYZE"))
    print(f"made {wanted - there:,} runs in {time.monotonic() - begin:.0f} s")


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
            state="succeeded",
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
    step = timedelta(days=DAYS) / wanted
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


def _ask(server: Server, times: int) -> None:
    with server.db.write() as conn:
        new = NewToken(name=f"bench-{new_id().hex}", role=Role.ADMIN)
        secret = access.issue(conn, new, by="bench").secret
    client = TestClient(
        server.app,
        base_url="http://bench/api/v1/",
        headers={"Authorization": f"Bearer {secret}"},
    )
    print("| what | query | median | slowest | found |\n| --- | --- | ---: | ---: | ---: |")
    for query in QUERIES:
        _line(client, "runs", query, times, lambda page: len(page["items"]))
    for query in ("", "state:failed", "refused"):
        _line(client, "runs/counts", query, times, lambda found: found["shown"])
        _line(client, "runs/histogram", f"since:7d {query}", times, lambda one: one["looked_at"])
    _line(client, "causes", "", times, lambda one: one["causes"])
    _line(client, "summary", "", times, lambda one: one["counts"]["failing"])


def _line(client: TestClient, path: str, query: str, times: int, found: Any) -> None:
    took, answer = [], None
    for _ in range(times):
        begin = time.perf_counter()
        answer = client.get(path, params={"q": query} if query else {})
        took.append((time.perf_counter() - begin) * 1000)
    assert answer is not None
    assert answer.status_code == 200, answer.text
    name = f"`{query}`" if query else "(all)"
    middle, slowest = statistics.median(took), max(took)
    figures = f"{middle:.1f} | {slowest:.1f} | {found(answer.json())}"
    print(f"| {path} | {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
