"""Routes of the room: policies, what they would remove, and runs that are kept."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, Why, reads, writes
from stepwell.server.retention import service
from stepwell.server.retention.records import Mark, NewPolicy, Policy, Prospect

router = Router(tags=["retention"])

Reading = Annotated[Call, reads(Role.VIEWER)]
Deciding = Annotated[Call, writes(Role.ADMIN)]
Keeping = Annotated[Call, writes(Role.OPERATOR)]


class Policies(BaseModel):
    """For how long everything is kept, on one page."""

    items: list[Policy]


class Prospects(BaseModel):
    """What the next sweeps would remove."""

    items: list[Prospect]


class Keep(BaseModel):
    """Why the run is to be kept."""

    reason: str = Field(min_length=1, max_length=1000)


@router.get("/retention")
def list_policies(call: Reading) -> Policies:
    """For how long each kind of things is kept, and who has decided so."""
    return Policies(items=service.policies(call.conn, call.services.settings))


@router.get("/retention/preview")
def preview_sweeps(
    call: Annotated[Call, reads(Role.OPERATOR)],
    kind: Annotated[list[str] | None, Query()] = None,
    days: Annotated[int | None, Query(ge=1, le=36_500)] = None,
) -> Prospects:
    """What the next sweeps would remove; with `days`, if things were kept for so long only.

    Nothing is removed.
    """
    return Prospects(items=service.prospects(call.services, kind or (), days))


@router.patch("/retention/{kind}")
def decide_policy(call: Deciding, kind: str, body: NewPolicy) -> Policy:
    """Keep a kind for longer or shorter than the settings say; needs a reason."""
    return service.decide(call.conn, call.services.settings, kind, body, by=call.user.name)


@router.delete("/retention/{kind}")
def undecide_policy(call: Deciding, kind: str, reason: Why = None) -> Policy:
    """Back to what the settings say."""
    return service.undecide(call.conn, call.services.settings, kind, reason, by=call.user.name)


@router.post("/runs/{run_id}/keeps", status_code=201)
def keep_run(call: Keeping, run_id: UUID, body: Keep) -> Mark:
    """Keep a run whatever the policy says."""
    return service.keep_run(call.conn, run_id, body.reason, by=call.user.name)


@router.delete("/runs/{run_id}/keeps")
def let_run_go(call: Keeping, run_id: UUID, reason: Why = None) -> Mark:
    """Let the policy decide about a run again."""
    return service.let_run_go(call.conn, run_id, reason, by=call.user.name)
