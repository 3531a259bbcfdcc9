"""How two JSON values differ: a list of changes by path, cut where it grows too long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Literal

from pydantic import BaseModel

MOST: Final = 1000
"""Changes that are told."""
_SHOWN: Final = 2000


class ValueChange(BaseModel):
    """One change. `path` is a JSON pointer (RFC 6901); values that are long are left out."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def differences(before: Any, after: Any) -> tuple[list[ValueChange], bool]:
    """The changes from one JSON value to another, and whether there are more."""
    found = list(islice(_walk("", before, after), MOST + 1))
    return found[:MOST], len(found) > MOST


def table_differences(before: Any, after: Any) -> tuple[list[ValueChange], bool]:
    """As `differences`, for tables of reports: rows are told apart by their first column,
    where its values are unique in both."""
    return differences(_by_key(before, after), _by_key(after, before))


def _walk(path: str, before: Any, after: Any) -> Iterator[ValueChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _of_member(f"{path}/{_escaped(key)}", key, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            olds, news = before[index : index + 1], after[index : index + 1]
            yield from _of_pair(f"{path}/{index}", olds, news)
    elif not _equal(before, after):
        yield _change(path, "changed", before, after)


def _of_member(path: str, key: Any, before: Any, after: Any) -> Iterator[ValueChange]:
    olds = [before[key]] if key in before else []
    news = [after[key]] if key in after else []
    yield from _of_pair(path, olds, news)


def _of_pair(path: str, olds: list[Any], news: list[Any]) -> Iterator[ValueChange]:
    if olds and news:
        yield from _walk(path, olds[0], news[0])
    elif olds:
        yield _change(path, "removed", olds[0], None)
    else:
        yield _change(path, "added", None, news[0])


def _equal(before: Any, after: Any) -> bool:
    """1 and true are one value in Python, and two in JSON."""
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _change(
    path: str, kind: Literal["added", "removed", "changed"], before: Any, after: Any
) -> ValueChange:
    return ValueChange(path=path, kind=kind, before=_short(before), after=_short(after))


def _short(value: Any) -> Any:
    text = str(value)
    return value if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _escaped(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _by_key(table: Any, other: Any) -> Any:
    if not (_has_key(table) and _has_key(other)):
        return table
    columns = table["columns"]
    rows = {str(row[0]): dict(zip(columns, row, strict=False)) for row in table["rows"]}
    return {"columns": columns, "rows": rows}


def _has_key(table: Any) -> bool:
    try:
        keys = [str(row[0]) for row in table["rows"]]
        return len(keys) == len(set(keys)) and isinstance(table["columns"], list)
    except (TypeError, KeyError, IndexError):
        return False
