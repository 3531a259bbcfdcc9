"""What launchers keep outside of this server: ended containers, and tags of images."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from stepwell.launchers.protocol import Sweepable
from stepwell.server.database.tables import attempts, discoveries, step_jobs
from stepwell.server.services import Services


def sweepable(services: Services) -> Iterator[Sweepable]:
    """The launchers that want to be swept."""
    return (one for one in services.launchers.values() if isinstance(one, Sweepable))


def sweep_launches(services: Services, before: datetime, limit: int) -> int:
    """Remove launches that are over, and what runs without a need."""
    found = _unneeded(services, before)[:limit]
    for launcher, name in found:
        launcher.remove(name)
    return len(found)


def count_launches(services: Services, before: datetime, limit: int) -> int:
    """How many a sweep would remove."""
    return len(_unneeded(services, before)[:limit])


def _unneeded(services: Services, before: datetime) -> list[tuple[Sweepable, str]]:
    """Launches are listed first: what is started meanwhile has a row, and is not listed."""
    found = [(one, name) for one in sweepable(services) for name in one.leftovers(before)]
    with services.db.read() as conn:
        needed = set(_open(conn))
    return [(one, name) for one, name in found if name not in needed]


def _open(conn: Connection) -> Iterator[str]:
    query = select(attempts.c.run_id, attempts.c.number).where(attempts.c.finished_at.is_(None))
    yield from (f"{run}-{number}" for run, number in conn.execute(query))
    of_discoveries = select(discoveries.c.id).where(discoveries.c.finished_at.is_(None))
    yield from (f"discover-{one}" for one in conn.execute(of_discoveries).scalars())
    of_steps = select(step_jobs.c.step_id, step_jobs.c.number).where(
        step_jobs.c.finished_at.is_(None)
    )
    yield from (f"step-{step}-{number}" for step, number in conn.execute(of_steps))
