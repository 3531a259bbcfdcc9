"""The tables of the room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from stepwell.server.database.tables import (
    deliveries,
    notification_mutes,
    notification_rules,
    notification_targets,
    notification_threads,
    occasions,
    release_workflows,
    releases,
    runs,
)

# -- occasions ---------------------------------------------------------------------


def add_occasion(conn: Connection, **values: Any) -> None:
    """Insert an occasion."""
    conn.execute(insert(occasions).values(**values))


def occasion(conn: Connection, occasion_id: UUID) -> RowMapping | None:
    """One occasion."""
    found = conn.execute(select(occasions).where(occasions.c.id == occasion_id))
    return found.mappings().one_or_none()


def lock_open(conn: Connection, group: str, workflow: str, until: datetime) -> Sequence[RowMapping]:
    """The workflow's failures up to an instant that no success has followed, oldest first.

    What another transaction holds is its to end.
    """
    query = (
        select(occasions.c.id, occasions.c.cause, occasions.c.at)
        .where(*_open(), occasions.c.group_name == group, occasions.c.workflow == workflow)
        .where(occasions.c.at <= until)
        .order_by(occasions.c.at, occasions.c.id)
        .with_for_update(skip_locked=True)
    )
    return conn.execute(query).mappings().all()


def passed(conn: Connection, ids: Sequence[UUID], at: datetime) -> None:
    """These failures were followed by a success."""
    for first in range(0, len(ids), 500):
        some = occasions.c.id.in_(ids[first : first + 500])
        conn.execute(update(occasions).where(some).values(passed_at=at))


def still_open(conn: Connection, cause: str) -> bool:
    """Whether a failure of the cause waits for a success."""
    return bool(conn.execute(select(exists().where(*_open(), occasions.c.cause == cause))).scalar())


def _open() -> list[Any]:
    return [occasions.c.kind == "failure", occasions.c.passed_at.is_(None)]


def name_now(conn: Connection, run_id: UUID, workflow: str) -> str:
    """What a run's workflow is called now: it may have been renamed since the run was pinned."""
    r, w = releases, release_workflows
    pinned = select(r.c.group_name, r.c.number).join(runs, runs.c.release_id == r.c.id)
    of = pinned.where(runs.c.id == run_id).subquery()
    query = (
        select(r.c.number, w.c.renamed_from, w.c.workflow)
        .join(w, w.c.release_id == r.c.id)
        .join(of, (of.c.group_name == r.c.group_name) & (of.c.number < r.c.number))
        .where(w.c.renamed_from.is_not(None))
        .order_by(r.c.number)
    )
    renames: dict[int, dict[str, str]] = {}
    for number, old, new in conn.execute(query):
        renames.setdefault(number, {})[old] = new
    for in_one in renames.values():
        workflow = in_one.get(workflow, workflow)
    return workflow


# -- targets and rules -------------------------------------------------------------


def add_target(conn: Connection, **values: Any) -> None:
    """Insert a target."""
    conn.execute(insert(notification_targets).values(**values))


def targets() -> Select[Any]:
    """The targets that are in use."""
    return select(notification_targets).where(notification_targets.c.removed_at.is_(None))


def target_named(conn: Connection, name: str) -> RowMapping | None:
    """The target of that name, held against changes."""
    query = targets().where(notification_targets.c.name == name).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def target(conn: Connection, target_id: UUID) -> RowMapping:
    """A target, in use or not."""
    query = select(notification_targets).where(notification_targets.c.id == target_id)
    return conn.execute(query).mappings().one()


def place(conn: Connection, target_id: UUID) -> int:
    """How many targets in use are older."""
    older = targets().where(notification_targets.c.id < target_id).subquery()
    return conn.execute(select(func.count()).select_from(older)).scalar_one()


def change_target(conn: Connection, target_id: UUID, **values: Any) -> None:
    """Update a target."""
    mine = notification_targets.c.id == target_id
    conn.execute(update(notification_targets).where(mine).values(**values))


def add_rule(conn: Connection, **values: Any) -> None:
    """Insert a rule."""
    conn.execute(insert(notification_rules).values(**values))


def rules() -> Select[Any]:
    """The rules, with the names of their targets."""
    name = notification_targets.c.name.label("target")
    return select(notification_rules, name).join(
        notification_targets, notification_targets.c.id == notification_rules.c.target_id
    )


def rule(conn: Connection, rule_id: UUID) -> RowMapping | None:
    """One rule."""
    return conn.execute(rules().where(notification_rules.c.id == rule_id)).mappings().one_or_none()


