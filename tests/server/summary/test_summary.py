"""The first page in one answer, and how the parts of the server are."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, update
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import stop_clock
from tests.server.search.support import made
from tests.server.support import Api, on_both

from stepwell import clock
from stepwell.ids import new_id
from stepwell.launchers.protocol import LaunchFailed
from stepwell.server import reaching
from stepwell.server.app import Server
from stepwell.server.blobs.places import Disk
from stepwell.server.blobs.store import BlobStoreUnavailable
from stepwell.server.database.tables import sources
from stepwell.server.summary.queries import in_states
from stepwell.server.summary.records import Counts
from stepwell.server.summary.service import of_schedules

Work = Callable[..., None]


def summary(client: TestClient) -> dict[str, Any]:
    answer = client.get("summary")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@on_both
def test_all_is_well_in_one_line(client: TestClient) -> None:
    found = summary(client)
    assert found["sentence"].endswith("Nothing is failing. 1 group waits for review.")
    assert (found["running"], found["waiting"]) == ([], [])


@on_both
def test_what_is_wrong_is_counted_and_linked(
    server: Server, client: TestClient, start: Start
) -> None:
    made(server, *({"state": "failed", "fingerprint": f"f{n % 2}"} for n in range(3)))
    made(server, {"state": "running", "finished_at": None})
    start()
    start()
    found = summary(client)
    assert found["sentence"].endswith("3 runs failing for 2 causes. 1 group waits for review.")
    assert found["clauses"][1]["link"] == "/runs?q=state:failed"
    assert (found["counts"]["running"], found["counts"]["waiting"]) == (1, 2)
    assert [one["workflow"] for one in found["running"]] == ["nightly"]
    (reason,) = found["waiting"]
    assert (reason["code"], reason["count"]) == ("NO_RUNNER", 2)


@on_both
def test_what_nobody_drives_is_said_before_what_is_on_time(client: TestClient) -> None:
    first = summary(client)["clauses"][0]
    assert first["text"] == "Not well: engines"
    assert first["link"] == "/settings?page=system"


@pytest.mark.parametrize(
    ("total", "late", "resting", "paused", "said"),
    [
        (3, 0, 0, 0, ["All 3 schedules on time"]),
        (3, 0, 0, 1, ["All 2 schedules on time", "1 schedule paused"]),
        (2, 0, 0, 1, ["1 schedule on time", "1 schedule paused"]),
        (2, 0, 0, 2, ["2 schedules paused"]),
        (3, 1, 0, 1, ["1 of 2 schedules late", "1 schedule paused"]),
        (3, 0, 1, 1, ["1 of 2 schedules at rest, for a clock was ahead", "1 schedule paused"]),
        (0, 0, 0, 0, []),
    ],
)
def test_what_is_paused_or_at_rest_is_not_called_on_time(
    total: int, late: int, resting: int, paused: int, said: list[str]
) -> None:
    none = {"failing": 0, "causes": 0, "waiting_reviews": 0, "running": 0, "waiting": 0}
    counts = Counts(schedules=total, late=late, resting=resting, paused=paused, **none)
    assert [one.text for one in of_schedules(counts)] == said


@on_both
def test_a_bar_is_an_hour_of_the_clock_so_that_what_it_counts_is_under_its_label(
    server: Server, client: TestClient
) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    made(server, {"created_at": hour}, {"created_at": hour, "state": "failed"})
    made(server, {"created_at": hour - timedelta(seconds=1)})
    made(server, {"created_at": hour - timedelta(hours=23, seconds=1)})  # too long ago
    found = {datetime.fromisoformat(one["at"]): one for one in summary(client)["hours"]}
    assert list(found) == [hour - timedelta(hours=1), hour]
    assert (found[hour]["succeeded"], found[hour]["failed"]) == (1, 1)


@on_both
def test_health_says_more_to_those_who_are_known(api: Api) -> None:
    assert api(None).get("health").json()["parts"] is None
    wrong = {"Authorization": "Bearer sw_wrong"}
    assert api(None).get("health", headers=wrong).json()["parts"] is None
    found = api("viewer").get("health").json()
    assert found["status"] == "problem"
    parts = {one["name"]: one["state"] for one in found["parts"]}
    assert parts["engines"] == "problem"
    assert parts["database"] in ("ok", "warning")
    assert parts["launcher process"] == "ok"


class Away(PlayedLauncher):
    """Its engine is away until the test says otherwise."""

    away, asked = True, 0

    def reach(self) -> str:
        self.asked += 1
        if self.away:
            raise LaunchFailed("The engine at unix:///run/x.sock does not answer.")
        return "the engine answers."


def test_an_engine_that_does_not_answer_is_a_problem_until_it_does(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part() -> dict[str, Any]:
        parts = api("viewer").get("health").json()["parts"]
        return dict(next(one for one in parts if one["name"] == "launcher process"))

    launcher, launchers = Away(), server.services.launchers
    assert isinstance(launchers, dict)
    monkeypatch.setitem(launchers, "process", launcher)
    monkeypatch.setattr(reaching, "PATIENCE", 60.0)
    assert part()["state"] == "problem"
    assert "does not answer" in part()["sentence"]
    assert launcher.asked == 1, "an answer is good for a while"
    monkeypatch.setattr(reaching, "FRESH", 0.0)
    launcher.away = False
    assert (part()["state"], part()["sentence"].endswith("the engine answers.")) == ("ok", True)


def test_a_cluster_that_hangs_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says at last is told to the next who asks."""
    go_on, answered = threading.Event(), threading.Event()

    class Hangs(PlayedLauncher):
        def reach(self) -> str:
            go_on.wait(60)
            answered.set()
            return "the cluster answers."

    monkeypatch.setattr(reaching, "PATIENCE", 0.0)
    reach, launcher = reaching.Reach(), Hangs()
    assert reach.of("kubernetes", launcher).sentence.endswith("is enabled.")
    asking = reach._asking["kubernetes"]
    go_on.set()
    asking.join()
    assert answered.is_set()
    assert reach.of("kubernetes", launcher).sentence.endswith("the cluster answers.")


