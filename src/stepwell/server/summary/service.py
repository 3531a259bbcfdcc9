"""Put the first page together; each part is bounded, however much there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from stepwell import clock
from stepwell.server.causes import service as causes
from stepwell.server.paging import Paging
from stepwell.server.reviews import service as reviews
from stepwell.server.runs.records import RunState
from stepwell.server.schedules import service as schedules
from stepwell.server.search import service as search
from stepwell.server.services import Services
from stepwell.server.summary import health, queries
from stepwell.server.summary.records import (
    Clause,
    Counts,
    HourBar,
    NextFire,
    Part,
    Running,
    Summary,
    Waiting,
)
from stepwell.server.waiting import service as waiting

LATE: Final = timedelta(seconds=60)
SHOWN: Final = 10
"""So many runs and fires are shown."""
ASKED: Final = 20
"""So many waiting runs are asked why; the others are counted with what most of these say."""


def summary(conn: Connection, services: Services) -> Summary:
    """Everything that the first page shows."""
    now = clock.now()
    failures = causes.listed(conn, Paging(limit=1))
    states = queries.of_runs(conn)
    total, late, paused = queries.of_schedules(conn, now - LATE)
    counts = Counts(
        schedules=total,
        late=late,
        resting=schedules.resting(conn, now),
        paused=paused,
        failing=failures.runs,
        causes=failures.causes,
        waiting_reviews=len(reviews.waiting(conn)),
        running=states.get("running", 0),
        waiting=sum(states.get(one, 0) for one in ("waiting", "starting")),
    )
    parts = health.parts(conn, services)
    clauses = [*_unwell(parts), *of_schedules(counts), *_clauses(counts)]
    return Summary(
        sentence=" ".join(f"{one.text}." for one in clauses),
        clauses=clauses,
        counts=counts,
        running=_running(conn),
        waiting=_waiting(conn, services, counts.waiting),
        next_fires=[_fire(row) for row in queries.next_fires(conn, SHOWN)],
        health=parts,
        hours=_hours(conn, now),
        as_of=now,
    )


def _unwell(parts: list[Part]) -> Iterator[Clause]:
    """Without a scheduler nothing is late yet, and nothing fails: so this comes first."""
    names = [part.name for part in parts if part.state == "problem"]
    if names:
        yield Clause(text=f"Not well: {', '.join(names)}", link="/settings?page=system")


def of_schedules(counts: Counts) -> Iterator[Clause]:
    """What is paused is not on time: nobody waits for it, and somebody may have forgotten it."""
    due = counts.schedules - counts.paused
    if counts.late:
        text = f"{counts.late} of {_many(due, 'schedule')} late"
        yield Clause(text=text, link="/schedules")
    if counts.resting:
        text = f"{counts.resting} of {_many(due, 'schedule')} at rest, for a clock was ahead"
        yield Clause(text=text, link="/schedules")
    if due and not counts.late and not counts.resting:
        text = f"{'All ' if due > 1 else ''}{_many(due, 'schedule')} on time"
        yield Clause(text=text, link="/schedules")
    if counts.paused:
        paused = f"{_many(counts.paused, 'schedule')} paused"
        yield Clause(text=paused, link="/schedules?show=paused")


def _clauses(counts: Counts) -> list[Clause]:
    """What fails, and what waits for a person."""
    said = []
    if counts.failing:
        for_causes = _many(counts.causes, "cause")
        text = f"{_many(counts.failing, 'run')} failing for {for_causes}"
        said.append(Clause(text=text, link="/runs?q=state:failed"))
    else:
        said.append(Clause(text="Nothing is failing", link="/runs?q=state:failed"))
    if counts.waiting_reviews:
        verb = "waits" if counts.waiting_reviews == 1 else "wait"
        text = f"{_many(counts.waiting_reviews, 'group')} {verb} for review"
        said.append(Clause(text=text, link="/review"))
    return said


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _running(conn: Connection) -> list[Running]:
    rows = queries.in_states(conn, ["running"], SHOWN)
    usual = {of: queries.usual(conn, *of) for of in {_of(row) for row in rows}}
    return [
        Running(
            id=row["id"],
            group=row["group_name"],
            workflow=row["workflow"],
            state=row["state"],
            started_at=row["started_at"],
            usual=usual[_of(row)],
            progress=row["progress"],
        )
        for row in rows
    ]


def _of(row: RowMapping) -> tuple[str, str]:
    return row["group_name"], row["workflow"]


def _waiting(conn: Connection, services: Services, total: int) -> list[Waiting]:
    rows = queries.in_states(conn, ["waiting", "starting"], ASKED)
    by_code: dict[str, list[Any]] = {}
    for row in rows:
        found = waiting.why(conn, services, row["id"])
        if found.reason is not None:
            by_code.setdefault(found.reason.code, []).append(found)
    most = sorted(by_code.items(), key=lambda one: -len(one[1]))
    made = [
        Waiting(code=code, count=len(of), sentence=of[0].sentence, run_id=of[0].subject.id)
        for code, of in most
    ]
    if made and total > len(rows):
        made[0].count += total - len(rows)
    return made


def _fire(row: RowMapping) -> NextFire:
    return NextFire(
        schedule_id=row["id"],
        group=row["group_name"],
        workflow=row["workflow"],
        name=row["name"],
        due_at=row["next_due"],
    )


def _hours(conn: Connection, now: datetime) -> list[HourBar]:
    """The hour that goes on and the 23 before it: whole ones, as a clock has them."""
    end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    begin = end - timedelta(hours=24)
    found = search.histogram(conn, "", by="", buckets=24, since=begin, until=end)
    return [
        HourBar(
            at=one.at,
            succeeded=one.counts.get(RunState.SUCCEEDED, 0),
            failed=one.counts.get(RunState.FAILED, 0),
        )
        for one in found.buckets
    ]
