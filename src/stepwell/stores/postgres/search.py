"""A `StepQuery` as SQL: fixed fragments and parameters, nothing of the query in the text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from psycopg.sql import SQL, Composed

from stepwell.step import StepQuery, StepStatus

TABLES: Final = {
    None: SQL("stepwell_steps"),
    StepStatus.READY: SQL("stepwell_ready"),
    StepStatus.DONE: SQL("stepwell_done"),
    StepStatus.FAILED: SQL("stepwell_failed"),
}

_CONDITIONS: Final = {
    "ids": SQL("id = ANY(%(ids)s)"),
    "name": SQL("name = %(name)s"),
    "name_prefix": SQL("name >= %(name_prefix)s AND name < %(name_prefix_end)s"),
    "queue": SQL("queue = %(queue)s"),
    "priority": SQL("priority = %(priority)s"),
    "unique_key": SQL("unique_key = %(unique_key)s"),
    "flow_id": SQL("flow_id = %(flow_id)s"),
    "correlation_id": SQL("correlation_id = %(correlation_id)s"),
    "search_key": SQL("search_key = %(search_key)s"),
    "search_key_prefix": SQL(
        "search_key >= %(search_key_prefix)s AND search_key < %(search_key_prefix_end)s"
    ),
    "limit_key": SQL("limit_key = %(limit_key)s"),
    "rate_key": SQL("rate_key = %(rate_key)s"),
    "description_contains": SQL("strpos(description, %(description_contains)s) > 0"),
    "created_by_step_id": SQL("created_by_step_id = %(created_by_step_id)s"),
    "copy_of": SQL("copy_of = %(copy_of)s"),
    "join_id": SQL("join_id = %(join_id)s"),
    "executed_by": SQL("executed_by = %(executed_by)s"),
    "ended_as": SQL("ended_as = %(ended_as)s"),
    "claimed": SQL("(claimed_by IS NOT NULL AND ended_as IS NULL) = %(claimed)s"),
    "created_from": SQL("created_at >= %(created_from)s"),
    "created_to": SQL("created_at < %(created_to)s"),
    "scheduled_from": SQL("schedule_time >= %(scheduled_from)s"),
    "scheduled_to": SQL("schedule_time < %(scheduled_to)s"),
    "ended_from": SQL("ended_at >= %(ended_from)s"),
    "ended_to": SQL("ended_at < %(ended_to)s"),
}

_LAST_CHARACTER: Final = "\U0010ffff"


def page(query: StepQuery) -> tuple[Composed, dict[str, Any]]:
    """The statement and parameters for one page of the steps that match."""
    forward = query.oldest_first
    after = SQL(" AND id > %(after)s") if forward else SQL(" AND id < %(after)s")
    order = SQL(" ORDER BY id") if forward else SQL(" ORDER BY id DESC")
    statement = SQL("SELECT * FROM {} WHERE {}{}{} LIMIT %(limit)s").format(
        TABLES[query.status], _where(query), after if query.after else SQL(""), order
    )
    return statement, _parameters(query) | {"after": query.after, "limit": query.limit}


def counts(query: StepQuery) -> tuple[Composed, dict[str, Any]]:
    """The statement and parameters that count the matches, per table."""
    wanted = [status for status in StepStatus if query.status in (None, status)]
    one = SQL("SELECT {} AS status, count(*) FROM {} WHERE {}")
    where = _where(query)
    parts = [one.format(status.value, TABLES[status], where) for status in wanted]
    return SQL(" UNION ALL ").join(parts), _parameters(query)


def any_match(query: StepQuery) -> tuple[Composed, dict[str, Any]]:
    """The statement and parameters that tell whether any step matches."""
    statement = SQL("SELECT 1 FROM {} WHERE {} LIMIT 1")
    return statement.format(TABLES[query.status], _where(query)), _parameters(query)


def criteria(query: StepQuery) -> str:
    """The same text for the same criteria, whatever the paging: what `add_if_none` locks (R9)."""
    return repr(replace(query, oldest_first=False, after=None, limit=1))


def _where(query: StepQuery) -> Composed:
    conditions = [sql for name, sql in _CONDITIONS.items() if getattr(query, name) is not None]
    return SQL(" AND ").join([SQL("true"), *conditions])


def _parameters(query: StepQuery) -> dict[str, Any]:
    values = {name: getattr(query, name) for name in _CONDITIONS}
    values["ids"] = None if query.ids is None else list(query.ids)
    for name in ("name_prefix", "search_key_prefix"):
        values[f"{name}_end"] = f"{values[name]}{_LAST_CHARACTER}"
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """Enumerations as what they stand for; the driver has types of its own for enums."""
    return getattr(value, "value", value)
