"""Whether a row is what a `StepQuery` asks for. The SQL stores write the same as conditions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from stepwell.step import Step, StepQuery, StepStatus

EXACT = (
    "status",
    "name",
    "queue",
    "priority",
    "unique_key",
    "flow_id",
    "correlation_id",
    "search_key",
    "limit_key",
    "rate_key",
    "created_by_step_id",
    "copy_of",
    "join_id",
    "executed_by",
    "ended_as",
)
"""Fields of a query that equal the row's field of the same name."""


def matches(query: StepQuery, step: Step) -> bool:
    """Whether every field that is set in the query fits the step; paging does not count."""
    return (
        all(_equal(getattr(query, name), getattr(step, name)) for name in EXACT)
        and (query.ids is None or step.id in query.ids)
        and _text_fits(query, step)
        and _claim_fits(query.claimed, step)
        and _times_fit(query, step)
    )


def page(query: StepQuery, steps: Iterable[Step]) -> list[Step]:
    """The page of `steps` that the query asks for, by id."""
    ordered = sorted(steps, key=lambda step: step.id, reverse=not query.oldest_first)
    rest = [step for step in ordered if _is_after(query, step)]
    return rest[: query.limit]


def _is_after(query: StepQuery, step: Step) -> bool:
    if query.after is None:
        return True
    return step.id > query.after if query.oldest_first else step.id < query.after


def _equal(wanted: Any, actual: Any) -> bool:
    return wanted is None or wanted == actual


def _text_fits(query: StepQuery, step: Step) -> bool:
    contains = query.description_contains
    return (
        _starts(step.name, query.name_prefix)
        and _starts(step.search_key, query.search_key_prefix)
        and (contains is None or (step.description is not None and contains in step.description))
    )


def _starts(text: str | None, prefix: str | None) -> bool:
    return prefix is None or (text is not None and text.startswith(prefix))


def _claim_fits(wanted: bool | None, step: Step) -> bool:
    """An ended row is in nobody's hands, though it keeps the name of who ended it."""
    held = step.status is StepStatus.READY and step.claimed_by is not None
    return wanted is None or wanted == held


def _times_fit(query: StepQuery, step: Step) -> bool:
    return (
        _within(step.created_at, query.created_from, query.created_to)
        and _within(step.schedule_time, query.scheduled_from, query.scheduled_to)
        and _within(step.ended_at, query.ended_from, query.ended_to)
    )


def _within(instant: datetime | None, start: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    if instant is None:
        return False
    return (start is None or start <= instant) and (end is None or instant < end)
