"""A run, its attempts and its steps, as they are shown and as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.access.records import User
from stepwell.step import EndedAs, StepStatus

LabelKey: TypeAlias = Annotated[
    str, Field(pattern=r"^[a-z0-9]([a-z0-9._/-]*[a-z0-9])?$", max_length=63)
]
LabelValue: TypeAlias = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Labels: TypeAlias = Annotated[dict[LabelKey, LabelValue], Field(max_length=32)]
"""At most 32 labels, by key."""


class RunState(StrEnum):
    """Where a run is. The last four are ends."""

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """Failed, and then done by another run in its place; kept as *failed* in the database."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self in ENDED


ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.SUPERSEDED)

LONGEST_DEADLINE = 366 * 24 * 3600.0


class WaitingCode(StrEnum):
    """Why a run that has no container does not go on."""

    LIMIT = "limit"
    APPROVAL = "approval"
    RETRY = "retry"
    DUE = "due"


class Waiting(BaseModel):
    """What a run waits for: in a sentence, since when, and until when at the latest."""

    code: WaitingCode
    sentence: str
    since: datetime
    until: datetime | None
    details: dict[str, Any] = {}


class Progress(BaseModel):
    """How far the operation is that runs: `fraction` 0 to 1 where it told its total."""

    operation: str
    step_id: UUID
    done: float
    total: float | None
    fraction: float | None
    note: str
    at: datetime


PriorityName: TypeAlias = Literal["urgent", "high", "normal", "low"]
PRIORITIES: Final[tuple[PriorityName, ...]] = ("urgent", "high", "normal", "low")
"""The bands of runs in line for a slot, by number."""


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

    `warnings` counts operations that failed without halting, or were skipped (R32).
    `waiting` says what it waits for, where it has no container; `progress` how far the
    operation is that runs. `superseded_by` is the run that did its work after it failed.
    Of a failed run `fingerprint` names its cause, and `failed_operation` where it failed.
    A run with `trial` counts nowhere, and its `release_id` is no release's that anybody approved.
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
    reexecution_of: UUID | None
    superseded_by: UUID | None
    labels: dict[str, str]
    priority: PriorityName
    pool: str | None
    waiting: Waiting | None
    progress: Progress | None
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
    trial: Trial | None = None


class PhaseName(StrEnum):
    """Where a run's time went."""

    QUEUED = "queued"
    SCHEDULING = "scheduling"
    STARTING = "starting"
    RUNNING = "running"
    RETRY_WAIT = "retry wait"
    APPROVAL = "approval"
    ASLEEP = "asleep"


class Phase(BaseModel):
    """A piece of a run's time; `attempt` is the one that it belongs to, or comes before.

    `finished_at` is null while it goes on; `seconds` is its length so far.
    """

    name: PhaseName
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    seconds: float


class Attempt(BaseModel):
    """One container, with the instants of its phases and what the launcher last said (R40).

    `exit` has the exit code, the reason in words, and the ids of the steps that were
    lost with it. `waited_for` is what the run slept for before it, and `lined_up_at` since
    when it waited for a slot.
    """

    number: int
    queued_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    revoked_at: datetime | None
    exit: dict[str, Any] | None
    condition: str | None
    waited_for: str | None
    lined_up_at: datetime | None


class ReleaseBrief(BaseModel):
    """The release that a run is of. `number` is null for a trial; `current`: still in force."""

    number: int | None
    current: bool


class RunDetail(Run):
    """A run with its attempts, oldest first, and where its time went.

    `operations` are all that it has to do, in order, whether they have begun or not.
    `totals` has the seconds by phase. `reproduce` is the command that runs the workflow
    on one's own machine with the same parameters.
    """

    attempts: list[Attempt]
    phases: list[Phase]
    totals: dict[PhaseName, float]
    reproduce: str
    operations: list[str]
    release: ReleaseBrief


class RunStep(BaseModel):
    """One operation's row. `duration` in seconds, of the last execution.

    A result that is too large for its row is null here, and is found at `result_link`;
    `result_size` is in bytes of JSON.
    `reused` says that its result was taken over from the run that this one re-executes,
    from the step `copy_of`.
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
    reused: bool


class Output(BaseModel):
    """What one attempt wrote to stdout and stderr; the middle is cut where it was too much."""

    run_id: UUID
    attempt: int
    text: str


class Assignment(BaseModel):
    """What a container is to do. `paired` says that its store takes two verbs in one request."""

    run_id: UUID
    group: str
    workflow: str
    attempt: int
    parameters: dict[str, Any]
    due_at: datetime
    paired: bool = True


class NewRun(BaseModel):
    """Run now. `deadline` is in seconds; by default what the workflow says."""

    model_config = ConfigDict(extra="forbid")

    parameters: dict[str, Any] = Field(default_factory=dict)
    labels: Labels = {}
    priority: PriorityName = "normal"
    deadline: float | None = Field(default=None, gt=0, le=LONGEST_DEADLINE)
    reason: str | None = Field(default=None, max_length=1000)


class RunChange(BaseModel):
    """What is changed about a run; what is left out stays. Labels are replaced as a whole."""

    model_config = ConfigDict(extra="forbid")

    labels: Labels | None = None
    priority: PriorityName | None = None
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


class ProgressTold(BaseModel):
    """How far an operation says that it is."""

    model_config = ConfigDict(extra="forbid")

    step_id: UUID
    claim_no: int
    done: float = Field(allow_inf_nan=False)
    total: float | None = Field(default=None, allow_inf_nan=False)
    note: str = Field(default="", max_length=500)


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
