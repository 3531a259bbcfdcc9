"""W7 slow neighbours: 1 % of the handlers sleep for a second, beside 512 workers.

The figure is that of the quick steps: how many of them per second, until the last quick step
is settled. It is compared with the same number of workers and no sleeper.
"""

from __future__ import annotations

from typing import Final

from benchmarks.bench import Bench
from benchmarks.draining import Drain
from benchmarks.handlers import state
from benchmarks.stores import with_steps
from benchmarks.workloads.w1_drain import prepare
from stepwell import new_step

TEMPLATE: Final = "one in a hundred sleeps"
WORKERS: Final = 512


def measure(bench: Bench) -> None:
    """On PostgreSQL, by one process, with threads and with coroutines."""
    place, steps = bench.postgres, bench.sizes.steps
    names = ["v1/sleep" if number % 100 == 50 else "v1/noop" for number in range(steps)]
    place.fill(TEMPLATE, with_steps(lambda: (new_step(name, state()) for name in names)))
    quiet = prepare(bench, place)
    slow = Drain(place=place, template=TEMPLATE, expected=steps, name="v1/noop")
    contenders = [quiet.limit()]
    for kind, word in (("def", "threads"), ("async", "coroutines")):
        contenders += [
            quiet.stepwell(workers=WORKERS, kind=kind, variant=f"{word}, no sleepers"),
            slow.stepwell(workers=WORKERS, kind=kind, variant=f"{word}, 1 % sleep"),
        ]
    bench.compare("W7", place, contenders, size=f"{steps:,} steps, {WORKERS} workers")
