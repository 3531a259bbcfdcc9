"""Find runs by a query: pages, counts, a histogram, and why nothing was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Integer, RowMapping, cast, extract, func, select

from stepwell import clock
from stepwell.server.database.tables import runs
from stepwell.server.paging import Paging, encoded, unknown
from stepwell.server.runs.service import shown
from stepwell.server.search.completing import completions_of_steps
from stepwell.server.search.language import Clause
from stepwell.server.search.meaning import Asker, Condition, Meaning, meanings, of_states
from stepwell.server.search.of_steps import fields
from stepwell.server.search.plan import FAR, WINDOW, Key, Plan, counted, planned
from stepwell.server.search.records import Bucket, Completion, Counted, FoundRuns, Hint, Histogram
from stepwell.server.search.spans import instant

FIRST: Final = (400, 4_000)
"""So many rows are looked at first, and then; the rest of `WINDOW` comes last."""
SHOWN: Final = 10_000
"""Counts above are shown as `10,000+`."""


def found(
    conn: Connection,
    query: str,
    pages: Paging,
    *,
    by: str,
    given: Sequence[Meaning] = (),
) -> FoundRuns:
    """A page of the runs that match, newest first.

    Parameters
    ----------
    by : who asks, for `by:me`.
    given : what must hold beside the query.

    Raises
    ------
    QueryInvalid, CursorInvalid.
    """
    plan = planned(Asker(conn, by, clock.now()), query, given)
    after = _key(pages)
    rows, following, searched_to = _looked(conn, plan, after, pages.limit)
    items = [shown(row) for row in rows[: pages.limit]]
    page = pages.page(items, None if following is None else encoded(list(following)))
    nothing = not items and after is None and following is None
    hint = hinted(conn, plan) if nothing else None
    return FoundRuns(**dict(page), searched_to=searched_to, hint=hint)


def _looked(
    conn: Connection, plan: Plan, after: Key | None, limit: int
) -> tuple[list[RowMapping], Key | None, datetime | None]:
    """The rows, the key to go on from, and how far was looked where that was not all.

    Windows grow, since most pages are found in the first few rows.
    """
    rows: list[RowMapping] = []
    for size in _sizes(plan, limit):
        end = _end(conn, plan, size, after) if plan.rest else None
        window = plan.window(size, after, to=end)
        rows += _rows(conn, plan, window, limit + 1 - len(rows))
        if len(rows) > limit:
            last = rows[limit - 1]
            return rows, (last["created_at"], last["id"]), None
        if end is None:
            return rows, None, None
        after = end
    return rows, after, None if after is None else after[0]


def _sizes(plan: Plan, limit: int) -> list[int]:
    if not plan.rest:
        return [limit + 1]
    first = [size for size in FIRST if size < WINDOW]
    return [*first, WINDOW - sum(first)]


def _end(
    conn: Connection, plan: Plan, most: int, after: Key | None, *, oldest_first: bool = False
) -> Key | None:
    """The key of the last row that is looked at; None if there are fewer."""
    found = conn.execute(plan.end(most, after, oldest_first=oldest_first)).first()
    return None if found is None else (found[0], found[1])


def _rows(conn: Connection, plan: Plan, window: Any, limit: int) -> Sequence[RowMapping]:
    return conn.execute(plan.rows(window, limit)).mappings().all()


def _key(pages: Paging) -> Key | None:
    after = pages.after()
    if after is None:
        return None
    match after:
        case (datetime() as at, UUID() as run_id):
            return at, run_id
    raise unknown()


def newest(conn: Connection, plan: Plan, limit: int) -> Sequence[RowMapping]:
    """The newest rows of a plan, of those that one page looks at."""
    return _rows(conn, plan, plan.window(WINDOW if plan.rest else limit), limit)


def count(conn: Connection, query: str, *, by: str, exact: bool = False) -> Counted:
    """How many runs match: exactly, or up to 10,000 among the newest 100,000 looked at."""
    plan = planned(Asker(conn, by, clock.now()), query)
    number, more = counted_up_to(conn, plan, None if exact else SHOWN)
    said = f"{number:,}{'+' if more else ''}"
    return Counted(count=number, more=more, shown=said, as_of=clock.now())


def counted_up_to(
    conn: Connection, plan: Plan, most: int | None, far: int | None = None
) -> tuple[int, bool]:
    """How many there are, counted up to `most`, and whether there may be more.

    Where each row is looked at, these are the newest `far`, else `FAR`. No `most`: all of them.
    """
    if most is None:
        every = 2**31 - 1
        return int(conn.execute(counted(plan, plan.window(every), every)).scalar_one()), False
    far = (FAR if far is None else far) if plan.rest else most + 1
    window = plan.window(far)
    number = int(conn.execute(counted(plan, window, most + 1)).scalar_one())
    if number > most:
        return most, True
    return number, bool(plan.rest) and _reaches(conn, window, far)


def _reaches(conn: Connection, window: Any, far: int) -> bool:
    """Whether the window is full, so that there may be more beyond it."""
    query = select(window.c.id).offset(far - 1).limit(1)
    return conn.execute(query).first() is not None


def hinted(conn: Connection, plan: Plan) -> Hint | None:
    """The clause without which most would be found; None where leaving out one is not enough."""
    own = [one for one in plan.meanings if one.clause.text]  # what is given beside it stays
    counts = [(one, *counted_up_to(conn, plan.without(one), 1000, WINDOW)) for one in own]
    best = max(counts, key=lambda one: one[1], default=None)
    if best is None or best[1] == 0:
        return None
    meaning, number, more = best
    clause = meaning.clause
    those = f"{number:,}{'+' if more else ''} run{'' if number == 1 else 's'}"
    return Hint(
        clause=clause.text,
        column=clause.column,
        count=number,
        more=more,
        sentence=f"Without `{clause.text}` there {'is' if number == 1 else 'are'} {those}.",
    )


def histogram(
    conn: Connection,
    query: str,
    *,
    by: str,
    buckets: int = 60,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Histogram:
    """When the runs that match were created, in at most `buckets` spans of equal length.

    Without `since` the query's own, or else the last 24 hours.
    """
    now = clock.now()
    asker = Asker(conn, by, now)
    plan = planned(asker, query)
    first, last = _span(plan, now, since, until)
    seconds = max(ceil((last - first).total_seconds() / buckets), 1)
    bounds = [bound(runs.c.created_at >= first), bound(runs.c.created_at < last)]
    plan = planned(asker, query, bounds)
    window = plan.window(FAR, also=("state",))
    number = _bucket(asker, window.c.created_at, first, seconds)
    kept = plan.fits(window).with_only_columns(
        number.label("bucket"), window.c.state, func.count().label("count")
    )
    found = conn.execute(kept.group_by("bucket", window.c.state)).all()
    counts: dict[int, dict[Any, int]] = {}
    for place, state, times in found:
        counts.setdefault(int(place), {})[state] = times
    made = [
        Bucket(at=first + timedelta(seconds=place * seconds), counts=states)
        for place, states in sorted(counts.items())
    ]
    return Histogram(
        since=first,
        until=last,
        seconds=seconds,
        buckets=made,
        looked_at=sum(times for _, _, times in found),
        more=_reaches(conn, window, FAR),
        as_of=now,
    )


def _span(
    plan: Plan, now: datetime, since: datetime | None, until: datetime | None
) -> tuple[datetime, datetime]:
    asked: dict[str, datetime] = {
        one.clause.key: instant(one.clause, now)
        for one in plan.meanings
        if one.clause.key in ("since", "until") and not one.clause.negated
    }
    last = until or asked.get("until") or now
    first = since or asked.get("since") or last - timedelta(hours=24)
    return min(first, last), last


def _bucket(
    asker: Asker, at: ColumnElement[Any], first: datetime, seconds: int
) -> ColumnElement[int]:
    begin = int(first.timestamp())
    if asker.sqlite:
        epoch: ColumnElement[Any] = cast(func.strftime("%s", at), Integer)
        return cast((epoch - begin) / seconds, Integer)
    return cast(func.floor((extract("epoch", at) - begin) / seconds), Integer)


def bound(condition: Condition) -> Meaning:
    """What must hold beside a query, as a bound of time that every index has."""
    return Meaning(Clause("since", ":", (), False, 1, ""), condition)


def holds(condition: Condition) -> Meaning:
    """What must hold beside a query, looked at in each row."""
    return Meaning(Clause("", ":", (), False, 1, ""), condition)


def in_states(*states: str) -> Meaning:
    """What must hold beside a query: the state as the query language means it."""
    return of_states(Clause("state", ":", states, False, 1, ""))


def equal(column: str, *values: Any) -> Meaning:
    """What must hold beside a query: a column of `runs` has one of these values."""
    clause = Clause(column, ":", (), False, 1, "")
    return Meaning(clause, runs.c[column].in_(values), (column, values))


def of_steps(query: str) -> dict[str, Any]:
    """The fields of a `StepQuery` that a query of steps sets; raises `QueryInvalid`."""
    return fields(query, clock.now())


def completed(query: str, at: int | None) -> list[Completion]:
    """What could stand at a column of a query of steps."""
    return completions_of_steps(query, at)


def check(conn: Connection, query: str, *, by: str) -> None:
    """Raises `QueryInvalid` unless the query can be read."""
    meanings(Asker(conn, by, clock.now()), query)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the runs, and the key to go on from; None where there are no more."""

    rows: Sequence[RowMapping]
    after: Key | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs by a query or by ids, of those that were there at an instant.

    Parameters
    ----------
    by : who asks, for `by:me`.
    """

    query: str | None
    ids: Sequence[UUID] | None
    until: datetime
    by: str

    def piece(self, conn: Connection, after: Key | None, limit: int) -> Piece:
        """At most `limit` runs from `after` on; raises `QueryInvalid`."""
        plan = self.plan(conn)
        most = WINDOW if plan.rest else limit
        window = plan.window(most, after, oldest_first=True)
        rows = conn.execute(plan.rows(window, limit, oldest_first=True)).mappings().all()
        if len(rows) == limit:
            return Piece(rows, (rows[-1]["created_at"], rows[-1]["id"]))
        return Piece(rows, _end(conn, plan, most, after, oldest_first=True))

    def count(self, conn: Connection, most: int) -> tuple[int, bool]:
        """How many, counted up to `most`, and whether there are more."""
        return counted_up_to(conn, self.plan(conn), most)

    def plan(self, conn: Connection) -> Plan:
        """How they are found; raises `QueryInvalid`."""
        given = [bound(runs.c.created_at <= self.until)]
        if self.ids is not None:
            given.append(equal("id", *self.ids))
        return planned(Asker(conn, self.by, self.until), self.query or "", given)
