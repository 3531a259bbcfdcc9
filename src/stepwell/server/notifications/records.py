"""What happened, whom to tell, and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

LONGEST_CAUSE: Final = 300


class Kind(StrEnum):
    """What people can be told of."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    LATE = "late"
    TOO_LONG = "too-long"
    TARGET_MISSED = "target-missed"
    REVIEW_WAITING = "review-waiting"
    APPROVAL_WAITING = "approval-waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that happened, and that somebody may want to hear of.

    Parameters
    ----------
    kind : what it is; rules choose by it.
    group, workflow : where; a workflow of None is the whole group.
    sentence : what is said, in plain text: one sentence that names the thing. It is
        escaped where it goes into HTML.
    run_id, schedule_id, discovery_id : what it happened to, where there is one.
    fingerprint : of its cause. Occasions of the same kind and fingerprint are told as one;
        without it, those of the same kind, group, workflow, schedule and discovery.
    details : more to know, as JSON; never a secret.
    labels : of the run, for rules that choose by them.
    """

    kind: Kind
    group: str
    workflow: str | None = None
    sentence: str
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    discovery_id: UUID | None = None
    fingerprint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """What makes occasions one message: of failures and their recovery, the fingerprint."""
        where = (self.group, self.workflow, self.schedule_id, self.discovery_id)
        text = self.fingerprint or "/".join(str(part) for part in where if part is not None)
        plain = self.fingerprint and self.kind in (Kind.FAILURE, Kind.RECOVERY)
        return (text if plain else f"{self.kind}:{text}")[:LONGEST_CAUSE]


class Happened(BaseModel):
    """An occasion as it is shown. `passed_at` is when a failure was followed by a success."""

    id: UUID
    at: datetime
    kind: Kind
    cause: str
    group: str
    workflow: str | None
    run_id: UUID | None
    schedule_id: UUID | None
    discovery_id: UUID | None
    sentence: str
    details: dict[str, Any]
    labels: dict[str, str]
    passed_at: datetime | None


class TargetKind(StrEnum):
    """How a target is reached."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
Reference = Annotated[str, Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]


class NewTarget(BaseModel):
    """Somebody to tell. A URL that is itself a secret is given by reference: `env:NAME`.

    `url` or `url_ref` for a webhook, `url_ref` for Slack, `to` for e-mail.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: TargetKind
    url: Annotated[str, Field(max_length=2000)] | None = None
    url_ref: Reference | None = None
    to: list[Annotated[str, Field(max_length=320)]] = Field(default_factory=list, max_length=50)
    reason: str | None = Field(default=None, max_length=1000)


class Target(BaseModel):
    """A target as it is shown: never its secret. `warning`: why nothing can be sent to it now."""

    name: str
    kind: TargetKind
    url: str | None
    url_ref: str | None
    to: list[str]
    warning: str | None = None
    created_at: datetime
    created_by: str


class MadeTarget(Target):
    """A target, and the secret that its webhooks are signed with, this once."""

    secret: str | None


class NewRule(BaseModel):
    """Tell a target of these kinds; of everything, or of one group, workflow or labels only.

    `every` is in seconds: after a cause was told, it is told again no sooner.
    """

    model_config = ConfigDict(extra="forbid")

    target: Name
    kinds: list[Kind] = Field(default_factory=lambda: list(Kind), min_length=1)
    group: str | None = Field(default=None, max_length=100)
    workflow: str | None = Field(default=None, max_length=100)
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    every: int = Field(default=3600, ge=60, le=30 * 24 * 3600)
    reason: str | None = Field(default=None, max_length=1000)

    @field_validator("kinds")
    @classmethod
    def _once_each(cls, kinds: list[Kind]) -> list[Kind]:
        return sorted(set(kinds))


class Rule(BaseModel):
    """A rule as it is shown."""

    id: UUID
    target: str
    kinds: list[Kind]
    group: str | None
    workflow: str | None
    labels: dict[str, str]
    every: int
    created_at: datetime
    created_by: str


class DeliveryState(StrEnum):
    """Where a delivery is; `waiting` may have been tried already."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Delivery(BaseModel):
    """A message on its way to one target. `answer` is what came of the last attempt."""

    id: UUID
    target: str
    kind: str
    sentence: str
    occasion_id: UUID | None
    state: DeliveryState
    attempts: int
    answer: str | None
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None


class NewMute(BaseModel):
    """Say nothing of a cause until then."""

    model_config = ConfigDict(extra="forbid")

    cause: str = Field(min_length=1, max_length=LONGEST_CAUSE)
    until: datetime
    reason: str = Field(min_length=1, max_length=1000)


class Mute(BaseModel):
    """A cause of which nothing is said until then, and why; `sentence` is what it said last."""

    cause: str
    sentence: str | None = None
    until: datetime
    reason: str
    muted_by: str
    muted_at: datetime


class Message(BaseModel):
    """What is said to a target; `more` counts what happened since the cause was told last."""

    kind: str
    sentence: str
    more: int = 0
    cause: str | None = None
    group: str | None = None
    workflow: str | None = None
    run_id: UUID | None = None
    schedule_id: UUID | None = None
    discovery_id: UUID | None = None
    link: str | None = None
    at: datetime
    details: dict[str, Any] = Field(default_factory=dict)

    @property
    def headline(self) -> str:
        """The sentence, with how often it has happened."""
        if not self.more:
            return self.sentence
        return f"{self.more} more of the same cause. The last: {self.sentence}"
