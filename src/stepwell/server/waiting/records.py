"""Why something waits: a code, a sentence, since when, until when, what blocks it, what to do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel


class Code(StrEnum):
    """Every reason, in the order in which they are looked for; the first that fits is shown."""

    PAUSED_SYSTEM = "PAUSED_SYSTEM"
    PAUSED_SCHEDULE = "PAUSED_SCHEDULE"
    PAUSED_WORKFLOW = "PAUSED_WORKFLOW"
    NOT_DUE = "NOT_DUE"
    DEPENDS_ON = "DEPENDS_ON"
    SLEEPING = "SLEEPING"
    RETRY_AT = "RETRY_AT"
    APPROVAL = "APPROVAL"
    OVERLAP = "OVERLAP"
    CONCURRENCY = "CONCURRENCY"
    RATE_LIMIT = "RATE_LIMIT"
    NO_RUNNER = "NO_RUNNER"
    K8S_QUOTA = "K8S_QUOTA"
    K8S_UNSCHEDULABLE = "K8S_UNSCHEDULABLE"
    K8S_IMAGE = "K8S_IMAGE"
    K8S_CONFIG = "K8S_CONFIG"
    K8S_ADMISSION = "K8S_ADMISSION"
    STARTING = "STARTING"
    LOST = "LOST"
    ENGINE = "ENGINE"
    UNKNOWN = "UNKNOWN"


class Blocking(BaseModel):
    """The thing that has to change. `link` is its path below /api/v1."""

    kind: str
    id: str
    name: str
    link: str


class Action(BaseModel):
    """What a person can do: the command, and the call of the API where there is one.

    `body` is what that call is given, beside the reason of whoever makes it.
    """

    label: str
    command: str
    method: Literal["GET", "POST", "PATCH", "DELETE"] | None = None
    path: str | None = None
    body: dict[str, Any] = {}


class Reason(BaseModel):
    """One reason. `changes` says in words when it ends, `changes_at` the instant if known.

    `actions` are what a person can do about it, what helps most first.
    """

    code: Code
    sentence: str
    since: datetime | None = None
    changes: str = ""
    changes_at: datetime | None = None
    blocking: Blocking | None = None
    actions: list[Action] = []


class Subject(BaseModel):
    """What was asked about. `state` is where it is: that of the run, step or schedule."""

    kind: Literal["run", "step", "schedule"]
    id: UUID
    name: str
    state: str


class Why(BaseModel):
    """The answer. What does not wait has no `reason`: the sentence says what it does.

    `then_also` are the reasons that would remain. `diagnostics` is what the server saw, for
    a report, where no reason is known.
    """

    subject: Subject
    waiting: bool
    sentence: str
    reason: Reason | None
    then_also: list[Reason]
    diagnostics: dict[str, str]
    as_of: datetime
