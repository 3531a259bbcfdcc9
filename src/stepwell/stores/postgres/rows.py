"""Steps as columns for the statements, and rows as steps again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from stepwell.frozen import reader
from stepwell.step import EndedAs, JoinPolicy, Priority, Retention, Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.postgres.arrays import DOUBLE, FLAG, ID, INSTANT, NUMBER, TEXT, Column

_UUIDS: Final = (
    "id",
    "flow_id",
    "created_by_step_id",
    "copy_of",
    "claimed_by",
    "claim_request",
    "join_id",
)
_INSTANTS: Final = (
    "created_at",
    "schedule_time",
    "execution_started_at",
    "ended_at",
    "claimed_at",
)
_NUMBERS: Final = (
    "priority",
    "retention",
    "activation_no",
    "activation_seen",
    "execution_count",
    "failure_count",
    "lost_count",
    "claim_no",
    "waiting_for",
    "limit_slots",
)

KINDS: Final[dict[str, Column]] = {
    **dict.fromkeys(COLUMNS, TEXT),
    **dict.fromkeys(_UUIDS, ID),
    **dict.fromkeys(_INSTANTS, INSTANT),
    **dict.fromkeys(_NUMBERS, NUMBER),
    **dict.fromkeys(("started", "parked"), FLAG),
    "execution_duration": DOUBLE,
}
"""How a column of steps is written."""

CLOCK_MARGIN: Final = timedelta(days=1)
"""How far ahead of the store's clock the clock of an id's maker may be."""
_VERSION_7: Final = 7
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


def oldest(ids: Iterable[UUID]) -> datetime:
    """Before this instant none of the ids can have ended: ids of version 7 carry their time.

    The first instant that there is, if any id carries none.
    """
    numbers = [one.int for one in ids]
    if any(number >> 76 & 0xF != _VERSION_7 for number in numbers):
        return _FIRST
    first = min(numbers, default=0) >> 80
    return datetime.fromtimestamp(first / 1000, UTC) - CLOCK_MARGIN


def step_reader(names: Iterable[str]) -> Callable[[Sequence[Any]], Step]:
    """A function from a row with these column names to its step; other columns are passed over."""
    return _reader(tuple(names))


@lru_cache(maxsize=64)
def _reader(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Step]:
    return reader(Step, names, _READERS)


def utc(given: datetime) -> datetime:
    """The driver gives instants in the session's zone, which a lent connection decides."""
    return given if given.tzinfo is UTC else given.astimezone(UTC)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "priority": tuple(Priority).__getitem__,
    "retention": tuple(Retention).__getitem__,
    "ended_as": EndedAs,
    "join_policy": JoinPolicy,
    **dict.fromkeys(_INSTANTS, utc),
}
