"""The table of blobs: what is kept, and what waits for its removal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, String, cast, delete, func, insert, select, update

from stepwell.server.blobs.records import Kind
from stepwell.server.database.tables import blob_uses as uses
from stepwell.server.database.tables import blobs as t


def add(conn: Connection, **values: Any) -> None:
    """Enter a blob that has been uploaded."""
    conn.execute(insert(t).values(**values))


def get(conn: Connection, blob_id: UUID) -> RowMapping | None:
    """A blob that is not dropped."""
    query = select(t).where(t.c.id == blob_id, t.c.dropped_at.is_(None))
    return conn.execute(query).mappings().one_or_none()


def attach(conn: Connection, blob_id: UUID, run_id: UUID, kind: Kind) -> bool:
    """Make an upload of a run what it is for; False if it is none."""
    of = (t.c.id == blob_id, t.c.run_id == run_id, t.c.kind == Kind.UPLOAD)
    done = conn.execute(update(t).where(*of, t.c.dropped_at.is_(None)).values(kind=kind))
    return done.rowcount == 1


def bytes_of_run(conn: Connection, run_id: UUID) -> int:
    """The size of all that belongs to a run and is not dropped, but for its log."""
    mine = (t.c.run_id == run_id, t.c.kind != Kind.LOG, t.c.dropped_at.is_(None))
    return int(conn.execute(select(func.coalesce(func.sum(t.c.size), 0)).where(*mine)).scalar_one())


def drop(conn: Connection, ids: Sequence[UUID], at: datetime) -> None:
    """Leave blobs to the sweep."""
    conn.execute(update(t).where(t.c.id.in_(ids), t.c.dropped_at.is_(None)).values(dropped_at=at))


def drop_of_runs(conn: Connection, run_ids: Sequence[UUID], at: datetime) -> None:
    """Leave all blobs of runs to the sweep."""
    of = (t.c.run_id.in_(run_ids), t.c.dropped_at.is_(None))
    conn.execute(update(t).where(*of).values(dropped_at=at))


def hand_on(conn: Connection, run_ids: Sequence[UUID]) -> None:
    """Give what these runs own, and others refer to, to one of those; forget what they use."""
    conn.execute(delete(uses).where(uses.c.run_id.in_(run_ids)))
    query = (
        select(uses.c.blob_id, func.max(cast(uses.c.run_id, String)).label("heir"))
        .join(t, t.c.id == uses.c.blob_id)
        .where(t.c.run_id.in_(run_ids), t.c.dropped_at.is_(None))
        .group_by(uses.c.blob_id)
    )
    for blob_id, heir in conn.execute(query).all():
        own(conn, blob_id, UUID(heir))


def own(conn: Connection, blob_id: UUID, run_id: UUID) -> None:
    """The blob belongs to the run, which needs no mention beside that."""
    conn.execute(update(t).where(t.c.id == blob_id).values(run_id=run_id))
    conn.execute(delete(uses).where(uses.c.blob_id == blob_id, uses.c.run_id == run_id))


def use(conn: Connection, blob_id: UUID, run_id: UUID) -> None:
    """Note that a run refers to a blob of another; once."""
    mine = (uses.c.blob_id == blob_id, uses.c.run_id == run_id)
    if conn.execute(select(uses.c.run_id).where(*mine)).first() is None:
        conn.execute(insert(uses).values(blob_id=blob_id, run_id=run_id))


def lock(conn: Connection, blob_id: UUID) -> RowMapping | None:
    """As `get`; nobody drops it until the transaction ends."""
    query = select(t).where(t.c.id == blob_id, t.c.dropped_at.is_(None)).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def drop_uploads(conn: Connection, before: datetime, at: datetime) -> int:
    """Leave uploads to the sweep that nothing has come to refer to; how many."""
    old = (t.c.kind == Kind.UPLOAD, t.c.created_at < before, t.c.dropped_at.is_(None))
    return conn.execute(update(t).where(*old).values(dropped_at=at)).rowcount


def dropped(conn: Connection, limit: int) -> Sequence[UUID]:
    """Some that wait for their removal, those that have waited longest first."""
    query = select(t.c.id).where(t.c.dropped_at.is_not(None)).order_by(t.c.dropped_at)
    return conn.execute(query.limit(limit)).scalars().all()


def forget(conn: Connection, ids: Sequence[UUID]) -> None:
    """Remove the rows of blobs that are gone."""
    conn.execute(delete(t).where(t.c.id.in_(ids)))


def unknown(conn: Connection, ids: Iterable[UUID]) -> list[UUID]:
    """Those that are in no row."""
    asked = list(ids)
    known = set(conn.execute(select(t.c.id).where(t.c.id.in_(asked))).scalars())
    return [one for one in asked if one not in known]
