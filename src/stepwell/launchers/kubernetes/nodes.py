"""What nodes have, and what pods use; each asked for rarely, and only where it may be."""

from __future__ import annotations

import threading
import time
from typing import Final

from stepwell.errors import StepwellError
from stepwell.launchers import amounts
from stepwell.launchers.kubernetes.api import KubernetesApi, Refused

FRESH: Final = 60.0
"""Seconds for which what nodes have is good."""
EVERY: Final = 30.0
"""Seconds between samples of what pods use."""
UNKNOWN: Final = 600.0
"""Seconds until a cluster is asked again that does not measure, or does not tell."""


class Nodes:
    """The nodes of a cluster."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api, self._lock = api, threading.Lock()
        self._known: list[dict[str, str]] = []
        self._until = 0.0

    def largest(self, resource: str) -> str | None:
        """The most of a resource that any node has for pods; None where it may not be asked."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._known, self._until = self._asked(), time.monotonic() + FRESH
            found = [one[resource] for one in self._known if resource in one]
        return max(found, key=amounts.number, default="0" if self._known else None)

    def _asked(self) -> list[dict[str, str]]:
        try:
            found = self._api.ask("GET", "/api/v1/nodes")["items"]
        except (Refused, StepwellError):
            return []
        return [one.get("status", {}).get("allocatable") or {} for one in found]


class Usage:
    """The memory that pods of one namespace used when it was looked at last."""

    def __init__(self, api: KubernetesApi, namespace: str, selector: str) -> None:
        self._api, self._selector = api, selector
        self._path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"
        self._known: dict[str, float] = {}
        self._until = 0.0

    def of(self, pod: str) -> float | None:
        """In bytes."""
        return self._known.get(pod)

    def sample(self) -> None:
        """Look, if the last look is old."""
        if time.monotonic() < self._until:
            return
        self._until = time.monotonic() + EVERY
        try:
            found = self._api.ask("GET", self._path, labelSelector=self._selector)["items"]
        except (Refused, StepwellError):
            self._until = time.monotonic() + UNKNOWN
            return
        for one in found:
            usage = (container["usage"].get("memory", "0") for container in one["containers"])
            self._known[one["metadata"]["name"]] = sum(amounts.number(each) for each in usage)
        while len(self._known) > 5000:  # the oldest first; nobody asks for them any more
            del self._known[next(iter(self._known))]
