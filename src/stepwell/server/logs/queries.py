"""The index of segments: an attempt's are in the order of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, tuple_, update

from stepwell.server.database.tables import log_segments as t
from stepwell.server.logs.records import Segment, Wanted

_INDEX: Final = [column for column in t.c if column.name != "content"]


def get(conn: Connection, run_id: UUID, attempt: int, number: int) -> Segment | None:
    """One row."""
    query = select(*_INDEX).where(*_of(run_id, attempt, number))
    return _one(conn.execute(query).mappings().one_or_none())


def last(conn: Connection, run_id: UUID, attempt: int) -> Segment | None:
    """The newest row of an attempt."""
    query = select(*_INDEX).where(t.c.run_id == run_id, t.c.attempt == attempt)
    newest = query.order_by(t.c.number.desc()).limit(1)
    return _one(conn.execute(newest).mappings().one_or_none())


def of_run(conn: Connection, run_id: UUID, wanted: Wanted) -> list[Segment]:
    """The rows that may hold what is wanted, in the order of their lines."""
    query = select(*_INDEX).where(t.c.run_id == run_id)
    for name in ("operation", "execution", "attempt"):
        value = getattr(wanted, name)
        query = query if value is None else query.where(t.c[name] == value)
    if wanted.since is not None:
        query = query.where(t.c.until_at >= wanted.since)
    if wanted.level is not None:
        query = query.where(t.c.levels >= wanted.level.number)
    rows = conn.execute(query.order_by(t.c.attempt, t.c.number)).mappings()
    return [Segment(**row) for row in rows]


def end_of(conn: Connection, run_id: UUID) -> tuple[int, int]:
    """The last attempt with lines, and its number of lines; (0, 0) without any."""
    query = (
        select(t.c.attempt, t.c.first_line + t.c.lines)
        .where(t.c.run_id == run_id)
        .order_by(t.c.attempt.desc(), t.c.number.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return (0, 0) if row is None else (row[0], row[1])


def content(conn: Connection, of: Segment) -> bytes | None:
    """What is kept in the row itself, until it goes to the blob store."""
    query = select(t.c.content).where(*_of(of.run_id, of.attempt, of.number))
    found: bytes | None = conn.execute(query).scalar_one_or_none()
    return found


def put(conn: Connection, known: bool, **values: Any) -> None:
    """Insert a row, or replace the one that is known."""
    if not known:
        conn.execute(insert(t).values(**values))
        return
    key = [values[name] for name in ("run_id", "attempt", "number")]
    conn.execute(update(t).where(*_of(*key)).values(**values))


def close(conn: Connection, of: Segment) -> None:
    """It grows no more."""
    conn.execute(update(t).where(*_of(of.run_id, of.attempt, of.number)).values(closed=True))


def kept(conn: Connection, run_id: UUID) -> Sequence[RowMapping]:
    """Key, size and blob of all rows of a run, in order."""
    columns = (t.c.run_id, t.c.attempt, t.c.number, t.c.size, t.c.blob_id)
    query = select(*columns).where(t.c.run_id == run_id)
    return conn.execute(query.order_by(t.c.attempt, t.c.number)).mappings().all()


def size(conn: Connection, run_id: UUID) -> int:
    """Bytes of text of a run."""
    query = select(func.coalesce(func.sum(t.c.size), 0)).where(t.c.run_id == run_id)
    return int(conn.execute(query).scalar_one())


def remove(conn: Connection, keys: Sequence[tuple[UUID, int, int]]) -> None:
    """Remove rows by run, attempt and number."""
    key = tuple_(t.c.run_id, t.c.attempt, t.c.number)
    if keys:
        conn.execute(delete(t).where(key.in_(keys)))


def remove_of_runs(conn: Connection, run_ids: Sequence[UUID]) -> None:
    """Remove all rows of runs."""
    conn.execute(delete(t).where(t.c.run_id.in_(run_ids)))


def inline(conn: Connection, before: datetime, limit: int) -> list[Segment]:
    """Rows that hold their content themselves and were last written before then."""
    old = (t.c.content.is_not(None), t.c.until_at < before)
    query = select(*_INDEX).where(*old).order_by(t.c.until_at).limit(limit)
    return [Segment(**row) for row in conn.execute(query).mappings()]


def move(conn: Connection, of: Segment, blob_id: UUID) -> bool:
    """Refer to the blob instead of holding the content; False if it has changed meanwhile."""
    same = (*_of(of.run_id, of.attempt, of.number), t.c.lines == of.lines, t.c.content.is_not(None))
    values = {"blob_id": blob_id, "content": None, "closed": True}
    return conn.execute(update(t).where(*same).values(**values)).rowcount == 1


def old(conn: Connection, before: datetime, limit: int) -> Sequence[RowMapping]:
    """Key and blob of rows that were last written before then."""
    query = select(t.c.run_id, t.c.attempt, t.c.number, t.c.blob_id).where(t.c.until_at < before)
    return conn.execute(query.order_by(t.c.until_at).limit(limit)).mappings().all()


def _of(run_id: UUID, attempt: int, number: int) -> tuple[Any, ...]:
    return (t.c.run_id == run_id, t.c.attempt == attempt, t.c.number == number)


def _one(row: RowMapping | None) -> Segment | None:
    return None if row is None else Segment(**row)
