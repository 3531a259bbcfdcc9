"""Runs that nobody ran: rows as they would be, made at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from tests.server.runs.support import GROUP, WORKFLOW, release, workflow

from stepwell import clock
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import releases, runs


def released(server: Server, group: str = GROUP) -> UUID:
    """A group with one released workflow; the release's id."""
    return release(server, workflow(), group=group)


def made(server: Server, *many: dict[str, Any]) -> list[str]:
    """Insert runs, each a second younger than the one before; their ids."""
    rows = list(_rows(server, many))
    with server.db.write() as conn:
        conn.execute(insert(runs), rows)
    return [str(row["id"]) for row in rows]


def _rows(server: Server, many: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    now = clock.now()
    with server.db.read() as conn:
        found = conn.execute(select(releases.c.id).limit(1)).scalar_one()
    for place, given in enumerate(many):
        at: datetime = given.pop("created_at", now - timedelta(seconds=len(many) - place))
        yield {
            "id": new_id(),
            "group_name": GROUP,
            "workflow": WORKFLOW,
            "release_id": found,
            "digest": "sha256:0",
            "state": "succeeded",
            "parameters": {},
            "trigger": "request",
            "requested_by": "somebody",
            "due_at": at,
            "created_at": at,
            "deadline_at": at + timedelta(days=1),
            "started_at": at,
            "finished_at": at + timedelta(seconds=1),
            "attempt": 1,
            "warnings": 0,
            "reason": None,
            "fingerprint": None,
            "failed_operation": None,
            "superseded_by": None,
            **given,
        }
