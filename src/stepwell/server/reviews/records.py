"""What a reviewer sees and decides, and the release that comes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.reviews.changes import Standing, WorkflowChanges


class Choice(StrEnum):
    """What a reviewer says about one workflow. Hold decides nothing yet."""

    ACCEPT = "accept"
    REJECT = "reject"
    HOLD = "hold"


class Decision(BaseModel):
    """The choice for one workflow of a discovery, or for one that it no longer has.

    `renamed_from` names the released workflow that this one continues; left out it
    is the one that the difference found, null says that there is none.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str = Field(max_length=100)
    decision: Choice
    renamed_from: str | None = Field(default=None, max_length=100)
    reason: str | None = Field(default=None, max_length=1000)


class Decisions(BaseModel):
    """Applied whole or not at all. `rest` is the choice for all that is not named.

    `against_release` is the number of the release that the reviewer compared with
    (0: none); if another one is current by now, nothing is applied.
    """

    model_config = ConfigDict(extra="forbid")

    decisions: list[Decision] = []
    rest: Choice = Choice.HOLD
    against_release: int | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Rollback(BaseModel):
    """Make the contents of an earlier release current again, as a new release."""

    model_config = ConfigDict(extra="forbid")

    to_release: int = Field(ge=1)
    reason: str | None = Field(default=None, max_length=1000)


class Decided(BaseModel):
    """The last choice for a workflow of this digest. `decided_at` is UTC."""

    workflow: str
    decision: Choice
    renamed_from: str | None
    reason: str | None
    decided_by: str
    decided_at: datetime


class Effect(BaseModel):
    """What accepting would do to something that lives: schedules, runs. `ids` are theirs."""

    code: str
    workflow: str
    sentence: str
    ids: list[UUID] = []


class Risk(BaseModel):
    """A reason to look twice."""

    code: str
    workflow: str
    sentence: str


class WorkflowReview(WorkflowChanges):
    """The changes of a workflow, and the last choice for it, if there is one."""

    decided: Decided | None = None


class Review(BaseModel):
    """A discovery compared with the current release, joined to what lives."""

    group: str
    discovery_id: UUID
    found_at: datetime
    release: int | None
    digest: str
    pending: list[str]
    workflows: list[WorkflowReview]
    counts: dict[Standing, int]
    effects: list[Effect]
    risks: list[Risk]
    notice: str | None


class Waiting(BaseModel):
    """A group whose newest discovery waits for a decision."""

    group: str
    discovery_id: UUID
    found_at: datetime
    release: int | None
    digest: str
    pending: list[str]
    counts: dict[Standing, int]


class Release(BaseModel):
    """An approved set of workflows (R37). `rollback_of` is the number of an earlier release."""

    id: UUID
    group_name: str
    number: int
    discovery_id: UUID | None
    rollback_of: int | None
    reason: str | None
    created_by: str
    created_at: datetime


class ReleasedWorkflow(BaseModel):
    """One workflow of a release: its manifest entry, pinned to the digest of an image."""

    workflow: str
    digest: str
    discovery_id: UUID
    renamed_from: str | None
    entry: dict[str, Any]


class ReleaseDetail(Release):
    """A release with its workflows."""

    workflows: list[ReleasedWorkflow]


class Applied(BaseModel):
    """What came of decisions: the release that is current now, and whether it is a new one."""

    release: Release | None
    changed: bool
    accepted: list[str]
    kept: list[str]
