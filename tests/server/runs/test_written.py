"""What real containers write: logs while they run, and when they are killed; large results."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.live import listening
from tests.server.logs.support import read, texts
from tests.server.runs.support import started
from tests.server.runs.test_kill import Place, ended, kept
from tests.server.support import token

from stepwell.server.app import Server
from stepwell.server.runs.records import RunState
from stepwell.testing.launcher_contract import until

SOURCE = """
import os
import sys
import time
from datetime import date
from pathlib import Path

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("weather")
notes = Path(os.environ["NOTES"])


@group.workflow
class Nightly:
    day: date

    @operation
    def fetch(self, ctx: Context) -> list[str]:
        print("fetching", flush=True)
        print("careful", file=sys.stderr, flush=True)
        ctx.log.info("rows came", extra={"rows": 3})
        ctx.log.debug("not shown")
        return ["x" * 1000] * 500

    @operation
    def load(self, fetch: list[str], ctx: Context) -> int:
        print(f"loading {len(fetch)}", flush=True)
        ctx.state.save("seen", ctx.state.get("seen", default=0) + 1)
        ctx.report.text("big", "y" * 100_000)
        ctx.report.text("why", "it broke", on_failure=True)
        (notes / "log").open("a").write("load" + chr(10))
        while not (notes / "go").exists():
            time.sleep(0.02)
        if (notes / "fail").exists():
            raise ValueError("bad rows")
        ctx.log.error("loaded")
        while not (notes / "end").exists():
            time.sleep(0.02)
        return len(fetch)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch, SOURCE)


def viewer(server: Server) -> TestClient:
    return TestClient(
        server.app,
        base_url="http://testserver/api/v1/",
        headers={"Authorization": f"Bearer {token(server, 'operator')}"},
    )


def finish(place: Place, client: TestClient, run_id: UUID) -> None:
    """Let `load` end when its last line is read: a container waits seconds to send it, no more."""
    place.go()
    until(lambda: "loaded" in texts(read(client, run_id)))
    (place.notes / "end").touch()


def test_a_log_is_read_while_it_is_written_and_whole_when_its_run_has_ended(place: Place) -> None:
    """By operation, with levels and fields; a large result goes to the next operation (R38)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id, client = started(server), viewer(server)
        until(lambda: "loading 500" in texts(read(client, run_id)))
        finish(place, client, run_id)
        assert ended(server, run_id).state is RunState.SUCCEEDED
        items = read(client, run_id)["items"]
        said = {one["text"]: one for one in items}
        assert [one["text"] for one in items if one["operation"] == "load"] == [
            "loading 500",
            "loaded",
        ]
        assert {one["operation"] for one in items} == {"fetch", "load"}
        assert (said["loaded"]["level"], said["careful"]["stream"]) == ("error", "stderr")
        rows = said["rows came"]
        assert (rows["level"], rows["fields"]["rows"]) == ("info", 3)
        assert rows["fields"]["logger"] == "weather.nightly.fetch"
        assert texts(read(client, run_id, level="error")) == ["loaded"]
        first = client.get(f"/runs/{run_id}/steps").json()["items"][0]
        assert (first["result"], first["result_size"]) == (None, 501_501)
        whole = client.get(first["result_link"].removeprefix("/api/v1"))
        assert len(whole.json()) == 500
        events = client.get(f"/runs/{run_id}/logs/stream", params={"tail": 1}).text
        assert '"text":"loaded"' in events
        assert events.rstrip().endswith('data: {"state":"succeeded"}')
        (big,) = client.get("/reports", params={"name": "big"}).json()["items"]
        assert len(client.get(f"/reports/{big['id']}/content").content) == 100_000


def test_a_container_that_is_killed_leaves_what_it_wrote_and_of_what_it_staged_what_tells_why(
    place: Place,
) -> None:
    """What its runner could not send is taken from the launcher's output (R39)."""
    server = place.server()
    place.prepare(server)
    with server, listening(server):
        run_id, client = started(server), viewer(server)
        until(lambda: place.log.count("load") == 1)
        launched = {"name": f"{run_id}-1"}
        until(lambda: len(server.services.launcher("process").logs(launched).splitlines()) == 4)
        os.kill(place.child(run_id), signal.SIGKILL)
        until(lambda: place.log.count("load") == 2)
        # Two pipes have no order between them: what comes on the other one is written after this.
        until(lambda: "loading 500" in texts(read(client, run_id, attempt=2)))
        finish(place, client, run_id)
        run = ended(server, run_id)
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2)
        before = texts(read(client, run_id, attempt=1))
        assert sorted(before) == ["careful", "fetching", "loading 500", "rows came"] or sorted(
            before
        ) == ["INFO weather.nightly.fetch: rows came", "careful", "fetching", "loading 500"]
        assert texts(read(client, run_id, attempt=2)) == ["loading 500", "loaded"]
        assert [len(kept(server, table)) for table in ("state_entries", "staged")] == [1, 0]
        shown = client.get("/reports", params={"run_id": str(run_id)}).json()["items"]
        assert sorted((one["name"], one["of_failure"]) for one in shown) == [
            ("big", False),
            ("why", False),
            ("why", True),
        ]
        kinds = [row.kind for row in kept(server, "blobs") if row.dropped_at is None]
        assert sorted(kind for kind in kinds if kind != "log") == ["report", "result"]


def test_an_operation_that_fails_keeps_the_reports_that_it_says(place: Place) -> None:
    server = place.server()
    place.prepare(server)
    (place.notes / "fail").touch()
    place.go()
    with server, listening(server):
        run_id, client = started(server), viewer(server)
        run = ended(server, run_id)
        assert run.state is RunState.FAILED
        shown = client.get("/reports", params={"run_id": str(run_id)}).json()["items"]
        assert [(one["name"], one["of_failure"]) for one in shown] == [("why", True)]
        assert kept(server, "state_entries") == []