def any_rules(conn: Connection) -> bool:
    """Whether anybody wants to hear of anything."""
    return bool(conn.execute(select(exists().select_from(notification_rules))).scalar())


def all_rules(conn: Connection) -> Sequence[RowMapping]:
    """Every rule."""
    return conn.execute(rules().order_by(notification_rules.c.id)).mappings().all()


def move(conn: Connection, group: str, old: str, new: str) -> None:
    """What was wanted of a workflow is wanted of it under its new name, whose success ends the
    failures of the old one."""
    for t, which in ((notification_rules, []), (occasions, _open())):
        mine = (t.c.group_name == group, t.c.workflow == old, *which)
        conn.execute(update(t).where(*mine).values(workflow=new))


def drop_rules(conn: Connection, **equal: Any) -> int:
    """Delete the rules of this id, or of this target; how many there were."""
    mine = [notification_rules.c[name] == value for name, value in equal.items()]
    return conn.execute(delete(notification_rules).where(*mine)).rowcount


# -- threads and mutes -------------------------------------------------------------


def lock_thread(conn: Connection, cause: str, target_id: UUID, every: int) -> RowMapping:
    """How a target hears of a cause; made if need be, and held."""
    make: Any = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    new = {"cause": cause, "target_id": target_id, "every": every, "pending": 0}
    conn.execute(make(notification_threads).values(**new).on_conflict_do_nothing())
    found = thread(conn, cause, target_id)
    assert found is not None
    return found


def thread(conn: Connection, cause: str, target_id: UUID) -> RowMapping | None:
    """The same, held; None if the target has not heard of the cause."""
    query = select(notification_threads).where(*_thread(cause, target_id)).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def change_thread(conn: Connection, cause: str, target_id: UUID, **values: Any) -> None:
    """Update a thread that is held."""
    mine = _thread(cause, target_id)
    conn.execute(update(notification_threads).where(*mine).values(**values))


def drop_thread(conn: Connection, cause: str, target_id: UUID) -> None:
    """Delete a thread that is held."""
    conn.execute(delete(notification_threads).where(*_thread(cause, target_id)))


def _thread(cause: str, target_id: UUID) -> list[Any]:
    table = notification_threads
    return [table.c.cause == cause, table.c.target_id == target_id]


def mutes(now: datetime) -> Select[Any]:
    """The mutes that are in force."""
    return select(notification_mutes).where(notification_mutes.c.until > now)


def last_said() -> ScalarSelect[Any]:
    """What was said when the cause of a mute of the query around it was met last; NULL where
    retention has taken that."""
    query = select(occasions.c.sentence).where(
        occasions.c.cause == notification_mutes.c.cause, occasions.c.kind != "recovery"
    )
    newest = query.order_by(occasions.c.at.desc()).limit(1)
    return newest.correlate(notification_mutes).scalar_subquery()


def is_muted(conn: Connection, cause: str, now: datetime) -> bool:
    """Whether nothing is to be said of a cause."""
    query = mutes(now).where(notification_mutes.c.cause == cause)
    return conn.execute(query).first() is not None


def muted(conn: Connection, cause: str) -> RowMapping | None:
    """The mute of a cause, also one that is over."""
    query = select(notification_mutes).where(notification_mutes.c.cause == cause)
    return conn.execute(query).mappings().one_or_none()


def mute(conn: Connection, cause: str, **values: Any) -> None:
    """Insert a mute, or replace the one of its cause."""
    unmute(conn, cause)
    conn.execute(insert(notification_mutes).values(cause=cause, **values))


def unmute(conn: Connection, cause: str) -> int:
    """Delete a mute; 0 if there is none."""
    mine = notification_mutes.c.cause == cause
    return conn.execute(delete(notification_mutes).where(mine)).rowcount


# -- deliveries --------------------------------------------------------------------


def add_delivery(conn: Connection, **values: Any) -> None:
    """Insert a delivery."""
    conn.execute(insert(deliveries).values(**values))


def all_deliveries() -> Select[Any]:
    """Every delivery, with the name of its target."""
    name = notification_targets.c.name.label("target")
    return select(deliveries, name).join(
        notification_targets, notification_targets.c.id == deliveries.c.target_id
    )


def delivery(conn: Connection, delivery_id: UUID) -> RowMapping | None:
    """One delivery."""
    query = all_deliveries().where(deliveries.c.id == delivery_id)
    return conn.execute(query).mappings().one_or_none()


def change_delivery(conn: Connection, delivery_id: UUID, **values: Any) -> None:
    """Update a delivery."""
    conn.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))
