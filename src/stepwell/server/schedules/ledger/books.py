"""Keep the ledger: settle what is due, start its runs, move `next_due` (R29, R30).

Everything happens on the caller's connection, in the transaction that holds the
schedules' rows. What is due of many schedules is written together; a run that cannot be
started is entered as blocked, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from stepwell.schedules.ledger import Rules
from stepwell.server.database.session import Database
from stepwell.server.runs import service as runs
from stepwell.server.schedules import queries
from stepwell.server.schedules.alerts import service as alerts
from stepwell.server.schedules.ledger.passes import Pass, Settled
from stepwell.server.schedules.ledger.sheets import PASSING, Alone, ByRunsRoom, Starter, Together
from stepwell.server.schedules.ledger.writing import blocked, write
from stepwell.server.schedules.queries import Row

__all__ = ["Books", "ByRunsRoom", "Settled"]


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
                starts = runs.Starts(conn, self.db, {schedule["id"]: schedule["labels"] or {}})
                alone = Alone(conn, starts, self.runs, schedule, now)
                return Pass(alone, self, now).made()
        except PASSING:
            raise
        except Exception as error:
            return self._set_aside(conn, schedule, error, now)

    def settle_all(
        self, conn: Connection, due: Sequence[Row], now: datetime, most: int
    ) -> list[Settled]:
        """As `settle`, for many: together, and alone who cannot be. Ends after `most` starts."""
        try:
            with conn.begin_nested():
                done, alone = self._together(conn, due, now, most)
        except PASSING:
            raise
        except Exception:  # of one of them: each alone, to find out of which
            done, alone = [], list(due)
        started = sum(one.started for one in done)
        while alone and started < most:
            done.append(self.settle(conn, alone.pop(0), now))
            started += done[-1].started
        return done

    def _together(
        self, conn: Connection, due: Sequence[Row], now: datetime, most: int
    ) -> tuple[list[Settled], list[Row]]:
        """What was settled, and who must be settled alone."""
        together = Together(conn, self.db, self.runs, due, now)
        done: list[Settled] = []
        alone: list[Row] = []
        rest, started = list(reversed(due)), 0
        while rest and started < most:
            row = rest.pop()
            settled = self._on_a_page(together, row, now)
            if settled is None:
                alone.append(row)
            else:
                done.append(settled)
                started += settled.started
        together.write()
        return done, alone

    def _on_a_page(self, together: Together, row: Row, now: datetime) -> Settled | None:
        try:
            with together.starts.attempt():
                page = together.page(row)
                settled = Pass(page, self, now).made()
        except (*PASSING, SQLAlchemyError):
            raise
        except Exception:  # of this schedule: it is settled alone, and blocked if it raises again
            return None
        together.keep(page)
        return settled

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
        entry = blocked(due, following, schedule["version"], error)
        write(conn, schedule["id"], entry, now)
        alerts.blocked(conn, self.db, schedule, due, entry.why)
        queries.change(conn, schedule["id"], next_due=following)
        return Settled(0, following, more=following is not None and following <= now)


def _following(schedule: Row) -> datetime | None:
    try:
        return queries.spec_of(schedule).next_after(schedule["next_due"])
    except Exception:
        return None
