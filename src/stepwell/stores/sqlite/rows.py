"""Steps as rows, and back: ids and instants are text of fixed width, so both sort."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID, SafeUUID

from stepwell.frozen import maker
from stepwell.step import Claim, EndedAs, JoinPolicy, Priority, Retention, Step
from stepwell.stores.protocol import Failures

COLUMNS: Final = tuple(one.name for one in fields(Step))
"""The step's columns in the order of the tables; the columns after them have defaults."""

_IDS: Final = (
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


def uuid_of(text: str) -> UUID:
    """The id of a text that this store has written; `UUID` would examine it first."""
    made = _new(UUID)
    _set_int(made, int(text.replace("-", ""), 16))
    _set_safe(made, SafeUUID.unknown)
    return made


_new: Final = object.__new__
_set_int: Final = UUID.__dict__["int"].__set__
_set_safe: Final = UUID.__dict__["is_safe"].__set__

_READERS: Final[dict[str, Any]] = {
    **dict.fromkeys(_IDS, uuid_of),
    **dict.fromkeys(("claimed_by", "claim_request"), lru_cache(maxsize=16)(uuid_of)),
    **dict.fromkeys(_INSTANTS, datetime.fromisoformat),
    "priority": tuple(Priority).__getitem__,
    "retention": tuple(Retention).__getitem__,
    "ended_as": EndedAs,
    "join_policy": JoinPolicy,
    "started": bool,
    "parked": bool,
}
_CONVERTED: Final = tuple(
    (place, _READERS[name]) for place, name in enumerate(COLUMNS) if name in _READERS
)
_step: Final = maker(Step)
_values_of: Final = attrgetter(*COLUMNS)


def instant(value: datetime) -> str:
    """`2026-11-22T06:26:40.123456Z`."""
    given = value if value.tzinfo is UTC else value.astimezone(UTC)
    return given.isoformat(timespec="microseconds")[:26] + "Z"


def plain(value: Any) -> Any:
    """A value as SQLite keeps it; the driver takes enums and booleans as they are."""
    if isinstance(value, UUID):
        return str(value)
    return instant(value) if isinstance(value, datetime) else value


def row_of(step: Step) -> list[Any]:
    """The values of a step's columns."""
    return [plain(value) for value in _values_of(step)]


def step_of(_cursor: Any, row: tuple[Any, ...]) -> Step:
    """The step of a row that begins with the step's columns; a row factory."""
    values = list(row[: len(COLUMNS)])
    for place, read in _CONVERTED:
        if values[place] is not None:
            values[place] = read(values[place])
    return _step(*values)


def failures_of(row: tuple[Any, ...]) -> Failures:
    """A group of failed steps: name, fingerprint, count, first and last end, id, description."""
    name, fingerprint, count, first, last, step_id, description = row
    ends = datetime.fromisoformat(first), datetime.fromisoformat(last)
    return Failures(name, fingerprint, count, *ends, UUID(step_id), description)


def ids_json(ids: Iterable[UUID | str]) -> str:
    """Ids as a JSON array, which is how a statement takes many."""
    return json.dumps([str(one) for one in ids])


def claims_json(claims: Iterable[Claim]) -> str:
    """Claims as a JSON array of pairs."""
    return json.dumps([[str(claim.step_id), claim.claim_no] for claim in claims])
