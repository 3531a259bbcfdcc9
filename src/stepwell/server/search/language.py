r"""The query language: text -> clauses. Pure: what a clause means for rows is in `meaning`.

`state:failed workflow:nightly -group:test took>5m since:2h "connection refused"`

Words separated by blanks must all hold. `key:a,b` is one of several, `-` negates, quotes
keep blanks, commas and colons together, and `\\` keeps the character that follows it.
What is no qualifier is searched in names, ids, parameters and errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from stepwell.errors import InvalidInput

LONGEST: Final = 1000
"""Characters of a query."""
MOST_CLAUSES: Final = 20
MOST_VALUES: Final = 20

_KEY: Final = re.compile(r"([a-z][a-zA-Z0-9_.-]*)(:|>=|<=|>|<)")


@dataclass(frozen=True, slots=True)
class Clause:
    """One word of a query. `key` is empty for free text; `column` counts from 1."""

    key: str
    operator: str
    values: tuple[str, ...]
    negated: bool
    column: int
    text: str


class QueryInvalid(InvalidInput):
    """A query that cannot be read; its column says where."""

    code = "query-invalid"

    def __init__(self, what: str, column: int, *, why: str = "", fix: str = "") -> None:
        super().__init__(f"Column {column}: {what}", why=why, fix=fix)
        self.column = column

    def as_dict(self) -> dict[str, Any]:
        """With the column, for those who underline it."""
        return {**super().as_dict(), "problems": [{"column": self.column}]}


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of a query, in their order.

    Raises
    ------
    QueryInvalid : names the column.
    """
    if len(text) > LONGEST:
        raise QueryInvalid(
            f"The query is longer than {LONGEST} characters.", LONGEST + 1, fix="Shorten it."
        )
    clauses = []
    at = _blanks(text, 0)
    while at < len(text):
        end, clause = _clause(text, at)
        clauses.append(clause)
        at = _blanks(text, end)
    if len(clauses) > MOST_CLAUSES:
        raise QueryInvalid(
            f"The query has more than {MOST_CLAUSES} words.",
            clauses[MOST_CLAUSES].column,
            fix='Put what belongs together into quotes: "connection refused".',
        )
    return tuple(clauses)


def written(clauses: tuple[Clause, ...]) -> str:
    """The query of these clauses."""
    return " ".join(clause.text for clause in clauses)


def quoted(value: str) -> str:
    """A value as it must be written to be read as it is."""
    if value and re.fullmatch(r"[^\s\"\\,:<>-][^\s\"\\,:<>]*", value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _clause(text: str, begin: int) -> tuple[int, Clause]:
    negated = text[begin] == "-"
    at = begin + negated
    found = _KEY.match(text, at)
    key, operator = (found[1], found[2]) if found else ("", ":")
    at = found.end() if found else at
    end, values = _values(text, at, several=bool(found))
    if values == [""]:
        raise _nothing(key, operator, at + 1)
    if len(values) > MOST_VALUES:
        raise QueryInvalid(f"{key} has more than {MOST_VALUES} values.", at + 1, fix="Take fewer.")
    clause = Clause(key, operator, tuple(values), negated, begin + 1, text[begin:end])
    return end, clause


def _nothing(key: str, operator: str, column: int) -> QueryInvalid:
    if key:
        return QueryInvalid(
            f"Nothing stands after {key}{operator}.",
            column,
            why="A qualifier needs a value, without a blank before it.",
            fix=f"Write {key}{operator}VALUE, or put {key}{operator} into quotes to search for it.",
        )
    return QueryInvalid(
        "Nothing stands here.", column, why="A - negates what follows it.", fix="Write -WORD."
    )


def _values(text: str, at: int, *, several: bool) -> tuple[int, list[str]]:
    """The values from `at` to the next blank, and where that is."""
    values, value = [], ""
    while at < len(text) and not text[at].isspace():
        if text[at] == '"':
            at, part = _quoted(text, at)
            value += part
            continue
        if text[at] == "," and several:
            values.append(value)
            value = ""
        elif text[at] == "\\" and at + 1 < len(text):
            at += 1
            value += text[at]
        else:
            value += text[at]
        at += 1
    return at, [*values, value]


def _quoted(text: str, begin: int) -> tuple[int, str]:
    """What stands between the quotes, and the place behind the second one."""
    value, at = "", begin + 1
    while at < len(text):
        if text[at] == '"':
            return at + 1, value
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        value += text[at]
        at += 1
    raise QueryInvalid(
        "This quote is not closed.",
        begin + 1,
        fix='Add a " at its end, or write \\" to search for a quote.',
    )
