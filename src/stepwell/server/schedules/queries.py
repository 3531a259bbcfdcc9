"""Schedules and their ledger in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from stepwell.ids import new_id
from stepwell.schedules import Schedule, from_json
from stepwell.schedules.ledger import Entry, Fate
from stepwell.server.database.tables import (
    groups,
    ledger,
    release_workflows,
    releases,
    runs,
    schedules,
)

Row: TypeAlias = RowMapping

ACTIVE_RUNS: Final = ("waiting", "starting", "running", "cancelling")
"""States of runs that count for overlap; a run being cancelled counts until it is (R34)."""

BACKFILL: Final = "backfill"
"""The trigger of runs that make up for an instant; they do not count for overlap."""

# Rows are locked with `key_share`, so that whoever inserts a row that refers to them
# (a run) need not wait: else the tick and a release could wait for each other.

# A literal, not a parameter: only then do the planners see that the partial index fits.
_QUEUED: Final = ledger.c.fate == literal_column("'queued'")

_IN_THE_WAY: Final = runs.c.state.in_(ACTIVE_RUNS) & (runs.c.trigger != BACKFILL)


# -- schedules ---------------------------------------------------------------------


def spec_of(row: Row) -> Schedule:
    """A row's schedule, with its jitter; raises `ScheduleInvalid`."""
    return from_json(row["spec"]).keyed(key_of(row))


def place(row: Row) -> tuple[str, str]:
    """Group and workflow of a row."""
    return row["group_name"], row["workflow"]


def key_of(row: Row) -> str:
    """What the jitter of a row's schedule depends on."""
    return row["jitter_key"] or str(row["id"])


def get(conn: Connection, schedule_id: UUID) -> Row | None:
    """One schedule."""
    query = select(schedules).where(schedules.c.id == schedule_id)
    return conn.execute(query).mappings().one_or_none()


def lock(conn: Connection, schedule_id: UUID) -> Row | None:
    """As `get`; no tick and no other change gets in until the transaction ends."""
    query = select(schedules).where(schedules.c.id == schedule_id).with_for_update(key_share=True)
    return conn.execute(query).mappings().one_or_none()


