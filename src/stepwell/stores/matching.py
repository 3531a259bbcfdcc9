"""Whether a row is what a `StepQuery` asks for. The SQL stores write the same as conditions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stepwell.step import EndedAs, Step, StepQuery, StepStatus
from stepwell.stores.protocol import Counts, Failures

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
    "retention",
    "fingerprint",
    "state_format",
)
"""Fields of a query that equal the row's field of the same name."""

PREFIXES = ("name", "search_key", "correlation_id")
"""Fields of a row that a query may know by their beginning, as `..._prefix`."""

TEXTS = ("description", "state", "activation_args", "result")
"""Fields of a row that a query may look into, as `..._contains`."""

RANGES = {
    "created": "created_at",
    "scheduled": "schedule_time",
    "started": "execution_started_at",
    "ended": "ended_at",
    "duration": "execution_duration",
    "execution_count": "execution_count",
    "failure_count": "failure_count",
    "lost_count": "lost_count",
}
"""Ranges of a query, `..._from` and `..._to`, half open: the row's field by the range's name."""


def matches(query: StepQuery, step: Step) -> bool:
    """Whether every field that is set in the query fits the step; paging does not count."""
    return (
        all(_equal(getattr(query, name), getattr(step, name)) for name in EXACT)
        and (query.ids is None or step.id in query.ids)
        and _text_fits(query, step)
        and _claim_fits(query.claimed, step)
        and _ranges_fit(query, step)
    )


def page(query: StepQuery, steps: Iterable[Step]) -> list[Step]:
    """The page of `steps` that the query asks for, by id."""
    ordered = sorted(steps, key=lambda step: step.id, reverse=not query.oldest_first)
    rest = [step for step in ordered if _is_after(query, step)]
    return rest[: query.limit]


def counted(found: Sequence[int], at_most: int | None) -> Counts:
    """The counts of ready, done and failed; what is beyond `at_most` is cut, and marked."""
    ready, done, failed = found if at_most is None else [min(rows, at_most) for rows in found]
    rows_of = zip(StepStatus, found, strict=True)
    more = [status for status, rows in rows_of if at_most is not None and rows > at_most]
    return Counts(ready, done, failed, tuple(more))


def failed_alone(query: StepQuery) -> StepQuery:
    """The query for what `failures` groups: no cancelled step, unless it asks for them."""
    return replace(query, status=StepStatus.FAILED, ended_as=query.ended_as or EndedAs.FAILED)


def groups_of(query: StepQuery, steps: Iterable[Step]) -> list[Failures]:
    """Failed steps, grouped by name and fingerprint, newest end first."""
    groups: dict[tuple[str, str | None], list[Step]] = {}
    for step in sorted(steps, key=_end):
        groups.setdefault((step.name, step.fingerprint), []).append(step)
    newest = sorted(groups.values(), key=lambda group: _end(group[-1]), reverse=True)
    return [_group(group) for group in newest[: query.limit]]


def _end(step: Step) -> tuple[datetime, UUID]:
    assert step.ended_at is not None
    return step.ended_at, step.id


def _group(steps: Sequence[Step]) -> Failures:
    last = steps[-1]
    ends = _end(steps[0])[0], _end(last)[0]
    return Failures(last.name, last.fingerprint, len(steps), *ends, last.id, last.description)


def _is_after(query: StepQuery, step: Step) -> bool:
    if query.after is None:
        return True
    return step.id > query.after if query.oldest_first else step.id < query.after


def _equal(wanted: Any, actual: Any) -> bool:
    return wanted is None or wanted == actual


def _text_fits(query: StepQuery, step: Step) -> bool:
    return all(
        _starts(getattr(step, name), getattr(query, f"{name}_prefix")) for name in PREFIXES
    ) and all(_has(getattr(step, name), getattr(query, f"{name}_contains")) for name in TEXTS)


def _has(text: str | None, part: str | None) -> bool:
    return part is None or (text is not None and part in text)


def _starts(text: str | None, prefix: str | None) -> bool:
    return prefix is None or (text is not None and text.startswith(prefix))


def _claim_fits(wanted: bool | None, step: Step) -> bool:
    """An ended row is in nobody's hands, though it keeps the name of who ended it."""
    held = step.status is StepStatus.READY and step.claimed_by is not None
    return wanted is None or wanted == held


def _ranges_fit(query: StepQuery, step: Step) -> bool:
    return all(
        _within(getattr(step, field), getattr(query, f"{name}_from"), getattr(query, f"{name}_to"))
        for name, field in RANGES.items()
    )


def _within(value: Any, start: Any, end: Any) -> bool:
    if start is None and end is None:
        return True
    if value is None:
        return False
    return (start is None or start <= value) and (end is None or value < end)
