"""Containers of one process that settle operations over HTTP, each run in a thread of its own.

Arguments: the server's address, its key, results per settlement, seconds, and the runs. The
steps of a run are claimed before the clock starts.
"""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID

from benchmarks.subject import serve
from stepwell.clock import now
from stepwell.ids import new_id
from stepwell.outcome import Settlement
from stepwell.server.runs import tokens
from stepwell.step import EndedAs, Step
from stepwell.stores.http import HttpStore
from stepwell.stores.protocol import ClaimRequest, EngineInfo

NAME = "v1/bench/three/first"


class Container:
    """One run's engine, as far as settling goes."""

    def __init__(self, url: str, key: str, run_id: str) -> None:
        flow = UUID(run_id)
        self._store = HttpStore(url, flow, tokens.issue(key.encode(), flow, 1))
        self._engine = EngineInfo(
            id=new_id(), name="bench", version="1", handles=(NAME,), queues=("runs",)
        )
        self.steps: list[Step] = []
        self.settled = self.requests = 0

    def prepare(self) -> None:
        """Claim all that there is."""
        with self._store.transaction() as tx:
            tx.join(self._engine)
            while True:
                asked = ClaimRequest(
                    engine_id=self._engine.id, request_id=new_id(), names=(NAME,), limit=500
                )
                claimed = tx.claim(asked)
                self.steps += claimed.steps
                if not claimed.steps:
                    return

    def settle(self, at_once: int, until: float) -> None:
        """Settle until the time is over, or nothing is left."""
        with self._store.transaction() as tx:
            while self.steps and time.monotonic() < until:
                some, self.steps = self.steps[:at_once], self.steps[at_once:]
                tx.settle(self._engine.id, [_done(step) for step in some])
                self.settled += len(some)
                self.requests += 1


def _done(step: Step) -> Settlement:
    return Settlement(
        claim=step.claim,
        ended_as=EndedAs.DONE,
        description=None,
        activation_seen=step.activation_no,
        failure_count=0,
        execution_started_at=now(),
        execution_duration=0.001,
        executed_by="bench",
        result='{"rows":1}',
    )


def _prepared(
    url: str, key: str, at_once: str, seconds: str, *runs: str
) -> tuple[list[Container], int, float]:
    made = [Container(url, key, one) for one in runs]
    for one in made:
        one.prepare()
    return made, int(at_once), float(seconds)


def _work(prepared: tuple[list[Container], int, float]) -> dict[str, Any]:
    containers, at_once, seconds = prepared
    begun, used = time.monotonic(), time.process_time()
    until = begun + seconds
    threads = [threading.Thread(target=one.settle, args=(at_once, until)) for one in containers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return {
        "seconds": time.monotonic() - begun,
        "processor": time.process_time() - used,
        "settled": sum(one.settled for one in containers),
        "requests": sum(one.requests for one in containers),
    }


if __name__ == "__main__":
    serve(_work, _prepared)
