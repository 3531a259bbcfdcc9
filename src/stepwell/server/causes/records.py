"""A cause of failures, as it is shown and muted."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Affected(BaseModel):
    """A workflow that fails for this cause."""

    group: str
    workflow: str
    runs: int


class Mute(BaseModel):
    """Why nobody is shown a cause, and until when."""

    until: datetime
    reason: str
    muted_by: str
    muted_at: datetime


class Cause(BaseModel):
    """Failed runs with one fingerprint that no later success has superseded.

    `trend` counts them in 24 equal spans of the time asked for, oldest first.
    `started_after` is the release with which it began: the run before the first failure was
    of another one. `query` finds its runs, also for `POST /bulk`.
    """

    fingerprint: str
    sentence: str
    operation: str | None
    runs: int
    workflows: list[Affected]
    first_seen: datetime
    last_seen: datetime
    newest_run: UUID
    trend: list[int]
    started_after: int | None
    muted: Mute | None
    query: str


class Causes(BaseModel):
    """The causes, the one seen last first. `causes` and `runs` count all that are shown."""

    items: list[Cause]
    causes: int
    runs: int
    muted: int
    since: datetime
    next: str | None
    limited_to: int
    as_of: datetime


class NewMute(BaseModel):
    """Do not show a cause until an instant."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime
    reason: str = Field(min_length=1, max_length=1000)
