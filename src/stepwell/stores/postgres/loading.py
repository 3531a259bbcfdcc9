"""Rows in bulk, by COPY: the server reads while the client still writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from stepwell.step import Step
from stepwell.stores.columns import COLUMNS
from stepwell.stores.postgres.faults import translated
from stepwell.stores.postgres.rows import utc
from stepwell.stores.postgres.statements import Statements

_AT_ONCE: Final = 500
"""Lines in one piece."""
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def load(statements: Statements, template: Step, rows: Iterable[tuple[str, str]]) -> int:
    """Insert a row like the template for each id and state; how many.

    What was due when it was made is due now, whatever its maker's clock says (R17).
    """
    with translated(), statements.connection.cursor(row_factory=tuple_row) as cursor:
        ((now,),) = cursor.execute("SELECT statement_timestamp()", prepare=False).fetchall()
        due = utc(now) if template.schedule_time == template.created_at else template.schedule_time
        common = _common(replace(template, schedule_time=due, created_at=utc(now)))
        copy = SQL("COPY stepwell_ready ({}) FROM STDIN").format(
            SQL(", ").join(map(Identifier, ("id", "state", "flow_id", *common)))
        )
        flow = None if template.flow_id == template.id else str(template.flow_id)
        with cursor.copy(copy) as pipe:
            for piece in _pieces(rows, flow, "\t".join(common.values())):
                pipe.write(piece)
        statements.work_is_due(due <= utc(now))
        return max(cursor.rowcount, 0)


def _common(template: Step) -> dict[str, str]:
    """The columns that all rows have alike, as COPY reads them; nulls are left out."""
    values = {name: getattr(template, name) for name in COLUMNS}
    own = ("id", "state", "flow_id")
    return {
        name: _text(value)
        for name, value in values.items()
        if value is not None and name not in own
    }


def _text(value: Any) -> str:
    plain = getattr(value, "value", value)  # an enumeration's
    return str(plain).translate(_ESCAPES)


def _pieces(rows: Iterable[tuple[str, str]], flow: str | None, common: str) -> Iterator[str]:
    rest = iter(rows)
    while batch := list(islice(rest, _AT_ONCE)):
        yield "".join(
            [
                f"{one}\t{state.translate(_ESCAPES)}\t{flow or one}\t{common}\n"
                for one, state in batch
            ]
        )
