"""Routes of the room: /me and /tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from stepwell.server.access import permissions, service, sessions
from stepwell.server.access.permissions import Permissions
from stepwell.server.access.records import How, IssuedToken, NewToken, Role, Token, User
from stepwell.server.http import (
    Call,
    CurrentUser,
    Page,
    Pages,
    Reason,
    Router,
    reads,
    services_of,
    writes,
)
from stepwell.version import VERSION

router = Router(tags=["access"])


class May(BaseModel):
    """What the caller may do at all: each needs the role of its name, and no read-only token."""

    operate: bool
    review: bool
    administer: bool


class Me(BaseModel):
    """Who the caller is, and what they may do.

    `user_id` is null for a token that belongs to nobody in particular. `groups` are the
    only ones that a token reaches, null is all. `csrf` is what a page must send along in
    `X-Stepwell-CSRF` with each change, null with a token. `mode` is "engine" where there are
    steps and nothing else. `environment` is what the server is called. Instants are UTC.
    """

    name: str
    role: Role
    how: How
    user_id: UUID | None
    groups: list[str] | None
    read_only: bool
    expires_at: datetime | None
    csrf: str | None
    may: May
    mode: Literal["server", "engine"] = "server"
    environment: str | None = None
    version: str = VERSION


@router.get("/me")
def me(request: Request, user: CurrentUser) -> Me:
    """Who the caller is, how they have logged in, and what they may do."""
    settings, session_id = services_of(request).settings, user.session_id
    return Me(
        name=user.name,
        role=user.role,
        how=user.how,
        user_id=user.user_id,
        groups=None if user.groups is None else list(user.groups),
        read_only=user.read_only,
        expires_at=user.expires_at,
        csrf=None if session_id is None else sessions.csrf_token(settings.signing_key, session_id),
        may=_may(user),
        mode="engine" if services_of(request).db.bare else "server",
        environment=settings.environment or None,
    )


def _may(user: User) -> May:
    able = {role: not user.read_only and user.role.covers(role) for role in Role}
    return May(operate=able[Role.OPERATOR], review=able[Role.REVIEWER], administer=able[Role.ADMIN])


@router.get("/permissions")
def list_permissions(request: Request, user: CurrentUser) -> Permissions:
    """What each act needs, and whether the caller may: so that a page can say it before."""
    return permissions.told(permissions.acts_of(request.app.state.rooms), user)


@router.get("/tokens")
def list_tokens(call: Annotated[Call, reads(Role.ADMIN)], pages: Pages) -> Page[Token]:
    """All tokens, newest first; never their secrets."""
    return service.listed(call.conn, pages)


@router.post("/tokens", status_code=201)
def issue_token(
    call: Annotated[Call, writes(Role.ADMIN, secret=True)], body: NewToken
) -> IssuedToken:
    """Make a token; its secret is in this answer and nowhere else."""
    return service.issue(call.conn, body, by=call.user.name)


@router.post("/tokens/{token_id}/revocations", status_code=201)
def revoke_token(call: Annotated[Call, writes(Role.ADMIN)], token_id: UUID, body: Reason) -> Token:
    """End a token at once."""
    return service.revoke(call.conn, token_id, body.reason, by=call.user.name)
