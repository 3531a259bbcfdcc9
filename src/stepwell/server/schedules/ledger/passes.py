"""One pass over one schedule: what becomes of the instants that are due (R29, R30).

It speaks to a sheet, which knows whether the schedule is settled alone or with others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

from stepwell import events
from stepwell.schedules import Misfire, Overlap
from stepwell.schedules.calendars import exclusion
from stepwell.schedules.ledger import Entry, Fate, Rules, Situation, Why, judge
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.schedules import queries
from stepwell.server.schedules.alerts import service as alerts
from stepwell.server.schedules.alerts.service import Finding
from stepwell.server.schedules.ledger import skips
from stepwell.server.schedules.ledger.sheets import Sheet
from stepwell.server.schedules.ledger.writing import blocked, said


class Terms(Protocol):
    """By what all schedules are settled; `books.Books` has them."""

    @property
    def db(self) -> Database:
        """Where they are."""

    @property
    def rules(self) -> Rules:
        """Grace, cap, and how much one pass judges."""

    @property
    def late_after(self) -> timedelta:
        """What is settled later than this is told of, where a schedule says nothing else."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one pass over a schedule did; `more` says that something is still due."""

    started: int
    next_due: datetime | None
    more: bool


class Pass:
    """One bounded pass over one schedule, whose row is held."""

    def __init__(self, sheet: Sheet, rules: Terms, now: datetime) -> None:
        self.sheet, self.terms, self.now = sheet, rules, now
        self.schedule = schedule = sheet.schedule
        self.spec = queries.spec_of(schedule)
        self.active = sheet.active()
        self.queued = sheet.queued()
        self.excluded = exclusion(self.spec, sheet.calendars(self.spec.exclude))
        self.skips = skips.of(schedule)
        until = schedule["paused_until"]
        self.paused = schedule["paused_at"] is not None and (until is None or now < until)
        self.late: Finding | None = None
        self.started = 0

    def made(self) -> Settled:
        """Start who waited, judge what is due, and say when the schedule is due next."""
        self._start_queued()
        next_due, budget = self.schedule["next_due"], self.terms.rules.at_once
        while next_due is not None and next_due <= self.now and budget > 0:
            entries = self._judged(next_due, budget)
            next_due = entries[-1].following
            budget -= sum(entry.count for entry in entries)
        more = next_due is not None and next_due <= self.now
        passed = skips.passed(self.schedule, next_due)
        self.sheet.change(next_due=next_due, **passed)
        if self.late is not None:
            tell = partial(alerts.settled_late, self.sheet.conn, self.terms.db)
            self.sheet.later(partial(tell, self.schedule, self.late, self.now))
        if not more:
            self._end_pause()
        return Settled(self.started, next_due, more)

    def _end_pause(self) -> None:
        """A pause that had an end is over when all of its instants are entered."""
        until = self.schedule["paused_until"]
        if self.paused or until is None:
            return
        self.sheet.change(paused_at=None, pause_reason=None, paused_until=None)
        self.sheet.later(self._tell_resumed)

    def _tell_resumed(self) -> None:
        target = "/".join(self.schedule[key] for key in ("group_name", "workflow", "name"))
        why = "The pause was until now."
        names = ("paused_at", "pause_reason", "paused_until")
        told = audit.sides(self.schedule, dict.fromkeys(names), *names)
        audit.record(self.sheet.conn, "schedules", "schedule.resume", target, why, **told)
        events.emit("schedule.resumed", schedule_id=str(self.schedule["id"]))

    def _judged(self, next_due: datetime, budget: int) -> list[Entry]:
        """Entries written; up to the first one blocked, for what follows that is judged anew."""
        rules = replace(self.terms.rules, at_once=budget)
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
        self.sheet.enter(entry, run_id)
        if entry.fate is Fate.QUEUED:
            self.queued = self.sheet.queued()
        if entry.fate is Fate.BLOCKED:
            self._tell_blocked(entry.first, entry.why)
        if entry.fate is Fate.MISSED:
            self.sheet.later(partial(self._tell_missed, entry))
        self._look_whether_late(entry)
        return entry

    def _look_whether_late(self, entry: Entry) -> None:
        """What never runs is told of however short the delay was."""
        own = self.schedule["late_after"]
        grace = self.terms.late_after if own is None else timedelta(seconds=own)
        if self.late is not None or entry.fate is Fate.SKIPPED:
            return
        if entry.fate is Fate.MISSED and self.spec.misfire is Misfire.SKIP:
            self.late = alerts.missed(self.schedule, entry, self.now)
        elif self.now - entry.first > grace:
            self.late = alerts.late(self.schedule, entry.first, self.now)

    def _run(self, entry: Entry) -> tuple[Entry, UUID | None]:
        try:
            return entry, self._start(entry.first)
        except self.sheet.raised:
            raise
        except Exception as error:
            return blocked(entry.first, entry.following, entry.version, error), None

    def _start(self, due_at: datetime) -> UUID:
        run_id = self.sheet.start(due_at)
        self.active[run_id] = "waiting"
        self.started += 1
        return run_id

    def _start_queued(self) -> None:
        """Start who waited, as soon as nothing is in the way."""
        while self.queued and not self.paused and not self.active:
            line = self.queued.pop(0)
            try:
                run_id = self._start(line["first_due"])
            except self.sheet.raised:
                raise
            except Exception as error:
                self.sheet.resolve(line, Fate.BLOCKED, said(error))
                self._tell_blocked(line["first_due"], said(error))
            else:
                self.sheet.resolve(line, Fate.RAN, Why.WAITED, run_id)

    def _replace_others(self) -> None:
        """Make way for a newer instant: cancel what runs, let go of what waits."""
        for line in self.queued:
            self.sheet.resolve(line, Fate.SKIPPED, Why.REPLACED)
        self.queued = []
        for run_id in [one for one, state in self.active.items() if state != "cancelling"]:
            self.sheet.cancel(run_id)
            self.active[run_id] = "cancelling"

    def _tell_blocked(self, due: datetime, why: str | None) -> None:
        tell = partial(alerts.blocked, self.sheet.conn, self.terms.db)
        self.sheet.later(partial(tell, self.schedule, due, why))

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