def lock_due(conn: Connection, now: datetime, limit: int) -> Sequence[Row]:
    """Up to `limit` schedules with something due: an instant, the end of a pause, a queued run.

    On PostgreSQL those that another transaction holds are passed over.
    """
    query = (
        select(schedules)
        .where(schedules.c.active, or_(_is_due(now), _may_start()))
        .order_by(schedules.c.next_due, schedules.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return conn.execute(query).mappings().all()


def _is_due(now: datetime) -> ColumnElement[bool]:
    return or_(schedules.c.next_due <= now, schedules.c.paused_until <= now)


def _may_start() -> ColumnElement[bool]:
    waits = schedules.c.id.in_(select(ledger.c.schedule_id).where(_QUEUED))
    mine = runs.c.schedule_id == schedules.c.id
    busy = select(runs.c.id).where(mine, _IN_THE_WAY).exists()
    return waits & ~busy & schedules.c.paused_at.is_(None)


def lock_of_group(conn: Connection, group: str) -> Sequence[Row]:
    """All schedules of a group that were not removed, held until the transaction ends."""
    query = (
        select(schedules)
        .where(schedules.c.group_name == group, schedules.c.origin != "removed")
        .order_by(schedules.c.id)
        .with_for_update(key_share=True)
    )
    return conn.execute(query).mappings().all()


def earliest_due(conn: Connection) -> datetime | None:
    """When the next schedule is due, or its pause ends."""
    ends = (func.min(schedules.c.next_due), func.min(schedules.c.paused_until))
    found = conn.execute(select(*ends).where(schedules.c.active)).one()
    return min((one for one in found if one is not None), default=None)


def add(conn: Connection, **values: Any) -> UUID:
    """Insert a schedule; returns its id."""
    schedule_id = new_id()
    conn.execute(insert(schedules).values(id=schedule_id, **values))
    return schedule_id


def change(conn: Connection, schedule_id: UUID, **values: Any) -> None:
    """Set columns of a schedule."""
    conn.execute(update(schedules).where(schedules.c.id == schedule_id).values(**values))


def change_all(conn: Connection, changes: Iterable[tuple[UUID, Mapping[str, Any]]]) -> None:
    """Set columns of many schedules; each statement sets the same ones."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for schedule_id, values in changes:
        by_columns[tuple(sorted(values))].append({"of": schedule_id, **values})
    for rows in by_columns.values():
        conn.execute(update(schedules).where(schedules.c.id == bindparam("of")), rows)


def listed(
    group: str | None = None, workflow: str | None = None, active: bool | None = True
) -> Select[Any]:
    """Schedules that were not removed, to be paged by id."""
    query = select(schedules).where(schedules.c.origin != "removed")
    equal = {"group_name": group, "workflow": workflow, "active": active}
    for name, value in equal.items():
        query = query if value is None else query.where(schedules.c[name] == value)
    return query


def last_fate() -> ScalarSelect[Any]:
    """What became of the latest due instant of a schedule of the query around it."""
    spoken = (ledger.c.schedule_id == schedules.c.id) & (ledger.c.fate != Fate.CHANGED.value)
    newest = select(ledger.c.fate).where(spoken).order_by(ledger.c.first_due.desc()).limit(1)
    return newest.correlate(schedules).scalar_subquery()


def named(conn: Connection, group: str, workflow: str, name: str) -> Row | None:
    """The schedule of that name, removed or not."""
    query = select(schedules).where(
        schedules.c.group_name == group,
        schedules.c.workflow == workflow,
        schedules.c.name == name,
    )
    return conn.execute(query).mappings().one_or_none()


# -- what a release says -----------------------------------------------------------


def released(conn: Connection, release_id: UUID) -> Sequence[Row]:
    """The workflows of a release: name, manifest entry, and the name it had before."""
    query = select(release_workflows).where(release_workflows.c.release_id == release_id)
    return conn.execute(query.order_by(release_workflows.c.workflow)).mappings().all()


def group_of(conn: Connection, release_id: UUID) -> str:
    """The group that a release belongs to."""
    query = select(releases.c.group_name).where(releases.c.id == release_id)
    found: str = conn.execute(query).scalar_one()
    return found


def entry_in_force(conn: Connection, group: str, workflow: str) -> dict[str, Any] | None:
    """The manifest entry of a workflow in its group's current release."""
    query = (
        select(release_workflows.c.entry)
        .join(groups, groups.c.release_id == release_workflows.c.release_id)
        .where(groups.c.name == group, release_workflows.c.workflow == workflow)
    )
    return conn.execute(query).scalar_one_or_none()


def entries_in_force(
    conn: Connection, places: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """The manifest entries of (group, workflow) pairs; without those that are not released."""
    place = tuple_(groups.c.name, release_workflows.c.workflow)
    query = (
        select(groups.c.name, release_workflows.c.workflow, release_workflows.c.entry)
        .join(groups, groups.c.release_id == release_workflows.c.release_id)
        .where(place.in_(places))
    )
    return {(name, workflow): entry for name, workflow, entry in conn.execute(query)}


# -- the ledger --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be written: a new one, or `extends`, the line that it makes longer."""

    schedule_id: UUID
    entry: Entry
    run_id: UUID | None = None
    extends: UUID | None = None


def enter(
    conn: Connection,
    schedule_id: UUID,
    entry: Entry,
    run_id: UUID | None,
    at: datetime,
    spec: dict[str, Any] | None = None,
) -> None:
    """Insert a line; a mark keeps the `spec` that is in force from it on."""
    line = Line(schedule_id, entry, run_id)
    conn.execute(insert(ledger).values(spec=spec, **_new_line(line, at)))


def enter_all(conn: Connection, written: Iterable[Line], at: datetime) -> None:
    """Insert lines, and make longer those that are there; of schedules that are locked."""
    new: list[dict[str, Any]] = []
    longer: list[dict[str, Any]] = []
    for one in written:
        if one.extends is None:
            new.append(_new_line(one, at))
        else:
            longer.append({"of": one.extends, **_columns(one.entry)})
    if new:
        conn.execute(insert(ledger), new)
    if longer:
        conn.execute(update(ledger).where(ledger.c.id == bindparam("of")), longer)


def _new_line(line: Line, at: datetime) -> dict[str, Any]:
    of = {"id": new_id(), "schedule_id": line.schedule_id, "run_id": line.run_id}
    return {**of, "entered_at": at, **_columns(line.entry)}


def extend(conn: Connection, line: UUID, entry: Entry) -> None:
    """Make a line cover the instants that follow it with the same fate."""
    conn.execute(update(ledger).where(ledger.c.id == line).values(**_columns(entry)))


def resolve(
    conn: Connection, line: UUID, fate: Fate, why: str | None, run_id: UUID | None = None
) -> None:
    """Say what became of a queued line."""
    values = {"fate": fate.value, "why": why, "run_id": run_id}
    conn.execute(update(ledger).where(ledger.c.id == line).values(**values))


def line_at(conn: Connection, schedule_id: UUID, due_at: datetime) -> Row | None:
    """The line that speaks of an instant, if one does."""
    query = lines(schedule_id).where(ledger.c.first_due <= due_at, ledger.c.last_due >= due_at)
    query = query.where(ledger.c.fate != Fate.CHANGED.value)
    return conn.execute(query.order_by(ledger.c.first_due.desc()).limit(1)).mappings().first()


def last_line(conn: Connection, schedule_id: UUID) -> Row | None:
    """The end of the book."""
    query = lines(schedule_id).order_by(ledger.c.first_due.desc()).limit(1)
    return conn.execute(query).mappings().one_or_none()


def last_lines(conn: Connection, schedule_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The end of each schedule's book, each found by the index and not by reading the book."""
    end = select(ledger.c.id).where(ledger.c.schedule_id == schedules.c.id)
    end = end.order_by(ledger.c.first_due.desc()).limit(1)
    ids = select(end.correlate(schedules).scalar_subquery()).where(schedules.c.id.in_(schedule_ids))
    found = [one for one in conn.execute(ids).scalars() if one is not None]
    rows = conn.execute(select(ledger).where(ledger.c.id.in_(found))).mappings()
    return {row["schedule_id"]: row for row in rows}


def last_fates(conn: Connection, schedule_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The newest line of each schedule that speaks of a due instant."""
    spoken = ledger.c.schedule_id.in_(schedule_ids) & (ledger.c.fate != Fate.CHANGED.value)
    newest = (
        select(ledger.c.schedule_id, func.max(ledger.c.first_due).label("first_due"))
        .where(spoken)
        .group_by(ledger.c.schedule_id)
        .subquery()
    )
    same = (ledger.c.schedule_id == newest.c.schedule_id) & (
        ledger.c.first_due == newest.c.first_due
    )
    rows = conn.execute(select(ledger).join(newest, same)).mappings()
    return {row["schedule_id"]: row for row in rows}


def queued(conn: Connection, schedule_ids: Sequence[UUID]) -> Sequence[Row]:
    """Lines of schedules whose run waits for the one before, oldest first."""
    query = select(ledger).where(ledger.c.schedule_id.in_(schedule_ids), _QUEUED)
    return conn.execute(query.order_by(ledger.c.first_due)).mappings().all()


def any_queued(conn: Connection) -> bool:
    """Whether any schedule that is in force has a queued line."""
    mine = schedules.c.id == ledger.c.schedule_id
    query = select(ledger.c.id).join(schedules, mine).where(_QUEUED)
    query = query.where(schedules.c.active, schedules.c.paused_at.is_(None)).limit(1)
    return conn.execute(query).first() is not None


def lines(schedule_id: UUID) -> Select[Any]:
    """The ledger of a schedule."""
    return select(ledger).where(ledger.c.schedule_id == schedule_id)


def book(
    conn: Connection, schedule_id: UUID, begin: datetime | None, end: datetime | None
) -> Iterable[Row]:
    """Lines that begin in a span, oldest first, and the one before them: what proves something."""
    query = select(*_PROOF).where(ledger.c.schedule_id == schedule_id).order_by(ledger.c.first_due)
    query = query if end is None else query.where(ledger.c.first_due < end)
    if begin is not None:
        before = select(func.max(ledger.c.first_due)).where(
            ledger.c.schedule_id == schedule_id, ledger.c.first_due < begin
        )
        query = query.where(ledger.c.first_due >= (conn.execute(before).scalar() or begin))
    return conn.execute(query).mappings()


def active_runs(conn: Connection, schedule_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, str]]:
    """Runs of each schedule that have not ended, oldest first, with their states."""
    columns = (runs.c.schedule_id, runs.c.id, runs.c.state)
    query = select(*columns).where(runs.c.schedule_id.in_(schedule_ids), _IN_THE_WAY)
    found: dict[UUID, dict[UUID, str]] = {one: {} for one in schedule_ids}
    for row in conn.execute(query.order_by(runs.c.created_at)):
        found[row.schedule_id][row.id] = row.state
    return found


_FATES: Final = {one.value: one for one in Fate}
_PROOF: Final = [
    ledger.c[name]
    for name in (
        "first_due",
        "last_due",
        "count",
        "fate",
        "why",
        "next_due",
        "schedule_version",
        "spec",
    )
]
"""Of a book there are many lines, and ids are what takes longest to read."""


def as_entry(row: Row) -> Entry:
    """A line as the value that the arithmetic knows."""
    return Entry(
        first=row["first_due"],
        last=row["last_due"],
        count=row["count"],
        fate=_FATES[row["fate"]],
        why=row["why"],
        following=row["next_due"],
        version=row["schedule_version"],
    )


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "first_due": entry.first,
        "last_due": entry.last,
        "count": entry.count,
        "fate": entry.fate.value,
        "why": entry.why,
        "next_due": entry.following,
        "schedule_version": entry.version,
    }
