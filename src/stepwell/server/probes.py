"""What a cluster asks a server: whether it lives, and whether it can serve. No token is needed,
and nothing is told."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import text
from starlette.requests import Request

from stepwell.server.http import services_of

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def lives() -> Response:
    """It answers. A database that is away is no reason to start it anew."""
    return Response("ok\n", media_type="text/plain")


@router.get("/readyz")
def serves(request: Request) -> Response:
    """Its database answers too; until then others are asked."""
    try:
        with services_of(request).db.read() as conn:
            conn.execute(text("SELECT 1"))
    except Exception:  # whatever a driver raises, it cannot serve now
        return Response("the database is away\n", status_code=503, media_type="text/plain")
    return Response("ok\n", media_type="text/plain")
