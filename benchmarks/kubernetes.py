"""A burst of runs on a cluster that starts pods at once: what the server itself adds.

`python -m benchmarks.kubernetes --runs 1000 --limit 50`. The cluster is the one that tests play:
its pods run at once, live for a while (`--lives`, in seconds, by half more or less), and end
with the run's one operation done. So all that is measured is the server, its launcher, and what
the played cluster itself takes of the same cores. With pods that live for no time at all, what
is measured is how many runs a second the server can close.

* launch: from the slot (the attempt's row) to the pod.
* hand-over: from the end of a pod to the pod that takes its slot, by their order.
* requests: to the API of the cluster, for each run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from tests.kubernetes.fake.objects import Object
from tests.server.runs.support import GROUP, WORKFLOW, operation, release, workflow

from benchmarks.latency import quantile
from benchmarks.machine import machine
from stepwell.server.app import Server
from stepwell.server.database.tables import attempts, groups, runs
from stepwell.server.runs import service
from stepwell.server.settings import Settings
from stepwell.step import EndedAs, StepQuery, StepStatus

NAME: Final = "localhost/bench"
DIGEST: Final = "sha256:" + "ab" * 32


@dataclass
class Pods:
    """Plays what is in pods: each does its run's operation, and ends.

    `began` has the instant of each pod by its launch, `ended` that of each end.
    """

    cluster: Cluster
    server: Server
    lives: float
    began: dict[str, float] = field(default_factory=dict)
    ended: list[float] = field(default_factory=list)
    _due: queue.Queue[Object | None] = field(default_factory=queue.Queue)

    def watch(self) -> None:
        """Be told of each pod that begins, in the cluster's own thread."""
        nodes, usual = self.cluster.nodes, self.cluster.nodes.began

        async def begins(pod: Object) -> None:
            launch = pod["metadata"]["labels"]["stepwell.launch"]
            self.began.setdefault(launch, time.time())
            await usual(pod)
            lives = self.lives * random.uniform(0.5, 1.5)
            asyncio.get_running_loop().call_later(lives, self._due.put, pod)

        nodes.began = begins  # type: ignore[method-assign]
        self.cluster.jobs.pod_began = begins
        threading.Thread(target=self._work, daemon=True).start()

    def stop(self) -> None:
        """No more."""
        self._due.put(None)

    def _work(self) -> None:
        while (pod := self._due.get()) is not None:
            run_id = UUID(pod["metadata"]["labels"]["stepwell.run"])
            with self.server.db.write() as conn:
                tx = self.server.db.steps(conn)
                query = StepQuery(flow_id=run_id, status=StepStatus.READY, limit=1)
                for step in tx.search(query):
                    tx.end(step.id, EndedAs.DONE, "done by the benchmark")
            self.cluster.do(lambda pod=pod: self.cluster.nodes.end(pod, 0))  # type: ignore[misc]
            self.ended.append(time.time())


def burst(count: int, limit: int, lives: float) -> dict[str, Any]:
    """Run so many runs, so many at a time."""
    cluster = Cluster()
    cluster.nodes.images[NAME] = Image(instant=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(_settings(Path(folder), cluster))
        server.db.migrate()
        entry = workflow(operation("load"), limit=limit)
        release(server, entry, image=NAME, digest=DIGEST)
        with server.db.write() as conn:
            conn.execute(update(groups).values(launcher="kubernetes"))
        pods = Pods(cluster, server, lives)
        pods.watch()
        for _ in range(count):
            _start(server)
        began = time.time()
        with server:
            most = _until_all_ended(server, count)
            took = time.time() - began
            pods.stop()
            figures = _figures(server, pods, limit)
    calls = dict(cluster.api.calls)
    cluster.close()
    each = {kind: round(number / count, 3) for kind, number in sorted(calls.items())}
    return {
        "runs": count,
        "limit": limit,
        "lives, s": lives,
        "seconds": round(took, 1),
        "most at once": most,
        **figures,
        "requests a run": round(sum(calls.values()) / count, 2),
        "requests": each,
        "machine": machine(),
    }


def _figures(server: Server, pods: Pods, limit: int) -> dict[str, float]:
    with server.db.read() as conn:
        rows = conn.execute(select(attempts.c.run_id, attempts.c.number, attempts.c.queued_at))
        queued = {f"{run}-{number}": at.timestamp() for run, number, at in rows}
    launches = [at - queued[launch] for launch, at in pods.began.items()]
    starts, ends = sorted(pods.began.values())[limit:], sorted(pods.ended)
    handed = [at - end for at, end in zip(starts, ends, strict=False)]
    return {
        f"{what} {name}, ms": round(1000 * quantile(values, share), 1)
        for what, values in (("launch", launches), ("hand-over", handed))
        if values
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def _until_all_ended(server: Server, count: int) -> int:
    """Wait for all; the most that held a slot at once, as often as it was looked."""
    most, states = 0, runs.c.state
    while True:
        with server.db.read() as conn:
            rows = conn.execute(select(states, func.count()).group_by(states))
            found: dict[str, int] = dict(rows.all())
        most = max(most, found.get("starting", 0) + found.get("running", 0))
        if sum(found.get(one, 0) for one in ("succeeded", "failed", "cancelled")) == count:
            assert found == {"succeeded": count}, found
            return most
        time.sleep(0.2)


def _start(server: Server) -> None:
    with server.db.write() as conn:
        service.start_run(
            conn,
            server.db,
            group=GROUP,
            workflow=WORKFLOW,
            parameters={"day": "2026-01-31"},
            trigger="request",
            requested_by="the benchmark",
        )


def _settings(folder: Path, cluster: Cluster) -> Settings:
    return Settings(
        data_dir=folder,
        secret_key="of the benchmark",
        launchers=("kubernetes",),
        kubernetes_config=str(cluster.kubeconfig(folder / "kubeconfig")),
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.kubernetes", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--lives", type=float, default=20.0)
    given = parser.parse_args()
    found = burst(given.runs, given.limit, given.lives)
    print(json.dumps(found, indent=2, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
