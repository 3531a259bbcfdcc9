"""Routes of the room: /me and /tokens."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel

from stepwell.server.access import service
from stepwell.server.access.records import IssuedToken, NewToken, Role, Token
from stepwell.server.http import Call, CurrentUser, Page, Pages, Reason, Router, reads, writes

router = Router(tags=["access"])


class Me(BaseModel):
    """Who the caller is."""

    name: str
    role: Role


@router.get("/me")
def me(user: CurrentUser) -> Me:
    """Who the token belongs to, and what it may do."""
    return Me(name=user.name, role=user.role)


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
