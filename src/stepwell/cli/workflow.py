"""What the release in force says of a workflow."""

from __future__ import annotations

from typing import Any

from stepwell.cli.client import Client
from stepwell.cli.parameters import did_you_mean
from stepwell.errors import NotFound


class WorkflowNotInRelease(NotFound):
    """The release in force has no such workflow."""

    code = "workflow-not-in-release"


def parameters_schema(api: Client, group: str, workflow: str) -> dict[str, Any]:
    """The JSON Schema of a workflow's parameters, by the release in force.

    Raises
    ------
    WorkflowNotInRelease : the release has no such workflow; names the near ones.
    """
    number = api.get(f"/groups/{group}")["release"]
    if number is None:
        raise WorkflowNotInRelease(
            f"The group {group!r} has no release yet.",
            fix=f"Approve it first: stepwell groups review {group}",
        )
    released = api.get(f"/groups/{group}/releases/{number}")["workflows"]
    entries = {one["workflow"]: one["entry"] for one in released}
    if workflow not in entries:
        raise WorkflowNotInRelease(
            f"The release in force of {group!r} has no workflow {workflow!r}.",
            fix=did_you_mean(workflow, entries),
        )
    schema: dict[str, Any] = entries[workflow]["parameters"]
    return schema
