"""What a handler reads of the claim on its step, in whatever way that was claimed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

from tests.engine.lanes import lane, open_lane, store
from tests.engine.signals import wait_for

from stepwell import Engine, Outcome, Registry, Step, StepClient, done, new_step, rerun
from stepwell.clock import now
from stepwell.schedules import Every, Misfire, Overlap
from stepwell.schedules.recurring import Timetable, due_at
from stepwell.stores.protocol import Store

__all__ = ["lane", "open_lane", "store"]
PATIENCE = 90.0


def test_a_handler_is_told_of_the_claim_on_its_step(store: Store, registry: Registry) -> None:
    """Of one that was there before, that was spawned, and that the engine's program has added:
    who has it, and since when."""
    told: dict[str, tuple[UUID | None, datetime | None]] = {}

    @registry.handler("v1/told")
    def note(step: Step, state: str) -> Outcome:
        told[state] = step.claimed_by, step.claimed_at
        return done(next=[new_step("v1/told", "spawned")] if state == "before" else [])

    began = now() - timedelta(seconds=1)
    StepClient(store).add(new_step("v1/told", "before"))
    with Engine(store, registry) as engine:
        wait_for(lambda: engine.tally.done == 2)
        wait_for(lambda: engine._worker is not None and engine._worker._at_rest)
        engine.add(new_step("v1/told", "added"))
        wait_for(lambda: engine.tally.done == 3)
        claimant = engine.id
    ended = now() + timedelta(seconds=1)
    assert set(told) == {"before", "spawned", "added"}
    assert {who for who, _ in told.values()} == {claimant}
    assert all(at is not None and began <= at <= ended for _, at in told.values())


def test_what_is_run_is_parked_no_more(store: Store, registry: Registry) -> None:
    """Not for its handler, nor when it is due again or has ended (R19): who looks would be told
    that nobody handles it."""
    client, seen = StepClient(store), list[bool]()

    @registry.handler("v1/foreign")
    def run(step: Step) -> Outcome:
        seen.append(step.parked)
        return done() if step.execution_count else rerun(after=3600)

    foreign = client.add(new_step("v1/foreign"))
    with Engine(store, Registry()):
        wait_for(lambda: client.get(foreign).parked)
    with Engine(store, registry) as engine:
        wait_for(lambda: engine.tally.rerun == 1)
        later = client.get(foreign)
        assert (later.execution_count, later.parked) == (1, False)
        client.activate(foreign)
        wait_for(lambda: engine.tally.done == 1)
    assert not client.get(foreign).parked
    assert seen == [False, False]


def test_a_schedule_goes_on_however_its_step_is_claimed(store: Store, registry: Registry) -> None:
    """It decides by the store's time, which the claim tells it."""
    seen, enough = list[datetime](), threading.Event()

    @registry.handler("v1/each-second")
    def work(step: Step) -> None:
        seen.append(due_at(step))
        if len(seen) >= 3:
            enough.set()

    engine = Engine(store, registry)
    timetable = Timetable(engine, registry)
    spec = Every(seconds=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW)
    timetable.schedule("v1/each-second", spec)
    with engine:
        assert enough.wait(PATIENCE)
    timetable.unschedule("v1/each-second")
    assert seen == [seen[0] + timedelta(seconds=n) for n in range(len(seen))]
