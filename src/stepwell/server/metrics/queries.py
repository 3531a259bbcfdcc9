"""The tables of the room."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    CursorResult,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from stepwell.server.database.tables import (
    metrics_causes,
    metrics_hourly,
    metrics_pending,
    metrics_rollups,
    metrics_waits,
)
from stepwell.server.metrics.spans import EVERYTHING

_FOLDING: Final = 0x57E9_F01D
_AT_ONCE: Final = 50
_COUNTS: Final = (
    "succeeded",
    "failed",
    "other",
    "retried",
    "timed",
    "duration_sum",
    "histogram",
)


def together(conn: Connection) -> None:
    """Let all that is read from here on be of one instant: nothing is folded in between.

    SQLite has it so anyhow. Nothing, in a transaction that has begun already.
    """
    if conn.dialect.name == "postgresql" and not conn.in_transaction():
        conn.execution_options(isolation_level="REPEATABLE READ")


# -- folding -----------------------------------------------------------------------


def alone(conn: Connection) -> None:
    """Two that fold at once do it one after the other; SQLite's write lock does so too."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_FOLDING)))


def take_pending(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Remove and return the oldest measurements."""
    oldest = select(metrics_pending.c.id).order_by(metrics_pending.c.id).limit(limit)
    gone = delete(metrics_pending).where(metrics_pending.c.id.in_(oldest))
    return _dicts(conn.execute(gone.returning(metrics_pending)))


def take_hourly(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """Remove and return what an earlier version has counted."""
    key = list(metrics_hourly.primary_key)
    some = select(*key).limit(limit).with_for_update(skip_locked=True)
    found = [tuple(row) for row in conn.execute(some)]
    if not found:
        return []
    gone = delete(metrics_hourly).where(tuple_(*key).in_(found))
    return _dicts(conn.execute(gone.returning(metrics_hourly)))


def kept(conn: Connection, table: Table, keys: Collection[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The rows of these primary keys.

    Asked for one by one in a disjunction: SQLite reads the whole table for a list of tuples.
    """
    columns = list(table.primary_key)
    ordered = sorted(keys, key=str)
    found: list[dict[str, Any]] = []
    for first in range(0, len(ordered), _AT_ONCE):
        some = [
            and_(*(column == value for column, value in zip(columns, key, strict=True)))
            for key in ordered[first : first + _AT_ONCE]
        ]
        found += _dicts(conn.execute(select(table).where(or_(*some))))
    return found


def replace(
    conn: Connection, table: Table, rows: Iterable[dict[str, Any]], known: Collection[Any]
) -> None:
    """Write rows: those whose key is among `known` are there already."""
    names = [column.name for column in table.primary_key]
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for row in rows:
        (old if tuple(row[name] for name in names) in known else new).append(row)
    if new:
        conn.execute(insert(table), new)
    if old:
        _update(conn, table, names, old)


def _update(conn: Connection, table: Table, names: list[str], rows: list[dict[str, Any]]) -> None:
    mine = [table.c[name] == bindparam(f"key_{name}") for name in names]
    values = [name for name in rows[0] if name not in names]
    query = update(table).where(*mine).values({name: bindparam(f"new_{name}") for name in values})
    conn.execute(
        query,
        [
            {**{f"key_{n}": row[n] for n in names}, **{f"new_{n}": row[n] for n in values}}
            for row in rows
        ],
    )


# -- reading -----------------------------------------------------------------------


def pending(conn: Connection, first: datetime, last: datetime) -> list[dict[str, Any]]:
    """What is not in the roll-ups yet, of a range."""
    t = metrics_pending
    query = select(t).where(t.c.at >= first, t.c.at < last)
    return _dicts(conn.execute(query))


def unfolded(conn: Connection) -> list[dict[str, Any]]:
    """What an earlier version has counted, and is not in the roll-ups yet."""
    return _dicts(conn.execute(select(metrics_hourly)))


def series(
    conn: Connection,
    span: str,
    first: datetime,
    last: datetime,
    key: tuple[str, str, str],
) -> Sequence[RowMapping]:
    """The rows of one group, workflow and operation, oldest first."""
    t = metrics_rollups
    mine = (t.c.group_name == key[0], t.c.workflow == key[1], t.c.operation == key[2])
    query = select(t.c.start, t.c.release_id, *(t.c[name] for name in _COUNTS))
    query = query.where(t.c.span == span, *mine, t.c.start >= first, t.c.start < last)
    return conn.execute(query.order_by(t.c.start)).mappings().all()


def waits(
    conn: Connection, span: str, first: datetime, last: datetime, group: str, workflow: str
) -> Sequence[RowMapping]:
    """What the runs of a group and workflow waited for."""
    t = metrics_waits
    mine = (t.c.group_name == group, t.c.workflow == workflow)
    query = select(t.c.reason, t.c.count, t.c.seconds, t.c.histogram)
    query = query.where(t.c.span == span, *mine, t.c.start >= first, t.c.start < last)
    return conn.execute(query).mappings().all()


def sums(
    conn: Connection, span: str, first: datetime, last: datetime, **where: str | None
) -> Sequence[RowMapping]:
    """The counts of each key in a range, without histograms: added up by the database.

    `where` as in `everything`.
    """
    t = metrics_rollups
    key = (t.c.group_name, t.c.workflow, t.c.operation)
    counted = [func.sum(t.c[name]).label(name) for name in _COUNTS if name != "histogram"]
    query = select(*key, *counted).where(t.c.span == span, t.c.start >= first, t.c.start < last)
    return conn.execute(_narrow(query, where).group_by(*key)).mappings().all()


def histograms(
    conn: Connection,
    span: str,
    first: datetime,
    last: datetime,
    keys: Collection[tuple[str, str, str]],
) -> list[RowMapping]:
    """The histograms of some keys in a range: by the primary key, one key after the other."""
    t = metrics_rollups
    names = (t.c.group_name, t.c.workflow, t.c.operation)
    found: list[RowMapping] = []
    for key in sorted(keys):
        mine = [column == value for column, value in zip(names, key, strict=True)]
        query = select(*names, t.c.histogram).where(t.c.span == span, *mine)
        query = query.where(t.c.start >= first, t.c.start < last)
        found += conn.execute(query).mappings().all()
    return found


def everything(
    conn: Connection, span: str, first: datetime, last: datetime, **where: str | None
) -> Sequence[RowMapping]:
    """All rows of workflows and their operations, oldest first; not those of groups."""
    t = metrics_rollups
    query = select(t).where(t.c.span == span, t.c.start >= first, t.c.start < last)
    query = _narrow(query, where).where(t.c.workflow != EVERYTHING)
    return conn.execute(query.order_by(t.c.start)).mappings().all()


def by_release(conn: Connection, first: datetime, group: str, workflow: str) -> list[RowMapping]:
    """The days of a workflow and its operations since then: each with its release."""
    t = metrics_rollups
    mine = (t.c.group_name == group, t.c.workflow == workflow)
    query = select(t).where(t.c.span == "day", *mine, t.c.start >= first)
    return list(conn.execute(query).mappings())


def totals(conn: Connection, *, workflows: bool, limit: int) -> Sequence[RowMapping]:
    """Over all time: the runs of each workflow, or else of each group; at most so many."""
    t = metrics_rollups
    query = select(t).where(t.c.span == "all", t.c.operation == EVERYTHING)
    query = query.where(t.c.group_name != EVERYTHING)
    wanted = t.c.workflow != EVERYTHING if workflows else t.c.workflow == EVERYTHING
    query = query.where(wanted).order_by(t.c.group_name, t.c.workflow).limit(limit)
    return conn.execute(query).mappings().all()


def wait_totals(conn: Connection, limit: int) -> Sequence[RowMapping]:
    """Over all time: what the runs of each group waited for."""
    t = metrics_waits
    query = select(t).where(t.c.span == "all", t.c.workflow == EVERYTHING)
    query = query.where(t.c.group_name != EVERYTHING)
    order = (t.c.group_name, t.c.reason)
    return conn.execute(query.order_by(*order).limit(limit)).mappings().all()


def causes(
    conn: Connection, first: datetime, last: datetime, **where: str | None
) -> Sequence[RowMapping]:
    """The causes of each day in a range."""
    t = metrics_causes
    query = select(t).where(t.c.day >= first, t.c.day < last)
    for name, value in where.items():
        query = query if value is None else query.where(t.c[name] == value)
    return conn.execute(query.order_by(t.c.day)).mappings().all()


def _dicts(rows: CursorResult[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows.mappings()]


def _narrow(query: Select[Any], where: Mapping[str, str | None]) -> Select[Any]:
    """None is any; '!' is any but the sum of all."""
    for name, value in where.items():
        column = metrics_rollups.c[name]
        if value == "!":
            query = query.where(column != EVERYTHING)
        elif value is not None:
            query = query.where(column == value)
    return query
