"""The program that the crash tests start and kill: an engine that tells what it runs.

    python program.py STORE_URL SECONDS

A `v1/fan` step spawns as many `v1/work` steps as its state says, and a `v1/join` that prints
`joined <results>` when they have ended. Each `v1/work` step prints `begin <state>`, works
for SECONDS, prints `end <state>`; each `v1/once` step does so too, after it has written its
state into the table `orders`. SIGUSR1 ends the work of one of them earlier.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from stepwell import Engine, Member, Registry, done, new_step
from stepwell.events import Event, subscribe
from stepwell.outcome import Outcome
from stepwell.stores import open_store

registry = Registry()
url, seconds = sys.argv[1], float(sys.argv[2])
let_go = threading.Semaphore(0)


def say(line: str) -> None:
    """Print a line in one piece: several threads do so."""
    os.write(1, f"{line}\n".encode())


@registry.handler("v1/work")
def work(state: int) -> Outcome:
    """Work for a while, without holding the GIL."""
    say(f"begin {state}")
    let_go.acquire(timeout=seconds)
    say(f"end {state}")
    return done(state)


@registry.handler("v1/once")
def once(state: int, connection: Any) -> Outcome:
    """Write at once, and commit with the step."""
    connection.cursor().execute(f"INSERT INTO orders VALUES ({int(state)})")
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
    say(f"joined {results}")
    return done(results)


def tell(event: Event) -> None:
    """Print what the tests wait for."""
    if event.name in ("engine.started", "step.refused", "engine.declared_dead", "engine.buried"):
        say(event.name)


signal.signal(signal.SIGUSR1, lambda *_: let_go.release())
subscribe(tell)
store = open_store(url)
Engine(store, registry, workers=4).run()
store.close()
