"""Discovering groups again without anybody asking: by schedule, and when a digest changes.

Each group that wants it has a step of its own for either, due at the next instant. The
steps hold nothing but the group's name; what is wanted is read from the group each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from stepwell import schedules
from stepwell.errors import StepwellError
from stepwell.launchers.protocol import Configurable
from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.discoveries import service
from stepwell.server.groups import service as groups
from stepwell.server.groups.records import Group
from stepwell.server.services import RETRY, Services
from stepwell.step import OnConflict


def register(registry: Registry, services: Services) -> None:
    """Add the handlers of both steps."""

    def rediscover(state: Any) -> Outcome:
        return _rediscover(services, state["group"])

    def look(state: Any) -> Outcome:
        return _look(services, state["group"])

    registry.add(rediscover, service.REDISCOVER, retry=RETRY)
    registry.add(look, service.LOOK, retry=RETRY)


def seed(conn: Connection, services: Services) -> None:
    """Add what is missing of the steps of all groups."""
    for group in groups.rediscovered(conn):
        for name, at in service.wanted_steps(group, services.clock.now()).items():
            if at is not None:
                services.db.client(conn).add(
                    service.rediscovery_step(name, group.name, at, OnConflict.IGNORE)
                )


def _active(conn: Connection, name: str) -> Group | None:
    try:
        return groups.active(conn, name)
    except (groups.GroupNotFound, groups.GroupArchived):
        return None


def _rediscover(services: Services, name: str) -> Outcome:
    with services.db.write() as conn:
        group = _active(conn, name)
        if group is None or group.rediscover is None:
            return done(description="The group is not discovered by a schedule any more.")
        words = schedules.from_json(group.rediscover).describe()
        service.request(
            conn, services.db, name, trigger="schedule", by=service.SERVER, reason=words
        )
    if group.next_discovery_at is None:
        return done(description="Its schedule has ended.")
    return rerun(at=group.next_discovery_at, description=f"Discovers {name}: {words}.")


def _look(services: Services, name: str) -> Outcome:
    with services.db.read() as conn:
        group = _group(conn, name)
    if group is None or group.archived_at is not None or group.watch_every is None:
        return done(description="The digest of the group is not looked at any more.")
    digest, error = digest_now(services, group.launcher, group.image, group.launch_options)
    with services.db.write() as conn:
        if _active(conn, name) is None:
            return done(description="The group was archived.")
        groups.looked(conn, name, services.clock.now(), error)
        changed = digest is not None and service.on_digest(
            conn, services.db, name, digest, trigger="digest"
        )
    said = "has changed" if changed else "is the same" if error is None else "cannot be read"
    return rerun(after=group.watch_every, description=f"The image of {name} {said}.")


def _group(conn: Connection, name: str) -> Group | None:
    try:
        return groups.get(conn, name)
    except groups.GroupNotFound:
        return None


def digest_now(
    services: Services, launcher: str, image: str, options: Mapping[str, Any] | None = None
) -> tuple[str | None, dict[str, Any] | None]:
    """The digest of an image as it is now, or the error that kept it from being read."""
    try:
        found = services.launcher(launcher)
        if options and isinstance(found, Configurable):
            return found.pin_for(image, options).digest, None
        return found.digest(image), None
    except StepwellError as error:
        return None, error.as_dict()
