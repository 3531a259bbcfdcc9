"""A dry run: what would be started, by the way of a start, which ends before anything is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import GIVEN, GROUP, WORKFLOW, operation, workflow
from tests.server.support import Api, on_both, problem

from stepwell.ids import new_id
from stepwell.launchers.protocol import Condition, LaunchFailed, LaunchPlan, LaunchSpec
from stepwell.server.app import Server
from stepwell.server.database.tables import groups, release_workflows, runs
from stepwell.step import StepQuery
from stepwell.stores.protocol import EngineInfo

RUNS = f"/workflows/{GROUP}/{WORKFLOW}/runs"
Work = Callable[..., None]
Plan = Callable[..., dict[str, Any]]


class Planning(PlayedLauncher):
    """Answers what the test has put there, and keeps what it was asked about."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[LaunchSpec] = []
        self.condition: Condition | None = None
        self.refuses: Exception | None = None

    def plan(self, spec: LaunchSpec) -> LaunchPlan:
        self.asked.append(spec)
        if self.refuses is not None:
            raise self.refuses
        return LaunchPlan(
            what="1 Job in the namespace jobs",
            image=spec.image,
            requests={"cpu": "500m", "memory": "1Gi"},
            limits={"memory": "2Gi"},
            notes=("Its pod runs as the service account etl.",),
            condition=self.condition,
        )


@pytest.fixture
def launcher() -> PlayedLauncher:
    return Planning()


@pytest.fixture
def entry() -> dict[str, Any]:
    """A workflow that waits for a reviewer, and of which one run goes on at a time."""
    return workflow(operation("fetch"), operation("load", approval={"message": "?"}), limit=1)


@pytest.fixture
def engine(server: Server) -> None:
    """An engine of the server's own steps has joined; it does nothing."""
    info = EngineInfo(id=new_id(), name="server", version="1", handles=(), queues=("server",))
    with server.db.store.transaction() as tx:
        tx.join(info)


@pytest.fixture
def plan(client: TestClient, engine: None) -> Plan:
    """`plan()` is what a dry run answers."""

    def made(**body: Any) -> dict[str, Any]:
        given = {"parameters": GIVEN, **body}
        answer = client.post(RUNS, json=given, params={"dry_run": True})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return made


def codes(plan: dict[str, Any]) -> list[str]:
    return [one["code"] for one in plan["holds"]]


@on_both
def test_it_says_what_would_be_launched_and_nothing_is_written(
    plan: Plan, server: Server, launcher: PlayedLauncher
) -> None:
    made = plan(deadline=60)
    assert made["sentence"] == (
        "Would start 1 Job in the namespace jobs that asks for 0.5 CPU, 1 GiB memory and may "
        "have at most 2 GiB memory."
    )
    assert made["launch"]["notes"] == ["Its pod runs as the service account etl."]
    assert (made["launch"]["image"], made["deadline"]) == ("group.py@sha256:0", 60)
    assert made["parameters"] == {**GIVEN, "limit": 100}
    assert (made["operations"], made["approvals"]) == (["fetch", "load"], ["load"])
    assert made["limits"] == {"workflow": 1}
    assert (made["holds"], made["fails"], launcher.calls) == ([], None, 0)
    with server.db.read() as conn:
        assert conn.execute(select(func.count()).select_from(runs)).scalar_one() == 0
        assert not server.db.steps(conn).search(StepQuery(queue="runs", limit=1))


def test_the_launcher_is_asked_about_what_it_would_be_told_to_start(
    plan: Plan, start: Start, work: Work, launcher: Planning, server: Server
) -> None:
    """But for the run's own id, the two are one: image, options, environment."""
    with server.db.write() as conn:
        given = {"launch_options": {"namespace": "jobs"}, "environment": {"A": "1"}}
        conn.execute(update(groups).values(**given))
    plan()
    start()
    work()
    (planned,), (started,) = launcher.asked, launcher.specs.values()
    assert planned.image == started.image
    assert planned.options == started.options == {"namespace": "jobs"}
    assert (planned.mode, planned.name[-2:]) == (started.mode, started.name[-2:]) == ("run", "-1")
    assert planned.environment.keys() == started.environment.keys() >= {"A", "STEPWELL_TOKEN"}


def test_a_full_limit_is_told_with_who_holds_it(plan: Plan, start: Start, work: Work) -> None:
    """In the words in which the run would be shown to wait."""
    first = start()
    work()
    (hold,) = plan()["holds"]
    assert hold["code"] == "CONCURRENCY"
    assert hold["sentence"].startswith(f"The limit of the workflow {GROUP}/{WORKFLOW} is reached")
    assert first["id"] in hold["sentence"]


def test_a_pause_is_told(plan: Plan, client: TestClient) -> None:
    body = {"kind": "pause", "key": "runs", "reason": "db upgrade"}
    assert client.post("controls", json=body).status_code == 200
    (hold,) = plan()["holds"]
    assert hold["code"] == "PAUSED_SYSTEM"
    assert "db upgrade" in hold["sentence"]


def test_what_the_cluster_would_hold_up_is_told_in_its_sentence(
    plan: Plan, launcher: Planning
) -> None:
    details = {"needs": "9000 CPU", "largest_node": "8 CPU"}
    launcher.condition = Condition(code="K8S_UNSCHEDULABLE", details=details)
    (hold,) = plan()["holds"]
    assert hold["sentence"] == "Needs 9000 CPU; the largest node has 8 CPU."


def test_a_launcher_that_cannot_start_now_is_a_wait_and_not_a_failure(
    plan: Plan, launcher: Planning
) -> None:
    launcher.refuses = LaunchFailed("The engine does not answer.")
    made = plan()
    assert (codes(made), made["fails"], made["launch"]) == (["NO_RUNNER"], None, None)
    assert "The engine does not answer" in made["holds"][0]["sentence"]


def test_an_image_that_is_gone_would_fail_the_run_with_the_reason_that_it_would_have(
    plan: Plan, server: Server, start: Start, show: Start, work: Work
) -> None:
    with server.db.write() as conn:
        conn.execute(update(release_workflows).values(digest="sha256:gone"))
    said = plan()["fails"]
    run = start()
    work()
    assert show(run)["reason"] == said
    assert "The copy is gone." in said


def test_nobody_to_start_it_is_told(client: TestClient) -> None:
    answer = client.post(RUNS, json={"parameters": GIVEN}, params={"dry_run": True})
    assert codes(answer.json()) == ["NO_RUNNER"]


def test_what_a_start_would_refuse_a_dry_run_refuses(client: TestClient, api: Api) -> None:
    def tried(caller: TestClient, parameters: dict[str, Any]) -> Any:
        return caller.post(RUNS, json={"parameters": parameters}, params={"dry_run": True})

    problem(tried(client, {}), 422, "parameters-invalid")
    problem(tried(api("viewer"), GIVEN), 403, "role-missing")
    unknown = client.post(f"/workflows/{GROUP}/x/runs", json={}, params={"dry_run": True})
    problem(unknown, 404, "workflow-not-released")
