"""The demo comes and goes: it is registered like any group, and leaves nothing in the lists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from stepwell.errors import NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.session import Database
from stepwell.server.database.tables import reports as reports_table
from stepwell.server.discoveries import service as discoveries
from stepwell.server.first_run import queries
from stepwell.server.first_run.records import Demo
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import GroupChange, NewGroup
from stepwell.server.groups.service import GroupNotFound
from stepwell.server.reports import service as reports
from stepwell.server.reviews import service as reviews
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Cancellation
from stepwell.server.services import QUEUE, Services
from stepwell.step import OnConflict, new_step

GROUP: Final = "stepwell-demo"
FLAKY: Final = "fetch-prices"
IMAGE: Final = str(Path(__file__).with_name("demo.py"))
REMOVE: Final = "v1/server/remove-demo"
AT_ONCE: Final = 200
"""Runs that are removed in one transaction."""

_WHY: Final = "The demo is removed."


class NoDemo(NotFound):
    """The demo group is not there."""

    code = "no-demo"


def state(conn: Connection) -> Demo:
    """Where the demo stands."""
    try:
        group = groups.get(conn, GROUP)
    except GroupNotFound:
        return Demo.ABSENT
    if group.archived_at is None:
        return Demo.LOADED
    return Demo.REMOVING if queries.any_run_of(conn, GROUP) else Demo.ABSENT


def load(conn: Connection, services: Services, *, by: str) -> None:
    """Register the group, or take it back into use, and look into it; again is harmless.

    Raises
    ------
    LauncherOff : the server starts no processes.
    """
    try:
        found = groups.get(conn, GROUP)
    except GroupNotFound:
        groups.register(conn, services, NewGroup(name=GROUP, image=IMAGE), by=by)
    else:
        services.launcher(found.launcher)
        reviews.restore(conn, services, GROUP, None, by=by)
        if found.image != IMAGE:
            groups.change(conn, GROUP, GroupChange(image=IMAGE), by=by)
    discoveries.request(conn, services.db, GROUP, trigger="registration", by=by)


def remove(conn: Connection, services: Services, *, by: str) -> None:
    """Archive the group, cancel what runs, and let a step remove its runs when they have ended.

    Raises
    ------
    NoDemo
    """
    if state(conn) is Demo.ABSENT:
        raise NoDemo("The demo is not there.", fix="Load it: stepwell first-run load-demo")
    reviews.archive(conn, services, GROUP, _WHY, by=by)
    for row in queries.open_runs(conn, GROUP):
        if row["state"] != "cancelling":
            runs.cancel(conn, services.db, row["id"], Cancellation(reason=_WHY), by=by)
    step = new_step(REMOVE, singleton=True, on_conflict=OnConflict.IGNORE, queue=QUEUE)
    services.db.client(conn).add(step)
    audit.record(conn, by, "demo.remove", GROUP)


def clear(conn: Connection, db: Database) -> bool:
    """Remove the ended runs of an archived demo; whether there is nothing left to do."""
    if state(conn) is not Demo.REMOVING:
        return True
    while reports.remove(conn, reports_table.c.group_name == GROUP, AT_ONCE) == AT_ONCE:
        """The next ones."""
    runs.remove_ended(conn, GROUP, AT_ONCE)
    return not queries.any_run_of(conn, GROUP)
