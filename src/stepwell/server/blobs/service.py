"""Keep, read and let go of blobs.

A blob is uploaded first, outside of any transaction; then a transaction enters it
in the books. What was uploaded and never entered is found by its hour and swept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.server.blobs import queries
from stepwell.server.blobs.records import Kind
from stepwell.server.blobs.store import BlobMissing, BlobStore, BlobStoreUnavailable

__all__ = ["BlobMissing", "BlobStore", "BlobStoreUnavailable", "Kind", "attach", "drop", "enter"]

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one blob."""
SMALL: Final = 64 * 1024
"""Bytes up to which content stays in the database."""
GRACE: Final = timedelta(hours=24)
"""So old an upload is before the sweep takes it for forgotten."""


class BlobTooLarge(InvalidInput):
    """More than a blob may hold."""

    code = "blob-too-large"


class BlobUnknown(InvalidInput):
    """What a container refers to is no upload of its run."""

    code = "blob-unknown"


def upload(store: BlobStore, content: bytes) -> UUID:
    """Put bytes into the store, before the transaction that enters them; their id.

    Raises
    ------
    BlobTooLarge, BlobStoreUnavailable.
    """
    if len(content) > LARGEST:
        raise BlobTooLarge(
            f"It takes {len(content):,} bytes.",
            why=f"At most {LARGEST:,} bytes are kept.",
            fix="Keep the data elsewhere, and hand on where it is.",
        )
    blob_id = new_id()
    store.put(blob_id, content)
    return blob_id


def enter(
    conn: Connection, blob_id: UUID, kind: Kind, size: int, run_id: UUID | None = None
) -> None:
    """Enter what was just uploaded in the books, in the caller's transaction."""
    queries.add(conn, id=blob_id, kind=kind, size=size, run_id=run_id, created_at=clock.now())


def attach(conn: Connection, blob_id: UUID, run_id: UUID, kind: Kind) -> None:
    """Keep an upload of the run as what it is for; raises `BlobUnknown`."""
    if not queries.attach(conn, blob_id, run_id, kind):
        raise BlobUnknown(
            f"The run {run_id} has no upload {blob_id}.",
            why="It was never uploaded, is in use already, or was swept.",
            fix="Upload the content, and refer to it within a day.",
        )


def is_upload(conn: Connection, blob_id: UUID, run_id: UUID) -> bool:
    """Whether it was uploaded by the run, and nothing refers to it yet."""
    row = queries.get(conn, blob_id)
    return row is not None and row["run_id"] == run_id and row["kind"] == Kind.UPLOAD


def share(conn: Connection, blob_id: UUID, run_id: UUID) -> None:
    """The run refers to the blob of another run too; it is kept as long as one of them is.

    It belongs to the newer one from now on, and the other is noted beside it: a server of the
    version before, which knows of no others, removes the older run first.

    Raises
    ------
    BlobMissing : it was let go meanwhile.
    """
    row = queries.lock(conn, blob_id)
    if row is None:
        raise BlobMissing(f"There is no blob {blob_id}.")
    queries.own(conn, blob_id, run_id)
    if row["run_id"] is not None:
        queries.use(conn, blob_id, row["run_id"])


def check_kept(conn: Connection, blob_id: UUID, run_id: UUID) -> None:
    """It is a blob of the run; raises `BlobMissing`."""
    row = queries.get(conn, blob_id)
    if row is None or row["run_id"] != run_id:
        raise BlobMissing(f"The run {run_id} has no blob {blob_id}.")


def size(conn: Connection, blob_id: UUID) -> int:
    """Bytes of a blob; raises `BlobMissing`."""
    row = queries.get(conn, blob_id)
    if row is None:
        raise BlobMissing(f"There is no blob {blob_id}.")
    return int(row["size"])


def bytes_of_run(conn: Connection, run_id: UUID) -> int:
    """How many bytes are kept for a run, without its log."""
    return queries.bytes_of_run(conn, run_id)


def drop(conn: Connection, ids: Sequence[UUID]) -> None:
    """Let go of blobs, in the transaction that removes what referred to them."""
    if ids:
        queries.drop(conn, ids, clock.now())


def drop_of_runs(conn: Connection, run_ids: Sequence[UUID]) -> None:
    """Let go of all that runs alone refer to, in the transaction that removes the runs."""
    queries.hand_on(conn, run_ids)
    queries.drop_of_runs(conn, run_ids, clock.now())
