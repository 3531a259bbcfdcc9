"""A discovery: one launch of an image in discover mode, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class State(StrEnum):
    """Where a discovery stands; the last two are final."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self in {State.SUCCEEDED, State.FAILED}


class Trigger(StrEnum):
    """Why a discovery began: the registration, a person, a schedule, or another digest that
    was seen by the group's own watch or by the scan of a source."""

    REGISTRATION = "registration"
    REQUEST = "request"
    SCHEDULE = "schedule"
    DIGEST = "digest"
    SCAN = "scan"


class Fault(BaseModel):
    """Why a discovery failed: a code, and what, why and how to fix it in words.

    `output` has the last lines that the image wrote, once it has ended.
    """

    model_config = ConfigDict(extra="ignore")

    code: str = Field(default="discovery-failed", pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    what: str = Field(max_length=4000)
    why: str = Field(default="", max_length=16000)
    fix: str = Field(default="", max_length=4000)
    problems: list[dict[str, Any]] = []
    output: str = Field(default="", max_length=8000)


class Discovery(BaseModel):
    """A discovery as lists show it. Instants are UTC."""

    id: UUID
    group_name: str
    state: State
    trigger: str
    requested_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    launcher: str | None
    image: str | None
    digest: str | None
    error: Fault | None


class DiscoveryDetail(Discovery):
    """With the manifest and the last 64 KiB of what the image wrote."""

    manifest: dict[str, Any] | None
    output: str | None
