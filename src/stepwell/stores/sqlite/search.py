"""A `StepQuery` as SQL: fixed conditions, chosen by which fields are set."""

from __future__ import annotations

from typing import Any, Final

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.matching import EXACT
from stepwell.stores.sqlite.rows import COLUMNS, ids_json, plain

_LAST: Final = "char(1114111)"

_CONDITIONS: Final[dict[str, str]] = {
    **{name: f"{name} = :{name}" for name in EXACT if name != "status"},
    "ids": "id IN (SELECT value FROM json_each(:ids))",
    "name_prefix": f"name >= :name_prefix AND name < :name_prefix || {_LAST}",
    "search_key_prefix": (
        f"search_key >= :search_key_prefix AND search_key < :search_key_prefix || {_LAST}"
    ),
    "description_contains": "instr(description, :description_contains) > 0",
    "created_from": "created_at >= :created_from",
    "created_to": "created_at < :created_to",
    "scheduled_from": "schedule_time >= :scheduled_from",
    "scheduled_to": "schedule_time < :scheduled_to",
    "ended_from": "ended_at >= :ended_from",
    "ended_to": "ended_at < :ended_to",
}
_AFTER: Final = {False: "id < :after", True: "id > :after"}
_ORDER: Final = {False: "id DESC", True: "id"}
# An ended row keeps the name of who ended it, and is in nobody's hands.
_CLAIMED: Final[dict[tuple[bool, bool], str]] = {
    (True, True): "claimed_by IS NOT NULL",
    (True, False): "claimed_by IS NULL",
    (False, True): "0",
    (False, False): "1",
}


def page_sql(query: StepQuery) -> str:
    """One page over the tables that can hold a match, merged by id."""
    after = [] if query.after is None else [_AFTER[query.oldest_first]]
    arms = [
        f"SELECT {', '.join(COLUMNS)} FROM stepwell_{status} "  # noqa: S608 - constants only
        f"WHERE {_where(query, status, after)}"
        for status in _statuses(query)
    ]
    return " UNION ALL ".join(arms) + f" ORDER BY {_ORDER[query.oldest_first]} LIMIT :limit"


def count_sql(query: StepQuery) -> str:
    """Three counts in one statement, so that they are of one moment."""
    wanted = _statuses(query)
    counts = [
        f"(SELECT count(*) FROM stepwell_{status} WHERE {_where(query, status, [])})"  # noqa: S608
        if status in wanted
        else "0"
        for status in StepStatus
    ]
    return "SELECT " + ", ".join(counts)


def parameters(query: StepQuery) -> dict[str, Any]:
    """The values of the query's fields."""
    names = [*_CONDITIONS, "after", "limit"]
    values = {name: plain(getattr(query, name)) for name in names}
    return values | {"ids": None if query.ids is None else ids_json(query.ids)}


def _statuses(query: StepQuery) -> list[StepStatus]:
    return [status for status in StepStatus if query.status in (None, status)]


def _where(query: StepQuery, status: StepStatus, more: list[str]) -> str:
    found = [sql for name, sql in _CONDITIONS.items() if getattr(query, name) is not None]
    if query.claimed is not None:
        found.append(_CLAIMED[status is StepStatus.READY, query.claimed])
    return " AND ".join([*found, *more]) or "1"
