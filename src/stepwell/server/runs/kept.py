"""Old runs: the header goes with all that is part of it, and nothing that has its own policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Table, delete, exists, func, select

from stepwell.server.database.tables import attempts, metadata, run_labels, runs, staged
from stepwell.server.retention.records import Kind
from stepwell.server.runs.records import ENDED
from stepwell.server.services import Services

PARTS: Final[tuple[Table, ...]] = (attempts, run_labels, staged)
"""Tables whose rows go with their run. A run stays while any other table names it."""


def others() -> list[Table]:
    """Tables that name runs and keep them: what is in them goes by a policy of its own."""
    naming = [table for table in metadata.sorted_tables if _key(table) is not None]
    return [table for table in naming if table not in PARTS]


def _key(table: Table) -> Any:
    """The column that refers to a run, if there is one."""
    found = (key.parent for key in table.foreign_keys if key.column is runs.c.id)
    return next(found, None)


def _old(before: datetime, limit: int) -> Select[Any]:
    # The age by creation is for the index; by the end is what counts.
    ended = (runs.c.state.in_(ENDED), runs.c.created_at < before, runs.c.finished_at < before)
    free = [~exists().where(_key(table) == runs.c.id) for table in others()]
    return select(runs.c.id).where(*ended, runs.c.keep_reason.is_(None), *free).limit(limit)


def _sweep(services: Services, before: datetime, limit: int) -> int:
    with services.db.write() as conn:
        ids = list(conn.execute(_old(before, limit)).scalars())
        for table in PARTS:
            conn.execute(delete(table).where(_key(table).in_(ids)))
        conn.execute(delete(runs).where(runs.c.id.in_(ids)))
    return len(ids)


def _count(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        found = _old(before, limit).subquery()
        return conn.execute(select(func.count()).select_from(found)).scalar_one()


KINDS: Final = (
    Kind(
        "runs",
        "Runs that have ended, with their attempts. Their figures stay in the metrics; a run "
        "with a report, or with a mark, stays.",
        lambda settings: settings.keep_runs_days,
        _sweep,
        _count,
    ),
)
