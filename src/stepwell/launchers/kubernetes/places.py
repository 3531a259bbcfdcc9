"""A namespace as the launcher works in it: its mirrors, its book, and paths of requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

from stepwell.launchers.kubernetes import book, names
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.book import Book
from stepwell.launchers.kubernetes.mirror import Mirror
from stepwell.launchers.kubernetes.nodes import EVERY, Usage
from stepwell.launchers.notices import Bell
from stepwell.launchers.protocol import LaunchFailed

FIRST: Final = 10.0
"""Seconds that a caller waits for the first list."""
STALE: Final = 10.0
"""Seconds without news after which nothing is said of launches."""


class Place:
    """One namespace.

    Parameters
    ----------
    ended : called when something may have ended.
    """

    def __init__(
        self, api: KubernetesApi, namespace: str, owner: str, ended: Callable[[], None]
    ) -> None:
        self.namespace, self._api = namespace, api
        self.book = Book(lambda name: names.is_mine(owner, name), ended)
        self.usage = Usage(api, namespace, names.selector(owner))
        mine = {"labelSelector": names.selector(owner)}
        warnings = {"fieldSelector": "type=Warning"}
        self.mirrors = (
            Mirror(api, self.jobs, book.of_jobs(self.book), mine),
            Mirror(api, self.pods, book.of_pods(self.book), mine),
            Mirror(api, self._core("events"), book.of_events(self.book), warnings),
        )
        self._closed = threading.Event()

    @property
    def jobs(self) -> str:
        """The path of Jobs."""
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

    @property
    def pods(self) -> str:
        """The path of pods."""
        return self._core("pods")

    @property
    def secrets(self) -> str:
        """The path of Secrets."""
        return self._core("secrets")

    def start(self) -> None:
        """Begin to watch."""
        for one in self.mirrors:
            one.start()
        threading.Thread(target=self._sample, name="usage", daemon=True).start()

    def close(self) -> None:
        """End the watches."""
        self._closed.set()
        for one in self.mirrors:
            one.close()

    def check(self) -> None:
        """Raise `LaunchFailed` unless Jobs and pods are known as they are now."""
        for one in self.mirrors[:2]:
            if not one.wait(FIRST) or one.down_for > STALE:
                raise one.fault or LaunchFailed(
                    f"The Jobs of the namespace {self.namespace!r} are not known yet.",
                    fix="It is asked again.",
                )

    def _core(self, resource: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/{resource}"

    def _sample(self) -> None:
        while not self._closed.wait(EVERY):
            if self.book.running():
                self.usage.sample()


class Places:
    """The namespaces that a launcher works in; each is watched from its first use.

    Parameters
    ----------
    allowed : their names, the usual one first.
    """

    def __init__(self, api: KubernetesApi, allowed: tuple[str, ...], owner: str) -> None:
        self.allowed, self.bell = allowed, Bell()
        self._api, self._owner, self._lock = api, owner, threading.Lock()
        self._known: dict[str, Place] = {}

    def __getitem__(self, namespace: str) -> Place:
        with self._lock:
            if namespace not in self._known:
                made = Place(self._api, namespace, self._owner, self.bell.ring)
                made.start()
                self._known[namespace] = made
            return self._known[namespace]

    def known(self) -> Mapping[str, Place]:
        """Those that are watched."""
        return dict(self._known)

    def close(self) -> None:
        """End all watches."""
        for one in self.known().values():
            one.close()
        self.bell.close()
