"""The slowest, the most often failed, the most often run; and the causes of failures.

Which rows come first is decided by counts alone, which the database adds up; only the
rows that are shown are read with their histograms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from stepwell import clock
from stepwell.server.database.tables import releases
from stepwell.server.metrics import queries
from stepwell.server.metrics.folding import Sums, add_cause
from stepwell.server.metrics.reading import Range, fresh
from stepwell.server.metrics.records import By, Cause, Causes, Figures, Order, Ranked, Ranking
from stepwell.server.metrics.spans import EVERYTHING, Key
from stepwell.server.metrics.tallies import Tally, change, figures

Names = tuple[str, str, str]
Sort = Callable[[Tally], float]

ANY_BUT_SUMS: Final = "!"


def ranking(
    conn: Connection,
    over: Range,
    by: By,
    order: Order,
    limit: int,
    *,
    group: str | None = None,
    workflow: str | None = None,
) -> Ranking:
    """The first `limit` groups, workflows or operations, each with its change."""
    queries.together(conn)
    where, earlier = _where(by, group, workflow), over.before()
    news = fresh(conn, earlier._replace(last=over.last))
    now = _sums(conn, over, where, news)
    first = sorted(now, key=lambda name: (-_ORDER[order](now[name]), name))[:limit]
    before = _sums(conn, earlier, where, news)
    _with_histograms(conn, over, {name: now[name] for name in first}, news)
    known = {name: before[name] for name in first if name in before}
    _with_histograms(conn, earlier, known, news)
    rows = [_row(name, now[name], before.get(name, Tally()), over.hours) for name in first]
    return Ranking(from_=over.first, to=over.last, as_of=clock.now(), by=by, order=order, rows=rows)


_ORDER: Final[dict[Order, Sort]] = {
    Order.AVERAGE: lambda one: one.duration_sum / one.timed if one.timed else 0.0,
    Order.TIME: lambda one: one.duration_sum,
    Order.FAILED: lambda one: one.failed,
    Order.ERROR_RATE: lambda one: one.failed / one.judged if one.judged else 0.0,
    Order.COUNT: lambda one: one.judged + one.other,
}


def _where(by: By, group: str | None, workflow: str | None) -> dict[str, str | None]:
    return {
        "group_name": group or ANY_BUT_SUMS,
        "workflow": EVERYTHING if by is By.GROUP else workflow or ANY_BUT_SUMS,
        "operation": ANY_BUT_SUMS if by is By.OPERATION else EVERYTHING,
    }


def _sums(
    conn: Connection, over: Range, where: Mapping[str, str | None], news: Sums
) -> dict[Names, Tally]:
    found: dict[Names, Tally] = {}
    for row in queries.sums(conn, over.span, over.first, over.last, **where):
        names = (row["group_name"], row["workflow"], row["operation"])
        found[names] = Tally(
            **{key: row[key] for key in row if key not in {"group_name", "workflow", "operation"}}
        )
    for key, tally in _ours(news, over, where):
        found.setdefault(key[1:4], Tally()).add({**tally.values(), "histogram": {}})
    return found


def _with_histograms(
    conn: Connection, over: Range, tallies: Mapping[Names, Tally], news: Sums
) -> None:
    if not tallies:
        return
    for row in queries.histograms(conn, over.span, over.first, over.last, list(tallies)):
        names = (row["group_name"], row["workflow"], row["operation"])
        tallies[names].merge(row["histogram"])
    for key, tally in _ours(news, over, {}):
        if key[1:4] in tallies:
            tallies[key[1:4]].merge(tally.histogram)


def _ours(news: Sums, over: Range, where: Mapping[str, str | None]) -> Iterable[tuple[Key, Tally]]:
    """What is not rolled up yet of a range."""
    for key, tally in news.tallies.items():
        inside = key.span == over.span and over.first <= key.start < over.last
        if inside and all(_fits(getattr(key, name), value) for name, value in where.items()):
            yield key, tally


def _fits(found: str, wanted: str | None) -> bool:
    return found != EVERYTHING if wanted == ANY_BUT_SUMS else wanted in (None, found)


def _row(names: Names, now: Tally, before: Tally, hours: float) -> Ranked:
    group, workflow, operation = names
    shown = figures(now)
    compared = change(Figures(**shown), Figures(**figures(before)), hours)
    return Ranked(
        group=group,
        workflow=workflow or None,
        operation=operation or None,
        change=compared,
        **shown,
    )


# -- causes ------------------------------------------------------------------------


def causes(
    conn: Connection,
    over: Range,
    limit: int,
    *,
    group: str | None = None,
    workflow: str | None = None,
) -> Causes:
    """The most frequent causes of failed runs in a range of whole days."""
    queries.together(conn)
    where = {"group_name": group, "workflow": workflow}
    rows = [dict(row) for row in queries.causes(conn, over.first, over.last, **where)]
    for key, values in fresh(conn, over).causes.items():
        wanted = all(value in (None, getattr(key, name)) for name, value in where.items())
        rows += [{**key._asdict(), **values}] if wanted else []
    by_cause: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_cause.setdefault(row["cause"], []).append(row)
    found = sorted(by_cause.items(), key=lambda item: (-_count(item[1]), item[0]))[:limit]
    shown = [_cause(conn, cause, of) for cause, of in found]
    return Causes(from_=over.first, to=over.last, as_of=clock.now(), causes=shown)


def _count(rows: Iterable[Mapping[str, Any]]) -> int:
    return sum(row["count"] for row in rows)


def _cause(conn: Connection, cause: str, rows: list[dict[str, Any]]) -> Cause:
    whole: dict[str, Any] = {}
    days: Counter[str] = Counter()
    for row in rows:
        add_cause(whole, row)
        days[row["day"].date().isoformat()] += row["count"]
    names = sorted({(row["group_name"], row["workflow"]) for row in rows})
    return Cause(
        cause=cause,
        groups=sorted({group for group, _ in names}),
        workflows=[f"{group}/{workflow}" for group, workflow in names],
        days=dict(sorted(days.items())),
        release=_release_at(conn, names[0][0], whole["first_at"]),
        **whole,
    )


def _release_at(conn: Connection, group: str, at: datetime) -> int | None:
    """The number of the group's current release at an instant."""
    t = releases
    query = select(t.c.number).where(t.c.group_name == group, t.c.created_at <= at)
    query = query.where(t.c.number > 0).order_by(t.c.created_at.desc(), t.c.number.desc())
    found: int | None = conn.execute(query.limit(1)).scalar()
    return found
