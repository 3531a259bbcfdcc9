"""A workflow in force, as the catalog shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class Outcome(BaseModel):
    """A run among the newest of a workflow; `seconds` is how long it ran, null until it ended."""

    run_id: UUID
    state: str
    at: datetime
    seconds: float | None


class Workflow(BaseModel):
    """One workflow of a group's current release. Instants are UTC.

    `since` is the number of the release that brought it as it is now, `outcomes` its newest
    runs, the oldest of them first. `next_due` is of the schedule that is due first; `paused`
    is true where it has schedules, and all of them are paused.
    """

    group: str
    workflow: str
    description: str
    tags: list[str]
    owner: str | None = Field(description="who answers for it, or for its group, by the manifest")
    release: int
    since: int
    digest: str
    operations: int
    outcomes: list[Outcome]
    schedules: int
    paused: bool
    next_due: datetime | None


class Version(BaseModel):
    """A release that brought a workflow, or another image of it."""

    release: int
    created_at: datetime
    created_by: str
    confirmed_by: str | None
    reason: str | None
    digest: str
    renamed_from: str | None
    rollback_of: int | None


class WorkflowDetail(Workflow):
    """The same, with what its source declares, and the releases that changed it, newest first."""

    entry: dict[str, Any]
    versions: list[Version]
