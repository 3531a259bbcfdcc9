"""Old lines of the ledger, folded into one line that says what they were (R30).

Each book keeps its beginning: the last line that goes becomes a mark that counts what
was before it, and from which the chain goes on. So the audit still finds no gap, and
counts what is gone. A book with a gap is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, delete, func, select, update

from stepwell.schedules.ledger import Fate, breaks
from stepwell.server.database.tables import ledger, schedules
from stepwell.server.retention.records import Kind
from stepwell.server.schedules import queries
from stepwell.server.schedules.ledger.folding import summed
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services


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
    if any(breaks(map(queries.as_entry, lines), last["next_due"])):
        return 0  # what does not prove that nothing is missing stays, to be looked at
    conn.execute(delete(ledger).where(ledger.c.id.in_([line["id"] for line in gone])))
    mark = {"fate": Fate.CHANGED, "count": 0, "last_due": last["first_due"], "run_id": None}
    said = {"why": summed(lines).words(), "spec": _in_force(lines)}
    conn.execute(update(ledger).where(ledger.c.id == last["id"]).values(**mark, **said))
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


def _in_force(lines: Sequence[Row]) -> Any:
    """The spec that the last line was written by, where a line that goes has it."""
    version = lines[-1]["schedule_version"]
    known = [line["spec"] for line in lines if line["schedule_version"] == version]
    return next((spec for spec in reversed(known) if spec), None)


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
