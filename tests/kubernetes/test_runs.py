"""Discoveries and runs in pods, with whatever is killed meanwhile (R15, R33, R34, R35)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.kubernetes.served import Served, client, ended, output, show
from tests.kubernetes.target import IMAGE, PATIENCE, Target, cut
from tests.kubernetes.test_reasons import delete, pod_of
from tests.server.runs.support import GROUP

from stepwell.server.runs import service, tokens
from stepwell.server.runs.records import Cancellation, RunState
from stepwell.testing.launcher_contract import until


@pytest.fixture
def served(tmp_path: Path, target: Target) -> Served:
    return Served(tmp_path, target)


def open_pods(target: Target) -> list[str]:
    return [
        one["metadata"]["name"]
        for one in target.found("pods")
        if one["status"]["phase"] in ("Pending", "Running")
        and (one["metadata"].get("labels") or {}).get("stepwell.owner") not in ("", target.owner)
    ]


def test_a_run_really_runs_in_a_pod(served: Served, target: Target) -> None:
    """Its operations, one after another; where it ran is kept with the attempt."""
    served.prepare(served.server())
    with served.listening() as server:
        run_id = served.start_run(server)
        run = ended(server, run_id)
        assert (run.state, run.attempt, run.reason) == (RunState.SUCCEEDED, 1, None)
        exit_ = run.attempts[0].exit
        assert exit_ is not None
        assert exit_["code"] == 0
        assert exit_["details"]["node"]
        assert exit_["details"]["namespace"] == target.namespace


def test_a_pod_that_is_deleted_is_followed_by_one_that_resumes(
    served: Served, target: Target
) -> None:
    """The token of the first is worth nothing any more, and what was done is not done again."""
    served.prepare(served.server())
    with served.listening() as server:
        run_id = served.start_run(server, wait=600)
        until(lambda: "waiting" in output(server, run_id), PATIENCE)
        delete(target, "pods", pod_of(target, f"{run_id}-1"))
        run = ended(server, run_id)
        assert (run.state, run.attempt) == (RunState.SUCCEEDED, 2)
        old = tokens.issue(server.settings.signing_key, run_id, 1)
        answer = httpx.get(
            f"http://127.0.0.1:{served.port}/api/v1/runs/{run_id}/assignment",
            headers={"Authorization": f"Bearer {old}"},
            timeout=90,
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "run-token-revoked")
        with client(server) as api:
            steps = api.get(f"/runs/{run_id}/steps").json()["items"]
        done = {one["operation"]: one["executions"] for one in steps}
        assert done["fetch"] == 1


def test_a_cancelled_run_leaves_no_pod(served: Served, target: Target) -> None:
    """It is gone before the run is *cancelled* (R34)."""
    served.prepare(served.server())
    with served.listening() as server:
        run_id = served.start_run(server, wait=600)
        until(lambda: "waiting" in output(server, run_id), PATIENCE)
        with server.db.write() as conn:
            service.cancel(conn, server.db, run_id, Cancellation(), by="the test")
        assert ended(server, run_id).state is RunState.CANCELLED
        phases = [one["status"]["phase"] for one in target.of_launch("pods", f"{run_id}-1")]
        assert "Running" not in phases


def test_an_image_is_discovered_by_a_job(served: Served, target: Target) -> None:
    """With the digest that a node has told, and launch options that were tried first."""
    served.server().db.migrate()
    with served.listening() as server, client(server) as api:
        options = {"labels": {"team": "weather"}}
        body = {"image": IMAGE, "launcher": "kubernetes", "launch_options": options}
        made = api.post("/groups", json=body, headers={"Idempotency-Key": "one"})
        assert made.is_success, made.text
        assert made.json()["launch_options"] == options
        path = f"/discoveries/{made.json()['discovery_id']}"
        until(lambda: api.get(path).json()["finished_at"], PATIENCE * 2)
        found = api.get(path).json()
        assert found["state"] == "succeeded", found
        assert found["digest"].startswith("sha256:")
        assert found["manifest"]["group"]["name"] == GROUP


def test_launch_options_are_checked_changed_and_audited(served: Served) -> None:
    """What the cluster would not take is not saved; null takes them away."""
    served.prepare(served.server())
    with served.listening() as server, client(server) as api:

        def change(options: Any, key: str) -> httpx.Response:
            body = {"launch_options": options, "reason": "it needs more"}
            return api.patch(f"/groups/{GROUP}", json=body, headers={"Idempotency-Key": key})

        bad = change({"patch": {"spec": {"dnsPolicy": "Nonsense"}}}, "a")
        assert (bad.status_code, bad.json()["code"]) == (422, "launch-options-invalid"), bad.text
        assert api.get(f"/groups/{GROUP}").json()["launch_options"] is None
        good = change({"requests": {"memory": "512Mi"}}, "b")
        assert good.json()["launch_options"] == {"requests": {"memory": "512Mi"}}, good.text
        assert change(None, "c").json()["launch_options"] is None
        told = [one for one in api.get("/audit").json()["items"] if one["action"] == "group.change"]
        assert len(told) == 2
        assert told[0]["reason"] == "it needs more"


@contextmanager
def process(served: Served) -> Iterator[subprocess.Popen[bytes]]:
    """The server as a process of its own."""
    program = [sys.executable, "-m", "tests.kubernetes.program"]
    given = [str(served.folder), str(served.port), str(served.target.kubeconfig)]
    one = subprocess.Popen([*program, *given, served.namespace])
    try:
        yield one
    finally:
        one.kill()
        one.wait()


@pytest.mark.slow
def test_a_server_killed_at_the_launch_launches_that_attempt_once(
    served: Served, target: Target
) -> None:
    """Killed as soon as the attempt's row is there, it goes on with it after its restart."""
    here = served.server()
    served.prepare(here)
    run_id = served.start_run(here)
    with process(served) as first:
        until(lambda: show(here, run_id).attempts, PATIENCE * 3)  # a process has to begin
        first.kill()
        first.wait()
    with process(served):
        run = ended(here, run_id)
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    assert len(target.of_launch("jobs", f"{run_id}-1")) == 1
    here.services.launcher("kubernetes").close()  # type: ignore[attr-defined]
    here.db.close()


