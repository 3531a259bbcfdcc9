"""What an operator looks at in a PostgreSQL database: counts, who is alive, what stops vacuum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from stepwell.stores.inspecting import Finding, Inspection, Line, Overview, Parked, Severity
from stepwell.stores.postgres.queries import Row
from stepwell.stores.postgres.rows import utc
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.protocol import EngineInfo

DAYS: Final = 1
"""Partitions must be there for now and so many days from now; engines make the others."""
LONG: Final = 300.0
"""Seconds after which a transaction is long: what ended since cannot be cleaned away."""
FAR_TOO_LONG: Final = 3600.0
"""Seconds after which it slows the queue down."""
MANY_DEAD: Final = 100_000
"""Dead rows of the ready table that vacuum should have taken long ago."""
OLDEST: Final = 140_000
"""The first server version with all that the statements use."""


def overview(do: Statements, since: datetime) -> Overview:
    """Counts per queue and state, in one statement."""
    do.rows("plan_for_values")
    rows = do.rows("overview", since=since)
    return Overview(
        tuple(
            Line(queue, state, count, None if oldest is None else utc(oldest))
            for queue, state, count, oldest in rows
        )
    )


def inspect(do: Statements) -> Inspection:
    """Engines, parked names, suspects, pauses, and what ails the database."""
    do.rows("plan_for_values")
    (row,) = do.rows("inspect", days=DAYS)
    now, version, autovacuum, dead, live, missing, strays, pauses = row
    findings = [
        *of_server(version, autovacuum=autovacuum),
        *of_vacuum(dead, live, do.rows("inspect_transactions", seconds=LONG)),
        *of_partitions(missing, strays=strays),
    ]
    return Inspection(
        now=utc(now),
        engines=tuple(map(_engine, do.rows("engines"))),
        parked=tuple(
            Parked(name, queue, count, utc(oldest))
            for name, queue, count, oldest in do.rows("parked")
        ),
        suspects=tuple(one for (one,) in do.rows("suspects")),
        pauses=tuple(pauses),
        findings=tuple(findings),
    )


def _engine(row: Row) -> EngineInfo:
    engine_id, name, version, handles, queues, beat = row
    return EngineInfo(
        id=engine_id,
        name=name,
        version=version,
        handles=tuple(handles),
        queues=tuple(queues),
        beat=beat,
    )


def of_server(version: int, *, autovacuum: bool) -> Iterator[Finding]:
    """What is wrong with the server itself; `version` is its number, 140002 for 14.2."""
    if version < OLDEST:
        yield Finding(
            "server-version",
            Severity.PROBLEM,
            f"The server is PostgreSQL {version // 10_000}.",
            "Stepwell's statements need 14 or newer.",
            "Upgrade the server.",
        )
    if not autovacuum:
        yield Finding(
            "vacuum",
            Severity.PROBLEM,
            "Autovacuum is off.",
            "A queue leaves a dead row for each step; without vacuum every claim gets slower.",
            "Set autovacuum = on in postgresql.conf, and reload.",
        )


def of_vacuum(dead: int, live: int, long: Sequence[Row]) -> Iterator[Finding]:
    """What keeps dead rows: `long` has pid, user, program, state and seconds of transactions."""
    for pid, user, program, state, seconds in long:
        far = seconds > FAR_TOO_LONG
        yield Finding(
            "long-transaction",
            Severity.PROBLEM if far else Severity.WARNING,
            f"A transaction of {user} ({program}, {state}, pid {pid}) is open for "
            f"{int(seconds // 60)} min.",
            "Vacuum cannot remove rows that ended since, so claims read past more and more.",
            f"End it in its program, or: SELECT pg_terminate_backend({pid})"
            if pid
            else "End it: COMMIT PREPARED or ROLLBACK PREPARED.",
        )
    if dead > max(MANY_DEAD, 5 * live):
        yield Finding(
            "vacuum",
            Severity.WARNING,
            f"stepwell_ready has {dead:,} dead rows and {live:,} live ones.",
            "Vacuum does not keep up, or a long transaction holds it back.",
            "Run VACUUM stepwell_ready, and look for long transactions.",
        )


def of_partitions(missing: Sequence[str], *, strays: bool) -> Iterator[Finding]:
    """Which partitions are missing, and whether rows have gone to a default one."""
    fix = (
        "Run `stepwell migrate`, which makes the partitions of the coming time; engines do so too."
    )
    if missing:
        yield Finding(
            "partitions",
            Severity.WARNING,
            f"Partitions that are needed by tomorrow are not there: {', '.join(missing[:3])}.",
            "Steps that end then go to the default partitions, which retention cannot drop.",
            fix,
        )
    if strays:
        yield Finding(
            "partitions",
            Severity.WARNING,
            "There are ended steps in default partitions.",
            "Their month had no partition when they ended; retention cannot drop them.",
            fix,
        )
