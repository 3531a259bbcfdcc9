"""Calendars that people keep: days on which schedules that name them do not run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from stepwell.errors import Conflict, NotFound
from stepwell.schedules import zones
from stepwell.schedules.calendars import PUBLIC, Calendar
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import calendars as t
from stepwell.server.database.tables import schedules
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.schedules.calendars.records import CalendarChange, KeptCalendar, NewCalendar
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services

_SHOWN: Final = 5


class CalendarNotFound(NotFound):
    """No calendar has this name."""

    code = "calendar-not-found"


class CalendarExists(Conflict):
    """A calendar has this name already."""

    code = "calendar-exists"


class CalendarInUse(Conflict):
    """Schedules name the calendar, and would be blocked without it."""

    code = "calendar-in-use"


def known(conn: Connection, names: Sequence[str]) -> dict[str, Calendar]:
    """The own calendars among these names; asks nothing where there are none."""
    own = [name for name in names if not name.startswith(PUBLIC)]
    if not own:
        return {}
    rows = conn.execute(select(t).where(t.c.name.in_(own))).mappings()
    return {row["name"]: Calendar(_days(row["days"]), row["timezone"]) for row in rows}


def _days(kept: Mapping[str, str]) -> dict[date, str]:
    return {date.fromisoformat(day): name for day, name in kept.items()}


def listed(conn: Connection, pages: Paging) -> Page[KeptCalendar]:
    """Calendars by name."""
    return paged(conn, select(t), pages, by=[t.c.name], make=_shown, newest_first=False)


def get(conn: Connection, name: str) -> KeptCalendar:
    """A calendar with the schedules that name it; raises `CalendarNotFound`."""
    return _shown(_found(conn, name)).model_copy(update={"used_by": users(conn, name)})


def add(conn: Connection, services: Services, new: NewCalendar, *, by: str) -> KeptCalendar:
    """Make a calendar.

    Raises
    ------
    CalendarExists, TimezoneUnknown.
    """
    if conn.execute(select(t.c.name).where(t.c.name == new.name)).first():
        raise CalendarExists(
            f"There is a calendar {new.name!r}.", fix="Change that one, or choose another name."
        )
    values = {"description": new.description, "timezone": _zone(new.timezone)}
    days = _kept(new.days)
    conn.execute(insert(t).values(name=new.name, days=days, **values, **_mark(services, by)))
    audit.record(conn, by, "calendar.add", new.name, new.reason, after={**values, "days": days})
    return get(conn, new.name)


def change(
    conn: Connection, services: Services, name: str, asked: CalendarChange, *, by: str
) -> KeptCalendar:
    """Add and take away days, or set description and zone; what is left out stays.

    Schedules follow at once: what was entered in a ledger stays as it is.

    Raises
    ------
    CalendarNotFound, TimezoneUnknown.
    """
    row = _found(conn, name)
    gone = {one.isoformat() for one in asked.remove}
    days = {**{k: v for k, v in row["days"].items() if k not in gone}, **_kept(asked.add)}
    values = {
        "description": row["description"] if asked.description is None else asked.description,
        "timezone": row["timezone"] if asked.timezone is None else _zone(asked.timezone),
    }
    conn.execute(
        update(t).where(t.c.name == name).values(days=days, **values, **_mark(services, by))
    )
    told = audit.sides(row, {**values, "days": days}, *values, "days")
    audit.record(conn, by, "calendar.change", name, asked.reason, **told)
    return get(conn, name)


def remove(conn: Connection, name: str, reason: str | None, *, by: str) -> None:
    """Take a calendar away.

    Raises
    ------
    CalendarNotFound.
    CalendarInUse : with the schedules that name it.
    """
    row = _found(conn, name)
    used = users(conn, name)
    if used:
        more = f" and {len(used) - _SHOWN} more" if len(used) > _SHOWN else ""
        raise CalendarInUse(
            f"The calendar {name!r} is in use.",
            why=f"It is named by {', '.join(used[:_SHOWN])}{more}.",
            fix="Change these schedules first, or take its days away.",
        )
    conn.execute(delete(t).where(t.c.name == name))
    was = {key: row[key] for key in ("description", "timezone", "days")}
    audit.record(conn, by, "calendar.remove", name, reason, before=was)


def users(conn: Connection, name: str) -> list[str]:
    """The schedules in force that name a calendar, as group/workflow/name."""
    query = select(schedules).where(schedules.c.active).order_by(schedules.c.id)
    rows = conn.execute(query).mappings()
    return [
        f"{row['group_name']}/{row['workflow']}/{row['name']}"
        for row in rows
        if name in row["spec"].get("exclude", ())
    ]


def _found(conn: Connection, name: str) -> Row:
    row = conn.execute(select(t).where(t.c.name == name)).mappings().one_or_none()
    if row is None:
        raise CalendarNotFound(
            f"There is no calendar {name!r}.", fix="See `stepwell calendars list`."
        )
    return row


def _kept(days: Mapping[date, str] | Iterable[date]) -> dict[str, str]:
    named = days if isinstance(days, Mapping) else dict.fromkeys(days, "")
    return {day.isoformat(): named[day] for day in sorted(named)}


def _zone(name: str | None) -> str | None:
    return zones.zone(name).key if name else None


def _mark(services: Services, by: str) -> dict[str, Any]:
    return {"changed_by": by, "changed_at": services.clock.now()}


def _shown(row: Row) -> KeptCalendar:
    return KeptCalendar(**row)
