"""A whole cluster in a thread: API server, controllers and nodes; a kubeconfig names it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import kmock
from tests.kubernetes.fake.api import Api
from tests.kubernetes.fake.controllers import Jobs
from tests.kubernetes.fake.nodes import Nodes
from tests.kubernetes.fake.objects import Object, Objects

T = TypeVar("T")


class Cluster:
    """It lives until it is closed. Its state is changed in its own loop only: see `do`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready, self._done = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="cluster", daemon=True)
        self._thread.start()
        assert self._ready.wait(90), "the cluster does not begin"

    def do(self, what: Callable[[], T]) -> T:
        """Call something in the cluster's own thread."""

        async def called() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(90)

    def kubeconfig(self, path: Path) -> Path:
        """Write one that names this cluster."""
        content = {
            "current-context": "played",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [
                {
                    "name": "played",
                    "context": {"cluster": "here", "user": "me", "namespace": "default"},
                }
            ],
        }
        path.write_text(json.dumps(content))
        return path

    def all(self, resource: str) -> list[Object]:
        """A copy of all objects of a kind."""
        text = self.do(lambda: json.dumps(list(self.objects.select(resource))))
        found: list[Object] = json.loads(text)
        return found

    def close(self) -> None:
        """End it, with all that runs in it; a test may have done so before."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._done.set)
            self._thread.join(20)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._lived())
        finally:
            self._loop.close()

    async def _lived(self) -> None:
        self.objects = Objects()
        self.nodes = Nodes(self.objects)
        self.api = Api(self.objects, self.nodes.written)
        self.jobs = Jobs(self.api, self.objects, self.nodes.began)
        self.nodes.tell = self.jobs.tell
        for node in self.nodes.nodes:
            self.objects.add("nodes", "", node.as_object)
        handler = kmock.KubernetesScaffold()
        handler << self.api.answer
        async with handler, kmock.Server(handler) as server:
            self.url = str(server.url).rstrip("/")
            working = asyncio.get_running_loop().create_task(self.jobs.run())
            self._ready.set()
            await self._done.wait()
            self.api.closing = True
            self.objects._changed.set()
            await working
            self.nodes.close()


def named(cluster: Any, resource: str, name: str) -> Object | None:
    """An object by its name."""
    return next((one for one in cluster.all(resource) if one["metadata"]["name"] == name), None)
