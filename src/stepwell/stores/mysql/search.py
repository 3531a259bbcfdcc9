"""A `StepQuery` as SQL: fixed conditions, chosen by which fields are set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from zlib import crc32

from stepwell.step import StepQuery, StepStatus
from stepwell.stores.columns import COLUMNS
from stepwell.stores.matching import EXACT, PREFIXES, RANGES, TEXTS
from stepwell.stores.mysql.rows import plain, texts

_LAST: Final = "\U0010ffff"
_LOCKS: Final = 16

_CONDITIONS: Final[dict[str, str]] = {
    **{name: f"{name} = %({name})s" for name in EXACT if name != "status"},
    "ids": "id IN %(ids)s",
    **{
        f"{name}_prefix": f"{name} >= %({name}_prefix)s AND {name} < %({name}_prefix_end)s"
        for name in PREFIXES
    },
    **{f"{name}_contains": f"LOCATE(%({name}_contains)s, {name}) > 0" for name in TEXTS},
    **{f"{name}_from": f"{field} >= %({name}_from)s" for name, field in RANGES.items()},
    **{f"{name}_to": f"{field} < %({name}_to)s" for name, field in RANGES.items()},
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


def count_sql(query: StepQuery, *, capped: bool = False) -> str:
    """Three counts in one statement, so that they are of one moment; capped at `at_most`."""
    form = "(SELECT COUNT(*) {})"
    if capped:
        form = "(SELECT COUNT(*) FROM (SELECT 1 {} LIMIT %(at_most)s) AS found)"
    rows = {
        status: f"FROM stepwell_{status} WHERE {_where(query, status, [])}"
        for status in _statuses(query)
    }
    counts = [form.format(rows[status]) if status in rows else "0" for status in StepStatus]
    return "SELECT " + ", ".join(counts)


def failures_sql(query: StepQuery) -> str:
    """Groups of failed rows, and the last row of each: the one of the newest id, if several."""
    where = _where(query, StepStatus.FAILED, [])
    return f"""
        SELECT same.name, same.fingerprint, same.total, same.first_at, same.last_at,
            sample.id, sample.description
        FROM (
            SELECT name, fingerprint, COUNT(*) AS total,
                MIN(ended_at) AS first_at, MAX(ended_at) AS last_at
            FROM stepwell_failed WHERE {where} GROUP BY fingerprint, name
        ) AS same
        JOIN stepwell_failed AS sample ON sample.id = (
            SELECT id FROM stepwell_failed
            WHERE {where} AND name = same.name AND fingerprint <=> same.fingerprint
                AND ended_at = same.last_at
            ORDER BY id DESC LIMIT 1
        )
        ORDER BY same.last_at DESC, sample.id DESC LIMIT %(limit)s
    """  # noqa: S608 - constants only


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
    for name in PREFIXES:
        values[f"{name}_prefix_end"] = f"{values[f'{name}_prefix']}{_LAST}"
    return values


def _statuses(query: StepQuery) -> list[StepStatus]:
    return [status for status in StepStatus if query.status in (None, status)]


def _where(query: StepQuery, status: StepStatus, more: list[str]) -> str:
    found = [sql for name, sql in _CONDITIONS.items() if getattr(query, name) is not None]
    if query.claimed is not None:
        found.append(_CLAIMED[status is StepStatus.READY, query.claimed])
    return " AND ".join([*found, *more]) or "TRUE"
