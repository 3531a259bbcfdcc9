"""What may follow where the cursor stands in a query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Column, Connection, select

from stepwell.server.database.tables import groups, release_workflows, schedules
from stepwell.server.search.language import quoted
from stepwell.server.search.qualifiers import QUALIFIERS
from stepwell.server.search.records import Completion

MOST: Final = 20

_WORD: Final = re.compile(r"(-?)([a-z][a-zA-Z0-9_.-]*)?(?:(:)(?:[^\s,]*,)*([^\s,]*))?$")
_NAMES: Final[dict[str, Column[Any]]] = {
    "workflow": release_workflows.c.workflow,
    "group": groups.c.name,
    "schedule": schedules.c.name,
}
_SPANS: Final = {"15m": "15 minutes", "1h": "an hour", "24h": "a day", "7d": "a week"}


def completions(conn: Connection, query: str, at: int | None = None) -> list[Completion]:
    """What could stand at the column `at` (from 1; None: at the end), best first."""
    before = query if at is None else query[: at - 1]
    found = _WORD.search(before)
    if found is None or before.count('"') % 2:
        return []
    if found[3] is None:
        begin = found.start() + len(found[1])
        return _keys(found[2] or "", begin + 1)
    value = found[4]
    column = len(before) - len(value) + 1
    offered = _values(conn, found[2] or "", value)
    return [Completion(text=quoted(t), meaning=m, column=column) for t, m in offered][:MOST]


def _keys(begun: str, column: int) -> list[Completion]:
    fits = [one for one in QUALIFIERS.values() if one.name.startswith(begun)]
    return [
        Completion(
            text=one.name.removesuffix("NAME") + ("" if one.name.endswith("NAME") else ":"),
            meaning=f"{one.meaning}, as in {one.example}",
            column=column,
        )
        for one in fits
    ][:MOST]


def _values(conn: Connection, key: str, begun: str) -> Iterable[tuple[str, str]]:
    if key in _NAMES:
        return [(name, key) for name in _names(conn, _NAMES[key], begun)]
    qualifier = QUALIFIERS.get(key)
    if qualifier is not None and qualifier.values:
        return [(v, qualifier.meaning) for v in qualifier.values if v.startswith(begun)]
    if key in ("since", "until"):
        return [(text, f"{said} ago") for text, said in _SPANS.items() if text.startswith(begun)]
    return [("me", "you")] if key == "by" and "me".startswith(begun) else []


def _names(conn: Connection, column: Column[Any], begun: str) -> list[str]:
    query = select(column).where(column.startswith(begun, autoescape=True))
    return list(conn.execute(query.distinct().order_by(column).limit(MOST)).scalars())
