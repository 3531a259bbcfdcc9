"""Short questions over the tables of several rooms."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, select

from stepwell.server.access import service as access
from stepwell.server.database.tables import (
    discoveries,
    groups,
    release_workflows,
    runs,
    schedules,
    source_images,
    sources,
    tokens,
    users,
)
from stepwell.server.runs.records import ENDED

ACTIVE = groups.c.archived_at.is_(None)
RELEASED = groups.c.release_id.is_not(None)


def count(conn: Connection, table: Table, *that: ColumnElement[bool]) -> int:
    """How many rows there are like that."""
    return conn.execute(select(func.count()).select_from(table).where(*that)).scalar_one()


def sources_known(conn: Connection) -> int:
    """How many sources of images there are."""
    return count(conn, sources)


def images_found(conn: Connection) -> int:
    """How many images of sources are there, and were not dismissed."""
    return count(
        conn,
        source_images,
        source_images.c.gone_at.is_(None),
        source_images.c.dismissed_at.is_(None),
    )


def in_use(conn: Connection) -> list[tuple[str, str]]:
    """Some of the workflows that can be started: group and name, in their order."""
    query = (
        select(groups.c.name, release_workflows.c.workflow)
        .join(release_workflows, release_workflows.c.release_id == groups.c.release_id)
        .where(ACTIVE)
        .order_by(groups.c.name, release_workflows.c.workflow)
        .limit(20)
    )
    return [(one.name, one.workflow) for one in conn.execute(query)]


def failed_discoveries(conn: Connection, limit: int) -> Sequence[RowMapping]:
    """The newest discoveries that failed, of active groups that have no release."""
    query = (
        select(discoveries.c.group_name, discoveries.c.error)
        .join(groups, groups.c.name == discoveries.c.group_name)
        .where(discoveries.c.state == "failed", ACTIVE, ~RELEASED)
        .order_by(discoveries.c.id.desc())
        .limit(limit)
    )
    return conn.execute(query).mappings().all()


def newest_run(conn: Connection) -> RowMapping | None:
    """The newest run, of whatever outcome."""
    query = select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(1)
    return conn.execute(query).mappings().first()


def any_good_run(conn: Connection) -> bool:
    """Whether a run has ever succeeded."""
    query = select(runs.c.id).where(runs.c.state == "succeeded").limit(1)
    return conn.execute(query).first() is not None


def schedules_in_force(conn: Connection) -> int:
    """How many schedules are in force."""
    return count(conn, schedules, schedules.c.active.is_(True))


def people(conn: Connection) -> int:
    """How many accounts of people there are; the developer of `stepwell dev` is none."""
    others = users.c.created_by != access.DEVELOPMENT
    return count(conn, users, others, users.c.disabled_at.is_(None))


def tokens_in_use(conn: Connection) -> int:
    """How many tokens for programs there are, but for that of `stepwell dev`."""
    others = tokens.c.created_by != access.DEVELOPMENT
    return count(conn, tokens, others, tokens.c.revoked_at.is_(None), tokens.c.user_id.is_(None))


def open_runs(conn: Connection, group: str) -> list[RowMapping]:
    """The runs of a group that have not ended."""
    query = select(runs).where(runs.c.group_name == group, runs.c.state.not_in(ENDED))
    return list(conn.execute(query).mappings().all())


def any_run_of(conn: Connection, group: str) -> bool:
    """Whether a group has a run at all."""
    query = select(runs.c.id).where(runs.c.group_name == group).limit(1)
    return conn.execute(query).first() is not None
