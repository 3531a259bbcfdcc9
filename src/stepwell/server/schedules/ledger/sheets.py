"""Where a pass over schedules reads and writes: each by itself, or many at once.

Most ticks find hundreds of schedules that want the same: a line, a run, the next due
instant. `Together` reads for all of them beforehand and writes for all of them at the
end. What it cannot do that way, and whatever goes wrong, is done by `Alone`, statement
by statement, with a savepoint around each run; both make the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from stepwell.errors import Unavailable
from stepwell.schedules.calendars import Calendar
from stepwell.schedules.ledger import ONE_RUN_EACH, Entry, Fate, joined
from stepwell.server.database.session import Database
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Cancellation
from stepwell.server.schedules import queries
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.ledger import writing
from stepwell.server.schedules.queries import Row

PASSING: Final = (Unavailable, OperationalError, InterfaceError)
"""What says nothing about a schedule: the whole pass is tried again later."""


class Starter(Protocol):
    """The verbs of the runs room that a schedule needs; both act in the caller's transaction."""

    def start(self, starts: runs.Starts, schedule: Row, due_at: datetime) -> UUID:
        """Begin a run of the schedule's workflow, which the caller writes; its id."""

    def cancel(self, conn: Connection, db: Database, run_id: UUID) -> None:
        """Ask a run to end, because a newer one takes its place."""


class ByRunsRoom:
    """The runs room itself."""

    def start(self, starts: runs.Starts, schedule: Row, due_at: datetime) -> UUID:
        """Begin a run of the schedule's workflow, which the caller writes; its id."""
        return runs.start_run(
            starts.conn,
            starts.db,
            group=schedule["group_name"],
            workflow=schedule["workflow"],
            parameters=schedule["parameters"],
            trigger="schedule",
            requested_by=f"schedule {schedule['name']}",
            schedule_id=schedule["id"],
            due_at=due_at,
            starts=starts,
        )

    def cancel(self, conn: Connection, db: Database, run_id: UUID) -> None:
        """Ask a run to end; one that has ended meanwhile is fine."""
        asked = Cancellation(reason="Replaced by a newer run of its schedule.")
        try:
            runs.cancel(conn, db, run_id, asked, by="schedules")
        except runs.RunEnded:
            pass  # it made way by itself


class NotTogether(Exception):
    """A schedule wants what is only done for one alone."""


class Sheet(Protocol):
    """What a pass over one schedule reads and writes."""

    @property
    def conn(self) -> Connection:
        """The transaction."""

    @property
    def schedule(self) -> Row:
        """The schedule, held."""

    @property
    def raised(self) -> tuple[type[Exception], ...]:
        """What `start` raises and a pass hands on: it says nothing about the schedule."""

    def active(self) -> dict[UUID, str]:
        """Its runs that have not ended, with their states."""

    def queued(self) -> list[Any]:
        """Its lines whose run waits for the one before, oldest first."""

    def calendars(self, names: Sequence[str]) -> Mapping[str, Calendar]:
        """The own calendars among these."""

    def start(self, due_at: datetime) -> UUID:
        """Start a run; nothing of it is left if that raises."""

    def cancel(self, run_id: UUID) -> None:
        """Ask a run to end."""

    def enter(self, entry: Entry, run_id: UUID | None) -> None:
        """Add to the end of the book."""

    def resolve(self, line: Row, fate: Fate, why: str | None, run_id: UUID | None = None) -> None:
        """Say what became of a queued line."""

    def change(self, **values: Any) -> None:
        """Set columns of the schedule."""

    def later(self, act: Callable[[], None]) -> None:
        """Do what is about the schedule, and not its book, when the book is written."""


@dataclass(slots=True)
class Alone:
    """The sheet of a schedule that is settled by itself: everything is done when it is said."""

    raised: ClassVar[tuple[type[Exception], ...]] = PASSING

    conn: Connection
    starts: runs.Starts
    starter: Starter
    schedule: Row
    now: datetime

    def active(self) -> dict[UUID, str]:
        """Read now."""
        return queries.active_runs(self.conn, [self.schedule["id"]])[self.schedule["id"]]

    def queued(self) -> list[Any]:
        """Read now."""
        return list(queries.queued(self.conn, [self.schedule["id"]]))

    def calendars(self, names: Sequence[str]) -> Mapping[str, Calendar]:
        """Read now."""
        return calendars.known(self.conn, names)

    def start(self, due_at: datetime) -> UUID:
        """Written at once, within a savepoint."""
        with self.conn.begin_nested(), self.starts.attempt():
            run_id = self.starter.start(self.starts, self.schedule, due_at)
            self.starts.write()
        return run_id

    def cancel(self, run_id: UUID) -> None:
        """Asked at once."""
        self.starter.cancel(self.conn, self.starts.db, run_id)

    def enter(self, entry: Entry, run_id: UUID | None) -> None:
        """Written at once."""
        writing.write(self.conn, self.schedule["id"], entry, self.now, run_id)

    def resolve(self, line: Row, fate: Fate, why: str | None, run_id: UUID | None = None) -> None:
        """Written at once."""
        queries.resolve(self.conn, line["id"], fate, why, run_id)

    def change(self, **values: Any) -> None:
        """Written at once."""
        queries.change(self.conn, self.schedule["id"], **values)

    def later(self, act: Callable[[], None]) -> None:
        """Done at once."""
        act()


