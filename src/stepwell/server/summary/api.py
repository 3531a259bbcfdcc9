"""Routes of the room: /summary, /health."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel
from sqlalchemy import text
from starlette.requests import Request

from stepwell.errors import Denied
from stepwell.server.access.records import Role
from stepwell.server.http import BEARER, Call, Router, caller, reads, services_of
from stepwell.server.summary import health as inside
from stepwell.server.summary import service
from stepwell.server.summary.records import Part, Summary
from stepwell.version import VERSION

router = Router()


class Health(BaseModel):
    """The answer of a server that can reach its database; `parts` for those with a token."""

    status: Literal["ok", "warning", "problem"]
    version: str
    parts: list[Part] | None = None


@router.get("/summary", tags=["summary"])
def summarize(call: Annotated[Call, reads(Role.VIEWER)]) -> Summary:
    """Whether everything is all right: the sentence, and what it is made of."""
    return service.summary(call.conn, call.services)


@router.get("/health", tags=["health"])
def health(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
) -> Health:
    """Whether the server reaches its database. It needs no token; with one it says more."""
    services = services_of(request)
    with services.db.read() as conn:
        conn.execute(text("SELECT 1"))
        if not _known(request, credentials):
            return Health(status="ok", version=VERSION)
        parts = inside.parts(conn, services)
    worst = next((w for w in ("problem", "warning") if w in {p.state for p in parts}), "ok")
    return Health.model_validate({"status": worst, "version": VERSION, "parts": parts})


def _known(request: Request, credentials: HTTPAuthorizationCredentials | None) -> bool:
    """Whether somebody who may look asks; whoever shows a wrong token is nobody."""
    try:
        return bool(caller(request, credentials))
    except Denied:
        return False
