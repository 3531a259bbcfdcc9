"""Targets stand in the source, and go into the manifest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepwell.workflows import Targets, WorkflowGroup, operation
from stepwell.workflows.describing import describe
from stepwell.workflows.errors import GroupInvalid


def declared(targets: Any) -> Any:
    group = WorkflowGroup("weather")

    @group.workflow(targets=targets)
    class Nightly:
        @operation
        def load(self) -> int:
            return 1

    return describe(group, "weather:group").manifest.as_json()["workflows"][0]["targets"]


def test_targets_are_in_the_manifest_in_seconds_and_days() -> None:
    made = Targets(success=0.99, p95=timedelta(minutes=20), window=timedelta(days=7))
    assert declared(made) == {"success": 0.99, "p95": 1200.0, "window": 7}
    assert declared(Targets(p95=5)) == {"success": None, "p95": 5.0, "window": 30}


def test_a_workflow_needs_none() -> None:
    assert declared(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        Targets(),
        Targets(success=1.0),
        Targets(success=99),
        Targets(p95=0),
        Targets(success=0.9, window=0),
        Targets(success=0.9, window=1000),
        "99 %",
    ],
)
def test_targets_that_cannot_be_are_a_mistake_of_the_group(wrong: Any) -> None:
    with pytest.raises(GroupInvalid) as caught:
        declared(wrong)
    assert "targets=" in str(caught.value)