def test_a_run_outlives_a_cluster_that_is_away(served: Served, target: Target) -> None:
    """The pod works on meanwhile; the run is closed when the cluster can be asked again."""
    proxy = target.proxy()
    served.prepare(served.server())
    server = served.server()
    server.services.launcher("kubernetes").close()  # type: ignore[attr-defined]
    launcher = target.make(proxy)
    server.services.launchers["kubernetes"] = launcher  # type: ignore[index]
    from tests.server.live import listening

    with server, listening(server):
        run_id = served.start_run(server, wait=600)
        until(lambda: "waiting" in output(server, run_id), PATIENCE)
        with cut(proxy):
            go_on(server, run_id)
            until(lambda: _all_done(server, run_id), PATIENCE)
            assert not show(server, run_id).state.ended
        run = ended(server, run_id)
    assert (run.state, run.attempt) == (RunState.SUCCEEDED, 1)
    proxy.cut()


def go_on(server: Any, run_id: Any) -> None:
    """Let the operation that waits end."""
    body = {"value": True, "expect_version": 0, "reason": "The test lets it go on."}
    with client(server) as api:
        answer = api.post(
            f"/state/{GROUP}/edits",
            json=body,
            params={"scope": "group", "key": f"go/{run_id}"},
            headers={"Idempotency-Key": f"go-{run_id}"},
        )
    assert answer.is_success, answer.text


def _all_done(server: Any, run_id: Any) -> bool:
    with client(server) as api:
        steps = api.get(f"/runs/{run_id}/steps").json()["items"]
    return [one["ended_as"] for one in steps] == ["done"] * 3
