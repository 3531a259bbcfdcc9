"""Which steps are meant: what a search, a count or a re-execution asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from stepwell import given
from stepwell.errors import InvalidInput
from stepwell.kinds import EndedAs, Priority, Retention, StepStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class StepQuery:
    """Which steps are meant; every field that is set narrows. Newest first, paged by id.

    `after` is the id of the last step of the page before; ranges are half open. The text
    fields look in what is stored: JSON, unless a codec says otherwise. `duration_from` and
    `duration_to` are seconds.
    """

    ids: tuple[UUID, ...] | None = None
    status: StepStatus | None = None
    name: str | None = None
    name_prefix: str | None = None
    queue: str | None = None
    priority: Priority | None = None
    unique_key: str | None = None
    flow_id: UUID | None = None
    correlation_id: str | None = None
    search_key: str | None = None
    search_key_prefix: str | None = None
    limit_key: str | None = None
    rate_key: str | None = None
    correlation_id_prefix: str | None = None
    description_contains: str | None = None
    state_contains: str | None = None
    activation_args_contains: str | None = None
    result_contains: str | None = None
    state_format: str | None = None
    retention: Retention | None = None
    fingerprint: str | None = None
    created_by_step_id: UUID | None = None
    copy_of: UUID | None = None
    join_id: UUID | None = None
    executed_by: str | None = None
    ended_as: EndedAs | None = None
    claimed: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    scheduled_from: datetime | None = None
    scheduled_to: datetime | None = None
    started_from: datetime | None = None
    started_to: datetime | None = None
    ended_from: datetime | None = None
    ended_to: datetime | None = None
    duration_from: float | None = None
    duration_to: float | None = None
    execution_count_from: int | None = None
    execution_count_to: int | None = None
    failure_count_from: int | None = None
    failure_count_to: int | None = None
    lost_count_from: int | None = None
    lost_count_to: int | None = None
    oldest_first: bool = False
    after: UUID | None = None
    limit: int = 100

    def __post_init__(self) -> None:
        given.normalised(self, _ASKED)


def step_query(query: StepQuery | None, fields: Mapping[str, Any]) -> StepQuery:
    """What a caller asks for, as a query or as its fields.

    Raises
    ------
    InvalidInput : both, no query, or a field that there is not.
    """
    if query is None:
        given.known("A search", fields, _QUERY_FIELDS)
        return StepQuery(**fields)
    fix = "Give the fields as keywords: name='v1/send-invoice'."
    given.of_type("The query", query, StepQuery, fix)
    if fields:
        raise InvalidInput(
            f"A search has a query and {', '.join(sorted(fields))} beside it.",
            fix="Put all of it into the query: dataclasses.replace(query, ...).",
        )
    return query


def several_ids(what: str, value: Any) -> tuple[UUID, ...]:
    """The ids as a tuple; raises `InvalidInput` for one alone, and for what is no id."""
    if isinstance(value, UUID | str):
        raise InvalidInput(f"{what} is one id, and no list of them.", fix="Give [id].")
    given.of_type(what, value, Iterable, "Give a list of ids.")
    several = tuple(value)
    for one in several:
        given.identity(f"one of {what}", one)
    return several


def _number(what: str, value: Any) -> None:
    given.of_type(what, value, (int, float), "Give a number.")


def row_count(what: str, value: Any) -> None:
    """Raise `InvalidInput` unless it is a number of rows."""
    given.of_type(what, value, int, "Give a number of rows.")
    if value < 0:
        raise InvalidInput(f"{what}={value} rows are none.", fix="Give a number of rows, or 0.")


_SPANS: Final = ("created", "scheduled", "started", "ended")
_COUNTS: Final = ("duration", "execution_count", "failure_count", "lost_count")
_TEXTS: Final = (
    "name",
    "name_prefix",
    "queue",
    "unique_key",
    "correlation_id",
    "correlation_id_prefix",
    "search_key",
    "search_key_prefix",
    "limit_key",
    "rate_key",
    "description_contains",
    "state_contains",
    "activation_args_contains",
    "result_contains",
    "state_format",
    "fingerprint",
    "executed_by",
)
_ASKED: Final = {
    "ids": several_ids,
    "status": given.one_of(StepStatus),
    "ended_as": given.one_of(EndedAs),
    "priority": given.one_of(Priority),
    "retention": given.one_of(Retention),
    "limit": row_count,
    **dict.fromkeys(
        ("flow_id", "created_by_step_id", "copy_of", "join_id", "after"), given.identity
    ),
    **dict.fromkeys((f"{what}_{end}" for what in _SPANS for end in ("from", "to")), given.instant),
    **dict.fromkeys((f"{what}_{end}" for what in _COUNTS for end in ("from", "to")), _number),
    **dict.fromkeys(_TEXTS, given.text),
}
_QUERY_FIELDS: Final = tuple(one.name for one in dataclasses.fields(StepQuery))
