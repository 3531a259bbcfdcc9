"""Steps as rows, and back: ids are text, instants are in UTC without a zone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from stepwell.frozen import reader
from stepwell.outcome import Settlement
from stepwell.step import Claim, EndedAs, JoinPolicy, Priority, Retention, Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.mysql.errors import rejected
from stepwell.stores.protocol import Failures

LONGEST: Final = {
    "name": 200,
    "queue": 200,
    "unique_key": 500,
    "correlation_id": 500,
    "search_key": 500,
    "limit_key": 200,
    "rate_key": 200,
}
"""Characters that fit a column. A lent session may cut what is longer instead of refusing it."""

_TOLD: Final = tuple(
    one.name for one in fields(Settlement) if one.name not in ("claim", "additions")
)
_told_values: Final = attrgetter(*_TOLD)
_values_of: Final = attrgetter(*COLUMNS)
_texts_of: Final = attrgetter(*LONGEST)


def known_utc(value: datetime) -> datetime:
    """An instant that was read, aware again."""
    return value.replace(tzinfo=UTC)


_READERS: Final[dict[str, Any]] = {
    **dict.fromkeys(
        ("id", "flow_id", "created_by_step_id", "copy_of", "claimed_by", "claim_request"), UUID
    ),
    "join_id": UUID,
    **dict.fromkeys(("created_at", "schedule_time", "ended_at", "claimed_at"), known_utc),
    "execution_started_at": known_utc,
    "priority": Priority,
    "retention": Retention,
    "ended_as": EndedAs,
    "join_policy": JoinPolicy,
    "started": bool,
    "parked": bool,
}
step_of: Final = reader(Step, COLUMNS, _READERS)
"""The step of a row with the step's columns."""


def instant(value: datetime) -> str:
    """`2026-11-22 06:26:40.123456`."""
    return value.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def utc(value: datetime | None) -> datetime | None:
    """An instant that was read, aware again; or None."""
    return value and known_utc(value)


def plain(value: Any) -> Any:
    """A value as the driver and JSON take it."""
    if isinstance(value, UUID | StrEnum):
        return str(value)
    if isinstance(value, datetime):
        return instant(value)
    return int(value) if isinstance(value, bool | IntEnum) else value


def row_of(step: Step) -> list[Any]:
    """The values of a step's columns.

    Raises
    ------
    SettlementRejected : a name or key is longer than its column.
    """
    for name, value in zip(LONGEST, _texts_of(step), strict=True):
        if value is not None and len(value) > LONGEST[name]:
            raise rejected(f"The {name} has {len(value)} characters of {LONGEST[name]}.")
    return [plain(value) for value in _values_of(step)]


def failures_of(row: Sequence[Any]) -> Failures:
    """A group of failed steps: name, fingerprint, count, first and last end, id, description."""
    name, fingerprint, count, first, last, step_id, description = row
    ends = known_utc(first), known_utc(last)
    return Failures(name, fingerprint, count, *ends, UUID(step_id), description)


def told(settlement: Settlement) -> str:
    """What a settlement says of its row, as a JSON object; what it does not say is left out."""
    values = zip(_TOLD, _told_values(settlement), strict=True)
    row = {name: plain(value) for name, value in values if value is not None}
    return json.dumps(row | {"step_id": str(settlement.claim.step_id)}, ensure_ascii=False)


def texts(ids: Iterable[UUID]) -> tuple[str, ...]:
    """Ids as they are in the rows."""
    return tuple(str(one) for one in ids)


def claim_values(engine_id: UUID, claims: Iterable[Claim]) -> dict[str, Any]:
    """The parameters of statements that look for claims of an engine; there must be one."""
    pairs = tuple((str(claim.step_id), claim.claim_no) for claim in claims)
    return {
        "engine": str(engine_id),
        "ids": tuple(step_id for step_id, _ in pairs),
        "claims": pairs,
    }
