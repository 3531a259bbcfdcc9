"""One program that adds one step at a time at a steady pace, and whose engine runs them.

Run as `python -m benchmarks.subjects.stepwell_both ADDRESS STEPS SECONDS`.
"""

from __future__ import annotations

from benchmarks.subject import serve
from benchmarks.subjects.stepwell_listen import Listener
from benchmarks.subjects.stepwell_trickle import Job, trickle


def both(address: str, steps: str, apart: str) -> dict[str, dict[int, float]]:
    """When each step was asked for, and when it was started, in Unix seconds."""
    listener = Listener(address, steps)
    asked = trickle(Job(listener.engine, int(steps), float(apart)))
    return {"asked": asked, "began": listener.listen()}


if __name__ == "__main__":
    serve(both)
