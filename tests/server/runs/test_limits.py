"""Runs over a limit wait in line; a slot is free whatever way its run ended."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import (
    GROUP,
    WORKFLOW,
    Pod,
    operation,
    pass_time,
    settlement,
    workflow,
)
from tests.server.support import Api, on_both, problem

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.database.tables import release_workflows, runs
from stepwell.server.runs import line, slots, waits
from stepwell.server.runs.slots import Full, Key
from stepwell.server.runs.supervision import Supervision
from stepwell.server.runs.waking import SUPERVISE
from stepwell.step import StepQuery, StepStatus

Pods = Callable[..., Pod]
Work = Callable[..., None]
Show = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def entry() -> dict[str, Any]:
    """A workflow of which one run goes on at a time, and that shares a pool."""
    return workflow(limit=1)


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines are longer than what is read of them at once."""
    monkeypatch.setattr(line, "PAGE", 2)


def states(show: Show, *given: dict[str, Any]) -> list[str]:
    return [show(one)["state"] for one in given]


def end(launcher: PlayedLauncher, pods: Pods, run: dict[str, Any]) -> None:
    """Its container does all its operations, and ends."""
    one = pods(run)
    one.work(then="load")
    one.work(then="report")
    one.work()
    launcher.end(f"{run['id']}-1")


@on_both
def test_a_run_over_the_limit_waits_with_the_reason_and_goes_on_when_a_slot_is_free(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods
) -> None:
    first, second = start(), start()
    work()
    assert states(show, first, second) == ["starting", "waiting"]
    waiting = show(second)["waiting"]
    assert waiting["code"] == "limit"
    assert waiting["sentence"] == (
        f"The limit of the workflow weather/nightly is reached (1 of 1: {first['id']}); "
        "0 ahead in line."
    )
    end(launcher, pod, first)
    work(lambda: show(second)["state"] == "starting")
    after = show(second)
    assert (show(first)["state"], after["waiting"]) == ("succeeded", None)
    assert after["attempts"][0]["lined_up_at"] >= after["created_at"]
    assert [one["name"] for one in after["phases"]][:2] == ["queued", "queued"]


def looking(server: Server) -> set[str]:
    """The runs whose supervising step is due."""
    with server.db.read() as conn:
        query = StepQuery(name=SUPERVISE, status=StepStatus.READY, limit=100)
        steps = server.db.steps(conn).search(query)
    return {str(one.unique_key) for one in steps if one.schedule_time <= clock.now()}


@on_both
def test_a_burst_is_in_line_before_anybody_looks(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods, server: Server
) -> None:
    """So a slot is not handed over behind the first looks of all who do not get it."""
    first, *others = given = [start() for _ in range(5)]
    assert looking(server) == {first["id"]}
    for place, one in enumerate(others, 1):
        waiting = show(one)["waiting"]
        assert (waiting["code"], waiting["details"]["ahead"]) == ("limit", place)
    work()
    for now, following in itertools.pairwise(given):
        end(launcher, pod, now)
        work(lambda one=following: show(one)["state"] == "starting")
        assert states(show, *given).count("starting") == 1
    assert show(given[-1])["attempts"][0]["lined_up_at"] is not None


@on_both
def test_who_may_find_a_slot_looks_by_itself(start: Start, server: Server, api: Api) -> None:
    """Runs ahead that declare other limits may be held up by these alone."""
    body = {"kind": "workflow", "name": "weather/nightly", "slots": 2}
    assert api("operator").post("/run-limits", json=body).status_code == 200
    first = start()
    with server.db.write() as conn:
        conn.execute(runs.update().values(limits={"workflow": 1, "group": 1}))
    second, third, fourth = start(), start(), start()
    assert looking(server) == {first["id"], second["id"], third["id"]}
    assert fourth["id"] not in looking(server)


def test_a_run_that_waits_for_an_approval_first_is_not_put_in_line(
    start: Start, server: Server
) -> None:
    """It needs no slot until somebody has answered."""
    first = start()
    gate = {"message": "Load?", "within": 60.0, "on_timeout": "fail"}
    with server.db.write() as conn:
        gated = workflow(operation("fetch", approval=gate), limit=1)
        conn.execute(release_workflows.update().values(entry=gated))
    second = start()
    assert looking(server) == {first["id"], second["id"]}


@pytest.mark.parametrize(("ahead", "seconds"), [(0, 60), (50, 120), (10_000, 600)])
def test_a_long_line_is_looked_at_no_more_often_than_a_short_one(ahead: int, seconds: int) -> None:
    """Whoever is woken looks at once; to look is for the case that nobody wakes it."""
    now = clock.now()
    full = Full(Key("pool", "x"), 1, [], ahead)
    run = {"deadline_at": now + timedelta(hours=1)}
    assert waits.look_again(run, full, now) == now + timedelta(seconds=seconds)
    soon = {"deadline_at": now + timedelta(seconds=5)}
    assert waits.look_again(soon, full, now) == soon["deadline_at"]


