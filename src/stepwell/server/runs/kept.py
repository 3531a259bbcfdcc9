"""Old runs: the header goes with all that is part of it, and nothing that has its own policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Table, exists, func, select

from stepwell.server.database.tables import metadata, runs
from stepwell.server.retention.records import Kind
from stepwell.server.runs.records import ENDED
from stepwell.server.runs.removing import PARTS, key_of, remove
from stepwell.server.services import Services


def others() -> list[Table]:
    """Tables that name runs and keep them: what is in them goes by a policy of its own."""
    naming = [table for table in metadata.sorted_tables if key_of(table) is not None]
    return [table for table in naming if table not in PARTS]


def _old(before: datetime, limit: int) -> Select[Any]:
    # The age by creation is for the index; by the end is what counts.
    ended = (runs.c.state.in_(ENDED), runs.c.created_at < before, runs.c.finished_at < before)
    free = [~exists().where(key_of(table) == runs.c.id) for table in others()]
    return select(runs.c.id).where(*ended, runs.c.keep_reason.is_(None), *free).limit(limit)


def _sweep(services: Services, before: datetime, limit: int) -> int:
    with services.db.write() as conn:
        ids = list(conn.execute(_old(before, limit)).scalars())
        remove(conn, ids)
    return len(ids)


def _count(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        found = _old(before, limit).subquery()
        return conn.execute(select(func.count()).select_from(found)).scalar_one()


KINDS: Final = (
    Kind(
        "runs",
        "Runs that have ended, with their attempts, logs and large results. Their figures stay "
        "in the metrics; a run with a report, or with a mark, stays.",
        lambda settings: settings.keep_runs_days,
        _sweep,
        _count,
    ),
)
