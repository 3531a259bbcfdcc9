"""Under which keys of the roll-ups something is counted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

from stepwell import clock

NO_RELEASE: Final = UUID(int=0)
"""Stands for every release: hours and sums are not kept by release."""
ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of the span that is over all time."""
EVERYTHING: Final = ""
"""As a group, workflow or operation: all of them; as an operation: the runs themselves."""

HOUR: Final = "hour"
DAY: Final = "day"
ALL: Final = "all"


class Key(NamedTuple):
    """The primary key of a roll-up."""

    span: str
    group_name: str
    workflow: str
    operation: str
    start: datetime
    release_id: UUID


class WaitKey(NamedTuple):
    """The primary key of a roll-up of waiting."""

    span: str
    group_name: str
    workflow: str
    reason: str
    start: datetime


def hour_of(instant: datetime) -> datetime:
    """The first instant of its hour, UTC."""
    return clock.as_utc(instant).replace(minute=0, second=0, microsecond=0)


def day_of(instant: datetime) -> datetime:
    """The first instant of its day, UTC."""
    return hour_of(instant).replace(hour=0)


def keys(
    at: datetime, group: str, workflow: str, operation: str, release_id: UUID
) -> Iterator[Key]:
    """Hour, day and all time; of runs also for the group, and for the whole server."""
    for name, name_of in _levels(group, workflow, operation == EVERYTHING):
        own = release_id if name_of == workflow else NO_RELEASE
        yield Key(HOUR, name, name_of, operation, hour_of(at), NO_RELEASE)
        yield Key(DAY, name, name_of, operation, day_of(at), own)
        yield Key(ALL, name, name_of, operation, ALWAYS, NO_RELEASE)


def wait_keys(at: datetime, group: str, workflow: str, reason: str) -> Iterator[WaitKey]:
    """The same for what a run waited for."""
    for name, name_of in _levels(group, workflow, True):
        yield WaitKey(HOUR, name, name_of, reason, hour_of(at))
        yield WaitKey(DAY, name, name_of, reason, day_of(at))
        yield WaitKey(ALL, name, name_of, reason, ALWAYS)


def _levels(group: str, workflow: str, above: bool) -> Iterator[tuple[str, str]]:
    yield group, workflow
    if above:
        yield group, EVERYTHING
        yield EVERYTHING, EVERYTHING