def test_a_scheduler_that_is_behind_says_by_how_much(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, real = api("viewer"), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=12_000))
    (part,) = [p for p in client.get("health").json()["parts"] if p["name"] == "scheduler"]
    assert part["state"] == "problem"
    assert part["sentence"].startswith("The scheduler is behind by 3 h 2")


def test_the_store_of_reports_is_as_it_was_when_it_was_last_needed(
    api: Api, server: Server
) -> None:
    def reports() -> dict[str, str]:
        parts = api("viewer").get("health").json()["parts"]
        return next(dict(one) for one in parts if one["name"] == "reports")

    assert reports()["sentence"].startswith("The store of reports was not needed")
    server.services.blobs.put(new_id(), b"1")
    assert reports()["state"] == "ok"
    server.services.blobs._place = Broken()  # type: ignore[assignment]
    with pytest.raises(BlobStoreUnavailable):
        server.services.blobs.put(new_id(), b"1")
    assert reports()["state"] == "problem"
    assert reports()["sentence"].endswith("ago: the disk is full")


def test_a_disk_that_is_about_to_be_full_is_told_before_it_is(
    api: Api, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong() -> dict[str, str]:
        parts = api("viewer").get("health").json()["parts"]
        return {
            one["name"]: one["sentence"]
            for one in parts
            if one["name"] in ("database", "reports") and one["state"] == "problem"
        }

    server.services.blobs._place = Disk(tmp_path / "not" / "made" / "yet")
    assert wrong() == {}
    real = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=40 * 2**20))
    found = wrong()
    assert found["reports"] == "The disk of reports, results and logs has 40 MiB left."
    assert "has 40 MiB left. No outcome can be written to a full disk" in found["database"]


class Broken:
    """A place in which nothing can be put."""

    def put(self, key: str, content: bytes) -> None:
        raise OSError("the disk is full")


def test_a_source_that_could_not_be_read_is_a_warning(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_clock(monkeypatch, clock.now())

    def found() -> list[dict[str, str]]:
        parts = api("viewer").get("health").json()["parts"]
        return [dict(one) for one in parts if one["name"] == "sources"]

    assert found() == []
    source = {"name": "here", "kind": "folder", "location": "/nowhere"}
    values: dict[str, Any] = {"launcher": "process", "include": [], "exclude": []}
    values |= {"credentials": {}, "created_by": "the test"}
    with server.db.write() as conn:
        at = {"created_at": clock.now(), "scanned_at": clock.now()}
        conn.execute(insert(sources).values(**source, **values, **at))
    (part,) = found()
    assert (part["state"], part["sentence"]) == ("ok", "Sources of images: scanned 0 s ago.")
    with server.db.write() as conn:
        conn.execute(update(sources).values(scan_error={"what": "gone"}))
    (part,) = found()
    assert (part["state"], part["sentence"]) == ("warning", "The source here could not be read.")


def test_open_runs_are_looked_up_by_their_state_however_many_have_ended(server: Server) -> None:
    asked: list[tuple[str, Any]] = []

    def heard(_conn: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        asked.append((sql, values))

    with server.db.read() as conn:
        event.listen(conn, "before_cursor_execute", heard)
        in_states(conn, ["waiting", "starting"], 20)
        event.remove(conn, "before_cursor_execute", heard)
        looks = [one for one in asked if one[0].startswith("SELECT")]
        plans = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", v).all() for sql, v in looks]
    assert plans
    for plan in plans:
        (line,) = [str(row[-1]) for row in plan]  # a second one would sort, or put together
        assert "USING INDEX" in line
        assert "(state=?)" in line


@on_both
def test_open_runs_of_several_states_come_oldest_first(server: Server, released: None) -> None:
    states = ("starting", "waiting", "starting", "waiting", "succeeded")
    made(server, *({"state": one, "finished_at": None} for one in states))
    with server.db.read() as conn:
        found = in_states(conn, ["waiting", "starting"], 3)
        every = in_states(conn, ["waiting", "starting"], 20)
    times = [one["created_at"] for one in every]
    assert times == sorted(times)
    assert {one["state"] for one in every} == {"waiting", "starting"}
    assert len(every) == 4
    assert [one["id"] for one in found] == [one["id"] for one in every[:3]]
