"""Runs end right whatever is killed: their process, their server, at any point (R33)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.server.live import listening, without_fsync
from tests.server.runs.program import SILENCE, settings
from tests.server.runs.support import release, started
from tests.server.support import free_port

from stepwell.engine import heartbeat
from stepwell.launchers.process import ProcessLauncher
from stepwell.server.app import Server
from stepwell.server.runs import service
from stepwell.server.runs.records import Cancellation, RunDetail, RunState
from stepwell.testing.launcher_contract import until
from stepwell.workflows.describing import describe
from stepwell.workflows.loading import load_group

SOURCE = """
import os
import time
from datetime import date
from pathlib import Path

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("weather")
notes = Path(os.environ["NOTES"])


def note(word):
    with (notes / "log").open("a") as file:
        file.write(word + chr(10))


@group.workflow
class Nightly:
    day: date

    @operation
    def fetch(self) -> int:
        note("fetch")
        return 3

    @operation
    def load(self, fetch: int, ctx: Context) -> int:
        ctx.state.save("loaded", fetch)
        ctx.report.json("rows", {"rows": fetch})
        note("load")
        while not (notes / "go").exists():
            time.sleep(0.02)
        return fetch * 2

    @operation
    def report(self, load: int, ctx: Context) -> None:
        note(f"report {load}")
        ctx.report.json("sum", {"total": load})
"""


class Place:
    """A data directory with a released group, and the notes that its operations take."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, source: str = SOURCE) -> None:
        self.data, self.notes, self.port = folder / "data", folder / "notes", free_port()
        self.notes.mkdir()
        (self.notes / "log").touch()
        monkeypatch.setenv("NOTES", str(self.notes))
        self.source = folder / "weather.py"
        self.source.write_text(source)
        monkeypatch.setattr(heartbeat, "DEAD_AFTER", SILENCE)

    @property
    def log(self) -> list[str]:
        """The operations that have begun."""
        return (self.notes / "log").read_text().splitlines()

    def child(self, run_id: UUID, attempt: int = 1) -> int:
        """The process of an attempt that has begun; its watcher may write it down later."""
        file = self.data / "jobs" / f"{run_id}-{attempt}" / "child.json"
        until(file.exists)
        return int(json.loads(file.read_text())["pid"])

    def go(self) -> None:
        """Let the second operation end."""
        (self.notes / "go").touch()

    def server(self) -> Server:
        """A server on the data directory, as `program` makes it."""
        return without_fsync(Server(settings(self.data, self.port)))

    def prepare(self, server: Server) -> None:
        """Migrate, and release the group."""
        self.data.mkdir()
        server.db.migrate()
        manifest = describe(*load_group(self.source)).manifest.as_json()
        pinned = ProcessLauncher(self.data).pin(str(self.source))
        (entry,) = manifest["workflows"]
        where = {"NOTES": str(self.notes)}
        release(server, entry, image=str(self.source), digest=pinned.digest, environment=where)

    @contextmanager
    def process(self) -> Iterator[subprocess.Popen[bytes]]:
        """The server as a process of its own."""
        command = [sys.executable, "-m", "tests.server.runs.program", str(self.data)]
        one = subprocess.Popen([*command, str(self.port)])
        try:
            yield one
        finally:
            one.kill()
            one.wait()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def show(server: Server, run_id: UUID) -> RunDetail:
    with server.db.read() as conn:
        return service.detail(conn, run_id)


def ended(server: Server, run_id: UUID) -> RunDetail:
    """The run when it has ended."""
    until(lambda: show(server, run_id).state.ended)
    return show(server, run_id)


def kept(server: Server, table: str) -> list[Any]:
    with server.db.read() as conn:
        return list(conn.exec_driver_sql(f"SELECT * FROM {table}"))


def test_a_killed_process_is_followed_by_one_that_resumes_at_the_lost_operation(
    place: Place,
) -> None:
    """What the lost operation had staged is not kept; what it wrote again is kept once (R38)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id = started(server)
        until(lambda: "load" in place.log)
        os.kill(place.child(run_id), signal.SIGKILL)
        until(lambda: place.log.count("load") == 2)
        place.go()
        run = ended(server, run_id)
        assert (run.state, run.attempt, run.reason) == (RunState.SUCCEEDED, 2, None)
        assert place.log == ["fetch", "load", "load", "report 6"]
        first, second = run.attempts
        assert first.exit is not None
        assert "SIGKILL" in first.exit["reason"]
        assert second.exit is not None
        assert second.exit["code"] == 0
        assert [len(kept(server, table)) for table in ("state_entries", "reports")] == [1, 2]
        assert kept(server, "staged") == []


@pytest.mark.slow
def test_a_server_killed_while_the_container_runs_finds_it_again(place: Place) -> None:
    """The container waits for the server, and nothing is run twice."""
    here = place.server()
    place.prepare(here)
    run_id = started(here)
    with place.process() as first:
        until(lambda: "load" in place.log)
        first.send_signal(signal.SIGKILL)
        first.wait()
    place.go()
    with place.process():
        run = ended(here, run_id)
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert place.log == ["fetch", "load", "report 6"]
    here.db.close()


@pytest.mark.slow
def test_a_server_killed_at_the_launch_launches_that_attempt_once(place: Place) -> None:
    """Killed as soon as the attempt's row is there, it goes on with it after its restart."""
    here = place.server()
    place.prepare(here)
    place.go()
    run_id = started(here)
    with place.process() as first:
        until(lambda: show(here, run_id).attempts)
        first.send_signal(signal.SIGKILL)
        first.wait()
    with place.process():
        run = ended(here, run_id)
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert place.log == ["fetch", "load", "report 6"]
    here.db.close()


def test_a_cancelled_run_leaves_no_process_behind(place: Place) -> None:
    """The process is gone before the run is *cancelled* (R34)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id = started(server)
        until(lambda: "load" in place.log)
        child = place.child(run_id)
        with server.db.write() as conn:
            service.cancel(conn, server.db, run_id, Cancellation(), by="the test")
        assert ended(server, run_id).state is RunState.CANCELLED
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
        assert place.log == ["fetch", "load"]
