"""An idle engine whose steps note when they are started.

Run as `python -m benchmarks.subjects.stepwell_listen ADDRESS STEPS`.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import Engine, Registry


class Listener:
    """Runs until it has seen so many steps."""

    def __init__(self, address: str, steps: str) -> None:
        self.started: dict[int, float] = {}
        self._steps, self._all = int(steps), threading.Event()
        registry = Registry()
        registry.add(self.note, "v1/note")
        self.engine = Engine(store_at(address), registry).start()
        """Idle, until steps come."""

    def note(self, state: dict[str, Any]) -> None:
        """The handler: when it was called, in Unix seconds."""
        self.started[state["number"]] = time.time()
        if len(self.started) == self._steps:
            self._all.set()

    def listen(self) -> dict[int, float]:
        """Wait for all steps; when each was started."""
        self._all.wait(timeout=60 + self._steps)
        self.engine.stop()
        self.engine.store.close()
        return self.started


if __name__ == "__main__":
    serve(Listener.listen, Listener)
