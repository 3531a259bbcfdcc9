"""Approvals, re-execution, progress and limits with real processes, killed where it matters."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.server.live import listening
from tests.server.runs.support import started
from tests.server.runs.test_kill import Place, ended, kept, show

from stepwell.server.app import Server
from stepwell.server.runs import reexecution, service
from stepwell.server.runs.approvals import Answer, Approval
from stepwell.server.runs.records import RunState
from stepwell.server.runs.reexecution import Reexecution
from stepwell.testing.launcher_contract import until

SOURCE = """
import os
import time
from datetime import date
from pathlib import Path

from stepwell.workflows import Approval, Context, WorkflowGroup, operation

group = WorkflowGroup("weather")
notes = Path(os.environ["NOTES"])


def note(word):
    with (notes / "log").open("a") as file:
        file.write(f"{word} {os.getpid()}" + chr(10))


@group.workflow(limit=1)
class Nightly:
    day: date

    @operation
    def fetch(self, ctx: Context) -> int:
        note("fetch")
        ctx.progress(1, 4, "of four files")
        while not (notes / "fetched").exists():
            time.sleep(0.02)
        return 3

    @operation(approval=Approval(within=3600, message="Load it?"))
    def load(self, fetch: int, ctx: Context) -> str:
        note("load")
        return f"{fetch} by {ctx.approval.by}"

    @operation
    def report(self, load: str, ctx: Context) -> str:
        note("report")
        ctx.state.save("asked", True)
        given = ctx.wait_for_approval("Send it?", within=3600)
        if not (notes / "disk").exists():
            raise OSError("no disk")
        note(f"sent {load} and {given.by}")
        return load
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path, monkeypatch)
    made.source.write_text(SOURCE)
    return made


def words(place: Place) -> list[str]:
    """What was noted, without process ids."""
    return [line.rpartition(" ")[0] for line in place.log]


def approve(server: Server, run_id: UUID, by: str) -> None:
    with server.db.write() as conn:
        service.decide(conn, server.db, run_id, Approval(decision=Answer.APPROVE), by=by)


def waits(server: Server, run_id: UUID, operation: str) -> Any:
    """Wait until the run waits for the approval of an operation, and no container runs."""

    def asleep() -> bool:
        run = show(server, run_id)
        assert not run.state.ended, run.reason
        told = run.waiting
        return told is not None and told.details.get("operation") == operation

    until(asleep, 90)
    return show(server, run_id)


def test_a_run_waits_for_reviewers_without_a_process_and_is_done_again_from_what_failed(
    place: Place,
) -> None:
    """Declared and asked for by the operation itself; what it saved before it asked is not kept."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id = started(server)
        until(lambda: show(server, run_id).progress is not None, 90)
        progress = show(server, run_id).progress
        assert progress is not None
        assert (progress.operation, progress.fraction) == ("fetch", 0.25)
        (place.notes / "fetched").touch()
        run = waits(server, run_id, "load")
        assert run.attempts[-1].finished_at is not None
        assert _alive(place) == []
        approve(server, run_id, "eva")
        waits(server, run_id, "report")
        assert kept(server, "state_entries") == []
        assert _alive(place) == []
        approve(server, run_id, "kim")
        run = ended(server, run_id)
        assert run.state is RunState.FAILED
        assert "no disk" in (run.reason or "")
        assert words(place) == ["fetch", "load", "report", "report"]
        (place.notes / "disk").touch()
        with server.db.write() as conn:
            again = reexecution.start(conn, server.db, run_id, Reexecution(), by="ann")
        waits(server, again.id, "report")
        approve(server, again.id, "kim")
        assert ended(server, again.id).state is RunState.SUCCEEDED
        assert words(place)[4:] == ["report", "report", "sent 3 by eva and kim"]
        assert show(server, run_id).state is RunState.SUPERSEDED
        assert len(kept(server, "state_entries")) == 1


@pytest.mark.slow
def test_a_server_killed_while_a_run_holds_a_slot_leaves_the_line_in_order(place: Place) -> None:
    """The slot stays held by the container that goes on, and is free when its run has ended."""
    here = place.server()
    place.prepare(here)
    first, second = started(here), started(here)
    with place.process() as one:
        until(lambda: words(place) == ["fetch"], 90)
        until(lambda: show(here, second).waiting is not None, 90)
        one.send_signal(signal.SIGKILL)
        one.wait()
    with place.process():
        until(lambda: _looked(here, second), 90)
        assert words(place) == ["fetch"]
        (place.notes / "fetched").touch()
        waits(here, first, "load")
        waits(here, second, "load")
    assert words(place) == ["fetch", "fetch"], "each operation ran once"
    here.db.close()


def _looked(server: Server, run_id: UUID) -> bool:
    """Whether the run is still in line, after its supervisor was taken over."""
    told = show(server, run_id).waiting
    return told is not None and told.code == "limit"


def _alive(place: Place) -> list[int]:
    """The processes of operations that still run."""
    found = []
    for line in place.log:
        pid = int(line.rpartition(" ")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        found.append(pid)
    return found
