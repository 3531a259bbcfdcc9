"""Stepwell as an application runs it: a store, a registry, an engine.

Run as `python -m benchmarks.subjects.stepwell_drain ADDRESS WORKERS KIND`, where the kind of
handlers is `def` or `async`.
"""

from __future__ import annotations

from benchmarks.handlers import REGISTRIES
from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import Engine


def drain(address: str, workers: str = "8", kind: str = "def") -> int:
    """Run until nothing is due; the number of steps that were run here."""
    store = store_at(address)
    try:
        return Engine(store, REGISTRIES[kind](), workers=int(workers)).drain().done
    finally:
        store.close()


if __name__ == "__main__":
    serve(drain)
