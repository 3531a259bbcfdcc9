"""Sources and what was found in them, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from stepwell.server.database.tables import groups, source_images, sources

Row: TypeAlias = RowMapping


def add(conn: Connection, **values: Any) -> None:
    """Insert a source."""
    conn.execute(insert(sources).values(**values))


def change(conn: Connection, name: str, **values: Any) -> None:
    """Set columns of a source."""
    conn.execute(update(sources).where(sources.c.name == name).values(**values))


def remove(conn: Connection, name: str) -> None:
    """Delete a source and what was found there."""
    conn.execute(delete(source_images).where(source_images.c.source_name == name))
    conn.execute(delete(sources).where(sources.c.name == name))


def get(conn: Connection, name: str) -> Row | None:
    """The source, with its counts."""
    return conn.execute(listed().where(sources.c.name == name)).mappings().one_or_none()


def lock(conn: Connection, name: str) -> Row | None:
    """The source without counts; on PostgreSQL nobody else changes it meanwhile."""
    query = select(sources).where(sources.c.name == name).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def listed() -> Select[Any]:
    """All sources with their counts, to be paged by name."""
    found = images().subquery()
    mine = found.c.source_name == sources.c.name
    here = select(func.count()).where(mine, found.c.state != "gone").scalar_subquery()
    waiting = select(func.count()).where(mine, found.c.state == "waiting").scalar_subquery()
    return select(sources, here.label("images"), waiting.label("waiting"))


def wanting(conn: Connection) -> list[Row]:
    """The sources that are scanned by themselves, or whose scan was asked for and not done."""
    asked = sources.c.requested_at.is_not(None) & (
        sources.c.scanned_at.is_(None) | (sources.c.requested_at > sources.c.scanned_at)
    )
    query = select(sources).where(sources.c.scan_every.is_not(None) | asked)
    return list(conn.execute(query).mappings())


def images() -> Select[Any]:
    """What was found, with the group that has the image, and the state that follows."""
    source = source_images.join(sources, sources.c.name == source_images.c.source_name)
    joined = source.join(groups, _same_image(), isouter=True)
    columns = (source_images, groups.c.name.label("group_name"), _state().label("state"))
    return select(*columns).select_from(joined)


def found(conn: Connection, source: str) -> dict[str, Row]:
    """What was found in a source, by image."""
    rows = conn.execute(images().where(source_images.c.source_name == source)).mappings()
    return {row["image"]: row for row in rows}


def image(conn: Connection, image_id: UUID) -> Row | None:
    """One image that was found."""
    return conn.execute(images().where(source_images.c.id == image_id)).mappings().one_or_none()


def in_state(query: Select[Any], state: str) -> Select[Any]:
    """Only those of this state."""
    return query.where(_state() == state)


def add_image(conn: Connection, **values: Any) -> None:
    """Insert an image that was found for the first time."""
    conn.execute(insert(source_images).values(**values))


def change_image(conn: Connection, image_id: UUID, **values: Any) -> None:
    """Set columns of an image."""
    conn.execute(update(source_images).where(source_images.c.id == image_id).values(**values))


def mark_gone(conn: Connection, image_ids: Iterable[UUID], now: datetime) -> None:
    """Note that these are not there any more."""
    ids = list(image_ids)
    if ids:
        gone = (source_images.c.id.in_(ids), source_images.c.gone_at.is_(None))
        conn.execute(update(source_images).where(*gone).values(gone_at=now))


def _same_image() -> ColumnElement[bool]:
    """At most one group is meant: where several have the image, the first by name."""
    first = (
        select(func.min(groups.c.name))
        .where(
            groups.c.image == source_images.c.image,
            groups.c.launcher == sources.c.launcher,
            groups.c.archived_at.is_(None),
        )
        .correlate(source_images, sources)
        .scalar_subquery()
    )
    return and_(groups.c.name == first)


def _state() -> ColumnElement[str]:
    return case(
        (source_images.c.gone_at.is_not(None), "gone"),
        (groups.c.name.is_not(None), "registered"),
        (source_images.c.dismissed_at.is_not(None), "dismissed"),
        else_="waiting",
    )
