"""A process with a schedule of every second, on one store with others.

    python program.py STORE_URL run|share|die-before|die-after

It prints the due instant of each work. With `share` it takes nobody for dead, however long the
machine lets another one stand still. `die-before` kills it when it has decided about
an instant and committed nothing; `die-after` as soon as that is committed.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from stepwell import Engine, Registry, Step, done
from stepwell.engine import heartbeat
from stepwell.events import Event, subscribe
from stepwell.outcome import Outcome
from stepwell.schedules import Every, Misfire, Overlap, recurring
from stepwell.schedules.plan import advance
from stepwell.stores import open_store

url, mode = sys.argv[1:]
registry = Registry()
decided = False


@registry.handler("v1/work")
def work(step: Step) -> Outcome:
    """Say for which instant it runs."""
    print(recurring.due_at(step).isoformat(), flush=True)
    return done()


def die() -> None:
    """As `kill -9` does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def fatal(*given: Any, **named: Any) -> Any:
    """Decide, and die of it, now or a little later."""
    global decided  # noqa: PLW0603
    made = advance(*given, **named)
    decided = bool(made.steps)
    if decided and mode == "die-before":
        die()
    return made


def tell(event: Event) -> None:
    """Die when the decision is committed."""
    if decided and event.name == "engine.settled":
        die()


if mode == "share":
    heartbeat.DEAD_AFTER = 1e6  # type: ignore[misc]
elif mode != "run":
    recurring.advance = fatal  # type: ignore[attr-defined]
    subscribe(tell)
engine = Engine(open_store(url), registry, workers=2)
timetable = recurring.Timetable(engine, registry)
every_second = Every(seconds=1, misfire=Misfire.ALL, overlap=Overlap.ALLOW)
timetable.schedule("v1/work", every_second, name="each-second")
engine.run()
