"""A workflow as it is typed, and what the release in force says of it."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from stepwell.cli.client import Client
from stepwell.cli.parameters import did_you_mean
from stepwell.errors import InvalidInput, NotFound

Named: TypeAlias = Annotated[
    str, typer.Argument(metavar="GROUP/WORKFLOW", help="The workflow, with its group.")
]
Apart: TypeAlias = Annotated[str | None, typer.Argument(hidden=True)]
"""Takes what is left where group and workflow are two words, as they once had to be."""


class WorkflowNotInRelease(NotFound):
    """The release in force has no such workflow."""

    code = "workflow-not-in-release"


def words(count: int, first: str, *others: str | None) -> list[str]:
    """Group, workflow and what follows them, so many in all.

    Parameters
    ----------
    first : GROUP/WORKFLOW; or the group alone, and the workflow is the next word.

    Raises
    ------
    InvalidInput : there is no workflow, or a word too many.
    """
    found = [*first.split("/", 1), *(one for one in others if one is not None)]
    if len(found) != count or not all(found):
        raise InvalidInput(
            f"{' '.join(filter(None, (first, *others)))!r} does not name what it has to.",
            fix="Write the workflow as GROUP/WORKFLOW: weather/nightly.",
        )
    return found


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
