"""Words for the tests of the SQL stores: rows, engines, claims, outcomes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.step import Addition, EndedAs, Step
from stepwell.stores.postgres import PostgresStore
from stepwell.stores.postgres.wake import PostgresWake
from stepwell.stores.protocol import Claimed, ClaimRequest, EngineInfo, Store

NAME: Final = "v1/work"
PATIENCE: Final = 90.0
"""Seconds after which something that should come is given up."""


def make(name: str = NAME, **fields: Any) -> Step:
    """A row that is due; not added yet."""
    made: dict[str, Any] = {
        "id": new_id(),
        "flow_id": new_id(),
        "created_at": now(),
        "schedule_time": now(),
        "state": "{}",
    }
    return Step(name=name, **made | fields)


def add(store: Store, *steps: Step) -> list[bool]:
    """Add rows in a transaction of their own."""
    with store.transaction() as tx:
        return tx.add([Addition(step) for step in steps])


def engine(store: Store, *queues: str) -> UUID:
    """An engine that has joined."""
    info = EngineInfo(
        id=new_id(), name="test", version="1", handles=(NAME,), queues=queues or ("default",)
    )
    with store.transaction() as tx:
        tx.join(info)
    return info.id


def request(engine_id: UUID, **fields: Any) -> ClaimRequest:
    """What the engine wants: 100 rows of `NAME` in the queue `default`."""
    wanted: dict[str, Any] = {"request_id": new_id(), "names": (NAME,), "limit": 100}
    return ClaimRequest(engine_id=engine_id, **wanted | fields)


def claim(store: Store, engine_id: UUID, **fields: Any) -> Claimed:
    """Claim in a transaction of its own."""
    with store.transaction() as tx:
        return tx.claim(request(engine_id, **fields))


def outcome(step: Step, *spawned: Step, **fields: Any) -> Settlement:
    """The settlement of a claimed row: done, unless it says otherwise."""
    told: dict[str, Any] = {
        "ended_as": EndedAs.DONE,
        "description": None,
        "activation_seen": step.activation_no,
        "failure_count": 0,
        "execution_started_at": now(),
        "execution_duration": 0.25,
        "executed_by": "test",
    }
    return Settlement(claim=step.claim, additions=tuple(map(Addition, spawned)), **told | fields)


def settle(store: Store, engine_id: UUID, *settlements: Settlement) -> list[str]:
    """Settle in a transaction of its own."""
    with store.transaction() as tx:
        return list(tx.settle(engine_id, settlements))


def ids(steps: Iterable[Step]) -> set[UUID]:
    """The ids of the steps."""
    return {step.id for step in steps}


@contextmanager
def listening(store: PostgresStore) -> Iterator[PostgresWake]:
    """A wake that listens, and has heard of all that was before."""
    wake = store.wake()
    wake.wait(0)
    until(lambda: store._bell.listening)
    while wake.wait(0.2):
        pass
    yield wake
    wake.close()


def until(condition: Callable[[], object]) -> None:
    """Wait until it is so."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)
