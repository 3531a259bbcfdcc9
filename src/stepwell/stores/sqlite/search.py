"""A `StepQuery` as SQL: fixed conditions, chosen by which fields are set."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.columns import COLUMNS
from stepwell.stores.matching import EXACT, PREFIXES, RANGES, TEXTS
from stepwell.stores.sqlite.rows import ids_json, plain

_LAST: Final = "char(1114111)"

_CONDITIONS: Final[dict[str, str]] = {
    **{name: f"{name} = :{name}" for name in EXACT if name != "status"},
    "ids": "id IN (SELECT value FROM json_each(:ids))",
    **{
        f"{name}_prefix": f"{name} >= :{name}_prefix AND {name} < :{name}_prefix || {_LAST}"
        for name in PREFIXES
    },
    **{f"{name}_contains": f"instr({name}, :{name}_contains) > 0" for name in TEXTS},
    **{f"{name}_from": f"{field} >= :{name}_from" for name, field in RANGES.items()},
    **{f"{name}_to": f"{field} < :{name}_to" for name, field in RANGES.items()},
}
_NAMES: Final = (*_CONDITIONS, "after", "limit")
_values: Final = attrgetter(*_NAMES)
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


def count_sql(query: StepQuery, *, capped: bool = False) -> str:
    """Three counts in one statement, so that they are of one moment; capped at `:at_most`."""
    wanted = _statuses(query)
    form = (
        "(SELECT count(*) FROM (SELECT 1 {} LIMIT :at_most))" if capped else "(SELECT count(*) {})"
    )
    rows = {
        status: f"FROM stepwell_{status} WHERE {_where(query, status, [])}" for status in wanted
    }
    counts = [form.format(rows[status]) if status in rows else "0" for status in StepStatus]
    return "SELECT " + ", ".join(counts)


def failures_sql(query: StepQuery) -> str:
    """Groups of failed rows, and the last row of each: the one of the newest id, if several."""
    where = _where(query, StepStatus.FAILED, [])
    return f"""
        SELECT same.name, same.fingerprint, same.count, same.first_at, same.last_at,
            sample.id, sample.description
        FROM (
            SELECT name, fingerprint, count(*) AS count,
                min(ended_at) AS first_at, max(ended_at) AS last_at
            FROM stepwell_failed WHERE {where} GROUP BY fingerprint, name
        ) AS same
        JOIN stepwell_failed AS sample ON sample.id = (
            SELECT id FROM stepwell_failed
            WHERE {where} AND name = same.name AND fingerprint IS same.fingerprint
                AND ended_at = same.last_at
            ORDER BY id DESC LIMIT 1
        )
        ORDER BY same.last_at DESC, sample.id DESC LIMIT :limit
    """  # noqa: S608 - constants only


def parameters(query: StepQuery) -> dict[str, Any]:
    """The values of the query's fields, as far as they are set: no other one is in its SQL."""
    given = zip(_NAMES, _values(query), strict=True)
    values = {name: plain(value) for name, value in given if value is not None}
    if query.ids is not None:
        values["ids"] = ids_json(query.ids)
    return values


def _statuses(query: StepQuery) -> list[StepStatus]:
    return [status for status in StepStatus if query.status in (None, status)]


def _where(query: StepQuery, status: StepStatus, more: list[str]) -> str:
    found = [sql for name, sql in _CONDITIONS.items() if getattr(query, name) is not None]
    if query.claimed is not None:
        found.append(_CLAIMED[status is StepStatus.READY, query.claimed])
    return " AND ".join([*found, *more]) or "1"
