"""Routes of the room: /me and /tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from stepwell.server.access import service, sessions
from stepwell.server.access.records import How, IssuedToken, NewToken, Role, Token
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

router = Router(tags=["access"])


class Me(BaseModel):
    """Who the caller is, and what they may do.

    `user_id` is null for a token that belongs to nobody in particular. `groups` are the
    only ones that a token reaches, null is all. `csrf` is what a page must send along in
    `X-Stepwell-CSRF` with each change, null with a token. Instants are UTC.
    """

    name: str
    role: Role
    how: How
    user_id: UUID | None
    groups: list[str] | None
    read_only: bool
    expires_at: datetime | None
    csrf: str | None


@router.get("/me")
def me(request: Request, user: CurrentUser) -> Me:
    """Who the caller is, how they have logged in, and what they may do."""
    key, session_id = services_of(request).settings.signing_key, user.session_id
    return Me(
        name=user.name,
        role=user.role,
        how=user.how,
        user_id=user.user_id,
        groups=None if user.groups is None else list(user.groups),
        read_only=user.read_only,
        expires_at=user.expires_at,
        csrf=None if session_id is None else sessions.csrf_token(key, session_id),
    )


@router.get("/tokens")
def list_tokens(call: Annotated[Call, reads(Role.ADMIN)], pages: Pages) -> Page[Token]:
    """All tokens, newest first; never their secrets."""
    return service.listed(call.conn, pages)


@router.post("/tokens", status_code=201)
def issue_token(
    call: Annotated[Call, writes(Role.ADMIN, remember=False)], body: NewToken
) -> IssuedToken:
    """Make a token; its secret is in this answer and nowhere else."""
    return service.issue(call.conn, body, by=call.user.name)


@router.post("/tokens/{token_id}/revocations", status_code=201)
def revoke_token(call: Annotated[Call, writes(Role.ADMIN)], token_id: UUID, body: Reason) -> Token:
    """End a token at once."""
    return service.revoke(call.conn, token_id, body.reason, by=call.user.name)
