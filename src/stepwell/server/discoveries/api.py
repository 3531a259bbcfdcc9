"""Routes of the room: a group's discoveries, and where the image posts what it found."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials

from stepwell.errors import Unauthenticated
from stepwell.server import problems
from stepwell.server.access.records import Role, User
from stepwell.server.discoveries import service, tokens
from stepwell.server.discoveries.records import Discovery, DiscoveryDetail, Fault, State, Trigger
from stepwell.server.http import (
    BEARER,
    Call,
    Page,
    Pages,
    Reason,
    Router,
    reads,
    services_of,
    writes,
)

router = Router(tags=["discoveries"])

Reading = Annotated[Call, reads(Role.VIEWER)]


def image(
    request: Request,
    discovery_id: UUID,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> User:
    """The launched image, known by the token of its discovery."""
    if credentials is None:
        raise Unauthenticated("This needs the token of the discovery.")
    key = services_of(request).settings.signing_key
    tokens.check(key, discovery_id, credentials.credentials)
    return User(f"discovery {discovery_id}", Role.VIEWER)


Posting = Annotated[Call, writes(image)]


@router.get("/groups/{name}/discoveries")
def list_discoveries(
    call: Reading,
    name: str,
    pages: Pages,
    state: State | None = None,
    trigger: Trigger | None = None,
) -> Page[Discovery]:
    """The discoveries of a group, newest first."""
    return service.listed(call.conn, pages, group=name, state=state, trigger=trigger)


@router.post("/groups/{name}/discoveries", status_code=201)
def discover_group(
    call: Annotated[Call, writes(Role.OPERATOR)], name: str, body: Reason
) -> Discovery:
    """Launch the group's image in discover mode again."""
    who = {"trigger": "request", "by": call.user.name}
    return service.request(call.conn, call.db, name, reason=body.reason, **who)


@router.get("/groups/{name}/discoveries/{discovery_id}")
def show_discovery(call: Reading, name: str, discovery_id: UUID) -> DiscoveryDetail:
    """One discovery, with its manifest and what the image wrote."""
    return service.of_group(call.conn, name, discovery_id)


@router.get("/discoveries")
def list_all_discoveries(
    call: Reading,
    pages: Pages,
    state: State | None = None,
    trigger: Trigger | None = None,
    last: Annotated[
        bool, Query(description="Of each group, only the one that ended last.")
    ] = False,
) -> Page[Discovery]:
    """The discoveries of all groups, newest first; for example those that failed."""
    return service.listed(call.conn, pages, state=state, trigger=trigger, last=last)


@router.get("/discoveries/{discovery_id}")
def find_discovery(call: Reading, discovery_id: UUID) -> DiscoveryDetail:
    """The same by its id alone; the group's name may change at its first discovery."""
    return service.get(call.conn, discovery_id)


@router.post("/discoveries/{discovery_id}/manifest", status_code=204)
def post_manifest(
    request: Request, call: Posting, discovery_id: UUID, body: dict[str, Any]
) -> Response:
    """Where the launched image posts its manifest; only with the token of the discovery."""
    fault = service.accept(call.conn, discovery_id, body)
    if fault is not None:
        return problems.problem(request, 422, fault.model_dump())
    return Response(status_code=204)


@router.post("/discoveries/{discovery_id}/error", status_code=204)
def post_error(call: Posting, discovery_id: UUID, body: Fault) -> None:
    """Where the launched image posts why it has no manifest."""
    service.reject(call.conn, discovery_id, body)
