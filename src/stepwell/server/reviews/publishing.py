"""Make a release current, and let what follows it follow: schedules; of what was renamed also its
state, its figures, its limit, and who wants to hear of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.metrics import service as metrics
from stepwell.server.notifications import service as notifications
from stepwell.server.reviews import queries, releases
from stepwell.server.runs import service as runs
from stepwell.server.schedules import service as schedules
from stepwell.server.services import Services
from stepwell.server.state import service as state


def publish(
    conn: Connection,
    services: Services,
    group: str,
    contents: releases.Contents,
    **values: Any,
) -> None:
    """Insert a release, make it current, and move what its aliases say (R31, R37).

    The caller holds the group.
    """
    number, release_id = queries.next_number(conn, group), new_id()
    head = {"group_name": group, "number": number, "created_at": clock.now()}
    now = queries.snapshot(conn, group)
    given = {
        "image": now["image"],
        "environment": sorted(now["environment"]),
        "secrets": now["secrets"],
        "launch_options": now["launch_options"] or {},
    }
    queries.add(conn, {"id": release_id, **head, **given, **values}, contents.values())
    schedules.sync_with_release(conn, services, release_id, values["created_by"])
    for row in contents.values():
        old, operations = row["renamed_from"] or row["workflow"], row["renamed_operations"] or {}
        if old != row["workflow"] or operations:
            state.move(conn, group, old, row["workflow"], operations)
            metrics.move(conn, group, old, row["workflow"], operations)
        if old != row["workflow"]:
            runs.move_limit(conn, group, old, row["workflow"])
            notifications.move(conn, group, old, row["workflow"])
