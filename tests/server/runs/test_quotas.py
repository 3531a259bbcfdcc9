"""One run fills neither the disk nor the database: what it may keep and add has an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient
from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import GROUP, Pod, following, rows, settlement
from tests.server.support import on_both, problem

from stepwell import clock
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.server.app import Server
from stepwell.server.runs.waking import activate_supervisor
from stepwell.server.settings import Settings
from stepwell.step import Addition, Step, new_step

Pods = Callable[..., Pod]
Work = Callable[..., None]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, blob_bytes_per_run=100, state_keys_per_run=3, steps_per_run=5)


@pytest.fixture
def one(start: Start, work: Work, pod: Pods) -> Pod:
    """A container that has joined."""
    run = start()
    work()
    return pod(run)


def upload(pod: Pod, size: int) -> Any:
    headers = {**pod.headers, "Content-Type": "application/octet-stream"}
    return pod.client.post(f"/runs/{pod.run_id}/blobs", content=b"x" * size, headers=headers)


def put(pod: Pod, step: Step, key: str, **fields: Any) -> Any:
    return pod.stage(step, "state", {"scope": "group", "key": key, "value": 1, **fields})


def spawned(step: Step, count: int) -> tuple[Addition, ...]:
    """Steps of the run's own group, beside its operations."""
    given: dict[str, Any] = {"queue": "runs", "flow_id": step.flow_id}
    name = f"v1/{GROUP}/other/x"
    return tuple(seal(new_step(name, None, **given), JSON, clock.now()) for _ in range(count))


@on_both
def test_a_run_keeps_so_many_bytes(one: Pod, server: Server) -> None:
    assert upload(one, 60).status_code == 201
    told = problem(upload(one, 41), 422, "run-quota")
    assert told["what"] == "The run keeps 60 bytes of reports and results, and may keep 100."
    assert upload(one, 40).status_code == 201
    problem(upload(one, 1), 422, "run-quota")


@on_both
def test_a_run_makes_so_many_keys_and_writes_them_as_often_as_it_likes(one: Pod) -> None:
    step = one.claim()
    for key in ("a", "b", "a", "a", "a"):
        assert put(one, step, key, now=True).status_code == 201
    assert put(one, step, "c").status_code == 201
    told = problem(put(one, step, "d"), 422, "run-quota")
    assert "3 keys" in told["what"]
    problem(put(one, step, "d", now=True), 422, "run-quota")


@on_both
def test_a_run_adds_so_many_steps_at_once(one: Pod, server: Server) -> None:
    """Nothing is kept of a settlement that would add more, and the operation is still claimed."""
    step = one.claim()
    with pytest.raises(AssertionError, match="run-quota"):
        one.settle(replace(settlement(step), additions=spawned(step, 5)))
    with pytest.raises(AssertionError, match="run-quota"):
        one.call("add", additions=list(spawned(step, 5)))
    assert len(rows(server, {"id": one.run_id})) == 1
    one.settle(replace(settlement(step), additions=spawned(step, 4)))
    with pytest.raises(AssertionError, match="run-quota"):
        one.call("add", additions=list(spawned(step, 1)))


@on_both
def test_a_run_whose_operations_follow_each_other_without_end_is_ended(
    one: Pod, client: TestClient, server: Server, launcher: PlayedLauncher, work: Work
) -> None:
    """Each settlement adds one: no look at the whole flow for that, but the supervisor's."""
    for _ in range(6):
        step = one.claim()
        one.settle(replace(settlement(step), additions=(following(step, "fetch"),)))
    with server.db.write() as conn:  # as it does by itself once a minute
        activate_supervisor(server.db.steps(conn), UUID(one.run_id))
    work()
    name = f"{one.run_id}-1"
    assert name in launcher.stopped
    launcher.end(name)

    def ended() -> bool:
        return bool(client.get(f"runs/{one.run_id}").json()["state"] == "failed")

    work(ended)
    run = client.get(f"runs/{one.run_id}").json()
    assert run["reason"] == (
        "It has more than the 5 steps that a run may have. Have one step do more of the work, "
        "or set STEPWELL_STEPS_PER_RUN."
    )
