"""The room's steps: the tick, the watch, backfills.

The tick is one singleton step that settles whatever is due, in bounded transactions (R29).
Its state is when it said it would come back: if that is long ago, nobody ticked meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from stepwell import events
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.schedules.base import iso, minutes
from stepwell.server.schedules import queries
from stepwell.server.schedules.alerts import steps as watching
from stepwell.server.schedules.backfills import steps as backfill_steps
from stepwell.server.schedules.definitions.changing import TICK, books_of, tick_step
from stepwell.server.schedules.downtimes import service as downtimes
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger.books import Books
from stepwell.server.services import RETRY, Services
from stepwell.step import StepQuery, StepStatus

BATCH: Final = 200
"""At most so many schedules are settled in one transaction."""

STARTS: Final = 500
"""After so many runs a transaction takes on no further schedule."""

BATCHES: Final = 50
"""After so many transactions the step returns, and comes back at once."""

BEHIND: Final = timedelta(seconds=15)
"""What nobody has acted on for so long is settled by whoever looks after the server's steps: well
within the grace, after which an instant counts as missed."""

LONGEST_WAIT: Final = timedelta(seconds=60)
QUEUE_WAIT: Final = timedelta(seconds=1)
BUSY_WAIT: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did; `more` says that something is still due."""

    schedules: int
    started: int
    more: bool


def register(registry: Registry, services: Services, books: Books | None = None) -> None:
    """Add the handlers of the tick, the watch and backfills."""
    kept = books or books_of(services)

    def handler(state: Any) -> Outcome:
        return tick(services, kept, state)

    registry.add(handler, TICK, retry=RETRY)
    watching.register(registry, services)
    backfill_steps.register(registry, services)


def seed(conn: Connection, services: Services) -> None:
    """Add the tick, unless there is one; wake one that sleeps for longer than it ever should."""
    tx, now = services.db.steps(conn), now_of(conn, services.clock)
    ticks = tx.search(StepQuery(name=TICK, status=StepStatus.READY, limit=1))
    if not ticks:
        tx.add([seal(tick_step(), JSON, now)])
    elif ticks[0].schedule_time > now + 2 * LONGEST_WAIT:
        tx.activate(ticks[0].id, None, None)
    watching.seed(conn, services)


def tick(services: Services, books: Books, state: Any = None) -> Outcome:
    """Settle everything that is due, then say when to come back."""
    _note_downtime(services, books, state)
    with events.span("schedule.tick") as told:
        done = []
        for _ in range(BATCHES):
            done.append(settle_batch(services, books))
            if not done[-1].more:
                break
        told["schedules"] = sum(batch.schedules for batch in done)
        told["started"] = sum(batch.started for batch in done)
    return _next_time(services)


def stand_in(services: Services) -> int:
    """Do the tick's work where it is behind; how many schedules were settled.

    All workers may be waiting for something outside: a container engine that hangs, a registry.
    """
    with services.db.read() as conn:
        now, due = now_of(conn, services.clock), queries.earliest_due(conn)
    if due is None or now - due < BEHIND:
        return 0
    books, settled = books_of(services), 0
    for _ in range(BATCHES):
        batch = settle_batch(services, books)
        settled += batch.schedules
        if not batch.more:
            break
    watching.look(services)
    return settled


def settle_batch(services: Services, books: Books) -> Batch:
    """One transaction: lock up to 200 schedules with something due, and settle each."""
    with services.db.write() as conn:
        now = now_of(conn, services.clock)
        due = queries.lock_due(conn, now, BATCH)
        done = books.settle_all(conn, due, now, STARTS) if due else []
    more = len(due) == BATCH or len(done) < len(due) or any(one.more for one in done)
    return Batch(len(done), sum(one.started for one in done), more)


def _note_downtime(services: Services, books: Books, state: Any) -> None:
    if not isinstance(state, dict) or "expected" not in state:
        return
    expected = datetime.fromisoformat(state["expected"])
    with services.db.read() as conn:
        now = now_of(conn, services.clock)
    if now - expected > books.rules.grace:
        with services.db.write() as conn:
            downtimes.note(conn, expected, now, books.rules.grace)


def _next_time(services: Services) -> Outcome:
    with services.db.read() as conn:
        now = now_of(conn, services.clock)
        due = queries.earliest_due(conn)
        waiting = queries.any_queued(conn)
    at = wake_at(now, due, waiting)
    return rerun({"expected": iso(at)}, at=at, description=_said(due))


def wake_at(now: datetime, due: datetime | None, waiting: bool) -> datetime:
    """When the tick comes back: at the earliest due instant, soon if a run waits for another.

    What is due already is held by another transaction, and looked at again shortly.
    """
    at = min(now + LONGEST_WAIT, due or now + LONGEST_WAIT)
    if waiting:
        at = min(at, now + QUEUE_WAIT)
    return max(at, now + BUSY_WAIT) if at <= now else at


def _said(due: datetime | None) -> str:
    return "Nothing is scheduled." if due is None else f"Next due {minutes(due)}."
