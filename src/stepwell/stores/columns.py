"""The columns of a step in the tables. Statements say `{columns}` for them, or `{step.columns}`."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Final

from stepwell.step import Step

COLUMNS: Final = tuple(one.name for one in fields(Step))
"""In the order of the tables; the columns after them have defaults."""


def with_columns(sql: str) -> str:
    """By name and not `*`: a prepared statement does not survive a table that grows under it."""
    return _PLACE.sub(lambda found: ", ".join(f"{found[1]}{one}" for one in COLUMNS), sql)


_PLACE: Final = re.compile(r"\{(\w+\.|)columns\}")
