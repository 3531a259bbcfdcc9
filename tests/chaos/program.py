"""The program that the crash tests start and kill: an engine that tells what it runs.

    python program.py STORE_URL SECONDS

A `v1/fan` step spawns as many `v1/work` steps as its state says, and a `v1/join` that prints
`joined <results>` when they have ended. Each `v1/work` step prints `begin <state>`, works
for SECONDS, prints `end <state>`; each `v1/once` step does so too, after it has written its
state into the table `orders`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from stepwell import Engine, Member, Registry, done, new_step
from stepwell.events import Event, subscribe
from stepwell.outcome import Outcome
from stepwell.stores import open_store

registry = Registry()
url, seconds = sys.argv[1], float(sys.argv[2])


@registry.handler("v1/work")
def work(state: int) -> Outcome:
    """Work for a while, without holding the GIL."""
    print("begin", state, flush=True)
    time.sleep(seconds)
    print("end", state, flush=True)
    return done(state)


@registry.handler("v1/once")
def once(state: int, connection: Any) -> Outcome:
    """Write at once, and commit with the step."""
    connection.execute(f"INSERT INTO orders VALUES ({int(state)})")
    return work(state)


@registry.handler("v1/fan")
def fan(state: int) -> Outcome:
    """Fan out, and in again."""
    members = [new_step("v1/work", number) for number in range(state)]
    return done(next=members, then=new_step("v1/join"))


@registry.handler("v1/join")
def join(joined: list[Member]) -> Outcome:
    """Tell what came of the members."""
    results = [member.result for member in joined]
    print("joined", results, flush=True)
    return done(results)


def tell(event: Event) -> None:
    """Print what the tests wait for."""
    if event.name in ("engine.started", "step.refused", "engine.declared_dead", "engine.buried"):
        print(event.name, flush=True)


subscribe(tell)
store = open_store(url)
Engine(store, registry, workers=4).run()
store.close()
