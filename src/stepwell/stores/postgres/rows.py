"""Steps and settlements as JSON for the statements, and rows as steps again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter, itemgetter
from typing import Any, Final
from uuid import UUID

from stepwell.frozen import maker
from stepwell.step import EndedAs, JoinPolicy, Priority, Retention, Step

COLUMNS: Final = tuple(one.name for one in fields(Step))
_VALUES: Final = attrgetter(*COLUMNS)

CLOCK_MARGIN: Final = timedelta(days=1)
"""How far ahead of the store's clock the clock of an id's maker may be."""
_VERSION_7: Final = 7
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


def steps_json(steps: Iterable[Step]) -> str:
    """The steps as a JSON array of rows."""
    return json.dumps(
        [dict(zip(COLUMNS, _VALUES(step), strict=True)) for step in steps],
        default=str,
        ensure_ascii=False,
    )


def oldest(ids: Iterable[UUID]) -> datetime:
    """Before this instant none of the ids can have ended: ids of version 7 carry their time.

    The first instant that there is, if any id carries none.
    """
    if any(one.version != _VERSION_7 for one in ids):
        return _FIRST
    first = min(ids, default=UUID(int=0)).int >> 80
    return datetime.fromtimestamp(first / 1000, UTC) - CLOCK_MARGIN


def step_reader(names: Sequence[str]) -> Callable[[Sequence[Any]], Step]:
    """A function from a row with these column names to its step; other columns are passed over."""
    pick = itemgetter(*(names.index(name) for name in COLUMNS))

    def read(row: Sequence[Any]) -> Step:
        values = list(pick(row))
        for place, convert in _CONVERTED:
            value = values[place]
            if value is not None:
                values[place] = convert(value)
        return _step(*values)

    return read


def utc(instant: datetime) -> datetime:
    """The driver gives instants in the session's zone, which a lent connection decides."""
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "priority": tuple(Priority).__getitem__,
    "retention": tuple(Retention).__getitem__,
    "ended_as": EndedAs,
    "join_policy": JoinPolicy,
    "created_at": utc,
    "schedule_time": utc,
    "execution_started_at": utc,
    "ended_at": utc,
    "claimed_at": utc,
}
_CONVERTED: Final = tuple(
    (place, _READERS[name]) for place, name in enumerate(COLUMNS) if name in _READERS
)
_step: Final = maker(Step)
