"""Try it once: a run of what was discovered, that counts nowhere and keeps to itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from tests.server.reviews.conftest import Discover
from tests.server.reviews.support import ALL, decide, parameters
from tests.server.runs.support import Pod, settlement
from tests.server.support import Api, FakeLauncher, drain, on_both, problem, workflow

from stepwell import clock
from stepwell.server.app import Server
from stepwell.server.database.tables import (
    metrics_pending,
    occasions,
    releases,
    report_samples,
    state_entries,
)
from stepwell.server.runs import service as runs
from stepwell.server.runs.supervision import Supervision
from stepwell.server.state import service as state
from stepwell.server.state.kept import KINDS
from stepwell.server.state.records import Author, Write
from stepwell.step import Step

SCOPE = "workflow:a"


def attempt(client: Any, discovery: str, **body: Any) -> Any:
    path = f"groups/weather/discoveries/{discovery}/trials"
    return client.post(path, json={"workflow": "a", **body})


def begun(server: Server, api: Api, run: dict[str, Any]) -> tuple[Pod, Step]:
    """The container of a trial, played by the test, with its operation claimed."""
    Supervision(server.services, UUID(run["id"])).move()
    pod = Pod(api(None), server, run["id"]).join()
    step = pod.claim("v1/weather/a/load")
    return pod, step


def kept(server: Server, group: str = "weather") -> Any:
    with server.db.read() as conn:
        entry = state.current(conn, group, SCOPE, "mark")
    return None if entry is None else (entry.value, entry.version)


def written(key: str = "mark", value: Any = 1, **fields: Any) -> dict[str, Any]:
    return {"scope": SCOPE, "key": key, "value": value, **fields}


def read(pod: Pod) -> Any:
    query = {"scope": SCOPE, "key": "mark"}
    answer = pod.client.get(f"runs/{pod.run_id}/state", params=query, headers=pod.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


@on_both
def test_a_trial_is_pinned_to_the_digest_of_the_discovery_and_to_no_release(
    server: Server, api: Api, discover: Discover
) -> None:
    client = api("admin")
    decide(client, discover(workflow("a"), digest="sha256:old"), **ALL)
    second = discover(workflow("a", tags=["x"]), digest="sha256:new")
    run = attempt(client, second, reason="look").json()
    assert (run["digest"], run["trigger"]) == ("sha256:new", "trial")
    assert run["trial"] == {"discovery_id": second, "with_secrets": False}
    assert [one["number"] for one in client.get("groups/weather/releases").json()["items"]] == [1]
    assert client.get("groups/weather").json()["release"] == 1
    decide(client, second, **ALL)
    assert client.get("groups/weather").json()["release"] == 2
    entry = client.get("audit?action=review.try").json()["items"][0]
    assert (entry["target"], entry["reason"]) == ("weather/a", "look")


def test_a_group_without_a_release_can_be_tried_and_released(api: Api, discover: Discover) -> None:
    client, first = api("admin"), discover(workflow("a"))
    for _ in range(2):
        assert attempt(client, first).status_code == 201
    assert decide(client, first, **ALL).json()["release"]["number"] == 1


@on_both
def test_a_trial_counts_in_no_metrics_and_writes_no_state_of_the_group(
    server: Server, api: Api, discover: Discover, launcher: FakeLauncher
) -> None:
    client = api("admin")
    first = discover(workflow("a"))
    with server.db.write() as conn:
        state.write(conn, "weather", Write(**written(value="real")), Author(name="me"))
    run = attempt(client, first).json()
    pod, step = begun(server, api, run)
    assert read(pod) == "real"
    assert pod.stage(step, "state", written(value="tried", expect_version=1)).status_code == 201
    pod.settle(settlement(step))
    assert kept(server) == ("real", 1)
    assert kept(server, f"trial:{run['id']}") == ("tried", 2)
    assert read(pod) == "tried"
    launcher.behave = lambda spec: None
    Supervision(server.services, UUID(run["id"])).move()
    assert client.get(f"runs/{run['id']}").json()["state"] == "succeeded"
    with server.db.read() as conn:
        assert conn.execute(select(func.count()).select_from(metrics_pending)).scalar() == 0
    listed = client.get("state").json()["items"]
    assert [one["group"] for one in listed] == ["weather"]


@on_both
def test_what_a_trial_deletes_is_gone_for_the_trial_alone(
    server: Server, api: Api, discover: Discover
) -> None:
    first = discover(workflow("a"))
    with server.db.write() as conn:
        state.write(conn, "weather", Write(**written(value="real")), Author(name="me"))
    pod, step = begun(server, api, attempt(api("admin"), first).json())
    pod.stage(step, "state", written(value=None, delete=True, now=True))
    assert read(pod) is None
    assert kept(server) == ("real", 1)


@on_both
def test_what_a_trial_shows_is_not_the_latest_of_its_workflow(
    server: Server, api: Api, discover: Discover, launcher: FakeLauncher
) -> None:
    """Neither its report, nor how it ended; and it takes no place in a sample."""
    client, first = api("admin"), discover(workflow("a"))
    run = attempt(client, first).json()
    pod, step = begun(server, api, run)
    shown = {"name": "rows", "kind": "text", "media_type": "text/plain", "every": 2}
    assert pod.stage(step, "report", shown, content="MQ==").status_code == 201
    pod.settle(settlement(step))
    launcher.behave = lambda spec: None
    Supervision(server.services, UUID(run["id"])).move()
    (report,) = client.get(f"reports?run={run['id']}").json()["items"]
    assert client.get(f"reports/{report['id']}/content").content == b"1"
    query = {"group": "weather", "workflow": "a", "name": "rows"}
    problem(client.get("reports/latest", params=query), 404, "report-not-found")
    with server.db.read() as conn:
        assert runs.last_state(conn, "weather", "a") is None
        assert conn.execute(select(func.count()).select_from(report_samples)).scalar() == 0


@on_both
def test_the_state_of_a_trial_is_swept_when_its_week_is_over(
    server: Server, api: Api, discover: Discover
) -> None:
    first = discover(workflow("a"))
    with server.db.write() as conn:
        state.write(conn, "weather", Write(**written(value="real")), Author(name="me"))
    run = attempt(api("admin"), first).json()
    pod, step = begun(server, api, run)
    assert pod.stage(step, "state", written(value="tried", now=True)).status_code == 201
    expire, forget = (one for one in KINDS if one.name in {"expired-state", "deleted-state"})
    soon, later = (clock.now() + timedelta(days=days) for days in (6, 8))
    assert expire.sweep(server.services, soon, 10) == 0
    assert expire.sweep(server.services, later, 10) == 1
    assert kept(server, f"trial:{run['id']}") is None
    assert forget.sweep(server.services, later, 10) == 1
    with server.db.read() as conn:
        left = list(conn.execute(select(state_entries.c.group_name)).scalars())
    assert (left, kept(server)) == (["weather"], ("real", 1))


def test_a_trial_gets_secrets_only_where_that_is_asked_for(
    server: Server, api: Api, discover: Discover, launcher: FakeLauncher, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PROD_PASS", "hunter2")
    client = api("admin")
    first = discover(workflow("a"), secrets={"DB_PASS": "env:PROD_PASS"})
    for wanted in (False, True):
        run = attempt(client, first, with_secrets=wanted).json()
        Supervision(server.services, UUID(run["id"])).move()
        assert ("DB_PASS" in launcher.started[-1].environment) is wanted


def test_a_trial_checks_its_parameters(api: Api, discover: Discover) -> None:
    first = discover(workflow("a", parameters=parameters("day", day={"type": "string"})))
    client = api("admin")
    problem(attempt(client, first), 422, "parameters-invalid")
    assert attempt(client, first, parameters={"day": "monday"}).status_code == 201


def test_only_what_was_discovered_can_be_tried_and_only_by_a_reviewer(
    api: Api, discover: Discover
) -> None:
    first = discover(workflow("a"))
    answer = attempt(api("admin"), first, workflow="b")
    problem(answer, 422, "workflow-not-discovered")
    problem(attempt(api("operator"), first), 403, "role-missing")


@on_both
def test_a_discovery_that_waits_is_told_once_it_was_found(
    server: Server, api: Api, discover: Discover
) -> None:
    """The discovery's own step is drained, so it says so by the step that it spawns."""
    discover(workflow("a"))
    drain(server)
    with server.db.read() as conn:
        told = conn.execute(select(occasions.c.kind, occasions.c.sentence)).all()
        assert conn.execute(select(func.count()).select_from(releases)).scalar() == 0
    assert ("review-waiting", "weather waits for a review: a.") in [tuple(one) for one in told]
