"""The program of the tests of child processes: an engine whose handler goes on for ever.

    python apart.py STORE_URL [unguarded]

The handler stands in the main program; it writes the id of its process into the file that
is its state. With `unguarded` the program is written as it should not be.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from stepwell import Engine, Registry
from stepwell.events import Event, subscribe
from stepwell.stores import open_store

registry = Registry()


@registry.handler("v1/spin", process=True)
def spin(state: str) -> None:
    """Go on for ever, and say where."""
    Path(state).write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)


@registry.handler("v1/done", process=True)
def end() -> None:
    """End at once."""


def _tell(event: Event) -> None:
    print(event.name, flush=True)


if __name__ == "__main__" or "unguarded" in sys.argv:
    subscribe(_tell)
    store = open_store(sys.argv[1])
    Engine(store, registry, workers=4, processes=2).run()
    store.close()
