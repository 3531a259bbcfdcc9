"""A run whose node is not heard of neither runs nor has ended."""

from __future__ import annotations

from tests.server.runs.conftest import PlayedLauncher, Start
from tests.server.runs.support import Pods, Work
from tests.server.support import on_both
from tests.server.waiting.support import Why

from stepwell.launchers.protocol import Condition, LaunchStatus


@on_both
def test_an_operation_on_a_node_that_is_not_heard_of_is_not_said_to_run(
    start: Start, why: Why, work: Work, launcher: PlayedLauncher, pod: Pods, engine: None
) -> None:
    """It was claimed, and nobody knows of its container any more."""
    run = start()
    work()
    pod(run).claim()
    assert "is running" in why(run)["sentence"]
    condition = Condition(code="LOST", details={"node": "node-7"})
    launcher.ended[f"{run['id']}-1"] = LaunchStatus(state="running", condition=condition)
    assert why(run)["sentence"].startswith("Its node *node-7* is not heard of")
