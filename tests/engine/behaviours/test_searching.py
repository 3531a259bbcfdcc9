"""Search finds by each field and by several; counts are per flow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from stepwell import Engine, Priority, Registry, Step, StepStatus, done, fail, new_step
from stepwell.step import EndedAs
from stepwell.stores.protocol import Counts, Store

TOMORROW = datetime.now(UTC) + timedelta(days=1)
INSTANT = timedelta(microseconds=1)

FIELDS: dict[str, Callable[[Step], dict[str, Any]]] = {
    "ids": lambda step: {"ids": (step.id,)},
    "name": lambda step: {"name": "v1/wanted"},
    "name_prefix": lambda step: {"name_prefix": "v1/want"},
    "queue": lambda step: {"queue": "special"},
    "priority": lambda step: {"priority": Priority.URGENT},
    "unique_key": lambda step: {"unique_key": "key"},
    "flow_id": lambda step: {"flow_id": step.flow_id, "name": "v1/wanted"},
    "correlation_id": lambda step: {"correlation_id": "corr"},
    "search_key": lambda step: {"search_key": "search"},
    "search_key_prefix": lambda step: {"search_key_prefix": "sea"},
    "description": lambda step: {"description_contains": "well do"},
    "created_by_step_id": lambda step: {"created_by_step_id": step.created_by_step_id},
    "executed_by": lambda step: {"executed_by": "the engine of this test", "queue": "special"},
    "ended_as": lambda step: {"ended_as": EndedAs.DONE, "queue": "special"},
    "status": lambda step: {"status": StepStatus.DONE, "queue": "special"},
    "created": lambda step: {
        "created_from": step.created_at,
        "created_to": step.created_at + INSTANT,
        "name": "v1/wanted",
    },
    "scheduled": lambda step: {
        "scheduled_from": step.schedule_time,
        "scheduled_to": step.schedule_time + INSTANT,
        "name": "v1/wanted",
    },
    "ended": lambda step: {
        "ended_from": step.ended_at,
        "ended_to": _after(step.ended_at),
        "name": "v1/wanted",
    },
    "several": lambda step: {
        "status": StepStatus.DONE,
        "name": "v1/wanted",
        "queue": "special",
        "flow_id": step.flow_id,
        "correlation_id": "corr",
        "search_key": "search",
        "ended_as": EndedAs.DONE,
        "created_to": TOMORROW,
    },
}


def _after(instant: datetime | None) -> datetime:
    assert instant is not None
    return instant + INSTANT


@pytest.fixture
def engine(store: Store, registry: Registry) -> Engine:
    """Among others there is one step, `v1/wanted`, that each field can tell apart."""
    wanted = new_step(
        "v1/wanted",
        queue="special",
        priority=Priority.URGENT,
        unique_key="key",
        correlation_id="corr",
        search_key="search",
    )
    registry.handler("v1/parent")(lambda: done(next=[wanted, new_step("v1/other")]))
    registry.handler("v1/wanted")(lambda: done(description="very well done"))
    registry.handler("v1/other")(lambda: fail("not so well"))
    queues = ("default", "special")
    made = Engine(store, registry, queues=queues, name="the engine of this test")
    made.add(new_step("v1/parent", correlation_id="another"))
    made.add(new_step("v1/stays", schedule_time=TOMORROW))
    assert made.drain().executed == 3
    return made


@pytest.mark.parametrize("field", FIELDS)
def test_search_finds_by_each_field_and_by_several(engine: Engine, field: str) -> None:
    (wanted,) = engine.search(name="v1/wanted")
    query = FIELDS[field](wanted)
    found = {step.name for step in engine.search(**query)}
    assert "v1/wanted" in found
    assert found <= {"v1/wanted", "v1/other"}
    if field != "created_by_step_id":  # it has a sibling
        assert found == {"v1/wanted"}


def test_fields_that_no_step_has_together_find_nothing(engine: Engine) -> None:
    assert engine.search(name="v1/wanted", queue="special") != []
    assert engine.search(name="v1/wanted", queue="default") == []


def test_counts_are_per_flow(engine: Engine) -> None:
    (parent,) = engine.search(name="v1/parent")
    (alone,) = engine.search(name="v1/stays")
    assert flow_counts(engine, parent.flow_id) == (0, 2, 1)
    assert flow_counts(engine, alone.flow_id) == (1, 0, 0)


def flow_counts(engine: Engine, flow_id: UUID) -> tuple[int, int, int]:
    """Ready, done and failed steps of a flow."""
    counts: Counts = engine.count(flow_id=flow_id)
    return counts.ready, counts.done, counts.failed
