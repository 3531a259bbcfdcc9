"""The API server of a cluster that is played, on kmock: requests to objects, and watches."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import kmock
from tests.kubernetes.fake.objects import Exists, Object, Objects

Request = kmock.Request
BOOKMARKS = 2.0
"""Seconds of silence after which a watch tells the version."""

Admission = Callable[[str, Object], str]
"""Resource and object -> why it is refused; empty if it is not."""


def refusal(status: int, reason: str, message: str) -> kmock.KubernetesError:
    """An answer that is an error."""
    return kmock.KubernetesError(status=status, reason=reason, message=message, details={})


class Api:
    """What the cluster answers.

    Parameters
    ----------
    logs : pod -> what it wrote.
    """

    def __init__(self, objects: Objects, logs: Callable[[Object], bytes]) -> None:
        self.objects, self._logs = objects, logs
        self.calls: Counter[str] = Counter()
        self.admission: list[Admission] = [self._quota, self._security]
        self.granted: Callable[[dict[str, Any]], bool] = lambda attributes: True
        self.permitted: set[tuple[str, str]] | None = None
        self.closing = False

    async def answer(self, request: Request) -> Any:
        """The payload of an answer, or the error raised."""
        if request.resource is None:
            raise refusal(404, "NotFound", "there is nothing")
        resource = str(request.resource.plural)
        action = (request.action or request.method).value.lower()
        part = f"/{request.subresource}" if request.subresource else ""
        self.calls[f"{action} {resource}{part}"] += 1
        if not self._may(action, f"{resource}{part}"):
            raise refusal(403, "Forbidden", f"{resource} is forbidden: cannot {action} resource")
        if request.resource.group == "metrics.k8s.io":
            raise refusal(404, "NotFound", "the server could not find the requested resource")
        if resource in _REVIEWS:
            return self._review(resource, request.data)
        verb: Callable[[str, Request], Any] = getattr(self, f"_{action}")
        return verb(resource, request)

    def _may(self, action: str, resource: str) -> bool:
        """Whether who asks has that permission, where permissions are looked at."""
        reviewing = resource in _REVIEWS
        verb = {"fetch": "get", "update": "patch"}.get(action, action)
        return self.permitted is None or reviewing or (verb, resource) in self.permitted

    def _list(self, resource: str, request: Request) -> Any:
        found = [
            one for one in self.objects.select(resource, request.namespace) if _fits(one, request)
        ]
        about = {"resourceVersion": str(self.objects.version)}
        return {"kind": "List", "apiVersion": "v1", "metadata": about, "items": found}

    def _watch(self, resource: str, request: Request) -> AsyncIterator[Any]:
        version = int(request.params.get("resourceVersion", "0"))
        if version < self.objects.oldest:
            raise refusal(410, "Expired", f"too old resource version: {version}")
        return self._changes(resource, request, version)

    async def _changes(self, resource: str, request: Request, version: int) -> AsyncIterator[Any]:
        yield b""  # the headers are sent
        loop = asyncio.get_running_loop()
        end = loop.time() + float(request.params.get("timeoutSeconds", "60"))
        while loop.time() < end and not self.closing:
            if version < self.objects.oldest:
                yield _error(410, "Expired", "too old resource version")
                return
            found = self.objects.since(version, resource, request.namespace or "")
            version = self.objects.version
            for _, kind, one in found:
                if _fits(one, request):
                    yield {"type": kind, "object": one}
            if not found:
                await self.objects.more(min(BOOKMARKS, max(0.01, end - loop.time())))
                if self.objects.version == version:
                    yield _bookmark(version)

    def _fetch(self, resource: str, request: Request) -> Any:
        one = self._known(resource, request)
        if request.subresource != "log":
            return one
        try:
            return self._logs(one)
        except ConnectionError as error:
            raise refusal(500, "", str(error)) from error

    def _create(self, resource: str, request: Request) -> Any:
        if request.subresource == "eviction":
            return self._evict(request)
        made: Object = request.data
        if resource == "jobs":
            _validate(made["spec"]["template"]["spec"])
        for check in self.admission:
            if why := check(resource, made):
                raise refusal(403, "Forbidden", why)
        if "stringData" in made:
            made["data"] = made.pop("stringData")
        if request.params.get("dryRun"):
            return made
        try:
            return self.objects.add(resource, request.namespace or "", made)
        except Exists:
            name = made["metadata"]["name"]
            raise refusal(409, "AlreadyExists", f'{resource} "{name}" already exists') from None

    def _quota(self, resource: str, made: Object) -> str:
        """As a ResourceQuota that counts pods."""
        if resource != "pods":
            return ""
        space = made["metadata"]["namespace"]
        for quota in self.objects.select("resourcequotas", space):
            most = int(quota["spec"]["hard"].get("pods", "1000"))
            used = len(list(self.objects.select("pods", space)))
            if used >= most:
                name = quota["metadata"]["name"]
                counts = f"requested: pods=1, used: pods={used}, limited: pods={most}"
                return f"exceeded quota: {name}, {counts}"
        return ""

    def _security(self, resource: str, made: Object) -> str:
        """As the admission of pods in a namespace that enforces a standard."""
        if resource != "pods":
            return ""
        space = self.objects.get("namespaces", "", made["metadata"]["namespace"])
        labels = (space or {"metadata": {}})["metadata"].get("labels", {})
        level = labels.get("pod-security.kubernetes.io/enforce")
        container = made["spec"]["containers"][0]
        if level and container["securityContext"].get("privileged"):
            what = f'privileged (container "{container["name"]}" must not set privileged=true)'
            return f'violates PodSecurity "{level}:latest": {what}'
        return ""

    def _update(self, resource: str, request: Request) -> Any:
        one = self._known(resource, request)
        if isinstance(request.data, list):
            _json_patch(one, request.data)
        else:
            _merge(one, request.data)
        return self.objects.change(resource, one)

    def _delete(self, resource: str, request: Request) -> Any:
        one = self._known(resource, request)
        running = resource == "pods" and one["status"]["phase"] not in ("Succeeded", "Failed")
        if running:
            return self.objects.doom(one)
        self.objects.drop(resource, one)
        return {"kind": "Status", "status": "Success"}

    def _post(self, resource: str, request: Request) -> Any:
        """A subresource is created: only evictions here."""
        return self._create(resource, request)

    def _evict(self, request: Request) -> Any:
        one = self._known("pods", request)
        self.objects.change("pods", one, conditions=[_evicted(self.objects.now())])
        return self._delete("pods", request)

    def _known(self, resource: str, request: Request) -> Object:
        one = self.objects.get(resource, request.namespace or "", str(request.name))
        if one is None:
            raise refusal(404, "NotFound", f'{resource} "{request.name}" not found')
        return one

    def _review(self, resource: str, body: dict[str, Any]) -> Any:
        if resource == "selfsubjectreviews":
            name = "system:serviceaccount:default:stepwell"
            return {**body, "status": {"userInfo": {"username": name}}}
        return {**body, "status": {"allowed": self.granted(body["spec"]["resourceAttributes"])}}


def _validate(pod: Object) -> None:
    """Of all that a real cluster validates, what tests get wrong."""
    known = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
    if (policy := pod.get("dnsPolicy", "Default")) not in known:
        message = f'spec.template.spec.dnsPolicy: Unsupported value: "{policy}"'
        raise refusal(422, "Invalid", message)
    for one in pod["containers"]:
        may = one.get("securityContext", {})
        if may.get("privileged") and may.get("allowPrivilegeEscalation") is False:
            message = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            raise refusal(422, "Invalid", message)


def _fits(one: Object, request: Request) -> bool:
    labels = one["metadata"].get("labels", {})
    return all(
        found.get(name) == value
        for found, asked in ((labels, "labelSelector"), (one, "fieldSelector"))
        for name, value in _pairs(request.params.get(asked, ""))
    )


def _pairs(selector: str) -> list[list[str]]:
    return [part.split("=", 1) for part in selector.split(",") if part]


def _merge(target: Object, patch: Object) -> None:
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            _merge(target.setdefault(name, {}), value)
        else:
            target[name] = value


def _json_patch(one: Object, patch: list[Object]) -> None:
    for step in patch:
        *path, last = step["path"].strip("/").split("/")
        place = one
        for part in path:
            place = place[part]
        if step["op"] == "test" and place.get(last) != step["value"]:
            raise refusal(
                422, "Invalid", "the server rejected our request due to an error in our request"
            )
        if step["op"] == "replace":
            place[last] = step["value"]


def _bookmark(version: int) -> Object:
    return {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(version)}}}


def _error(code: int, reason: str, message: str) -> Object:
    return {"type": "ERROR", "object": {"code": code, "reason": reason, "message": message}}


def _evicted(now: str) -> Object:
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastTransitionTime": now,
    }


_REVIEWS = frozenset({"selfsubjectaccessreviews", "selfsubjectreviews"})
