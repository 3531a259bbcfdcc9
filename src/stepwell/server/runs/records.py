"""A run, its attempts and its steps, as they are shown and as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.access.records import User
from stepwell.step import EndedAs, StepStatus


class RunState(StrEnum):
    """Where a run is. The last three are ends."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self in ENDED


ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Container(User):
    """The caller that holds a run token: one attempt of one run (R35)."""

    run_id: UUID
    attempt: int


class Trial(BaseModel):
    """What makes a run a trial: a discovery that was tried before it was decided about."""

    discovery_id: UUID
    with_secrets: bool


class Run(BaseModel):
    """The header. Instants are UTC; `reason` says why it failed, or was cancelled.

    `warnings` counts operations that failed without halting, or were skipped (R32). Of a
    failed run `fingerprint` names its cause, `failed_operation` where it failed, and
    `superseded_by` the later run of the same that succeeded. A run
    with `trial` counts nowhere, and its `release_id` is no release's that anybody approved.
    """

    id: UUID
    group: str
    workflow: str
    release_id: UUID
    digest: str
    state: RunState
    parameters: dict[str, Any]
    trigger: str
    requested_by: str
    schedule_id: UUID | None
    repeat_of: UUID | None
    due_at: datetime
    created_at: datetime
    deadline_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    warnings: int
    reason: str | None
    fingerprint: str | None = None
    failed_operation: str | None = None
    superseded_by: UUID | None = None
    trial: Trial | None = None


class Attempt(BaseModel):
    """One container, with the instants of its phases and what the launcher last said (R40).

    `exit` has the exit code, the reason in words, and the ids of the steps that were
    lost with it.
    """

    number: int
    queued_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    revoked_at: datetime | None
    exit: dict[str, Any] | None
    condition: str | None


class RunDetail(Run):
    """A run with its attempts, oldest first."""

    attempts: list[Attempt]


class RunStep(BaseModel):
    """One operation's row. `duration` in seconds, of the last execution.

    A result that is too large for its row is null here, and is found at `result_link`;
    `result_size` is in bytes of JSON.
    """

    id: UUID
    operation: str
    status: StepStatus
    ended_as: EndedAs | None
    description: str | None
    result: Any
    result_size: int = 0
    result_link: str | None = None
    claimed: bool
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration: float | None
    executions: int
    failures: int
    lost: int
    executed_by: str | None
    copy_of: UUID | None


class Output(BaseModel):
    """What one attempt wrote to stdout and stderr; the middle is cut where it was too much."""

    run_id: UUID
    attempt: int
    text: str


class Assignment(BaseModel):
    """What a container is to do."""

    run_id: UUID
    group: str
    workflow: str
    attempt: int
    parameters: dict[str, Any]
    due_at: datetime


class NewRun(BaseModel):
    """Run now."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = Field(default=None, max_length=1000)


class Repeat(BaseModel):
    """Run again: with the same parameters, or with others (R41)."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, Any] | None = None
    reason: str | None = Field(default=None, max_length=1000)


class Cancellation(BaseModel):
    """End a run. `force` does not wait for the launcher to confirm (R34)."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(default=None, max_length=1000)
    force: bool = False


class Staging(BaseModel):
    """What an operation writes, to be committed with its settlement (R38).

    The same `id` again is the same write, so one whose answer was lost can be sent again.
    A report has its content as base64, or the id of a `blob` that was uploaded before.
    """

    model_config = ConfigDict(extra="forbid")

    id: UUID | None = None
    step_id: UUID
    claim_no: int
    kind: Literal["state", "report"]
    payload: dict[str, Any]
    content: str | None = None
    blob: UUID | None = None


class Staged(BaseModel):
    """What became of it: `version` where it was written at once."""

    id: UUID | None = None
    version: int | None = None


class StateValue(BaseModel):
    """A value as an operation reads it; version 0 says that there is none."""

    value: Any = None
    version: int = 0
    exists: bool = False


class StateKeys(BaseModel):
    """Keys in order; `more` come after the last one."""

    keys: list[str]
    more: bool