@pytest.mark.parametrize("how", ["cancelled", "forced", "lost", "unfit"])
def test_a_slot_is_free_whatever_way_its_run_ended(
    how: str,
    work: Work,
    launcher: PlayedLauncher,
    start: Start,
    show: Show,
    client: TestClient,
) -> None:
    """It is counted from the rows, so nothing can leak."""
    first, second = start(), start()
    work()
    assert states(show, first, second) == ["starting", "waiting"]
    match how:
        case "cancelled":
            client.post(f"/runs/{first['id']}/cancellations", json={})
            launcher.end(f"{first['id']}-1", None)
        case "forced":
            client.post(f"/runs/{first['id']}/cancellations", json={"force": True})
            launcher.end(f"{first['id']}-1", None)
        case "lost":
            for number in (1, 2, 3):
                work(lambda n=number: f"{first['id']}-{n}" in launcher.specs)
                launcher.end(f"{first['id']}-{number}", None, "It was killed.")
        case "unfit":
            launcher.end(f"{first['id']}-1", 2)
    work(lambda: show(second)["state"] == "starting")
    assert show(first)["state"] in ("cancelled", "failed")


def test_a_run_whose_container_was_lost_keeps_its_slot(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, client: TestClient
) -> None:
    """Also where another one has gone to the head of the line."""
    first, second = start(), start()
    work()
    client.patch(f"/runs/{second['id']}", json={"priority": "urgent"})
    launcher.end(f"{first['id']}-1", None, "It was killed.")
    work(lambda: f"{first['id']}-2" in launcher.specs)
    assert states(show, first, second) == ["starting", "waiting"]


@on_both
def test_the_line_goes_by_priority_and_then_by_when_runs_were_due(
    work: Work, launcher: PlayedLauncher, client: TestClient, show: Show, pod: Pods
) -> None:
    def begin(priority: str) -> dict[str, Any]:
        body = {"parameters": {"day": "2026-01-31"}, "priority": priority}
        made = client.post(f"/workflows/{GROUP}/{WORKFLOW}/runs", json=body)
        assert made.status_code == 201, made.text
        return dict(made.json())

    first = begin("normal")
    work()
    low, early, late, urgent = (begin(one) for one in ("low", "normal", "normal", "urgent"))
    work()
    assert "2 ahead in line" in show(late)["waiting"]["sentence"]
    client.patch(f"/runs/{low['id']}", json={"priority": "high", "reason": "asked for"})
    order = [first, urgent, low, early, late]
    for now, following in itertools.pairwise(order):
        end(launcher, pod, now)
        work(lambda one=following: show(one)["state"] == "starting")
        assert states(show, *order).count("starting") == 1


def test_who_is_held_up_by_another_limit_holds_up_nobody(
    work: Work, start: Start, show: Show, api: Api, server: Server
) -> None:
    """The group has two slots; the workflow's third run does not take the place of others."""
    first, second = start(), start()
    work()
    with server.db.write() as conn:
        conn.execute(runs.update().where(runs.c.id == UUID(second["id"])).values(pool="x"))
    body = {"kind": "pool", "name": "x", "slots": 0}
    assert api("operator").post("/run-limits", json=body).status_code == 200
    api("operator").post(
        "/run-limits", json={**body, "kind": "workflow", "name": "weather/nightly", "slots": 3}
    )
    third = start()
    work(lambda: show(third)["state"] == "starting")
    assert states(show, first, second) == ["starting", "waiting"]
    assert "the pool x is reached (0 of 0)" in show(second)["waiting"]["sentence"]


@on_both
def test_an_operators_number_goes_before_the_declared_one_and_wakes_the_line(
    work: Work, start: Start, show: Show, api: Api
) -> None:
    given = [start() for _ in range(3)]
    work()
    assert states(show, *given).count("starting") == 1
    operator = api("operator")
    body = {"kind": "workflow", "name": "weather/nightly", "slots": 2, "reason": "more cores"}
    made = operator.post("/run-limits", json=body).json()
    assert (made["held"], made["waiting"], made["changed_by"][:8]) == (1, 2, "operator")
    work(lambda: states(show, *given).count("starting") == 2)
    (shown,) = operator.get("/run-limits").json()["items"]
    assert (shown["held"], shown["waiting"], shown["reason"]) == (2, 1, "more cores")
    at = {"kind": "workflow", "name": "weather/nightly"}
    assert operator.delete("/run-limits", params=at).status_code == 204
    problem(operator.delete("/run-limits", params=at), 404, "limit-not-found")
    work()
    assert states(show, *given).count("starting") == 2


@on_both
def test_all_that_wait_are_woken_when_there_is_room_for_all(
    work: Work, start: Start, show: Show, api: Api
) -> None:
    """However long the line is: each page of it is read, in order."""
    given = [start() for _ in range(7)]
    work()
    body = {"kind": "workflow", "name": "weather/nightly", "slots": 7, "reason": "more cores"}
    made = api("operator").post("/run-limits", json=body).json()
    assert (made["held"], made["waiting"]) == (1, 6)
    work(lambda: states(show, *given).count("starting") == 7)


