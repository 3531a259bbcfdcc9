"""The step of a source: look, keep what was seen, and discover groups whose digest changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.ids import new_id
from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.discoveries import service as discoveries
from stepwell.server.services import RETRY, Services
from stepwell.server.sources import queries, service
from stepwell.server.sources.seen import Seen


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/scan`."""

    def scan(state: Any) -> Outcome:
        return scan_source(services, state["source"])

    registry.add(scan, service.SCAN, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """Add the step of each source that wants a scan and has none."""
    for row in queries.wanting(conn):
        asked = service.is_scanning(row)
        due = _next_scan(row, services.clock.now()) if not asked else services.clock.now()
        services.db.client(conn).add(service.scan_step(row["name"], due))


def scan_source(services: Services, name: str) -> Outcome:
    """Look outside of any transaction, then keep what was seen in one."""
    began = services.clock.now()
    with services.db.read() as conn:
        row = queries.get(conn, name)
    if row is None:
        return done(description="The source was removed.")
    seen, error = _looked(row)
    with services.db.write() as conn:
        kept = queries.lock(conn, name)
        if kept is None:
            return done(description="The source was removed.")
        if error is None:
            _keep(conn, services, name, seen, began)
        _note(conn, name, began, len(seen), error)
    said = error["what"] if error else f"{len(seen)} images."
    if kept["requested_at"] is not None and kept["requested_at"] > began:
        return rerun(description="A scan was asked for meanwhile.")
    if kept["scan_every"] is None:
        return done(description=said)
    return rerun(after=kept["scan_every"], description=said)


def _next_scan(row: queries.Row, now: datetime) -> datetime:
    every = timedelta(seconds=row["scan_every"])
    return max(now, (row["scanned_at"] or now) + every)


def _looked(row: queries.Row) -> tuple[list[Seen], dict[str, Any] | None]:
    try:
        return service.LOOKS[row["kind"]](service.place_of(dict(row))), None
    except StepwellError as error:
        return [], error.as_dict()


def _note(
    conn: Connection, name: str, now: datetime, count: int, error: dict[str, Any] | None
) -> None:
    counted = {} if error else {"scan_count": count}
    queries.change(conn, name, scanned_at=now, scan_error=error, **counted)


def _keep(
    conn: Connection, services: Services, source: str, seen: Sequence[Seen], now: datetime
) -> None:
    before = queries.found(conn, source)
    for one in seen:
        known = before.pop(one.image, None)
        values = {"error": one.error, "stated_name": one.stated_name, "last_seen_at": now}
        if known is None:
            own = {"id": new_id(), "source_name": source, "image": one.image, "first_seen_at": now}
            queries.add_image(conn, **own, **values, digest=one.digest)
            continue
        if _taken_up(conn, services, source, known, one):
            values["digest"] = one.digest
        queries.change_image(conn, known["id"], **values, gone_at=None)
    queries.mark_gone(conn, (row["id"] for row in before.values()), now)


def _taken_up(
    conn: Connection, services: Services, source: str, known: queries.Row, seen: Seen
) -> bool:
    """Whether the digest may be noted: False while a discovery of an older one goes on.

    Compared with the last scan and not with the last discovery, for a registry's digest of
    a tag need not be the digest that a launcher pins.
    """
    group, digest = known["group_name"], seen.digest
    if group is None or digest is None or digest == known["digest"]:
        return digest is not None
    if discoveries.is_open(conn, group):
        return False
    by = f"source {source}"
    discoveries.on_digest(conn, services.db, group, digest, trigger="scan", by=by)
    return True
