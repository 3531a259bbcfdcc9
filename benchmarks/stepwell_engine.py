"""Stepwell as an application runs it: a store, a registry, an engine.

Run as `python -m benchmarks.stepwell_engine ADDRESS [WORKERS]`.
"""

from __future__ import annotations

from benchmarks.handlers import registry
from benchmarks.stores import store_at
from benchmarks.subject import serve
from stepwell import Engine


def drain(address: str, workers: str = "8") -> int:
    """Run until nothing is due; the number of steps that were run here."""
    store = store_at(address)
    try:
        return Engine(store, registry(), workers=int(workers)).drain().done
    finally:
        store.close()


if __name__ == "__main__":
    serve(drain)
