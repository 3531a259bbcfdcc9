"""What may follow where the cursor stands in a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from sqlalchemy import Column, Connection, select

from stepwell.server.database.tables import groups, release_workflows, schedules
from stepwell.server.search.language import quoted
from stepwell.server.search.of_steps import QUALIFIERS as OF_STEPS
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


Pair: TypeAlias = tuple[str, str]
"""What could be written, and what it means."""


def completions(conn: Connection, query: str, at: int | None = None) -> list[Completion]:
    """What could stand at the column `at` (from 1; None: at the end), best first."""
    keys = [
        (
            one.name.removesuffix("NAME") + ("" if one.name.endswith("NAME") else ":"),
            f"{one.meaning}, as in {one.example}",
        )
        for one in QUALIFIERS.values()
    ]
    return _offered(query, at, keys, lambda key, begun: _values(conn, key, begun))


def completions_of_steps(query: str, at: int | None = None) -> list[Completion]:
    """The same of a query of steps, whose names no table keeps."""
    keys = [(f"{key}:", f"{one.meaning}, as in {one.example}") for key, one in OF_STEPS.items()]
    return _offered(query, at, keys, _values_of_steps)


def _offered(
    query: str, at: int | None, keys: list[Pair], values: Callable[[str, str], Iterable[Pair]]
) -> list[Completion]:
    before = query if at is None else query[: at - 1]
    found = _WORD.search(before)
    if found is None or before.count('"') % 2:
        return []
    if found[3] is None:
        begun, column = found[2] or "", found.start() + len(found[1]) + 1
        fits = [(text, meaning) for text, meaning in keys if text.startswith(begun)]
        return [Completion(text=text, meaning=m, column=column) for text, m in fits][:MOST]
    value = found[4]
    column = len(before) - len(value) + 1
    offered = values(found[2] or "", value)
    return [Completion(text=quoted(t), meaning=m, column=column) for t, m in offered][:MOST]


def _values(conn: Connection, key: str, begun: str) -> Iterable[Pair]:
    if key in _NAMES:
        return [(name, key) for name in _names(conn, _NAMES[key], begun)]
    qualifier = QUALIFIERS.get(key)
    if qualifier is not None and qualifier.values:
        return [(v, qualifier.meaning) for v in qualifier.values if v.startswith(begun)]
    if key in ("since", "until"):
        return _ages(begun)
    return [("me", "you")] if key == "by" and "me".startswith(begun) else []


def _values_of_steps(key: str, begun: str) -> Iterable[Pair]:
    qualifier = OF_STEPS.get(key)
    if key.endswith(("since", "until")):
        return _ages(begun)
    values = () if qualifier is None else qualifier.values
    return [(v, key) for v in values if v.startswith(begun)]


def _ages(begun: str) -> list[Pair]:
    return [(text, f"{said} ago") for text, said in _SPANS.items() if text.startswith(begun)]


def _names(conn: Connection, column: Column[Any], begun: str) -> list[str]:
    query = select(column).where(column.startswith(begun, autoescape=True))
    return list(conn.execute(query.distinct().order_by(column).limit(MOST)).scalars())
