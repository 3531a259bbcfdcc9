"""Backfills: run the due instants of a span that is past, at a bounded pace (decision 0045).

What a backfill runs is entered beside the ledger's chain: the chain says what became of an
instant when it was due, the backfill that somebody made up for it, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection

from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.schedules.base import iso
from stepwell.schedules.calendars import exclusion
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import backfill_instants, backfills
from stepwell.server.paging import Page, Paging, paged
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Cancellation
from stepwell.server.schedules import errors
from stepwell.server.schedules import queries as scheduled
from stepwell.server.schedules.backfills import queries
from stepwell.server.schedules.backfills.records import (
    Backfill,
    BackfillEnd,
    BackfillFate,
    BackfillInstant,
    BackfillPreview,
    BackfillState,
    NewBackfill,
    Order,
    Which,
)
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.previews import durations
from stepwell.server.schedules.queries import Row
from stepwell.server.schedules.records import Observed
from stepwell.server.services import QUEUE, Services
from stepwell.step import new_step

STEP: Final = "v1/server/backfill"
MOST: Final = 10_000
"""Instants of one backfill."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """The instants to run, in turn; those left out, for they ran; those excluded."""

    instants: Sequence[datetime]
    left_out: int
    excluded: Sequence[datetime]


def preview(
    conn: Connection, services: Services, schedule_id: UUID, asked: NewBackfill
) -> BackfillPreview:
    """What a backfill would do; nothing is changed.

    Raises
    ------
    ScheduleNotFound, BackfillSpanInvalid, BackfillTooLarge, CalendarUnknown.
    """
    row = changing.found(scheduled.get(conn, schedule_id), schedule_id)
    now = now_of(conn, services.clock)
    plan = _plan(conn, row, asked, now)
    seen = durations.observed(conn, row["group_name"], row["workflow"])
    seconds = _expected(asked, len(plan.instants), seen)
    return BackfillPreview(
        instants=len(plan.instants),
        left_out=plan.left_out,
        excluded=len(plan.excluded),
        first=min(plan.instants, default=None),
        last=max(plan.instants, default=None),
        sample=list(plan.instants[:_SHOWN]),
        order=asked.order,
        concurrency=asked.concurrency,
        per_minute=asked.per_minute,
        observed=seen,
        expected_seconds=seconds,
        expected_end=None if seconds is None else now + timedelta(seconds=seconds),
        text=_said(plan, asked, seconds),
    )


def start(
    conn: Connection, services: Services, schedule_id: UUID, asked: NewBackfill, *, by: str
) -> Backfill:
    """Begin a backfill; a step of the server goes through its instants.

    Raises
    ------
    ReasonMissing, ScheduleNotFound, ScheduleInactive, BackfillSpanInvalid, BackfillTooLarge,
    BackfillEmpty, CalendarUnknown, ParametersInvalid.
    """
    if not asked.reason:
        raise errors.ReasonMissing(
            "A backfill needs a reason.",
            why="Whoever sees its runs later will ask why they ran.",
            fix="Say why: give a reason.",
        )
    row = _in_force(conn, schedule_id)
    _expect_parameters(conn, row, asked)
    plan = _plan(conn, row, asked, now_of(conn, services.clock))
    if not plan.instants:
        raise errors.BackfillEmpty(
            "There is nothing to backfill.",
            why=_said(plan, asked, None),
            fix="Take a longer span, or --which all to run again what ran.",
        )
    return begin(conn, services, row, asked, plan, by=by)


def begin(
    conn: Connection, services: Services, row: Row, asked: NewBackfill, plan: Plan, *, by: str
) -> Backfill:
    """Write a backfill down, with its step."""
    now, backfill_id = now_of(conn, services.clock), new_id()
    values = asked.model_dump(exclude={"which", "order"})
    queries.add(
        conn,
        _rows(plan, now),
        id=backfill_id,
        schedule_id=row["id"],
        state=BackfillState.RUNNING.value,
        which=asked.which.value,
        order=asked.order.value,
        instants=len(plan.instants) + len(plan.excluded),
        requested_by=by,
        created_at=now,
        **values,
    )
    key = str(backfill_id)
    step = new_step(STEP, {"backfill_id": key}, queue=QUEUE, unique_key=key, correlation_id=key)
    services.db.steps(conn).add([seal(step, JSON, now)])
    made = {"backfill": key, "instants": len(plan.instants), **asked.model_dump(mode="json")}
    audit.record(conn, by, "schedule.backfill", changing.target(row), asked.reason, after=made)
    return get(conn, backfill_id)


def end(
    conn: Connection, services: Services, backfill_id: UUID, asked: BackfillEnd, *, by: str
) -> Backfill:
    """Cancel a backfill: what is planned is skipped; runs go on unless they are to end too.

    Raises
    ------
    BackfillNotFound, BackfillEnded.
    """
    row = found(queries.lock(conn, backfill_id), backfill_id)
    if row["state"] != BackfillState.RUNNING:
        raise errors.BackfillEnded(f"The backfill is {row['state']}.", fix="Nothing is to be done.")
    now = now_of(conn, services.clock)
    why = f"cancelled by {by}" + (f": {asked.reason}" if asked.reason else "")
    queries.drop_planned(conn, backfill_id, why, now)
    queries.change(conn, backfill_id, state=BackfillState.CANCELLED.value, finished_at=now)
    for run_id in queries.active_runs(conn, backfill_id) if asked.runs else ():
        told = Cancellation(reason=asked.reason or "Its backfill was cancelled.")
        runs.cancel(conn, services.db, run_id, told, by=by)
    details = {"backfill": str(backfill_id), "runs": asked.runs}
    sides = audit.sides(row, {"state": BackfillState.CANCELLED}, "state")
    target = changing.target(row)
    audit.record(conn, by, "schedule.backfill-end", target, asked.reason, details, **sides)
    return get(conn, backfill_id)


def get(conn: Connection, backfill_id: UUID) -> Backfill:
    """A backfill; raises `BackfillNotFound`."""
    row = found(queries.get(conn, backfill_id), backfill_id)
    return _shown(conn, row, queries.counts(conn, [backfill_id]).get(backfill_id, {}))


def listed(conn: Connection, pages: Paging, schedule_id: UUID | None) -> Page[Backfill]:
    """Backfills, newest first."""
    query = queries.listed(schedule_id)
    page = paged(conn, query, pages, by=[backfills.c.id], make=lambda row: row)
    counts = queries.counts(conn, [row["id"] for row in page.items])
    return pages.page(
        [_shown(conn, row, counts.get(row["id"], {})) for row in page.items], page.next
    )


def instants_of(
    conn: Connection, pages: Paging, *, backfill_id: UUID | None, schedule_id: UUID | None
) -> Page[BackfillInstant]:
    """The instants of one backfill, or of all of a schedule, newest first."""
    if backfill_id is not None:
        found(queries.get(conn, backfill_id), backfill_id)
    else:
        assert schedule_id is not None, "one of both is given"
        changing.found(scheduled.get(conn, schedule_id), schedule_id)
    query = queries.instants(backfill_id, schedule_id)
    by = [backfill_instants.c.due_at, backfill_instants.c.backfill_id]
    return paged(conn, query, pages, by=by, make=lambda row: BackfillInstant(**row))


def found(row: Row | None, backfill_id: UUID) -> Row:
    """The row itself; raises `BackfillNotFound` for None."""
    if row is None:
        raise errors.BackfillNotFound(
            f"There is no backfill {backfill_id}.", fix="See `stepwell backfills list`."
        )
    return row


def _plan(conn: Connection, row: Row, asked: NewBackfill, now: datetime) -> Plan:
    if asked.end <= asked.begin or asked.end > now:
        raise errors.BackfillSpanInvalid(
            f"From {iso(asked.begin)} to {iso(asked.end)} cannot be backfilled.",
            why="A span ends after it begins, and not in the future: the schedule runs that.",
            fix="Correct begin and end.",
        )
    spec = scheduled.spec_of(row)
    excluded = exclusion(spec, calendars.known(conn, spec.exclude))
    # What nobody has acted on yet the schedule runs itself.
    end = min(asked.end, row["next_due"] or asked.end)
    # Start and end bound what is due by itself; who backfills names a span of their own.
    due = list(islice(spec.unbounded().between(asked.begin, end), MOST + 1))
    _expect_few(due)
    ran = _ran(conn, row["id"], asked)
    taken = [at for at in due if at not in ran]
    wanted = [at for at in taken if excluded(at) is None]
    wanted.sort(reverse=asked.order is Order.NEWEST)
    off = [at for at in taken if excluded(at) is not None]
    return Plan(wanted, len(due) - len(taken), off)


def _expect_few(due: Sequence[datetime]) -> None:
    if len(due) > MOST:
        raise errors.BackfillTooLarge(
            f"The span has more than {MOST:,} due instants.",
            why="A backfill is planned as a whole.",
            fix=f"Take a shorter span: the first {MOST:,} end at {iso(due[MOST - 1])}.",
        )


def _ran(conn: Connection, schedule_id: UUID, asked: NewBackfill) -> set[datetime]:
    if asked.which is Which.ALL:
        return set()
    succeeded = asked.which is Which.NOT_SUCCEEDED
    return queries.ran(conn, schedule_id, asked.begin, asked.end, succeeded)


def _rows(plan: Plan, now: datetime) -> Iterator[dict[str, Any]]:
    for at in plan.instants:
        yield {"due_at": at, "fate": BackfillFate.PLANNED.value, "why": None, "entered_at": now}
    for at in plan.excluded:
        fate = BackfillFate.SKIPPED.value
        yield {"due_at": at, "fate": fate, "why": "calendar", "entered_at": now}


def _in_force(conn: Connection, schedule_id: UUID) -> Row:
    """Held: who else begins a backfill of it sees this one."""
    row = changing.found(scheduled.lock(conn, schedule_id), schedule_id)
    return changing.active(row)


def _expect_parameters(conn: Connection, row: Row, asked: NewBackfill) -> None:
    entry = scheduled.entry_in_force(conn, row["group_name"], row["workflow"])
    given = row["parameters"] if asked.parameters is None else asked.parameters
    if entry is not None:
        runs.check_parameters(row["workflow"], entry, given)


def _expected(asked: NewBackfill, instants: int, seen: Observed) -> float | None:
    """Seconds until the last run has ended."""
    if seen.p50 is None or not instants:
        return None
    turns = -(-instants // asked.concurrency)
    slow = 60.0 / asked.per_minute * (instants - 1) if asked.per_minute else 0.0
    return max(turns * seen.p50, slow + seen.p50)


def _said(plan: Plan, asked: NewBackfill, seconds: float | None) -> str:
    parts = [f"{_counted(len(plan.instants), 'instant')} would run"]
    if asked.concurrency > 1:
        parts.append(f"{asked.concurrency} at once")
    if asked.per_minute:
        parts.append(f"at most {asked.per_minute} a minute")
    parts.append(asked.order.value.replace("-", " "))
    left = f" {plan.left_out} ran already and are left out." if plan.left_out else ""
    off = f" {len(plan.excluded)} fall on days of a calendar." if plan.excluded else ""
    took = f" That takes about {max(1, round(seconds / 60))} min." if seconds else ""
    return f"{', '.join(parts)}.{left}{off}{took}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shown(conn: Connection, row: Row, counts: dict[str, int]) -> Backfill:
    running = row["state"] == BackfillState.RUNNING
    fields = {key: value for key, value in row.items() if key != "group_name"}
    return Backfill(
        **fields,
        group=row["group_name"],
        counts={BackfillFate(fate): count for fate, count in counts.items()},
        active=len(queries.active_runs(conn, row["id"])),
        expected_end=_expected_end(conn, row, counts) if running else None,
    )


def _expected_end(conn: Connection, row: Row, counts: dict[str, int]) -> datetime | None:
    seen = durations.observed(conn, row["group_name"], row["workflow"])
    asked = NewBackfill(
        begin=row["begin"],
        end=row["end"],
        concurrency=row["concurrency"],
        per_minute=row["per_minute"],
    )
    seconds = _expected(asked, counts.get(BackfillFate.PLANNED, 0), seen)
    return None if seconds is None else now_of(conn) + timedelta(seconds=seconds)
