"""Routes of the room: what is asked about the runs that a query finds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime

from stepwell.server.access.records import Role
from stepwell.server.http import Call, Router, reads
from stepwell.server.search import service
from stepwell.server.search.completing import completions
from stepwell.server.search.records import LONGEST, Completions, Counted, Histogram, Q

router = Router(prefix="/runs", tags=["runs"])

Viewing = Annotated[Call, reads(Role.VIEWER)]


@router.get("/counts")
def count_runs(call: Viewing, q: Q = "", exact: bool = False) -> Counted:
    """How many runs match: up to 10,000, or exactly, which may take long."""
    return service.count(call.conn, q, by=call.user.name, exact=exact)


@router.get("/histogram")
def histogram_of_runs(
    call: Viewing,
    q: Q = "",
    buckets: Annotated[int, Query(ge=1, le=500)] = 60,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Histogram:
    """When the runs that match were created, by state, in spans of equal length."""
    return service.histogram(
        call.conn, q, by=call.user.name, buckets=buckets, since=since, until=until
    )


@router.get("/completions")
def complete_query(
    call: Viewing, q: Q = "", at: Annotated[int | None, Query(ge=1, le=LONGEST + 1)] = None
) -> Completions:
    """What could be written at the column `at` of a query, counted from 1; else at its end."""
    return Completions(items=completions(call.conn, q, at))
