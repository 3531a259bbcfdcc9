"""What starting a run would do: everything is checked, and nothing is started."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Connection

from stepwell.server.groups import service as groups
from stepwell.server.runs import service
from stepwell.server.runs.records import NewRun


class RunPlan(BaseModel):
    """What would be started. `parameters` are complete: with their defaults.

    `deadline` in seconds; `approvals` are the operations that will wait for a reviewer;
    `pool` and `limits` say what it may have to wait in line for.
    """

    group: str
    workflow: str
    release_id: UUID
    digest: str
    launcher: str
    parameters: dict[str, Any]
    operations: list[str]
    approvals: list[str]
    deadline: float
    pool: str | None
    limits: dict[str, int]


def plan(conn: Connection, group: str, workflow: str, asked: NewRun) -> RunPlan:
    """The plan of a run.

    Raises
    ------
    GroupNotFound, GroupArchived, WorkflowNotReleased, ParametersInvalid.
    """
    release = service.released(conn, group, workflow)
    entry = release["entry"]
    service.check_parameters(workflow, entry, asked.parameters)
    declared = {"workflow": entry.get("limit"), "group": release["group_limit"]}
    operations = entry["operations"]
    return RunPlan(
        group=group,
        workflow=workflow,
        release_id=release["release_id"],
        digest=release["digest"],
        launcher=groups.get(conn, group).launcher,
        parameters={**_defaults(entry), **asked.parameters},
        operations=[one["name"] for one in operations],
        approvals=[one["name"] for one in operations if one.get("approval")],
        deadline=asked.deadline or entry.get("deadline") or service.DEADLINE,
        pool=entry.get("pool"),
        limits={kind: one for kind, one in declared.items() if one is not None},
    )


def _defaults(entry: dict[str, Any]) -> dict[str, Any]:
    properties = (entry.get("parameters") or {}).get("properties", {})
    return {name: one["default"] for name, one in properties.items() if "default" in one}
