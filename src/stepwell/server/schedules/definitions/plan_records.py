"""The schedules of a group as somebody wants them (R31)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.schedules.records import Because, Limit, Name, Parameters, Spec


class Others(StrEnum):
    """What a plan does with the group's schedules that it does not name."""

    KEEP = "keep"
    PAUSE = "pause"


class Planned(BaseModel):
    """A schedule as it shall be; the source's own is named `default`.

    What is left out stays. One that is not there yet needs its spec.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str
    name: Name = "default"
    spec: Spec | None = None
    parameters: Parameters | None = None
    late_after: Limit = None
    too_long_after: Limit = None
    paused: bool = False


class Plan(BaseModel):
    """The schedules of a group as somebody wants them, applied all together or not at all."""

    model_config = ConfigDict(extra="forbid")

    schedules: list[Planned] = Field(max_length=1000)
    others: Others = Others.KEEP
    reason: Because = None


class PlanChange(BaseModel):
    """What applying a plan did to a schedule: added, changed, paused or resumed."""

    schedule_id: UUID
    workflow: str
    name: str
    verb: str


class PlanResult(BaseModel):
    """What was done; empty if everything was so already."""

    changes: list[PlanChange]
