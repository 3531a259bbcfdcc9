"""A `StepQuery` as SQL: fixed conditions, chosen by which fields are set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from zlib import crc32

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.matching import EXACT
from stepwell.stores.mysql.rows import COLUMNS, plain, texts

_LAST: Final = "\U0010ffff"
_LOCKS: Final = 16

_CONDITIONS: Final[dict[str, str]] = {
    **{name: f"{name} = %({name})s" for name in EXACT if name != "status"},
    "ids": "id IN %(ids)s",
    "name_prefix": "name >= %(name_prefix)s AND name < %(name_prefix_end)s",
    "search_key_prefix": (
        "search_key >= %(search_key_prefix)s AND search_key < %(search_key_prefix_end)s"
    ),
    "description_contains": "LOCATE(%(description_contains)s, description) > 0",
    "created_from": "created_at >= %(created_from)s",
    "created_to": "created_at < %(created_to)s",
    "scheduled_from": "schedule_time >= %(scheduled_from)s",
    "scheduled_to": "schedule_time < %(scheduled_to)s",
    "ended_from": "ended_at >= %(ended_from)s",
    "ended_to": "ended_at < %(ended_to)s",
}
_AFTER: Final = {False: "id < %(after)s", True: "id > %(after)s"}
_ORDER: Final = {False: "id DESC", True: "id"}
# An ended row keeps the name of who ended it, and is in nobody's hands.
_CLAIMED: Final[dict[tuple[bool, bool], str]] = {
    (True, True): "claimed_by IS NOT NULL",
    (True, False): "claimed_by IS NULL",
    (False, True): "FALSE",
    (False, False): "TRUE",
}


def page_sql(query: StepQuery) -> str:
    """One page over the tables that can hold a match: a page of each, merged by id."""
    after = [] if query.after is None else [_AFTER[query.oldest_first]]
    end = f" ORDER BY {_ORDER[query.oldest_first]} LIMIT %(limit)s"
    arms = [
        f"(SELECT {', '.join(COLUMNS)} FROM stepwell_{status} "  # noqa: S608 - constants only
        f"WHERE {_where(query, status, after)}{end})"
        for status in _statuses(query)
    ]
    return " UNION ALL ".join(arms) + end


def count_sql(query: StepQuery) -> str:
    """Three counts in one statement, so that they are of one moment."""
    wanted = _statuses(query)
    counts = [
        f"(SELECT COUNT(*) FROM stepwell_{status} WHERE {_where(query, status, [])})"  # noqa: S608
        if status in wanted
        else "0"
        for status in StepStatus
    ]
    return "SELECT " + ", ".join(counts)


def match_sql(query: StepQuery) -> list[str]:
    """A statement for each table that can hold a match: whether it has one."""
    return [
        f"SELECT 1 FROM stepwell_{status} WHERE {_where(query, status, [])} LIMIT 1"  # noqa: S608
        for status in _statuses(query)
    ]


def lock_key(query: StepQuery) -> str:
    """The row to lock: one for the same criteria, whatever the paging (R9)."""
    criteria = repr(replace(query, oldest_first=False, after=None, limit=1))
    return f"criteria_{crc32(criteria.encode()) % _LOCKS}"


def parameters(query: StepQuery) -> dict[str, Any]:
    """The values of the query's fields."""
    values = {name: plain(getattr(query, name)) for name in [*_CONDITIONS, "after", "limit"]}
    values["ids"] = texts(query.ids or ()) or (None,)
    for name in ("name_prefix", "search_key_prefix"):
        values[f"{name}_end"] = f"{values[name]}{_LAST}"
    return values


def _statuses(query: StepQuery) -> list[StepStatus]:
    return [status for status in StepStatus if query.status in (None, status)]


def _where(query: StepQuery, status: StepStatus, more: list[str]) -> str:
    found = [sql for name, sql in _CONDITIONS.items() if getattr(query, name) is not None]
    if query.claimed is not None:
        found.append(_CLAIMED[status is StepStatus.READY, query.claimed])
    return " AND ".join([*found, *more]) or "TRUE"
