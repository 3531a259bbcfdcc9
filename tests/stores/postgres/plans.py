"""How the server runs a statement of the store, and what it reads for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
from tests.stores.postgres.support import engine

from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.queries import sql
from stepwell.stores.protocol import Position


def of_lane(store: PostgresStore, since: Position | None = None) -> dict[str, Any]:
    """The values of a claim from one lane, on behalf of a new engine."""
    return {
        "engine_id": engine(store),
        "names": ["v1/work"],
        "queues": ["default"],
        "limit": 100,
        "since": "-infinity" if since is None else since.schedule_time.isoformat(),
        "since_id": (UUID(int=0) if since is None else since.id).hex,
    }


def explain(store: PostgresStore, names: tuple[str, ...], values: dict[str, Any]) -> Any:
    """The plan of a statement as sessions of the store run it: one plan for all values."""
    statement = sql(*names)
    marks = ", ".join(["%s"] * len(statement.parameters))
    ask = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained ({marks})".encode()
    with psycopg.connect(store._conninfo(), cursor_factory=psycopg.ClientCursor) as connection:
        assert connection.execute("SHOW plan_cache_mode").fetchone() == ("force_generic_plan",)
        connection.execute(b"PREPARE explained AS " + statement.text)
        row = connection.execute(ask, statement.values(values)).fetchone()
        connection.rollback()
    assert row is not None
    return row[0][0]["Plan"]


def nodes(plan: Any) -> Iterator[Any]:
    """The parts of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def whole_tables(plan: Any) -> set[str]:
    """Which tables are read from end to end."""
    names = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
    return names - {"stepwell_engines"}


def indexes(plan: Any) -> set[str]:
    """Which indexes are read."""
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}


def blocks(plan: Any) -> int:
    """How many blocks are read."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
