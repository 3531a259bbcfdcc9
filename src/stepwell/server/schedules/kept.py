"""Old lines of the ledger, folded into one line that says what they were (R30).

Each book keeps its beginning: the last line that goes becomes a mark that counts what
was before it, and from which the chain goes on. So the audit still finds no gap.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, delete, func, select, update

from stepwell.schedules.ledger import Fate
from stepwell.server.database.tables import ledger, schedules
from stepwell.server.retention.records import Kind
from stepwell.server.schedules import queries
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services

_SUMMARY: Final = re.compile(r"summary of what was before: (?P<fates>.*)")
_FATE: Final = re.compile(r"(?P<count>\d+) (?P<fate>\w+)")


def _sweep(services: Services, before: datetime, limit: int) -> int:
    """Book by book, each in a transaction of its own."""
    with services.db.read() as conn:
        books = list(conn.execute(_books(before, limit)).scalars())
    removed = 0
    for schedule_id in books:
        if removed < limit:
            with services.db.write() as conn:
                removed += _fold(conn, schedule_id, before, limit - removed)
    return removed


def _books(before: datetime, limit: int) -> Select[Any]:
    """Schedules with more than one old line: one is what an earlier fold has left."""
    query = select(ledger.c.schedule_id).where(ledger.c.last_due < before)
    return query.group_by(ledger.c.schedule_id).having(func.count() > 1).limit(limit)


def _fold(conn: Connection, schedule_id: UUID, before: datetime, limit: int) -> int:
    held = select(schedules.c.id).where(schedules.c.id == schedule_id).with_for_update()
    conn.execute(held)  # so no tick writes meanwhile
    lines = _old_lines(conn, schedule_id, before, limit + 1)
    if len(lines) < 2:
        return 0
    *gone, last = lines
    conn.execute(delete(ledger).where(ledger.c.id.in_([line["id"] for line in gone])))
    mark = {"fate": Fate.CHANGED, "count": 0, "last_due": last["first_due"], "run_id": None}
    conn.execute(
        update(ledger).where(ledger.c.id == last["id"]).values(**mark, why=_summary(lines))
    )
    return len(gone)


def _old_lines(conn: Connection, schedule_id: UUID, before: datetime, limit: int) -> Sequence[Row]:
    """The oldest lines, up to one that is young or whose run still waits."""
    query = queries.lines(schedule_id).order_by(ledger.c.first_due).limit(limit)
    found: list[Row] = []
    for line in conn.execute(query).mappings():
        if line["last_due"] >= before or line["fate"] == Fate.QUEUED:
            break
        found.append(line)
    return found


def _summary(lines: Sequence[Row]) -> str:
    counted: Counter[str] = Counter()
    for line in lines:
        before = _SUMMARY.fullmatch(line["why"] or "")
        if before is not None:
            for fate in _FATE.finditer(before["fates"]):
                counted[fate["fate"]] += int(fate["count"])
        elif line["count"]:
            counted[line["fate"]] += line["count"]
    told = ", ".join(f"{count} {fate}" for fate, count in sorted(counted.items()))
    return f"summary of what was before: {told or 'nothing due'}"


def _count(services: Services, before: datetime, limit: int) -> int:
    """Lines but for the one of each book that stays."""
    old = select(ledger.c.schedule_id).where(ledger.c.last_due < before).limit(limit).subquery()
    books = func.count(old.c.schedule_id.distinct())
    with services.db.read() as conn:
        lines, kept = conn.execute(select(func.count(), books).select_from(old)).one()
    return int(lines - kept)


KINDS: Final = (
    Kind(
        "ledger",
        "Lines of the ledger. Each book keeps a first line that counts what was before.",
        lambda settings: settings.keep_ledger_days,
        _sweep,
        _count,
        least=7,
    ),
)
