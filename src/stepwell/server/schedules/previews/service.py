"""When a schedule would be due: instants, changes of the clock, calendars, what may overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.schedules import Overlap, Schedule, from_json
from stepwell.schedules.calendars import Exclusion, exclusion, never
from stepwell.schedules.ledger import Why
from stepwell.schedules.notes import notes
from stepwell.server.schedules import queries
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger import skips
from stepwell.server.schedules.previews import coming, durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import ClockNote, Fire, NewPreview, Observed, Preview
from stepwell.server.services import Services

SHOWN: Final = 10
YEAR: Final = timedelta(days=366)
_INSTANT: Final = timedelta(microseconds=1)

_OVERLAP: Final = {
    Overlap.ALLOW: "both will run",
    Overlap.SKIP: "they will be skipped",
    Overlap.QUEUE: "they will wait for it",
    Overlap.REPLACE: "it will be cancelled for them",
}


def preview(conn: Connection, services: Services, asked: NewPreview) -> Preview:
    """When a schedule would be due; nothing is saved.

    Raises
    ------
    ScheduleInvalid, CronInvalid, IntervalInvalid, TimezoneUnknown, CalendarUnknown.
    ScheduleNotFound : the one that is to be changed.
    """
    row = None
    if asked.schedule_id is not None:
        row = changing.found(queries.get(conn, asked.schedule_id), asked.schedule_id)
    spec = from_json(asked.spec).keyed(_key(asked, row))
    after = asked.after or now_of(conn, services.clock)
    excluded = exclusion(spec, calendars.known(conn, spec.exclude))
    seen = _observed(conn, asked, row)
    found = fires(spec, after, asked.count, excluded)
    shown = overlapping(found, None if seen is None else seen.p95)
    return Preview(
        description=spec.describe(),
        fires=shown,
        notes=noted(spec, after, after + YEAR),
        observed=seen,
        overlaps=sum(one.overlaps for one in shown),
        says=list(_says(spec, shown, seen)),
    )


def fires(
    spec: Schedule, after: datetime, count: int = SHOWN, excluded: Exclusion = never
) -> list[Fire]:
    """The next due instants, with what the zone's clock shows."""
    zone = ZoneInfo(spec.zone)
    return [
        Fire(
            at=at,
            local=at.astimezone(zone).isoformat(),
            jitter=int((at - planned).total_seconds()),
            excluded=excluded(at),
        )
        for planned, at in islice(spec.with_planned(after), count)
    ]


def overlapping(fires: list[Fire], p95: float | None) -> list[Fire]:
    """The same, each marked that begins while the run before it may still go on."""
    runs = [one for one in fires if one.excluded is None and one.skipped is None]
    close = {
        later.at
        for earlier, later in pairwise(runs)
        if p95 is not None and (later.at - earlier.at).total_seconds() < p95
    }
    return [one.model_copy(update={"overlaps": one.at in close}) for one in fires]


def next_fires(conn: Connection, row: Row) -> list[Fire]:
    """The next ten of a schedule that is kept; none of one that cannot be read."""
    if row["next_due"] is None:
        return []
    try:
        spec = queries.spec_of(row)
        excluded = exclusion(spec, calendars.known(conn, spec.exclude))
    except StepwellError:
        return []
    asked = skips.of(row)
    found = fires(spec, row["next_due"] - _INSTANT, SHOWN, excluded)
    shown = [one.model_copy(update={"skipped": _skipped(row, one.at, asked)}) for one in found]
    return overlapping(shown, durations.observed(conn, row["group_name"], row["workflow"]).p95)


def _skipped(row: Row, at: datetime, asked: Mapping[datetime, str]) -> str | None:
    """What was asked for first: that stays when the pause is over."""
    return asked.get(at) or (Why.PAUSED.value if coming.paused(row, at) else None)


def clock_notes(row: Row) -> list[ClockNote]:
    """What the changes of the clock in the year to come do to a schedule that is kept."""
    if row["next_due"] is None:
        return []
    try:
        # What is due at the very change is of that change too.
        return noted(queries.spec_of(row), row["next_due"] - _INSTANT, row["next_due"] + YEAR)
    except StepwellError:
        return []


def noted(spec: Schedule, begin: datetime, end: datetime) -> list[ClockNote]:
    """What the changes of the clock in a span do to a schedule."""
    return [ClockNote(at=one.at, text=one.text) for one in notes(spec, begin, end)]


def _key(asked: NewPreview, row: Row | None) -> str:
    if row is not None:
        return queries.key_of(row)
    if not asked.group or not asked.workflow:
        return ""
    return changing.jitter_key(asked.group, asked.workflow, asked.name or "default")


def _observed(conn: Connection, asked: NewPreview, row: Row | None) -> Observed | None:
    place: Mapping[str, str | None] = {"group_name": asked.group, "workflow": asked.workflow}
    group, workflow = ((row or place)[name] for name in ("group_name", "workflow"))
    return durations.observed(conn, group, workflow) if group and workflow else None


def _says(spec: Schedule, fires: Iterable[Fire], seen: Observed | None) -> Iterator[str]:
    off = [one.excluded or "a day off" for one in fires if one.excluded is not None]
    if off:
        yield f"Of these, {len(off)} will be skipped: {', '.join(dict.fromkeys(off))}."
    close = sum(one.overlaps for one in fires)
    if close and seen is not None and seen.p95 is not None:
        yield (
            f"Of these, {close} come while the run before may still go on (95 % of {seen.runs} "
            f"runs took up to {length(seen.p95)}): {_OVERLAP[spec.overlap]}."
        )


def length(seconds: float) -> str:
    """A duration in words: '45 s', '12 min'."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
