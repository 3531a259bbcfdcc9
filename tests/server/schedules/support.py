"""What tests of schedules share: releases, and a look into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from stepwell.ids import new_id
from stepwell.schedules import Schedule
from stepwell.schedules.ledger import breaks
from stepwell.server.app import Server
from stepwell.server.database.tables import (
    discoveries,
    groups,
    ledger,
    release_workflows,
    releases,
    runs,
    schedules,
)
from stepwell.server.schedules import queries
from stepwell.server.schedules.definitions import changing
from stepwell.server.schedules.definitions.sync import sync_with_release
from stepwell.server.schedules.ledger.books import Books
from stepwell.server.schedules.records import Change, Origin
from stepwell.server.schedules.steps import tick

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
GROUP = "weather"
OPERATION = {"name": "load", "halt_on_error": True, "retries": 0, "timeout": None}


class Hands:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def move(self, **by: float) -> datetime:
        """Move on, by the arguments of a timedelta."""
        self.at += timedelta(**by)
        return self.at


def entry(name: str, schedule: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A manifest entry of a workflow with one operation."""
    parameters = {"type": "object", "properties": {"limit": {"type": "integer"}}}
    return {
        "name": name,
        "schedule": schedule,
        "parameters": parameters,
        "operations": [OPERATION],
        **more,
    }


def release(
    server: Server, *entries: dict[str, Any], renamed: dict[str, str] | None = None
) -> UUID:
    """Make a release with these workflows current, as the reviews room would; schedules not."""
    now, release_id = NOON, new_id()
    with server.db.write() as conn:
        own = select(discoveries.c.id).where(discoveries.c.group_name == GROUP)
        if conn.execute(own).first() is None:
            _register(conn, now)
        discovery = conn.execute(own).scalar_one()
        number = conn.execute(select(func.count()).select_from(releases)).scalar_one() + 1
        conn.execute(
            insert(releases).values(
                id=release_id,
                group_name=GROUP,
                number=number,
                discovery_id=discovery,
                created_at=now,
                created_by="the test",
            )
        )
        for one in entries:
            conn.execute(
                insert(release_workflows).values(
                    release_id=release_id,
                    workflow=one["name"],
                    discovery_id=discovery,
                    digest="sha256:0",
                    entry=one,
                    renamed_from=(renamed or {}).get(one["name"]),
                )
            )
        current = update(groups).where(groups.c.name == GROUP)
        conn.execute(current.values(release_id=release_id))
    return release_id


def _register(conn: Any, now: datetime) -> None:
    conn.execute(
        insert(groups).values(
            name=GROUP,
            provisional=False,
            launcher="process",
            image="group.py",
            environment={},
            secrets={},
            discover_with_secrets=False,
            created_at=now,
            created_by="the test",
        )
    )
    conn.execute(
        insert(discoveries).values(
            id=new_id(),
            group_name=GROUP,
            state="succeeded",
            trigger="request",
            requested_by="the test",
            created_at=now,
            digest="sha256:0",
        )
    )


def synced(server: Server, release_id: UUID) -> list[Change]:
    """Let the schedules follow a release, at the time of the test's clock."""
    with server.db.write() as conn:
        return sync_with_release(conn, server.services, release_id, "the test")


def scheduled(server: Server, spec: Schedule, *, workflow: str = "nightly", **more: Any) -> UUID:
    """A schedule that people have added, in force from now on."""
    values = {
        "group_name": GROUP,
        "workflow": workflow,
        "name": f"s-{new_id().hex[-8:]}",
        "origin": Origin.ADDED,
        "changed_by": "the test",
        "parameters": {},
        **more,
    }
    with server.db.write() as conn:
        return changing.add(conn, spec, server.services.clock.now(), "Added by the test.", **values)


def ticked(server: Server, books: Books | None = None) -> Any:
    """One tick, as the server's step does it."""
    return tick(server.services, books or Books(server.db))


def lines(server: Server, schedule_id: UUID) -> list[tuple[str, str | None, int]]:
    """The ledger without marks: fate, why, count."""
    with server.db.read() as conn:
        book = list(queries.book(conn, schedule_id, None, None))
    return [(one["fate"], one["why"], one["count"]) for one in book if one["fate"] != "changed"]


def faults(server: Server, schedule_id: UUID) -> list[str]:
    """Where the ledger of a schedule is not one chain."""
    with server.db.read() as conn:
        book = [queries.as_entry(row) for row in queries.book(conn, schedule_id, None, None)]
        row = queries.get(conn, schedule_id)
    assert row is not None
    return list(breaks(book, row["next_due"]))


def run_rows(server: Server, schedule_id: UUID) -> Sequence[Any]:
    """Its runs, by due instant."""
    query = select(runs).where(runs.c.schedule_id == schedule_id).order_by(runs.c.due_at)
    with server.db.read() as conn:
        return conn.execute(query).mappings().all()


def end_runs(server: Server, minutes: float = 0) -> None:
    """Every run has succeeded, after so many minutes from now on; 0 leaves its times out."""
    begun = server.services.clock.now()
    end = begun + timedelta(minutes=minutes)
    times = {"started_at": begun, "finished_at": end} if minutes else {}
    with server.db.write() as conn:
        conn.execute(update(runs).values(state="succeeded", **times))


def next_due(server: Server, schedule_id: UUID) -> datetime | None:
    query = select(schedules.c.next_due).where(schedules.c.id == schedule_id)
    with server.db.read() as conn:
        found: datetime | None = conn.execute(query).scalar_one()
    return found


def entered_runs(server: Server, schedule_id: UUID) -> list[UUID]:
    """The runs that the ledger links to."""
    query = select(ledger.c.run_id).where(ledger.c.schedule_id == schedule_id)
    with server.db.read() as conn:
        return [one for one in conn.execute(query).scalars() if one is not None]
