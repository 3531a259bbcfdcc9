"""Routes of the room: /workflows."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Router, reads
from stepwell.server.workflows import service
from stepwell.server.workflows.records import Workflow, WorkflowDetail

router = Router(prefix="/workflows", tags=["workflows"])

Reading = Annotated[Call, reads(Role.VIEWER)]


@router.get("")
def list_workflows(
    call: Reading,
    pages: Pages,
    group: str | None = None,
    text: Annotated[
        str | None,
        Query(max_length=200, description="in group, name, description, owner, a tag or digest"),
    ] = None,
) -> Page[Workflow]:
    """What is in force, by group and name, each with its newest runs."""
    return service.listed(call.conn, pages, group=group, text=text)


@router.get("/{group}/{workflow}")
def show_workflow(call: Reading, group: str, workflow: str) -> WorkflowDetail:
    """One workflow in force: what its source declares, and the releases that changed it."""
    return service.get(call.conn, group, workflow)
