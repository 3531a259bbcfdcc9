"""The columns of a step in the tables. Statements say `{columns}` for them, or `{step.columns}`;
`{step.locked}` of a row that is claimed by its lock: under the number that a mark would give it."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Final

from stepwell.step import Step

COLUMNS: Final = tuple(one.name for one in fields(Step))
"""In the order of the tables; the columns after them have defaults."""


def with_columns(sql: str) -> str:
    """By name and not `*`: a prepared statement does not survive a table that grows under it."""
    return _PLACE.sub(lambda found: ", ".join(_columns(*found.groups())), sql)


def _columns(table: str, which: str) -> list[str]:
    next_no = {"claim_no": "claim_no + 1"} if which == "locked" else {}
    return [f"{table}{next_no.get(one, one)}" for one in COLUMNS]


_PLACE: Final = re.compile(r"\{(\w+\.|)(columns|locked)\}")
