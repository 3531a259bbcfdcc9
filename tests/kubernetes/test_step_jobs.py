"""Any step in a Job of its own, outside of workflow groups; its pod is lost in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.kubernetes.served import Served
from tests.kubernetes.target import IMAGE, PATIENCE, Target
from tests.kubernetes.test_reasons import delete, pod_of

from stepwell import Registry, StepQuery, StepStatus, new_step
from stepwell.codec import JSON
from stepwell.engine import Engine
from stepwell.server.app import Server
from stepwell.server.jobs import service
from stepwell.step import EndedAs, Step
from stepwell.testing.launcher_contract import until


@pytest.fixture
def server(tmp_path: Path, target: Target) -> Iterator[Server]:
    """It listens, and runs the steps of one name in Jobs."""
    served = Served(tmp_path, target, step_images=(f"shop/resize=kubernetes:{IMAGE}",))
    served.server().db.migrate()
    with served.listening() as made:
        yield made


def add(server: Server, wait: float) -> UUID:
    """As a program does that embeds the engine: it notices nothing of Jobs."""
    state = {"width": 8, "wait": wait}
    return Engine(server.db.store, Registry()).add(new_step("shop/resize", state))


def row(server: Server, step_id: UUID) -> Step:
    with server.db.store.transaction() as tx:
        (step,) = tx.search(StepQuery(ids=(step_id,)))
    return step


def output(server: Server, launch: str) -> str:
    launcher = server.services.launcher("kubernetes")
    return launcher.logs(launcher.find(launch))


def test_a_step_runs_in_a_job_and_has_the_record_of_any_other(
    server: Server, target: Target
) -> None:
    """One Job, named by the step and its execution; it is no workflow's."""
    step_id = add(server, wait=0)
    until(lambda: row(server, step_id).status is not StepStatus.READY, PATIENCE * 2)
    step = row(server, step_id)
    (job,) = target.of_launch("jobs", f"step-{step_id}-1")
    with server.db.read() as conn:
        (launch,) = service.listed(conn, step_id)
    assert step.status is StepStatus.DONE, step.description
    assert JSON.decode(step.result or "") == {"width": 4}
    assert (step.execution_count, step.failure_count) == (1, 0)
    assert job["spec"]["backoffLimit"] == 0
    assert launch.lost == 0


def test_a_step_whose_pod_is_lost_is_executed_again_in_another_job(
    server: Server, target: Target
) -> None:
    """A failed attempt with the reason in words, tried again after the usual delay (R2)."""
    step_id = add(server, wait=600)
    until(lambda: "resizing" in output(server, f"step-{step_id}-1"), PATIENCE)
    delete(target, "pods", pod_of(target, f"step-{step_id}-1"))
    until(lambda: row(server, step_id).failure_count == 1, PATIENCE)
    assert "pod" in (row(server, step_id).description or "")
    until(lambda: "resizing" in output(server, f"step-{step_id}-2"), PATIENCE)
    with server.db.store.transaction() as tx:
        tx.end(step_id, EndedAs.CANCELLED, "enough was seen")
    until(lambda: not pods(target, f"step-{step_id}-2"), PATIENCE)
    with server.db.read() as conn:
        second, first = service.listed(conn, step_id)
    assert first.lost == 1
    assert second.number == 2


def pods(target: Target, launch: str) -> list[str]:
    """Those that run, or are about to."""
    return [
        one["metadata"]["name"]
        for one in target.of_launch("pods", launch)
        if one["status"]["phase"] in ("Pending", "Running")
    ]
