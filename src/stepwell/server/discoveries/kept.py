"""What discoveries and launches leave behind: output, kept copies, folders of launches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Select, func, or_, select, update

from stepwell.launchers.tidying import old_copies, old_launches, remove
from stepwell.server.database.tables import (
    discoveries,
    groups,
    release_workflows,
    releases,
    runs,
    step_jobs,
)
from stepwell.server.discoveries import leftovers
from stepwell.server.retention.records import Count, Kind, Sweep
from stepwell.server.runs.records import ENDED
from stepwell.server.services import Services

Find = Callable[[Services, datetime], Iterator[Path]]


def _with_output(before: datetime, limit: int) -> Select[Any]:
    old = (discoveries.c.finished_at < before, discoveries.c.output.is_not(None))
    return select(discoveries.c.id).where(*old).limit(limit)


def _drop_output(services: Services, before: datetime, limit: int) -> int:
    mine = discoveries.c.id.in_(_with_output(before, limit))
    with services.db.write() as conn:
        return conn.execute(update(discoveries).where(mine).values(output=None)).rowcount


def _count_output(services: Services, before: datetime, limit: int) -> int:
    found = _with_output(before, limit).subquery()
    with services.db.read() as conn:
        return conn.execute(select(func.count()).select_from(found)).scalar_one()


def needed(conn: Connection, before: datetime) -> set[str]:
    """Digests that a current or young release, a young discovery, an open run or a young launch
    of a step stands on."""
    of_release = (
        select(release_workflows.c.digest)
        .join(releases, releases.c.id == release_workflows.c.release_id)
        .outerjoin(groups, groups.c.release_id == releases.c.id)
        .where(or_(groups.c.name.is_not(None), releases.c.created_at >= before))
    )
    young = select(discoveries.c.digest).where(
        discoveries.c.created_at >= before, discoveries.c.digest.is_not(None)
    )
    open_ = select(runs.c.digest).where(runs.c.state.not_in(ENDED))
    of_steps = select(step_jobs.c.digest).where(step_jobs.c.created_at >= before)
    found = (conn.execute(query).scalars() for query in (of_release, young, open_, of_steps))
    return {digest for digests in found for digest in digests}


def _copies(services: Services, before: datetime) -> Iterator[Path]:
    with services.db.read() as conn:
        kept = needed(conn, before)
    return old_copies(services.settings.data_dir / "images", kept, before)


def _with_images(services: Services, before: datetime, limit: int) -> int:
    with services.db.read() as conn:
        kept = needed(conn, before)
    for launcher in leftovers.sweepable(services):
        launcher.sweep_images(kept, before)
    return _SWEEP_COPIES(services, before, limit)


def _launches(services: Services, before: datetime) -> Iterator[Path]:
    return old_launches(services.settings.data_dir / "jobs", before)


def _of_folders(find: Find) -> tuple[Sweep, Count]:
    def sweep(services: Services, before: datetime, limit: int) -> int:
        found = list(islice(find(services, before), limit))
        for folder in found:
            remove(folder)
        return len(found)

    def count(services: Services, before: datetime, limit: int) -> int:
        return sum(1 for _ in islice(find(services, before), limit))

    return sweep, count


_SWEEP_COPIES, _COUNT_COPIES = _of_folders(_copies)

KINDS: Final = (
    Kind(
        "discovery-output",
        "What an image wrote when it was discovered. Its manifest and its error stay.",
        lambda settings: settings.keep_discoveries_days,
        _drop_output,
        _count_output,
    ),
    Kind(
        "images",
        "Kept copies of local groups that neither a current or young release nor an open run "
        "needs. A rollback to an older release needs a new discovery then.",
        lambda settings: settings.keep_images_days,
        _with_images,
        _COUNT_COPIES,
    ),
    Kind(
        "jobs",
        "Folders of launches that have ended, with what they wrote.",
        lambda settings: settings.keep_jobs_days,
        *_of_folders(_launches),
    ),
    Kind(
        "containers",
        "Containers that have ended, with what the container engine has of their output; the "
        "logs of runs stay. What runs though no run needs it goes after minutes.",
        lambda settings: settings.keep_containers_days,
        leftovers.sweep_launches,
        leftovers.count_launches,
    ),
)
