"""The program that the burst tests start and kill: an engine that claims by row locks.

    python bursting.py STORE_URL SECONDS [undying] [unasked]

It does so from its first step on, by two bursts in turns, and a burst lasts until its steps
have ended, so that a test can come in between. Each `v1/work` step prints `begin <state>`, works
for SECONDS and prints `end <state>`. SIGUSR1 ends the work of one of them earlier.

`undying`: it declares nobody dead. `unasked`: it does not look for work by itself.

With 0 SECONDS all is as in life, but that a death is seen within two seconds; a `v1/poison`
step ends the process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from stepwell import Engine, Outcome, Registry, done
from stepwell.engine import bursts, heartbeat, relay, worker
from stepwell.events import Event, subscribe
from stepwell.stores import open_store

registry = Registry()
url, seconds = sys.argv[1], float(sys.argv[2])
let_go = threading.Semaphore(0)
TOLD = ("engine.started", "step.refused", "engine.declared_dead", "engine.buried")


def say(line: str) -> None:
    """Print a line in one piece: several threads do so."""
    os.write(1, f"{line}\n".encode())


@registry.handler("v1/work")
def work(state: int) -> Outcome:
    """Work for a while, without holding the GIL."""
    if seconds:
        say(f"begin {state}")
        let_go.acquire(timeout=seconds)
        say(f"end {state}")
    return done(state)


@registry.handler("v1/poison")
def poison() -> None:
    """Take the engine along, at once."""
    say("dying")
    os._exit(1)


def tell(event: Event) -> None:
    """Print what the tests wait for."""
    if event.name in TOLD:
        say(event.name)


if seconds:
    worker.TRUSTED = 0  # type: ignore[misc]
    bursts.LONGEST = bursts.LULL = 60.0  # type: ignore[misc]
    bursts.MOST, relay.BRIEF = 1, float("inf")  # type: ignore[misc]
else:
    heartbeat.DEAD_AFTER, heartbeat.INTERVAL = 1.5, 0.3  # type: ignore[misc]
if "undying" in sys.argv:
    heartbeat.DEAD_AFTER = 1e6  # type: ignore[misc]
if "unasked" in sys.argv:
    worker.POLL = 1e6  # type: ignore[misc]
signal.signal(signal.SIGUSR1, lambda *_: let_go.release())
subscribe(tell)
store = open_store(url)
Engine(store, registry, workers=4).run()
store.close()
