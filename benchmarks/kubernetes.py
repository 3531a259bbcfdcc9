"""A burst of runs on a cluster that starts pods at once: what the server itself adds.

`python -m benchmarks.kubernetes --runs 1000 --limit 50`. The cluster is the one that tests play, or
with `--cluster KUBECONFIG` a real one, in which this program is a node (see `hollow`). Pods run at
once, live for a while (`--lives`, in seconds, by half more or less), and end with the run's one
operation done. So all that is measured is the server, its launcher, and what the cluster itself
takes, of the same cores. With pods that live for no time at all, what is measured is how many runs
a second the server can close.

* go: from the slot (the attempt's row) to the Job that is let go: the server's own part.
* launch: from the slot to the pod.
* hand-over: from the end of a pod to the Job, and to the pod, that takes its slot, by their order.
* requests: to the API of the cluster, for each run.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import func, select, update
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image
from tests.kubernetes.fake.objects import Object
from tests.server.runs.support import GROUP, WORKFLOW, operation, release, workflow

from benchmarks.hollow import HollowNode
from benchmarks.latency import quantile
from benchmarks.machine import machine
from stepwell.launchers.kubernetes import kubeconfig
from stepwell.launchers.kubernetes.api import JSON_PATCH, KubernetesApi
from stepwell.server.app import Server
from stepwell.server.database.tables import attempts, groups, runs
from stepwell.server.runs import service
from stepwell.server.settings import Settings
from stepwell.step import EndedAs, StepQuery, StepStatus

NAME: Final = "localhost/bench"
DIGEST: Final = "sha256:" + "ab" * 32

Told = Callable[[Object], None]


class Subject(Protocol):
    """A cluster that tells of pods that are made and that run, and ends them when asked."""

    @property
    def kubeconfig(self) -> str: ...

    @property
    def namespace(self) -> str: ...

    @property
    def options(self) -> Object | None: ...

    def open(self, created: Told, began: Told) -> None: ...

    def end(self, pod: Object) -> None: ...

    def close(self) -> None: ...


class Played:
    """The cluster of the tests: a pod runs when it is made."""

    namespace = "default"
    options = None

    def __init__(self, folder: Path) -> None:
        self._cluster = Cluster()
        self._cluster.nodes.images[NAME] = Image(instant=True)
        self.kubeconfig = str(self._cluster.kubeconfig(folder / "kubeconfig"))

    def open(self, created: Told, began: Told) -> None:
        nodes, usual = self._cluster.nodes, self._cluster.nodes.began

        async def begins(pod: Object) -> None:
            created(pod)
            await usual(pod)
            began(pod)

        nodes.began = begins  # type: ignore[method-assign]
        self._cluster.jobs.pod_began = begins

    def end(self, pod: Object) -> None:
        self._cluster.do(lambda: self._cluster.nodes.end(pod, 0))

    def close(self) -> None:
        self._cluster.close()


class Real:
    """A cluster that a kubeconfig names, with a hollow node."""

    def __init__(self, named: str) -> None:
        self.kubeconfig = named
        self._api = KubernetesApi(kubeconfig.reached(named, environment={}))

    def open(self, created: Told, began: Told) -> None:
        self._node = HollowNode(self._api, created, began)
        self.namespace, self.options = self._node.namespace, self._node.options
        self._node.open()

    def end(self, pod: Object) -> None:
        self._node.end(pod)

    def close(self) -> None:
        self._node.close()
        self._api.close()


@dataclass
class Pods:
    """Plays what is in pods: each does its run's operation, and ends.

    `created` and `began` have the instant of each pod by its launch, `ended` that of each end.
    """

    subject: Subject
    lives: float
    server: Server | None = None
    created: dict[str, float] = field(default_factory=dict)
    ended: list[float] = field(default_factory=list)
    _due: queue.Queue[Object | None] = field(default_factory=queue.Queue)

    def watch(self) -> None:
        """Be told of each pod."""
        self.subject.open(self._created, self._began)
        threading.Thread(target=self._work, daemon=True).start()

    def stop(self) -> None:
        """No more."""
        self._due.put(None)

    def _created(self, pod: Object) -> None:
        self.created.setdefault(pod["metadata"]["labels"]["stepwell.launch"], time.time())

    def _began(self, pod: Object) -> None:
        lives = self.lives * random.uniform(0.5, 1.5)
        timer = threading.Timer(lives, self._due.put, (pod,))
        timer.daemon = True
        timer.start()

    def _work(self) -> None:
        while (pod := self._due.get()) is not None:
            assert self.server is not None
            run_id = UUID(pod["metadata"]["labels"]["stepwell.run"])
            with self.server.db.write() as conn:
                tx = self.server.db.steps(conn)
                query = StepQuery(flow_id=run_id, status=StepStatus.READY, limit=1)
                for step in tx.search(query):
                    tx.end(step.id, EndedAs.DONE, "done by the benchmark")
            self.ended.append(time.time())  # before it is told: an answer may come late
            self.subject.end(pod)


@dataclass
class Asked:
    """What the server asks of the cluster: how often, and when it let each launch go."""

    calls: Counter[str] = field(default_factory=Counter)
    went: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def noted(self, but: KubernetesApi | None) -> Iterator[None]:
        """Note all requests within the block, but for those of one client."""
        told, stream = KubernetesApi.told, KubernetesApi.stream

        def noting(api: KubernetesApi, method: str, path: str, *given: Any, **more: Any) -> Any:
            answer = told(api, method, path, *given, **more)
            if api is not but:
                self.calls[f"{method} {_kind(path)}"] += 1
                if more.get("form") == JSON_PATCH:
                    self.went[answer[0]["metadata"]["labels"]["stepwell.launch"]] = time.time()
            return answer

        def streaming(api: KubernetesApi, path: str, *given: Any, **more: Any) -> Any:
            if api is not but:
                self.calls[f"{'WATCH' if 'watch' in more else 'READ'} {_kind(path)}"] += 1
            return stream(api, path, *given, **more)

        made: Any = KubernetesApi
        made.told, made.stream = noting, streaming
        try:
            yield
        finally:
            made.told, made.stream = told, stream


def _kind(path: str) -> str:
    """Of which kind of object a path is."""
    found = re.search(r"/(jobs|pods|secrets|events|nodes)(?:/[^/]+)?(/\w+)?$", path)
    return f"{found[1]}{found[2] or ''}" if found else path


def burst(count: int, limit: int, lives: float, cluster: str = "") -> dict[str, Any]:
    """Run so many runs, so many at a time."""
    with tempfile.TemporaryDirectory() as folder:
        subject: Subject = Real(cluster) if cluster else Played(Path(folder))
        pods, asked = Pods(subject, lives), Asked()
        pods.watch()
        server = pods.server = Server(_settings(Path(folder), subject))
        server.db.migrate()
        entry = workflow(operation("load"), limit=limit)
        release(server, entry, image=NAME, digest=DIGEST)
        with server.db.write() as conn:
            changes = {"launcher": "kubernetes", "launch_options": subject.options}
            conn.execute(update(groups).values(**changes))
        for _ in range(count):
            _start(server)
        began = time.time()
        with asked.noted(getattr(subject, "_api", None)), server:
            most = _until_all_ended(server, count)
            took = time.time() - began
            pods.stop()
            figures = _figures(server, pods, asked, limit)
            load = machine()
        subject.close()
    each = {kind: round(number / count, 3) for kind, number in sorted(asked.calls.items())}
    return {
        "runs": count,
        "limit": limit,
        "lives, s": lives,
        "seconds": round(took, 1),
        "most at once": most,
        **figures,
        "requests a run": round(sum(asked.calls.values()) / count, 2),
        "requests": each,
        "machine": load,
    }


def _figures(server: Server, pods: Pods, asked: Asked, limit: int) -> dict[str, float]:
    with server.db.read() as conn:
        rows = conn.execute(select(attempts.c.run_id, attempts.c.number, attempts.c.queued_at))
        queued = {f"{run}-{number}": at.timestamp() for run, number, at in rows}
    found = {
        "go": [at - queued[launch] for launch, at in asked.went.items()],
        "launch": [at - queued[launch] for launch, at in pods.created.items()],
        "hand-over to go": _handed(pods.ended, asked.went, limit),
        "hand-over to pod": _handed(pods.ended, pods.created, limit),
    }
    return {
        f"{what} {name}, ms": round(1000 * quantile(values, share), 1)
        for what, values in found.items()
        if values
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def _handed(ended: list[float], taken: dict[str, float], limit: int) -> list[float]:
    """From each end to what took its slot."""
    starts = sorted(taken.values())[limit:]
    return [at - end for at, end in zip(starts, sorted(ended), strict=False)]


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


def _settings(folder: Path, subject: Subject) -> Settings:
    return Settings(
        data_dir=folder,
        secret_key="of the benchmark",
        launchers=("kubernetes",),
        kubernetes_config=subject.kubeconfig,
        kubernetes_namespace=subject.namespace,
    )


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser("python -m benchmarks.kubernetes", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=50)
    parser.add_argument("--lives", type=float, default=20.0)
    parser.add_argument("--cluster", default="", help="the kubeconfig of a real cluster")
    given = parser.parse_args()
    found = burst(given.runs, given.limit, given.lives, given.cluster)
    print(json.dumps(found, indent=2, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main())
