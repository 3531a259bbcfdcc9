"""Failed runs, grouped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    cast,
    extract,
    func,
    select,
)

from stepwell.server.database.tables import releases, runs


def _failing(since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        runs.c.state == "failed",
        runs.c.created_at >= since,
        runs.c.fingerprint.is_not(None),
        runs.c.superseded_by.is_(None),
        runs.c.trial.is_(None),
    )


def by_cause(conn: Connection, since: datetime) -> Sequence[RowMapping]:
    """fingerprint, runs, first, last; the one seen last first."""
    last = func.max(runs.c.created_at)
    query = (
        select(
            runs.c.fingerprint,
            func.count().label("runs"),
            func.min(runs.c.created_at).label("first"),
            last.label("last"),
        )
        .where(*_failing(since))
        .group_by(runs.c.fingerprint)
        .order_by(last.desc(), runs.c.fingerprint)
    )
    return conn.execute(query).mappings().all()


def by_workflow(
    conn: Connection, since: datetime, fingerprints: Sequence[str]
) -> Sequence[RowMapping]:
    """fingerprint, group_name, workflow, runs; most runs first."""
    names = (runs.c.fingerprint, runs.c.group_name, runs.c.workflow)
    query = (
        select(*names, func.count().label("runs"))
        .where(*_failing(since), runs.c.fingerprint.in_(fingerprints))
        .group_by(*names)
        .order_by(func.count().desc(), *names)
    )
    return conn.execute(query).mappings().all()


def by_time(
    conn: Connection, since: datetime, seconds: float, fingerprints: Sequence[str]
) -> Sequence[Any]:
    """fingerprint, number of the span, runs."""
    number = _span(conn, since, seconds).label("span")
    query = (
        select(runs.c.fingerprint, number, func.count())
        .where(*_failing(since), runs.c.fingerprint.in_(fingerprints))
        .group_by(runs.c.fingerprint, "span")
    )
    return conn.execute(query).all()


def _span(conn: Connection, since: datetime, seconds: float) -> ColumnElement[Any]:
    begin = int(since.timestamp())
    if conn.dialect.name == "sqlite":
        epoch: ColumnElement[Any] = cast(func.strftime("%s", runs.c.created_at), Integer)
        return cast((epoch - begin) / seconds, Integer)
    return cast(func.floor((extract("epoch", runs.c.created_at) - begin) / seconds), Integer)


def end_of(conn: Connection, fingerprint: str, *, newest: bool) -> RowMapping:
    """The newest, or the very first, failed run of a cause."""
    key = [runs.c.created_at, runs.c.id]
    order = [one.desc() for one in key] if newest else key
    query = select(runs).where(runs.c.fingerprint == fingerprint).order_by(*order).limit(1)
    return conn.execute(query).mappings().one()


def release_before(conn: Connection, run: RowMapping) -> Any:
    """The release of the workflow's run before this one; None if it is the first."""
    query = (
        select(runs.c.release_id)
        .where(
            runs.c.group_name == run["group_name"],
            runs.c.workflow == run["workflow"],
            runs.c.created_at < run["created_at"],
        )
        .order_by(runs.c.created_at.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none()


def release_number(conn: Connection, run: RowMapping) -> int:
    """The number of a run's release."""
    query = select(releases.c.number).where(releases.c.id == run["release_id"])
    found: int = conn.execute(query).scalar_one()
    return found


def known(conn: Connection, fingerprint: str) -> bool:
    """Whether any run failed for it."""
    query = select(runs.c.id).where(runs.c.fingerprint == fingerprint).limit(1)
    return conn.execute(query).first() is not None
