"""Routes for a run's container that take and give bytes: its log, and what is large (R38, R39).

They open their own transactions: what goes to the blob store is there before one begins.
"""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import Body, Depends, Query, Response
from pydantic import BaseModel
from starlette.requests import Request

from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import Kind
from stepwell.server.http import Router, services_of
from stepwell.server.logs import service as logs
from stepwell.server.logs.records import Piece
from stepwell.server.runs import queries, quotas
from stepwell.server.runs.asking import admit
from stepwell.server.runs.container_api import container
from stepwell.server.runs.records import Container
from stepwell.server.services import Services

router = Router(prefix="/runs/{run_id}", tags=["containers"])

BYTES: Final = "application/octet-stream"
Caller = Annotated[Container, Depends(container)]
Content = Annotated[bytes, Body(media_type=BYTES)]


class Uploaded(BaseModel):
    """What a container refers to its content by."""

    id: UUID


@router.post("/logs/segments", status_code=201)
def add_log_segment(
    request: Request, caller: Caller, run_id: UUID, piece: Annotated[Piece, Query()], body: Content
) -> None:
    """Keep a segment of the attempt's log, or what it has grown to.

    The body holds lines as JSON arrays, compressed by zlib: see docs/guides/logs.md.
    """
    services = services_of(request)
    _check(services, caller)
    logs.take(services, run_id, caller.attempt, piece, body)


@router.post("/blobs", status_code=201)
def upload_blob(request: Request, caller: Caller, run_id: UUID, body: Content) -> Uploaded:
    """Upload a report or a result before the staged write, or the settlement, refers to it."""
    services = services_of(request)
    with services.db.read() as conn:
        admit(conn, caller, queries.get(conn, run_id))
        quotas.check_bytes(conn, services.settings, run_id, len(body))
    blob_id = blobs.upload(services.blobs, body)
    with services.db.write() as conn:
        admit(conn, caller, queries.lock(conn, run_id))
        quotas.check_bytes(conn, services.settings, run_id, len(body))
        blobs.enter(conn, blob_id, Kind.UPLOAD, len(body), run_id)
    return Uploaded(id=blob_id)


@router.get("/blobs/{blob_id}", response_class=Response)
def download_blob(request: Request, caller: Caller, run_id: UUID, blob_id: UUID) -> Response:
    """A result of an earlier operation of the run."""
    services = services_of(request)
    _check(services, caller)
    with services.db.read() as conn:
        blobs.check_kept(conn, blob_id, run_id)
    return Response(services.blobs.get(blob_id), media_type=BYTES)


def _check(services: Services, caller: Container) -> None:
    with services.db.read() as conn:
        admit(conn, caller, queries.get(conn, caller.run_id))
