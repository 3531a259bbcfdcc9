"""What a container of a single step may add, and what it may not (R35)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter
from tests.server.runs.support import release, started, workflow
from tests.server.support import on_both

from stepwell import StepQuery, StepStatus, clock, new_step
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.server import background
from stepwell.server.access.records import Role
from stepwell.server.app import Server
from stepwell.server.jobs import service
from stepwell.server.jobs.records import JobCaller
from stepwell.server.jobs.service import JobOutOfScope
from stepwell.step import Addition, EndedAs, OnConflict, Step

TICK = "v1/server/tick"


class Container:
    """A container that executes `shop/order`, played by the test."""

    def __init__(self, server: Server) -> None:
        self.server, self.step = server, _added(server, new_step("shop/order", {}))
        with server.db.write() as conn:
            service.opened(conn, self.step, image="shop", launcher="process")

    def tell(self, *additions: Addition) -> None:
        """Say that it is done, and what is to be added."""
        settlement = Settlement(
            claim=self.step.claim,
            ended_as=EndedAs.DONE,
            description=None,
            activation_seen=0,
            failure_count=0,
            execution_started_at=clock.now(),
            execution_duration=0.1,
            executed_by="the test",
            additions=additions,
        )
        data = TypeAdapter(Settlement).dump_python(settlement, mode="json")
        caller = JobCaller(name="x", role=Role.VIEWER, step_id=self.step.id, number=1)
        with self.server.db.write() as conn:
            service.take(conn, self.server.db.steps(conn), caller, data)


def addition(name: str, **fields: Any) -> Addition:
    return seal(new_step(name, {}, **fields), JSON, clock.now())


def _added(server: Server, new: Any) -> Step:
    made = seal(new, JSON, clock.now())
    with server.db.write() as conn:
        server.db.steps(conn).add([made])
    return made.step


def _ready(server: Server, **fields: Any) -> list[Step]:
    with server.db.read() as conn:
        query = StepQuery(status=StepStatus.READY, **fields)
        return server.db.steps(conn).search(query)


@pytest.fixture
def run_id(server: Server) -> UUID:
    """A run that has just been started."""
    release(server, workflow())
    return started(server)


@on_both
def test_steps_of_its_own_kind_are_added_and_replaced(server: Server) -> None:
    _added(server, new_step("shop/told", {}, unique_key="7"))
    joined = _added(server, new_step("shop/sum", {}))
    container = Container(server)
    container.tell(
        addition("shop/pack", flow_id=container.step.flow_id),
        addition("shop/told", unique_key="7", on_conflict=OnConflict.REPLACE),
        addition("shop/part", flow_id=joined.flow_id),
    )


@on_both
@pytest.mark.parametrize("name", [TICK, "v1/server/supervise", "v1/stepwell/x"])
def test_no_step_of_the_servers_own_names_is_added(server: Server, name: str) -> None:
    """The tick would be cancelled for it, and no server would have another."""
    with server.db.write() as conn:
        background.seed(conn, server.services)
    with pytest.raises(JobOutOfScope, match="server's own"):
        Container(server).tell(addition(name, unique_key="", on_conflict=OnConflict.REPLACE))


@on_both
def test_no_step_is_added_to_a_run(server: Server, run_id: UUID) -> None:
    """It would not end as long as that one is ready."""
    with pytest.raises(JobOutOfScope, match="one of a run"):
        Container(server).tell(addition("shop/told", flow_id=run_id))


@on_both
def test_no_step_of_a_run_is_replaced_or_held_up(server: Server, run_id: UUID) -> None:
    own: dict[str, Any] = {"queue": service.RUNS, "flow_id": run_id, "unique_key": "7"}
    row = _added(server, new_step("v1/weather/nightly/part", {}, **own))
    container = Container(server)
    with pytest.raises(JobOutOfScope, match="replace"):
        container.tell(addition(row.name, unique_key="7", on_conflict=OnConflict.REPLACE))
    joining = addition("shop/part")
    with pytest.raises(JobOutOfScope, match="hold up"):
        container.tell(_joining(joining, row.id))
    assert [one.id for one in _ready(server, name=row.name)] == [row.id]


def _joining(made: Addition, join_id: UUID) -> Addition:
    return replace(made, step=replace(made.step, join_id=join_id, id=new_id()))
