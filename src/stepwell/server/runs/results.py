"""Results that are too large for their rows: kept in the blob store by reference (R4, R38)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.errors import NotFound
from stepwell.outcome import Settlement
from stepwell.server.blobs import service as blobs
from stepwell.server.blobs.service import BlobStore, Kind
from stepwell.server.database.session import Database
from stepwell.step import EndedAs, Step, StepQuery
from stepwell.workflows.references import FORMAT, blob_of, may_refer, size_of


class ResultNotFound(NotFound):
    """The run has no such operation, or it has no result."""

    code = "result-not-found"


def marked(conn: Connection, run_id: UUID, settlement: Settlement) -> Settlement:
    """The settlement; its result has the format of a reference if it names the run's upload."""
    blob_id = may_refer(settlement.result) if settlement.ended_as is EndedAs.DONE else None
    if blob_id is not None and blobs.is_upload(conn, blob_id, run_id):
        return replace(settlement, result_format=FORMAT)
    if settlement.result_format == FORMAT:  # not on a container's word
        return replace(settlement, result_format=JSON.format)
    return settlement


def attach(conn: Connection, run_id: UUID, settlement: Settlement) -> None:
    """The upload is a result now that its settlement is applied."""
    if settlement.result is not None and settlement.result_format == FORMAT:
        blobs.attach(conn, blob_of(settlement.result), run_id, Kind.RESULT)


def share(conn: Connection, run_id: UUID, source: Step) -> None:
    """A re-execution's row refers to the same blob as the row that it copies, if any."""
    if source.result is not None and source.result_format == FORMAT:
        blobs.share(conn, blob_of(source.result), run_id)


def content(conn: Connection, db: Database, store: BlobStore, run_id: UUID, step_id: UUID) -> bytes:
    """A result as JSON text, wherever it is kept.

    Raises
    ------
    ResultNotFound, BlobMissing, BlobStoreUnavailable.
    """
    for step in db.steps(conn).search(StepQuery(ids=(step_id,), flow_id=run_id, limit=1)):
        if step.result is not None and step.result_format == FORMAT:
            return store.get(blob_of(step.result))
        if step.result is not None:
            return step.result.encode()
    raise ResultNotFound(
        f"The run {run_id} has no result of a step {step_id}.",
        fix="See `stepwell runs show RUN` for its operations.",
    )


def shown(step: Step) -> dict[str, Any]:
    """The fields of a step that tell of its result: itself, or where it is."""
    if step.result is None or step.result_format != FORMAT:
        value = None if step.result is None else JSON.decode(step.result)
        return {
            "result": value,
            "result_size": len((step.result or "").encode()),
            "result_link": None,
        }
    link = f"/api/v1/runs/{step.flow_id}/steps/{step.id}/result"
    return {"result": None, "result_size": size_of(step.result), "result_link": link}
