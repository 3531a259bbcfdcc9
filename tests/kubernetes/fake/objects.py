"""The objects of a cluster that is played: versions, a history, and who waits for more of it."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Object = dict[str, Any]
Key = tuple[str, str, str]
"""Resource, namespace, name."""
GENERATED = 58
"""So much of a prefix is left in a name that is made from it."""

KINDS = {
    "jobs": ("batch/v1", "Job"),
    "pods": ("v1", "Pod"),
    "secrets": ("v1", "Secret"),
    "configmaps": ("v1", "ConfigMap"),
    "events": ("v1", "Event"),
    "nodes": ("v1", "Node"),
    "namespaces": ("v1", "Namespace"),
    "resourcequotas": ("v1", "ResourceQuota"),
}


class Exists(Exception):
    """There is one of that name."""


class Objects:
    """Objects by key, and every change of them under a number; used by one event loop."""

    def __init__(self) -> None:
        self.skew = timedelta()
        self.version = 100
        self.oldest = 100
        self._all: dict[Key, Object] = {}
        self._history: list[tuple[int, str, Key, Object]] = []
        self._changed = asyncio.Event()
        self._owned: dict[str, set[Key]] = {}

    def now(self, later: float = 0) -> str:
        """The cluster's clock, or what it will be so many seconds later."""
        return (datetime.now(UTC) + self.skew + timedelta(seconds=later)).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._all.get((resource, namespace, name))

    def select(
        self, resource: str, namespace: str | None = None, **labels: str
    ) -> Iterator[Object]:
        for (kind, place, _), one in list(self._all.items()):
            if kind == resource and namespace in (None, place):
                found = one["metadata"].get("labels", {})
                if all(found.get(name) == value for name, value in labels.items()):
                    yield one

    def owned(self, resource: str, uid: str) -> list[Object]:
        """What is owned by the object of that uid."""
        keys = sorted(self._owned.get(uid, ()))
        return [self._all[key] for key in keys if key[0] == resource and key in self._all]

    def add(self, resource: str, namespace: str, made: Mapping[str, Any]) -> Object:
        one = copy.deepcopy(dict(made))
        about = one.setdefault("metadata", {})
        if "name" not in about:
            about["name"] = about["generateName"][:GENERATED] + uuid.uuid4().hex[:5]
        key = (resource, namespace, about["name"])
        if key in self._all:
            raise Exists
        about |= {"uid": str(uuid.uuid4()), "creationTimestamp": self.now()}
        if namespace:
            about["namespace"] = namespace
        one["apiVersion"], one["kind"] = KINDS[resource]
        self._all[key] = one
        if owner := owner_of(one):
            self._owned.setdefault(owner, set()).add(key)
        self._note("ADDED", key, one)
        return one

    def change(self, resource: str, one: Object, **status: Any) -> Object:
        """Note that an object was changed; `status` is merged into its own."""
        about = one["metadata"]
        key = (resource, about.get("namespace", ""), about["name"])
        if self._all.get(key) is not one:
            return one  # it was deleted meanwhile
        if status:
            one.setdefault("status", {}).update(status)
        self._note("MODIFIED", key, one)
        return one

    def doom(self, pod: Object) -> Object:
        """It is to be gone when its grace is over; the instant of that is noted."""
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        pod["metadata"]["deletionTimestamp"] = self.now(grace)
        pod["metadata"]["deletionGracePeriodSeconds"] = grace
        return self.change("pods", pod)

    def drop(self, resource: str, one: Object) -> None:
        about = one["metadata"]
        key = (resource, about.get("namespace", ""), about["name"])
        self._owned.get(owner_of(one), set()).discard(key)
        if self._all.pop(key, None) is not None:
            self._note("DELETED", key, one)

    def compact(self) -> None:
        """Forget all history: who watches from earlier gets 410."""
        self.oldest = self.version
        self._history.clear()

    def since(self, version: int, resource: str, namespace: str) -> list[tuple[int, str, Object]]:
        start = max(0, len(self._history) - (self.version - version))
        return [
            (number, kind, one)
            for number, kind, key, one in self._history[start:]
            if number > version and key[0] == resource and key[1] == namespace
        ]

    def touched(self, version: int) -> set[str]:
        """The uids of Jobs that were changed since then, or whose pods were."""
        start = max(0, len(self._history) - (self.version - version))
        kinds = {"jobs", "pods"}
        recent = [one for _, _, key, one in self._history[start:] if key[0] in kinds]
        return {owner_of(one) or one["metadata"]["uid"] for one in recent}

    async def more(self, seconds: float) -> None:
        """Until something has changed."""
        event = self._changed
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            pass

    def _note(self, kind: str, key: Key, one: Object) -> None:
        self.version += 1
        one["metadata"]["resourceVersion"] = str(self.version)
        self._history.append((self.version, kind, key, copy.deepcopy(one)))
        self._changed.set()
        self._changed = asyncio.Event()


def owner_of(one: Object) -> str:
    """The uid of what owns it; empty if nothing does."""
    owners = one["metadata"].get("ownerReferences") or ()
    return next((str(each["uid"]) for each in owners), "")
