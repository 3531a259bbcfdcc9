"""What an operator looks at in a database: counts, and who is alive."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from stepwell.stores.inspecting import Inspection, Line, Overview, Parked
from stepwell.stores.mysql.rows import instant, known_utc, utc
from stepwell.stores.mysql.statements import Row, Statements
from stepwell.stores.protocol import EngineInfo


def overview(sql: Statements, since: datetime) -> Overview:
    """Counts per queue and state, in one statement."""
    rows = sql.rows("overview", since=instant(since))
    return Overview(
        tuple(Line(queue, state, count, utc(oldest)) for queue, state, count, oldest in rows)
    )


def inspect(sql: Statements) -> Inspection:
    """Engines, parked names, suspects and pauses."""
    return Inspection(
        now=known_utc(sql.rows("pulse")[0][0]),
        engines=tuple(map(_engine, sql.rows("engines"))),
        parked=tuple(
            Parked(name, queue, count, known_utc(oldest))
            for name, queue, count, oldest in sql.rows("parked")
        ),
        suspects=tuple(UUID(one) for (one,) in sql.rows("suspects")),
        pauses=tuple(key for (key,) in sql.rows("paused")),
    )


def _engine(row: Row) -> EngineInfo:
    engine_id, name, version, handles, queues, beat = row
    return EngineInfo(
        id=UUID(engine_id),
        name=name,
        version=version,
        handles=tuple(json.loads(handles)),
        queues=tuple(json.loads(queues)),
        beat=beat,
    )
