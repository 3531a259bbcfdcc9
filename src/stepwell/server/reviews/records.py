"""What a reviewer sees and decides, and the release that comes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from stepwell.server.reviews.changes import Change, Standing, WorkflowChanges


class Choice(StrEnum):
    """What a reviewer says about one workflow. Hold decides nothing yet."""

    ACCEPT = "accept"
    REJECT = "reject"
    HOLD = "hold"


class Decision(BaseModel):
    """The choice for one workflow of a discovery, or for one that it no longer has.

    `renamed_from` names the released workflow that this one continues; left out it
    is the one that the difference found, null says that there is none. The same holds for
    `renamed_operations` (new name -> old name): left out, those found; {} says none.
    `until` ends a hold: before that instant the workflow is not offered; without one it
    stays on the list.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str = Field(max_length=100)
    decision: Choice
    renamed_from: str | None = Field(default=None, max_length=100)
    renamed_operations: dict[str, str] | None = None
    until: AwareDatetime | None = None
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
    """The last choice for a workflow of this digest. Instants are UTC."""

    workflow: str
    decision: Choice
    renamed_from: str | None
    reason: str | None
    decided_by: str
    decided_at: datetime
    hold_until: datetime | None = None


class Sample(BaseModel):
    """One value that does not fit: `where` it is kept, the `path` inside, and why."""

    where: str
    path: str
    reason: str


class Effect(BaseModel):
    """What accepting would do to something that lives: schedules, runs, steps.

    `count` is how many; `ids` and `sample` have the first of them. `fires` are UTC.
    """

    code: str
    workflow: str
    sentence: str
    count: int = 0
    ids: list[UUID] = []
    sample: list[Sample] = []
    fires: list[datetime] = []


class Risk(BaseModel):
    """A reason to look twice; the workflow is null where it concerns the whole group."""

    code: str
    workflow: str | None
    sentence: str


class WorkflowReview(WorkflowChanges):
    """The changes of a workflow, and the last choice for it, if there is one."""

    decided: Decided | None = None


class Kind(StrEnum):
    """What is offered: what an image declares now, or an earlier release."""

    DISCOVERY = "discovery"
    ROLLBACK = "rollback"


class Brief(BaseModel):
    """What is offered, and what of it waits for a decision.

    `release` is the number of the one that it is compared with (null: none yet), `replaces`
    the digests in force. `held` is decided to wait. `digest` is null for an earlier release,
    which may have several.
    """

    kind: Kind
    group: str
    discovery_id: UUID | None
    to_release: int | None
    found_at: datetime
    found_by: str
    image: str
    release: int | None
    digest: str | None
    replaces: list[str]
    pending: list[str]
    held: list[str]
    counts: dict[Standing, int]


class Waiting(Brief):
    """A group whose newest discovery waits for a decision; `risks` are codes."""

    risks: list[str]
    proposal_id: UUID | None


class ProposalState(StrEnum):
    """Where a proposal stands; all but the first are ends."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Proposal(BaseModel):
    """Decisions of one reviewer that another one must confirm. Instants are UTC.

    `release` is the number of the release that came of it.
    """

    id: UUID
    group_name: str
    discovery_id: UUID | None
    to_release: int | None
    against_release: int
    decisions: list[Decision]
    reason: str | None
    state: ProposalState
    requested_by: str
    requested_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    ended_reason: str | None
    release: int | None


class Review(Brief):
    """What is offered compared with the current release, joined to what lives.

    `verdict` says in a sentence what was decided before about this very digest.
    `unavailable` has a sentence for each thing that could not be looked at, so that an
    empty list of effects is no promise. `notice` tells what was cut.
    """

    group_changes: list[Change]
    workflows: list[WorkflowReview]
    effects: list[Effect]
    risks: list[Risk]
    two_person: bool
    proposal: Proposal | None
    comments: int
    verdict: str | None
    unavailable: list[str]
    notice: str | None


class NewComment(BaseModel):
    """What is said about a discovery."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=4000)


class Comment(BaseModel):
    """What somebody said about a discovery. `written_at` is UTC."""

    id: UUID
    discovery_id: UUID
    written_by: str
    written_at: datetime
    text: str


class NewTrial(BaseModel):
    """Run one workflow of a discovery once, before it is decided about.

    Its container gets the group's secrets only with `with_secrets`.
    """

    model_config = ConfigDict(extra="forbid")

    workflow: str = Field(max_length=100)
    parameters: dict[str, Any] = {}
    with_secrets: bool = False
    reason: str | None = Field(default=None, max_length=1000)


class Release(BaseModel):
    """An approved set of workflows (R37). `rollback_of` is the number of an earlier release.

    `image`, `secrets`, `launch_options` and the names in `environment` are the group's when it
    was made; null where that is unavailable.
    """

    id: UUID
    group_name: str
    number: int
    discovery_id: UUID | None
    rollback_of: int | None
    reason: str | None
    created_by: str
    created_at: datetime
    confirmed_by: str | None = None
    image: str | None = None
    environment: list[str] | None = None
    secrets: dict[str, str] | None = None
    launch_options: dict[str, Any] | None = None


class ReleasedWorkflow(BaseModel):
    """One workflow of a release: its manifest entry, pinned to the digest of an image."""

    workflow: str
    digest: str
    discovery_id: UUID
    renamed_from: str | None
    renamed_operations: dict[str, str] | None = None
    entry: dict[str, Any]


class ReleaseDetail(Release):
    """A release with its workflows, and what its source declares for the group as a whole.

    `owner` is whom to ask; so many runs of all its workflows go on at once as `limit` says.
    """

    workflows: list[ReleasedWorkflow]
    owner: str | None = None
    limit: int | None = None


class Applied(BaseModel):
    """What came of decisions: the release that is current now, and whether it is a new one.

    Of what was `accepted`, `removed` is what is not started any more.
    With a `proposal`, nothing is in force yet: another reviewer must confirm it.
    """

    release: Release | None
    changed: bool
    accepted: list[str]
    removed: list[str] = []
    kept: list[str]
    proposal: Proposal | None = None
