"""Keep the ledger: settle what is due, start its runs, move `next_due` (R29, R30).

Everything happens on the caller's connection, in the transaction that holds the
schedule's row. A run that cannot be started is entered as blocked; its savepoint
takes back whatever it had begun, and the rest goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from stepwell import events
from stepwell.errors import StepwellError, Unavailable
from stepwell.schedules import Overlap, Schedule
from stepwell.schedules.calendars import exclusion
from stepwell.schedules.ledger import Entry, Fate, Rules, Situation, Why, joined, judge, mark
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Cancellation
from stepwell.server.schedules import alerts, calendars, queries, skips
from stepwell.server.schedules.queries import Row

PASSING: Final = (Unavailable, OperationalError, InterfaceError)
"""What says nothing about a schedule: the whole pass is tried again later."""

_LONGEST_WHY: Final = 500


class Starter(Protocol):
    """The verbs of the runs room that a schedule needs; both act in the caller's transaction."""

    def start(self, conn: Connection, db: Database, schedule: Row, due_at: datetime) -> UUID:
        """Start the schedule's workflow; returns the run's id."""

    def cancel(self, conn: Connection, db: Database, run_id: UUID) -> None:
        """Ask a run to end, because a newer one takes its place."""


class ByRunsRoom:
    """The runs room itself."""

    def start(self, conn: Connection, db: Database, schedule: Row, due_at: datetime) -> UUID:
        """Start the schedule's workflow; returns the run's id."""
        return runs.start_run(
            conn,
            db,
            group=schedule["group_name"],
            workflow=schedule["workflow"],
            parameters=schedule["parameters"],
            trigger="schedule",
            requested_by=f"schedule {schedule['name']}",
            schedule_id=schedule["id"],
            due_at=due_at,
        )

    def cancel(self, conn: Connection, db: Database, run_id: UUID) -> None:
        """Ask a run to end; one that has ended meanwhile is fine."""
        asked = Cancellation(reason="Replaced by a newer run of its schedule.")
        try:
            runs.cancel(conn, db, run_id, asked, by="schedules")
        except runs.RunEnded:
            pass  # it made way by itself


@dataclass(frozen=True, slots=True)
class Settled:
    """What one pass over a schedule did; `more` says that something is still due."""

    started: int
    next_due: datetime | None
    more: bool


@dataclass(frozen=True, slots=True)
class Books:
    """The ledgers of all schedules.

    Parameters
    ----------
    runs : starts and cancels runs in the caller's transaction.
    rules : grace, cap, and how much one pass judges.
    late_after : what is settled later than this is told of, where a schedule says nothing else.
    """

    db: Database
    runs: Starter = field(default_factory=ByRunsRoom)
    rules: Rules = field(default_factory=Rules)
    late_after: timedelta = timedelta(seconds=300)

    def settle(self, conn: Connection, schedule: Row, now: datetime) -> Settled:
        """Enter what is due up to now, in one bounded pass; the caller holds the row."""
        try:
            with conn.begin_nested():
                return _Pass(self, conn, schedule, queries.spec_of(schedule), now).made()
        except PASSING:
            raise
        except Exception as error:
            return self._set_aside(conn, schedule, error, now)

    def _set_aside(
        self, conn: Connection, schedule: Row, error: Exception, now: datetime
    ) -> Settled:
        """The schedule itself raises: block the instant that is due, and go on after it.

        If even what follows cannot be computed, nothing is due until somebody edits it.
        """
        due = schedule["next_due"]
        if due is None or due > now:
            return Settled(0, due, more=False)
        following = _following(schedule)
        entry = _blocked(due, following, schedule["version"], error)
        write(conn, schedule["id"], entry, now)
        queries.change(conn, schedule["id"], next_due=following)
        return Settled(0, following, more=following is not None and following <= now)


