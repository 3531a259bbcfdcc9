"""One kind of object as the cluster has it: a list, then a watch that goes on from there.

`list` gives the version at which it was taken; the watch from that version tells of every
change since. Where the cluster has forgotten that version (410), or a change was not
understood, the list is taken anew. So nothing is missed, and nothing is asked per object.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from stepwell.errors import StepwellError
from stepwell.events import emit
from stepwell.launchers.kubernetes.api import KubernetesApi, Refused
from stepwell.launchers.protocol import LaunchFailed

WATCHED: Final = 240
"""Seconds after which the API server ends a watch, and a new one goes on."""
SILENT: Final = 270.0
"""Seconds without a byte after which nobody is believed to be there."""
PAGE: Final = 500
DELAYS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts at a cluster that is away."""
GONE: Final = 410

Object = dict[str, Any]


class Listener(Protocol):
    """Who is told of the objects, in the order in which the cluster has changed them."""

    def replace(self, objects: list[Object], version: str) -> None:
        """These are all that there were at a version of the cluster."""
        ...

    def put(self, one: Object) -> None:
        """This one was added or changed."""
        ...

    def drop(self, one: Object) -> None:
        """This one is no more; as it was last."""
        ...


class Mirror:
    """A thread that keeps a listener up to date.

    Parameters
    ----------
    path : of the list, for example `/api/v1/namespaces/jobs/pods`.
    query : selectors.
    """

    def __init__(
        self, api: KubernetesApi, path: str, listener: Listener, query: Mapping[str, str]
    ) -> None:
        self._api, self._path, self._listener, self._query = api, path, listener, dict(query)
        self._ready, self._closed = threading.Event(), threading.Event()
        self._down_since: float | None = time.monotonic()
        self._fault: StepwellError | None = None
        self._thread = threading.Thread(target=self._run, name=f"mirror {path}", daemon=True)
        self.lists = self.watches = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a watch that is open ends with its connection."""
        self._closed.set()

    def wait(self, seconds: float) -> bool:
        """Until the first list was taken; whether it was."""
        return self._ready.wait(seconds)

    @property
    def down_for(self) -> float:
        """Seconds since it last knew that it is up to date; 0 while a watch is open."""
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    @property
    def fault(self) -> StepwellError | None:
        """What ails it."""
        return self._fault

    def _run(self) -> None:
        failures = 0
        version = ""
        while not self._closed.is_set():
            try:
                version = self._followed(version or self._listed())
                failures = 0
            except _Forgotten:
                version = ""
            except Exception as error:  # it must outlive whatever the cluster answers
                if self._closed.is_set():
                    return
                failures = self._failed(error, failures)
                version = ""

    def _failed(self, error: Exception, failures: int) -> int:
        self._down_since = self._down_since or time.monotonic()
        self._fault = error if isinstance(error, StepwellError) else _fault(self._path, error)
        if isinstance(error, Refused):
            self._fault = _fault(self._path, error)
        emit("mirror.failed", path=self._path, error=str(error))
        pause = DELAYS[min(failures, len(DELAYS) - 1)]
        self._closed.wait(pause * random.uniform(0.8, 1.2))
        return failures + 1

    def _listed(self) -> str:
        """Take the list, page by page; its version."""
        objects: list[Object] = []
        more = ""
        while True:
            page = {"limit": PAGE} | ({"continue": more} if more else {})
            found = self._asked(page)
            objects += found["items"]
            more = found["metadata"].get("continue", "")
            if not more:
                break
        self.lists += 1
        version = str(found["metadata"]["resourceVersion"])
        self._listener.replace(objects, version)
        self._down_since, self._fault = None, None
        self._ready.set()
        return version

    def _asked(self, page: dict[str, Any]) -> Any:
        try:
            return self._api.ask("GET", self._path, **self._query, **page)
        except Refused as refused:
            if refused.status == GONE:  # the pages took too long
                raise _Forgotten from refused
            raise

    def _followed(self, version: str) -> str:
        """Watch from a version until the watch ends; the version to go on from."""
        query = {"watch": "true", "allowWatchBookmarks": "true", "resourceVersion": version}
        given = {**self._query, **query, "timeoutSeconds": str(WATCHED)}
        self.watches += 1
        try:
            with self._api.stream(self._path, SILENT, **given) as answer:
                self._down_since, self._fault = None, None
                for line in answer.iter_lines():
                    if self._closed.is_set():
                        break
                    version = self._taken(json.loads(line)) if line.strip() else version
        except Refused as refused:
            if refused.status == GONE:
                raise _Forgotten from refused
            raise
        return version

    def _taken(self, event: Mapping[str, Any]) -> str:
        """Hand on one event; the version after it."""
        kind, one = event["type"], event["object"]
        if kind == "ERROR":
            if one.get("code") == GONE:
                raise _Forgotten
            raise Refused(one.get("code", 500), one.get("reason", ""), one.get("message", ""))
        if kind in _TOLD:
            _TOLD[kind](self._listener)(one)
        return str(one["metadata"]["resourceVersion"])


class _Forgotten(Exception):
    """The cluster does not know that version any more (410 Gone)."""


_TOLD: Final[dict[str, Callable[[Listener], Callable[[Object], None]]]] = {
    "ADDED": lambda listener: listener.put,
    "MODIFIED": lambda listener: listener.put,
    "DELETED": lambda listener: listener.drop,
}


def _fault(path: str, error: Exception) -> StepwellError:
    return LaunchFailed(
        f"The cluster's objects at {path} cannot be watched.",
        why=str(error) or type(error).__name__,
        fix="See `stepwell doctor kubernetes`.",
    )
