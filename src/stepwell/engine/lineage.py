"""Which step made which, which was copied from which, and which waits for which: as a graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from stepwell import clock
from stepwell.engine.client import StepClient
from stepwell.step import EndedAs, Step, StepQuery, StepStatus

MOST: Final = 500
_UP: Final = 20
"""So many steps up the line are looked for outside of the flow."""


class EdgeKind(StrEnum):
    """How two steps belong together: `later` was spawned by `earlier`, is a copy of it, or
    waits for its end."""

    SPAWNED = "spawned"
    COPIED = "copied"
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True)
class StepNode:
    """A step of the graph. Instants are UTC."""

    id: UUID
    name: str
    status: StepStatus
    ended_as: EndedAs | None
    claimed_by: UUID | None
    description: str | None
    created_at: datetime
    schedule_time: datetime
    ended_at: datetime | None
    execution_count: int
    execution_duration: float | None


@dataclass(frozen=True, slots=True)
class StepEdge:
    """From the earlier step to the later one."""

    earlier: UUID
    later: UUID
    kind: EdgeKind


@dataclass(frozen=True, slots=True)
class Lineage:
    """The steps around one: its flow, and those up the line. With `more` there are others."""

    nodes: list[StepNode]
    edges: list[StepEdge]
    more: bool
    limited_to: int
    as_of: datetime


def lineage(steps: StepClient, step_id: UUID, limit: int) -> Lineage:
    """The graph around a step, at most `limit` nodes: first who is next to it, then its flow.

    Raises
    ------
    StepNotFound
    """
    found: dict[UUID, Step] = {}
    for one in _around(steps, steps.get(step_id), limit):
        found.setdefault(one.id, one)
    for one in _above(steps, found):
        found.setdefault(one.id, one)
    shown = list(found.values())[:limit]
    shown.sort(key=lambda one: one.id)
    return Lineage(
        nodes=[_node(one) for one in shown],
        edges=list(_edges(shown)),
        more=len(found) > limit,
        limited_to=limit,
        as_of=clock.now(),
    )


def _around(steps: StepClient, start: Step, limit: int) -> Iterator[Step]:
    """The step, its relations and the others of its flow: each search is one of the index."""
    yield start
    kin = tuple(one for one in _before(start) if one is not None)
    if kin:
        yield from steps.search(ids=kin, limit=len(kin))
    of_flow = StepQuery(flow_id=start.flow_id, limit=limit + 1)
    yield from steps.search(replace(of_flow, created_by_step_id=start.id))
    yield from steps.search(replace(of_flow, copy_of=start.id))
    yield from steps.search(replace(of_flow, join_id=start.id))
    yield from steps.search(replace(of_flow, oldest_first=True))


def _above(steps: StepClient, found: dict[UUID, Step]) -> Iterator[Step]:
    """Who made the flow, who made that one, and so on."""
    known = set(found)
    missing = _missing(found.values(), known)
    for _ in range(_UP):
        if not missing:
            return
        above = steps.search(ids=tuple(missing)[:_UP], limit=_UP)
        known |= missing  # also those that retention has taken
        yield from above
        missing = _missing(above, known)


def _missing(steps: Iterable[Step], known: set[UUID]) -> set[UUID]:
    return {one for step in steps for one in _before(step) if one is not None and one not in known}


def _before(step: Step) -> tuple[UUID | None, ...]:
    return (step.created_by_step_id, step.copy_of, step.join_id)


def _node(step: Step) -> StepNode:
    return StepNode(**{one.name: getattr(step, one.name) for one in fields(StepNode)})


def _edges(shown: list[Step]) -> Iterator[StepEdge]:
    ids = {one.id for one in shown}
    for one in shown:
        if one.created_by_step_id in ids:
            yield _edge(one.created_by_step_id, one.id, EdgeKind.SPAWNED)
        if one.copy_of in ids:
            yield _edge(one.copy_of, one.id, EdgeKind.COPIED)
        if one.join_id in ids:
            yield _edge(one.id, one.join_id, EdgeKind.AWAITED)


def _edge(earlier: UUID | None, later: UUID | None, kind: EdgeKind) -> StepEdge:
    assert earlier is not None
    assert later is not None
    return StepEdge(earlier=earlier, later=later, kind=kind)