class Together:
    """What the schedules of one transaction read beforehand, and write at its end."""

    def __init__(
        self, conn: Connection, db: Database, starter: Starter, rows: Sequence[Row], now: datetime
    ) -> None:
        ids = [row["id"] for row in rows]
        labels = {row["id"]: row["labels"] or {} for row in rows}
        self.conn, self.starter, self.now = conn, starter, now
        self.starts = runs.Starts(conn, db, labels)
        self.active = queries.active_runs(conn, ids)
        self.waiting = {line["schedule_id"] for line in queries.queued(conn, ids)}
        self._ids, self._calendars = ids, dict[tuple[str, ...], Mapping[str, Calendar]]()
        self._ends: dict[UUID, Row] | None = None
        self._done: list[Page] = []

    def page(self, schedule: Row) -> Page:
        """The sheet of one schedule; nothing is kept of it until `keep`."""
        if schedule["id"] in self.waiting:
            raise NotTogether
        return Page(self, schedule)

    def keep(self, page: Page) -> None:
        """Write the page with the others."""
        self._done.append(page)

    def write(self) -> None:
        """Runs, lines and what is due next, of all pages; then what else they want."""
        self.starts.write()
        lines = [line for page in self._done for line in page.lines]
        queries.enter_all(self.conn, lines, self.now)
        queries.change_all(self.conn, [(one.schedule["id"], one.changed) for one in self._done])
        for page in self._done:
            for act in page.afterwards:
                act()

    def calendars(self, names: Sequence[str]) -> Mapping[str, Calendar]:
        """The own calendars among these, read once."""
        key = tuple(names)
        if key not in self._calendars:
            self._calendars[key] = calendars.known(self.conn, key)
        return self._calendars[key]

    def end_of_book(self, schedule_id: UUID) -> Row | None:
        """The last line of a schedule's book, as it was before."""
        if self._ends is None:
            self._ends = queries.last_lines(self.conn, self._ids)
        return self._ends.get(schedule_id)


@dataclass(slots=True)
class Page:
    """The sheet of one schedule among others: written with theirs, or not at all."""

    raised: ClassVar[tuple[type[Exception], ...]] = (*PASSING, NotTogether, SQLAlchemyError)

    together: Together
    schedule: Row
    lines: list[queries.Line] = field(default_factory=list)
    changed: dict[str, Any] = field(default_factory=dict)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def conn(self) -> Connection:
        """The transaction."""
        return self.together.conn

    def active(self) -> dict[UUID, str]:
        """As read for all."""
        return dict(self.together.active[self.schedule["id"]])

    def queued(self) -> list[Any]:
        """Those of this page: who has others is settled alone."""
        return [line for line in self.lines if line.entry.fate is Fate.QUEUED]

    def calendars(self, names: Sequence[str]) -> Mapping[str, Calendar]:
        """Read once for all."""
        return self.together.calendars(names)

    def start(self, due_at: datetime) -> UUID:
        """Kept to be written with the others."""
        with self.together.starts.attempt():
            return self.together.starter.start(self.together.starts, self.schedule, due_at)

    def cancel(self, run_id: UUID) -> None:
        """Only alone."""
        raise NotTogether

    def resolve(self, line: Row, fate: Fate, why: str | None, run_id: UUID | None = None) -> None:
        """Only alone."""
        raise NotTogether

    def enter(self, entry: Entry, run_id: UUID | None) -> None:
        """Kept; a line of before that goes on is made longer."""
        if not self.lines and entry.fate not in ONE_RUN_EACH:
            end = self.together.end_of_book(self.schedule["id"])
            both = None if end is None else writing.both(end, entry, self.together.now)
            if end is not None and both is not None:
                self.lines.append(queries.Line(self.schedule["id"], both, extends=end["id"]))
                return
        last = joined(self.lines[-1].entry, entry) if self.lines else None
        if last is not None:
            self.lines[-1] = replace(self.lines[-1], entry=last)
        else:
            self.lines.append(queries.Line(self.schedule["id"], entry, run_id))

    def change(self, **values: Any) -> None:
        """Kept."""
        self.changed |= values

    def later(self, act: Callable[[], None]) -> None:
        """Kept."""
        self.afterwards.append(act)
