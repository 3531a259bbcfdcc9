"""How the server runs a statement of the store, and what it reads for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from tests.stores.postgres.support import engine, request

from stepwell.stores.postgres import PostgresStore, claiming
from stepwell.stores.postgres.arrays import Packed
from stepwell.stores.postgres.queries import Statement, sql
from stepwell.stores.protocol import Position

OF_LANE: Final = ("claim_parking", "claim_lane")
"""The parts of a claim from one lane."""
WEIGHED: Final = (
    "claim_parking",
    "claim_from_queues",
    "claim_limited_outlook",
    "claim_rank",
    "claim_lock",
    "claim_answer",
)
"""The parts of a claim by lock that weighs lanes against each other."""


def of_claim(store: PostgresStore, since: Sequence[Position] | None = None) -> dict[str, Any]:
    """The values of a claim on behalf of a new engine."""
    places = None if since is None else tuple(since)
    return claiming._values(request(engine(store), since=places), 100)


def explain(store: PostgresStore, names: tuple[str, ...], values: dict[str, Any]) -> Any:
    """The plan of a statement as sessions of the store run it: one plan for all values."""
    with psycopg.connect(store._conninfo()) as connection:
        plan = explain_on(connection, sql(*names), values)
        connection.rollback()
    return plan


def explain_on(
    connection: psycopg.Connection[Any], statement: Statement, values: Mapping[str, Any]
) -> Any:
    """As `explain`, on a session of the store, in whose transaction the statement is run.

    A statement that is prepared has a plan for all values there, as ours have.
    """
    marks = ", ".join(["%s"] * len(statement.parameters))
    ask = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained" + f" ({marks})" * bool(marks)
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute("SHOW plan_cache_mode")
        assert cursor.fetchone() == ("force_generic_plan",)
        cursor.execute(b"PREPARE explained AS " + statement.text)
        cursor.execute(
            ask.encode(), [_readable(connection, one) for one in statement.values(values)]
        )
        row = cursor.fetchone()
        cursor.execute("DEALLOCATE explained")
    assert row is not None
    return row[0][0]["Plan"]


def _readable(connection: psycopg.Connection[Any], value: Any) -> Any:
    """The value as it can stand in the text of a statement."""
    if not isinstance(value, Packed):
        return value
    with psycopg.RawCursor(connection) as cursor:
        ((text,),) = cursor.execute("SELECT $1::text", [value]).fetchall()
    return text


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