def test_a_limit_has_a_name_that_can_be_meant(api: Api, client: TestClient) -> None:
    for kind, name in (("workflow", "nightly"), ("pool", "a/b"), ("group", "a/b")):
        body = {"kind": kind, "name": name, "slots": 1}
        problem(client.post("/run-limits", json=body), 422, "limit-name-invalid")
    body = {"kind": "pool", "name": "x", "slots": 1}
    problem(api("viewer").post("/run-limits", json=body), 403, "role-missing")


def test_who_waits_beyond_its_deadline_fails_with_what_it_waited_for(
    work: Work,
    start: Start,
    show: Show,
    client: TestClient,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start()
    body = {"parameters": {"day": "2026-01-31"}, "deadline": 600}
    work()
    late = client.post(f"/workflows/{GROUP}/{WORKFLOW}/runs", json=body).json()
    work()
    pass_time(monkeypatch, 601)
    Supervision(server.services, UUID(late["id"])).move()
    after = show(late)
    assert after["state"] == "failed"
    assert "within its deadline of 600 s. The limit of the workflow" in after["reason"]


def test_a_run_that_sleeps_until_a_retry_holds_no_slot(
    work: Work, launcher: PlayedLauncher, start: Start, show: Show, pod: Pods
) -> None:
    first, second = start(), start()
    work()
    one = pod(first)
    step = one.claim()
    late = clock.now() + timedelta(hours=1)
    one.settle(settlement(step, None, failure_count=1, schedule_time=late, description="Ouch"))
    launcher.end(f"{first['id']}-1")
    work(lambda: show(second)["state"] == "starting")
    asleep = show(first)
    assert (asleep["state"], asleep["waiting"]["code"]) == ("waiting", "retry")
    assert "fetch is tried again at" in asleep["waiting"]["sentence"]
    assert "last: Ouch" in asleep["waiting"]["sentence"]
    assert asleep["phases"][-1]["name"] == "retry wait"


@on_both
def test_supervisors_at_the_same_time_never_give_out_more_slots_than_there_are(
    start: Start, server: Server, api: Api
) -> None:
    """Twelve runs, two slots, all at once in threads of their own."""
    body = {"kind": "group", "name": GROUP, "slots": 2}
    api("operator").post("/run-limits", json=body)
    api("operator").post(
        "/run-limits", json={**body, "kind": "workflow", "name": "weather/nightly", "slots": 9}
    )
    given = [start() for _ in range(12)]
    barrier = threading.Barrier(len(given))

    def move(run: dict[str, Any]) -> None:
        barrier.wait()
        Supervision(server.services, UUID(run["id"])).move()

    threads = [threading.Thread(target=move, args=(run,)) for run in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with server.db.read() as conn:
        query = select(runs.c.state, func.count()).group_by(runs.c.state)
        assert {row[0]: row[1] for row in conn.execute(query)} == {"starting": 2, "waiting": 10}


@on_both
def test_who_counts_slots_lets_nobody_else_begin_meanwhile(
    start: Start, show: Show, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run has counted, and looks at the line only when the first would have begun."""
    first, second = start(), start()
    real, counted, begun = line.in_line, threading.Event(), threading.Event()

    def late(conn: Any) -> Any:
        if threading.current_thread().name == "second":
            counted.set()
            begun.wait(1.0)
        return real(conn)

    monkeypatch.setattr(line, "in_line", late)

    def move(run: dict[str, Any], done: threading.Event) -> None:
        Supervision(server.services, UUID(run["id"])).move()
        done.set()

    other = threading.Thread(target=move, args=(second, threading.Event()), name="second")
    other.start()
    assert counted.wait(90)
    move(first, begun)
    other.join()
    assert states(show, first, second) == ["starting", "waiting"]


def test_whoever_starts_a_run_does_not_wait_for_who_gives_out_slots(
    start: Start, show: Show, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not in line then, and looks by itself."""
    first = start()
    monkeypatch.setattr(slots, "_alone_at_once", lambda conn: False)
    second = start()
    assert looking(server) == {first["id"], second["id"]}
    assert show(second)["waiting"] is None


def test_a_pool_that_nobody_has_sized_lets_one_run_go_on_at_a_time(
    work: Work, start: Start, show: Show, server: Server, api: Api
) -> None:
    operator = api("operator")
    operator.post("/run-limits", json={"kind": "workflow", "name": "weather/nightly", "slots": 9})
    first, second = start(), start()
    with server.db.write() as conn:
        conn.execute(runs.update().values(pool="etl-db"))
    work()
    assert sorted(states(show, first, second)) == ["starting", "waiting"]
    operator.post("/run-limits", json={"kind": "pool", "name": "etl-db", "slots": 2})
    work(lambda: states(show, first, second) == ["starting", "starting"])
    listed = operator.get("/runs", params={"pool": "etl-db"}).json()["items"]
    assert len(listed) == 2