class _Pass:
    """One pass over one schedule."""

    def __init__(
        self, books: Books, conn: Connection, schedule: Row, spec: Schedule, now: datetime
    ) -> None:
        self.books, self.conn, self.now = books, conn, now
        self.schedule, self.spec = schedule, spec
        self.active = queries.active_runs(conn, schedule["id"])
        self.queued = list(queries.queued(conn, schedule["id"]))
        self.excluded = exclusion(spec, calendars.known(conn, spec.exclude))
        self.skips = skips.of(schedule)
        until = schedule["paused_until"]
        self.paused = schedule["paused_at"] is not None and (until is None or now < until)
        self.late: datetime | None = None
        self.started = 0

    def made(self) -> Settled:
        self._start_queued()
        next_due, budget = self.schedule["next_due"], self.books.rules.at_once
        while next_due is not None and next_due <= self.now and budget > 0:
            entries = self._judged(next_due, budget)
            next_due = entries[-1].following
            budget -= sum(entry.count for entry in entries)
        more = next_due is not None and next_due <= self.now
        passed = skips.passed(self.schedule, next_due)
        queries.change(self.conn, self.schedule["id"], next_due=next_due, **passed)
        if self.late is not None:
            alerts.settled_late(self.conn, self.books.db, self.schedule, self.late, self.now)
        if not more:
            self._end_pause()
        return Settled(self.started, next_due, more)

    def _end_pause(self) -> None:
        """A pause that had an end is over when all of its instants are entered."""
        until = self.schedule["paused_until"]
        if self.paused or until is None:
            return
        gone = {"paused_at": None, "pause_reason": None, "paused_until": None}
        queries.change(self.conn, self.schedule["id"], **gone)
        target = "/".join(self.schedule[key] for key in ("group_name", "workflow", "name"))
        audit.record(self.conn, "schedules", "schedule.resume", target, "The pause was until now.")
        events.emit("schedule.resumed", schedule_id=str(self.schedule["id"]))

    def _judged(self, next_due: datetime, budget: int) -> list[Entry]:
        """Entries written; up to the first one blocked, for what follows that is judged anew."""
        rules = replace(self.books.rules, at_once=budget)
        written: list[Entry] = []
        for entry in judge(self.spec, next_due, self._situation(), rules).entries:
            written.append(self._written(entry))
            if written[-1].fate is Fate.BLOCKED:
                break
        return written

    def _situation(self) -> Situation:
        return Situation(
            now=self.now,
            version=self.schedule["version"],
            paused=self.schedule["paused_at"] is not None,
            paused_until=self.schedule["paused_until"],
            busy=bool(self.active),
            queued=len(self.queued),
            skips=self.skips,
            excluded=self.excluded,
        )

    def _written(self, entry: Entry) -> Entry:
        run_id = None
        if entry.fate is Fate.RAN:
            entry, run_id = self._run(entry)
        elif entry.fate is Fate.QUEUED and self.spec.overlap is Overlap.REPLACE:
            self._replace_others()
        write(self.conn, self.schedule["id"], entry, self.now, run_id)
        if entry.fate is Fate.QUEUED:
            self.queued = list(queries.queued(self.conn, self.schedule["id"]))
        if entry.fate is Fate.MISSED:
            self._tell_missed(entry)
        self._look_whether_late(entry)
        return entry

    def _look_whether_late(self, entry: Entry) -> None:
        own = self.schedule["late_after"]
        grace = self.books.late_after if own is None else timedelta(seconds=own)
        if self.late is None and entry.fate is not Fate.SKIPPED:
            self.late = entry.first if self.now - entry.first > grace else None

    def _run(self, entry: Entry) -> tuple[Entry, UUID | None]:
        try:
            return entry, self._start(entry.first)
        except PASSING:
            raise
        except Exception as error:
            return _blocked(entry.first, entry.following, entry.version, error), None

    def _start(self, due_at: datetime) -> UUID:
        with self.conn.begin_nested():
            run_id = self.books.runs.start(self.conn, self.books.db, self.schedule, due_at)
        self.active[run_id] = "waiting"
        self.started += 1
        return run_id

    def _start_queued(self) -> None:
        """Start who waited, as soon as nothing is in the way."""
        while self.queued and not self.paused and not self.active:
            line = self.queued.pop(0)
            try:
                run_id = self._start(line["first_due"])
            except PASSING:
                raise
            except Exception as error:
                queries.resolve(self.conn, line["id"], Fate.BLOCKED, said(error))
            else:
                queries.resolve(self.conn, line["id"], Fate.RAN, Why.WAITED, run_id)

    def _replace_others(self) -> None:
        """Make way for a newer instant: cancel what runs, let go of what waits."""
        for line in self.queued:
            queries.resolve(self.conn, line["id"], Fate.SKIPPED, Why.REPLACED)
        self.queued = []
        for run_id in [one for one, state in self.active.items() if state != "cancelling"]:
            self.books.runs.cancel(self.conn, self.books.db, run_id)
            self.active[run_id] = "cancelling"

    def _tell_missed(self, entry: Entry) -> None:
        events.emit(
            "schedule.missed",
            schedule_id=str(self.schedule["id"]),
            workflow=f"{self.schedule['group_name']}/{self.schedule['workflow']}",
            count=entry.count,
            first_due=entry.first.isoformat(),
            last_due=entry.last.isoformat(),
            why=entry.why,
        )


def write(
    conn: Connection, schedule_id: UUID, entry: Entry, now: datetime, run_id: UUID | None = None
) -> None:
    """Add to the end of the book: a new line, or the last one extended where it is the same.

    What was missed in two downtimes stays two lines.
    """
    last = queries.last_line(conn, schedule_id)
    apart = entry.fate is Fate.MISSED and last is not None and last["entered_at"] != now
    both = None if last is None or apart else joined(queries.as_entry(last), entry)
    if last is None or both is None:
        queries.enter(conn, schedule_id, entry, run_id, now)
    else:
        queries.extend(conn, last["id"], both)


def write_change(
    conn: Connection,
    schedule_id: UUID,
    now: datetime,
    why: str,
    version: int,
    spec: Schedule | None,
) -> datetime | None:
    """Enter that the schedule was changed; returns what is due from now on (None: nothing).

    Parameters
    ----------
    spec : what is in force from now on; None if the schedule is not active any more.
    """
    last = queries.last_line(conn, schedule_id)
    previous = None if last is None else queries.as_entry(last)
    made = mark(now, previous, None, _short(why), version)
    made = replace(made, following=None if spec is None else spec.next_after(made.first))
    queries.enter(conn, schedule_id, made, None, now, None if spec is None else spec.as_json())
    return made.following


def drop_queued(conn: Connection, schedule_id: UUID, why: str) -> None:
    """Let go of what waits for a run, with the reason."""
    for line in queries.queued(conn, schedule_id):
        queries.resolve(conn, line["id"], Fate.SKIPPED, _short(why))


def _blocked(due: datetime, following: datetime | None, version: int, error: Exception) -> Entry:
    return Entry(
        first=due,
        last=due,
        count=1,
        fate=Fate.BLOCKED,
        why=said(error),
        following=following,
        version=version,
    )


def _following(schedule: Row) -> datetime | None:
    try:
        return queries.spec_of(schedule).next_after(schedule["next_due"])
    except Exception:
        return None


def said(error: Exception) -> str:
    """Why something could not be started, short enough for a ledger."""
    known = isinstance(error, StepwellError)
    return _short(str(error) if known else f"{type(error).__name__}: {error}")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_WHY else f"{text[: _LONGEST_WHY - 1]}…"
