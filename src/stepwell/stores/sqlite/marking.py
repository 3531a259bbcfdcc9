"""Marking chosen rows as claimed, and reading them: the same for every kind of claim."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from stepwell.frozen import maker
from stepwell.step import Step
from stepwell.stores.protocol import ClaimRequest
from stepwell.stores.sqlite.rows import COLUMNS, READERS, id_text, instant
from stepwell.stores.sqlite.statements import Statements


def mark(
    sql: Statements, request: ClaimRequest, rowids: Sequence[int], now: datetime
) -> dict[str, Step]:
    """Claim these rows; each as it is now, by the text of its id."""
    values = {
        "engine": id_text(request.engine_id),
        "request": id_text(request.request_id),
        "now": instant(now),
        "rowids": json.dumps(rowids),
    }
    read = partial(_read, request, now)
    return {row[0]: read(row) for row in sql.run("claim", values)}


_RARE: Final = tuple(
    (COLUMNS.index(name), READERS.get(name))
    for name in (
        "unique_key",
        "copy_of",
        "activation_args",
        "execution_started_at",
        "executed_by",
        "result",
        "fingerprint",
        "join_id",
        "join_policy",
        "limit_key",
        "limit_slots",
        "rate_key",
    )
)
"""Where the last value of a row has its parts, and how each of them is read."""
_OWN: Final = COLUMNS.index("ended_at")
"""What comes from here on is said by the claim, or rare."""
_CONVERTED: Final = tuple(
    (place, READERS[name]) for place, name in enumerate(COLUMNS[:_OWN]) if name in READERS
)
_LAST: Final = (False, False, None, None, None, 0, None, None, None)
"""From `started` on."""
_step: Final = maker(Step)


def _read(request: ClaimRequest, now: datetime, row: tuple[Any, ...]) -> Step:
    *values, claim_no, rare = row
    for place, read in _CONVERTED:
        if values[place] is not None:
            values[place] = read(values[place])
    values += (None, None, request.engine_id, claim_no, request.request_id, now, *_LAST)
    if rare is not None:
        _put(rare, values)
    return _step(*values)


def _put(rare: str, values: list[Any]) -> None:
    for (place, read), value in zip(_RARE, json.loads(rare), strict=True):
        if value is not None:
            values[place] = value if read is None else read(value)
