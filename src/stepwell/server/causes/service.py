"""Group what failed by its cause, and mute what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.errors import NotFound
from stepwell.server.causes import queries
from stepwell.server.causes.records import Affected, Cause, Causes, Mute, NewMute
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Mute as Muted
from stepwell.server.paging import Paging, encoded, unknown

SPANS: Final = 24
WEEK: Final = timedelta(days=7)


class CauseNotFound(NotFound):
    """No run failed for this cause."""

    code = "cause-not-found"


def listed(
    conn: Connection, pages: Paging, *, since: datetime | None = None, muted: bool = False
) -> Causes:
    """The causes of what failed since then, a week ago by default; the one seen last first.

    Parameters
    ----------
    muted : show those too that are muted.
    """
    now = clock.now()
    begin = min(since or now - WEEK, now - timedelta(seconds=SPANS))
    mutes, every = notifications.muted_now(conn), queries.by_cause(conn, begin)
    shown = [row for row in every if muted or row["fingerprint"] not in mutes]
    place = _place(pages)
    some = shown[place : place + pages.limit]
    more = len(shown) > place + pages.limit
    return Causes(
        items=_causes(conn, some, begin, now, mutes),
        causes=len(shown),
        runs=sum(row["runs"] for row in shown),
        muted=sum(row["fingerprint"] in mutes for row in every),
        since=begin,
        next=encoded([place + pages.limit]) if more else None,
        limited_to=pages.limit,
        as_of=now,
    )


def _place(pages: Paging) -> int:
    """Causes are few, and put in order anew each time: their cursor is a place."""
    match pages.after():
        case None:
            return 0
        case (int() as place,):
            return max(place, 0)
    raise unknown()


def _causes(
    conn: Connection,
    rows: Sequence[RowMapping],
    since: datetime,
    now: datetime,
    mutes: dict[str, Muted],
) -> list[Cause]:
    if not rows:
        return []
    names = [row["fingerprint"] for row in rows]
    seconds = (now - since).total_seconds() / SPANS
    affected: dict[str, list[Affected]] = {}
    for row in queries.by_workflow(conn, since, names):
        one = Affected(group=row["group_name"], workflow=row["workflow"], runs=row["runs"])
        affected.setdefault(row["fingerprint"], []).append(one)
    trends: dict[str, list[int]] = {name: [0] * SPANS for name in names}
    for name, span, count in queries.by_time(conn, since, seconds, names):
        trends[name][min(max(int(span), 0), SPANS - 1)] += count
    return [
        _cause(conn, row, affected[row["fingerprint"]], trends[row["fingerprint"]], mutes)
        for row in rows
    ]


def _cause(
    conn: Connection,
    row: RowMapping,
    affected: list[Affected],
    trend: list[int],
    mutes: dict[str, Muted],
) -> Cause:
    name = row["fingerprint"]
    newest = queries.end_of(conn, name, newest=True)
    first = queries.end_of(conn, name, newest=False)
    mute = mutes.get(name)
    return Cause(
        fingerprint=name,
        sentence=(newest["reason"] or "It failed.").partition("\n")[0],
        operation=newest["failed_operation"],
        runs=row["runs"],
        workflows=affected,
        first_seen=first["created_at"],
        last_seen=row["last"],
        newest_run=newest["id"],
        trend=trend,
        started_after=_started_after(conn, first),
        muted=None if mute is None else _mute(mute),
        query=f"cause:{name} state:failed",
    )


def _started_after(conn: Connection, first: RowMapping) -> int | None:
    before = queries.release_before(conn, first)
    if before is None or before == first["release_id"]:
        return None
    return queries.release_number(conn, first)


def mute(conn: Connection, fingerprint: str, asked: NewMute, *, by: str) -> Mute:
    """Show a cause to nobody until an instant, and tell nobody of it.

    Raises
    ------
    CauseNotFound, InvalidInput : an instant that has passed.
    """
    if not queries.known(conn, fingerprint):
        raise _unknown(fingerprint)
    told = {"by": by, "action": "cause.mute"}
    return _mute(notifications.mute(conn, fingerprint, asked.until, asked.reason, **told))


def unmute(conn: Connection, fingerprint: str, reason: str | None, *, by: str) -> None:
    """Show a cause again; raises `CauseNotFound`."""
    if not notifications.unmute(conn, fingerprint, reason, by=by, action="cause.unmute"):
        raise _unknown(fingerprint)


def _mute(one: Muted) -> Mute:
    return Mute(**one.model_dump(exclude={"cause"}))


def _unknown(fingerprint: str) -> CauseNotFound:
    return CauseNotFound(
        f"There is no cause {fingerprint!r}, or it is not muted.", fix="See `stepwell causes list`."
    )
