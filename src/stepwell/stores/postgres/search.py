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
    "correlation_id_prefix": SQL(
        "correlation_id >= %(correlation_id_prefix)s"
        " AND correlation_id < %(correlation_id_prefix_end)s"
    ),
    "description_contains": SQL("strpos(description, %(description_contains)s) > 0"),
    "state_contains": SQL("strpos(state, %(state_contains)s) > 0"),
    "activation_args_contains": SQL("strpos(activation_args, %(activation_args_contains)s) > 0"),
    "result_contains": SQL("strpos(result, %(result_contains)s) > 0"),
    "state_format": SQL("state_format = %(state_format)s"),
    "retention": SQL("retention = %(retention)s"),
    "fingerprint": SQL("fingerprint = %(fingerprint)s"),
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
    "started_from": SQL("execution_started_at >= %(started_from)s"),
    "started_to": SQL("execution_started_at < %(started_to)s"),
    "ended_from": SQL("ended_at >= %(ended_from)s"),
    "ended_to": SQL("ended_at < %(ended_to)s"),
    "duration_from": SQL("execution_duration >= %(duration_from)s"),
    "duration_to": SQL("execution_duration < %(duration_to)s"),
    "execution_count_from": SQL("execution_count >= %(execution_count_from)s"),
    "execution_count_to": SQL("execution_count < %(execution_count_to)s"),
    "failure_count_from": SQL("failure_count >= %(failure_count_from)s"),
    "failure_count_to": SQL("failure_count < %(failure_count_to)s"),
    "lost_count_from": SQL("lost_count >= %(lost_count_from)s"),
    "lost_count_to": SQL("lost_count < %(lost_count_to)s"),
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


def counts(query: StepQuery, at_most: int | None = None) -> tuple[Composed, dict[str, Any]]:
    """The statement and parameters that count the matches, per table, up to one above `at_most`."""
    wanted = [status for status in StepStatus if query.status in (None, status)]
    one = SQL("SELECT {}, count(*) FROM {} WHERE {}")
    if at_most is not None:
        one = SQL("SELECT {}, count(*) FROM (SELECT FROM {} WHERE {} LIMIT %(at_most)s) AS found")
    where = _where(query)
    parts = [one.format(status.value, TABLES[status], where) for status in wanted]
    values = _parameters(query) | {"at_most": None if at_most is None else at_most + 1}
    return SQL(" UNION ALL ").join(parts), values


def failures(query: StepQuery) -> tuple[Composed, dict[str, Any]]:
    """The statement and parameters for groups of failed rows, with the last row of each."""
    statement = SQL("""
        SELECT same.name, same.fingerprint, same.count, same.first_at, same.last_at,
            sample.id, sample.description
        FROM (
            SELECT name, fingerprint, count(*) AS count,
                min(ended_at) AS first_at, max(ended_at) AS last_at
            FROM stepwell_failed WHERE {where} GROUP BY name, fingerprint
        ) AS same
        CROSS JOIN LATERAL (
            SELECT id, description FROM stepwell_failed
            WHERE {where} AND name = same.name
                AND fingerprint IS NOT DISTINCT FROM same.fingerprint
                AND ended_at = same.last_at
            ORDER BY id DESC LIMIT 1
        ) AS sample
        ORDER BY same.last_at DESC, sample.id DESC LIMIT %(limit)s
    """)
    return statement.format(where=_where(query)), _parameters(query) | {"limit": query.limit}


def narrows(query: StepQuery) -> bool:
    """Whether any field but the status, and those of paging, is set."""
    return any(getattr(query, name) is not None for name in _CONDITIONS)


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
    for name in ("name_prefix", "search_key_prefix", "correlation_id_prefix"):
        values[f"{name}_end"] = f"{values[name]}{_LAST_CHARACTER}"
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """Enumerations as what they stand for; the driver has types of its own for enums."""
    return getattr(value, "value", value)
