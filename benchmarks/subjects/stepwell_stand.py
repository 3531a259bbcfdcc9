"""Engines that run until they are told to end.

Run as `python -m benchmarks.subjects.stepwell_stand ADDRESS ENGINES`.
"""

from __future__ import annotations

from benchmarks.handlers import registry
from benchmarks.stores import store_at
from benchmarks.subject import serve, wait_for_end
from stepwell import Engine


def prepare(address: str, engines: str) -> list[Engine]:
    """Started, each with a store of its own, as in so many processes."""
    return [Engine(store_at(address), registry()).start() for _ in range(int(engines))]


def stand(engines: list[Engine]) -> int:
    """Wait; the number of steps that were run."""
    wait_for_end()
    for engine in engines:
        engine.stop()
        engine.store.close()
    return sum(engine.tally.done for engine in engines)


if __name__ == "__main__":
    serve(stand, prepare)
