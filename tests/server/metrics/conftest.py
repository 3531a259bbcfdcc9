"""A server whose SQLite does not wait for the disk, and ways to measure and to fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from tests.server.live import without_fsync
from tests.server.support import workflow

from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.database.tables import discoveries, groups, release_workflows, releases
from stepwell.server.metrics import folding
from stepwell.server.metrics import service as metrics
from stepwell.server.metrics.records import Ending
from stepwell.server.settings import Settings
from stepwell.step import EndedAs


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    made = without_fsync(Server(settings))
    made.db.migrate()
    with made:
        yield made


Measure = Callable[..., None]


@pytest.fixture
def measure(server: Server) -> Measure:
    """`measure(10, failed=2, at=..., duration=3.0)`: so many endings of weather/nightly."""

    def ended(succeeded: int = 0, failed: int = 0, **given: Any) -> None:
        about: dict[str, Any] = {"group": "weather", "workflow": "nightly", "operation": ""}
        about |= {"at": datetime.now(UTC), "duration": 1.0, **given}
        kinds = [EndedAs.DONE] * succeeded + [EndedAs.FAILED] * failed
        with server.db.write() as conn:
            metrics.record(conn, [Ending(ended_as=kind, **about) for kind in kinds])

    return ended


@pytest.fixture
def fold(server: Server) -> Callable[[], int]:
    def folded() -> int:
        with server.db.write() as conn:
            return folding.fold(conn, 10_000)

    return folded


Release = Callable[..., UUID]


@pytest.fixture
def release(server: Server) -> Release:
    """`release(2, digest="b")` makes release 2 of the group weather the current one."""

    def released(
        number: int = 1,
        digest: str = "a",
        at: datetime | None = None,
        entries: dict[str, dict[str, Any]] | None = None,
        renamed: dict[str, str] | None = None,
    ) -> UUID:
        now, made, found = at or datetime.now(UTC), new_id(), new_id()
        by = {"created_at": now, "created_by": "the test"}
        given = {"nightly": {}} if entries is None else entries
        with server.db.write() as conn:
            if number == 1:
                _group(conn, by)
            about = {"state": "succeeded", "trigger": "request", "requested_by": "the test"}
            conn.execute(
                insert(discoveries).values(id=found, group_name="weather", created_at=now, **about)
            )
            row = {"id": made, "group_name": "weather", "number": number, "discovery_id": found}
            conn.execute(insert(releases).values(**row, **by))
            for name, more in given.items():
                conn.execute(
                    insert(release_workflows).values(
                        release_id=made,
                        workflow=name,
                        discovery_id=found,
                        digest=digest,
                        entry=workflow(name, **more),
                        renamed_from=(renamed or {}).get(name),
                    )
                )
            conn.execute(update(groups).values(release_id=made))
        return made

    return released


def _group(conn: Any, by: dict[str, Any]) -> None:
    conn.execute(
        insert(groups).values(
            name="weather",
            provisional=False,
            launcher="process",
            image="x",
            environment={},
            secrets={},
            discover_with_secrets=False,
            **by,
        )
    )
