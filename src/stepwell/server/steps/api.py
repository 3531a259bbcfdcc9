"""Routes of the room: /steps."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any, Final, get_type_hints
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime, ConfigDict, create_model

from stepwell.engine.lineage import MOST, Lineage
from stepwell.server.access.records import Role
from stepwell.server.http import Call, Page, Pages, Reason, Router, reads, writes
from stepwell.server.search import service as searching
from stepwell.server.search.records import LONGEST, Completions
from stepwell.server.steps import service
from stepwell.server.steps.records import (
    Activation,
    Ending,
    Rescheduling,
    StepBrief,
    StepCounts,
    StepDetail,
    StepFailures,
)
from stepwell.step import StepQuery

router = Router(prefix="/steps", tags=["steps"])

Q = Annotated[
    str,
    Query(
        max_length=LONGEST,
        description="A query of steps, which the other fields narrow; docs/reference/api.md has "
        "the language. Where both say something of one field, the query holds.",
        examples=["state:failed name:v1/shop/* since:2h"],
    ),
]
Reading = Annotated[Call, reads(Role.VIEWER)]
Operating = Annotated[Call, writes(Role.OPERATOR)]


_OF_PAGES: Final = {"ids", "after", "limit"}
"""Fields of a query that a list asks for in its own way."""


def _field(kind: Any, default: Any) -> tuple[Any, Any]:
    """A field of a query as a parameter: an instant says its zone."""
    return (AwareDatetime | None if kind == datetime | None else kind, default)


_KINDS: Final = get_type_hints(StepQuery)
_FIELDS: Final[dict[str, Any]] = {
    one.name: _field(_KINDS[one.name], one.default)
    for one in fields(StepQuery)
    if one.name not in _OF_PAGES
}
_QUERY: Any = create_model("Filters", __config__=ConfigDict(extra="ignore"), **_FIELDS)


class Filters(_QUERY):  # type: ignore[misc] # it has what the query of steps has
    """Every field that is set narrows; ranges are half open, prefixes are literal."""


def _filters(filters: Annotated[Filters, Query()]) -> Filters:
    return filters  # alone, for a model beside another parameter is not taken apart


def _query(filters: Annotated[Filters, Depends(_filters)], q: Q = "") -> StepQuery:
    query = StepQuery(**dict(filters))
    return replace(query, **searching.of_steps(q)) if q else query


Asked = Annotated[StepQuery, Depends(_query)]


@router.get("")
def search_steps(call: Reading, query: Asked, pages: Pages) -> Page[StepBrief]:
    """Steps of every table that match, newest first."""
    return service.search(call.conn, call.db, query, pages)


@router.get("/counts")
def count_steps(
    call: Reading,
    query: Asked,
    at_most: Annotated[int, Query(ge=1, le=10_000_000)] = 10_000,
) -> StepCounts:
    """How many steps match, per table; no table is counted further than `at_most`."""
    return service.count(call.conn, call.db, query, at_most)


@router.get("/completions")
def complete_query_of_steps(
    call: Reading, q: Q = "", at: Annotated[int | None, Query(ge=1, le=LONGEST + 1)] = None
) -> Completions:
    """What could be written at the column `at` of a query, counted from 1; else at its end."""
    return Completions(items=searching.completed(q, at))


@router.get("/failures")
def list_failures(
    call: Reading, query: Asked, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> list[StepFailures]:
    """Failed steps that match, grouped by name and fingerprint; newest failure first."""
    return service.failures(call.conn, call.db, replace(query, limit=limit))


@router.get("/{step_id}")
def show_step(call: Reading, step_id: UUID) -> StepDetail:
    """One step, with why it is where it is."""
    return service.get(call.conn, call.db, step_id)


@router.get("/{step_id}/lineage")
def show_lineage(
    call: Reading, step_id: UUID, limit: Annotated[int, Query(ge=1, le=MOST)] = 200
) -> Lineage:
    """The steps around one as a graph: who spawned whom, copies, and who waits for whom."""
    return service.around(call.conn, call.db, step_id, limit)


@router.post("/{step_id}/activations", status_code=201)
def activate_step(call: Operating, step_id: UUID, body: Activation) -> StepDetail:
    """Make a ready step due, with arguments; safe while it executes."""
    return service.activate(call.conn, call.db, step_id, body, by=call.user.name)


@router.post("/{step_id}/reschedulings", status_code=201)
def reschedule_step(call: Operating, step_id: UUID, body: Rescheduling) -> StepDetail:
    """Make a ready step due at another time."""
    return service.reschedule(call.conn, call.db, step_id, body, by=call.user.name)


@router.post("/{step_id}/endings", status_code=201)
def end_step(call: Operating, step_id: UUID, body: Ending) -> StepDetail:
    """End a ready step by hand: as cancelled, failed or done."""
    return service.end(call.conn, call.db, step_id, body, by=call.user.name)


@router.post("/{step_id}/re-executions", status_code=201)
def reexecute_step(call: Operating, step_id: UUID, body: Reason) -> StepDetail:
    """Add a copy of an ended step, due now."""
    return service.reexecute(call.conn, call.db, step_id, body.reason, by=call.user.name)
