"""What a launch waits for, as conditions: pure, from what the cluster has told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from stepwell.launchers import amounts
from stepwell.launchers.kubernetes.body import MAIN
from stepwell.launchers.kubernetes.book import Object, Seen, told_at
from stepwell.launchers.protocol import Condition

SILENT: Final = timedelta(seconds=5)
"""What should be gone, or is said to be silent, for less is no news."""

Here = Callable[[str | None], datetime | None]
"""An instant of the cluster by this machine's clock."""
Pulled = Callable[[str], Mapping[str, Any]]
"""What is known of pulls of an image: `size`, `usual`."""
Largest = Callable[[str], str | None]
"""The most of a resource that any node has, as Kubernetes writes it; None where not known."""

_PULL: Final = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
    | {"ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"}
)
_LOGIN: Final = ("401", "403", "unauthorized", "denied", "authentication required", "no basic auth")
_QUOTA: Final = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>.+?), used: (?P<used>.+?),"
    r" limited: (?P<limited>.+)"
)
_WEBHOOK: Final = re.compile(
    r'admission webhook "(?P<policy>[^"]+)" denied the request:?\s*(?P<error>.*)'
)
_POLICY: Final = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[^']+)'.*? denied request:?\s*(?P<error>.*)"
)
_SECURITY: Final = re.compile(r"violates (?P<policy>PodSecurity) (?P<error>.*)")
_NO_ACCOUNT: Final = re.compile(r'serviceaccount "(?P<name>[^"]+)" not found')
_NO_NAMESPACE: Final = re.compile(r'namespaces? "(?P<name>[^"]+)" not found')
_NO_KEY: Final = re.compile(
    r"couldn't find key (?P<key>\S+) in (?P<kind>Secret|ConfigMap) (?:\S+/)?(?P<name>[^\s/]+)"
)
_NO_KEYS: Final = re.compile(r"references non-existent (?P<kind>secret|config) key: (?P<key>\S+)")
_NO_OBJECT: Final = re.compile(
    r'(?P<kind>secret|configmap) "(?P<name>[^"]+)" not found', re.IGNORECASE
)
_NODES: Final = re.compile(r"0/(\d+) nodes are available")
_TAINTED: Final = re.compile(r"(\d+) node\(s\) had untolerated taint")
_SHORT: Final = re.compile(r"Insufficient ([\w./-]*\w)")
_KINDS: Final = {"secret": "Secret", "configmap": "ConfigMap", "config": "ConfigMap"}


def waiting(
    seen: Seen, here: Here, largest: Largest, pulled: Pulled = lambda _: {}
) -> Condition | None:
    """What a launch waits for; None when its image runs, or has run."""
    if seen.pod is None:
        return _without_pod(seen, here)
    pod = seen.pod.pod
    status = pod.get("status", {})
    if status.get("phase", "Pending") != "Pending":
        return None
    for check in (_unscheduled, _unpulled, _unconfigured, _unmounted):
        found = check(seen, pod, here, largest)
        if found is not None:
            return found
    return _starting(pod, here, pulled)


def unheard(seen: Seen, here: Here, now: datetime) -> Condition | None:
    """Its image ran, and its node is not heard of; the cluster has not given it up yet."""
    pod = seen.pod.pod if seen.pod and not seen.pod.over else None
    if pod is None or pod.get("status", {}).get("phase") != "Running":
        return None
    since = _marked(pod, here) or here(pod["metadata"].get("deletionTimestamp"))
    if since is None or now - since < SILENT:
        return None
    return Condition(code="LOST", details={"node": pod["spec"].get("nodeName", "")}, since=since)


def _marked(pod: Object, here: Here) -> datetime | None:
    """Since when the cluster says so: it takes pods of a silent node for not ready, whose
    containers were ready when they were told of last."""
    ready, containers = _condition(pod, "Ready"), _condition(pod, "ContainersReady")
    if not ready or not containers or (ready["status"], containers["status"]) != ("False", "True"):
        return None
    return here(ready.get("lastTransitionTime"))


def _starting(pod: Object, here: Here, pulled: Pulled) -> Condition:
    """Where it is on its way, if nothing is in its way."""
    node = pod.get("spec", {}).get("nodeName")
    about = {"node": node} if node else {}
    sandbox = _condition(pod, "PodReadyToStartContainers")
    if sandbox and sandbox["status"] == "True" and not main_status(pod).get("imageID"):
        since = here(sandbox.get("lastTransitionTime"))
        details = {"doing": "Pulling", **about, **pulled(_image(pod))}
        return Condition(code="STARTING", details=details, since=since)
    since = here(pod["metadata"].get("creationTimestamp"))
    doing = "Starting" if node else "Waiting for a node"
    return Condition(code="STARTING", details={"doing": doing, **about}, since=since)


def refused(message: str, namespace: str, since: datetime | None = None) -> Condition | None:
    """What the cluster's words mean by which it refuses a Job or a pod; None for unknown ones."""
    code, details = _meant(message, namespace)
    if not code:
        return None
    return Condition(code=code, details=details, message=message, since=since)


def _meant(message: str, namespace: str) -> tuple[str, dict[str, Any]]:
    if found := _QUOTA.search(message):
        return "K8S_QUOTA", _quota(found, namespace)
    for pattern in (_WEBHOOK, _POLICY, _SECURITY):
        if found := pattern.search(message):
            return "K8S_ADMISSION", found.groupdict()
    for pattern, kind in ((_NO_ACCOUNT, "ServiceAccount"), (_NO_NAMESPACE, "Namespace")):
        if found := pattern.search(message):
            return "K8S_CONFIG", {"kind": kind, "name": found["name"], "namespace": namespace}
    return "", {}


def main_status(pod: Object) -> Mapping[str, Any]:
    """The status of the container in which the image runs; empty before there is one."""
    found = pod.get("status", {}).get("containerStatuses") or ()
    return next((one for one in found if one["name"] == MAIN), found[0] if found else {})


def _without_pod(seen: Seen, here: Here) -> Condition | None:
    """Its pod is not made: a quota, a policy, or the controller has not come to it."""
    if seen.job is None:
        return None
    about = seen.job["metadata"]
    for event in reversed(seen.events):
        if event.get("reason") == "FailedCreate":
            message, since = event.get("message", ""), here(told_at(event))
            found = refused(message, about.get("namespace", ""), since)
            return found or Condition(
                code="K8S_ADMISSION", details={"error": message}, message=message, since=since
            )
    since = here(about.get("creationTimestamp"))
    details = {"doing": "Waiting for its pod"}
    return Condition(code="STARTING", details=details, since=since)


def _unscheduled(seen: Seen, pod: Object, here: Here, largest: Largest) -> Condition | None:
    found = _condition(pod, "PodScheduled")
    if not found or found["status"] != "False" or found.get("reason") != "Unschedulable":
        return None
    message = found.get("message", "")
    return Condition(
        code="K8S_UNSCHEDULABLE",
        details=_missing(pod, message, largest),
        message=message,
        since=here(found.get("lastTransitionTime")),
    )


def _unpulled(seen: Seen, pod: Object, here: Here, largest: Largest) -> Condition | None:
    state = main_status(pod).get("state", {}).get("waiting") or {}
    if state.get("reason") not in _PULL:
        return None
    error = _of_registry(seen.events) or state.get("message") or state["reason"]
    details = {"image": _image(pod), "error": error}
    secrets = pod.get("spec", {}).get("imagePullSecrets") or ()
    if secrets and any(word in error.lower() for word in _LOGIN):
        details |= {"secret": secrets[0]["name"], "namespace": pod["metadata"].get("namespace")}
    since = here(pod["metadata"].get("creationTimestamp"))
    return Condition(code="K8S_IMAGE", details=details, message=error, since=since)


def _unconfigured(seen: Seen, pod: Object, here: Here, largest: Largest) -> Condition | None:
    state = main_status(pod).get("state", {}).get("waiting") or {}
    if state.get("reason") not in ("CreateContainerConfigError", "CreateContainerError"):
        return None
    since = here(pod["metadata"].get("creationTimestamp"))
    return _config(state.get("message", ""), pod, since)


def _unmounted(seen: Seen, pod: Object, here: Here, largest: Largest) -> Condition | None:
    for event in reversed(seen.events):
        if event.get("reason") == "FailedMount":
            return _config(event.get("message", ""), pod, here(told_at(event)))
    return None


def _config(message: str, pod: Object, since: datetime | None) -> Condition:
    namespace, details = pod["metadata"].get("namespace", "default"), {}
    for pattern in (_NO_KEY, _NO_OBJECT, _NO_KEYS):
        if found := pattern.search(message):
            given = found.groupdict()
            given["kind"] = _KINDS.get(given["kind"].lower(), given["kind"])
            details = given | {"namespace": namespace}
            break
    return Condition(code="K8S_CONFIG", details=details, message=message, since=since)


def _quota(found: re.Match[str], namespace: str) -> dict[str, Any]:
    requested = _pairs(found["requested"])
    used, limited = _pairs(found["used"]), _pairs(found["limited"])
    full = [
        name
        for name in requested
        if amounts.number(used.get(name, "0")) + amounts.number(requested[name])
        > amounts.number(limited.get(name, "0"))
    ]
    name = (full or list(requested))[0]
    return {
        "quota": found["quota"],
        "resource": name,
        "needs": requested[name],
        "used": used.get(name, "?"),
        "hard": limited.get(name, "?"),
        "namespace": namespace,
    }


def _missing(pod: Object, message: str, largest: Largest) -> dict[str, Any]:
    """What it needs of that which no node has enough of, and the most that any has."""
    requests: dict[str, str] = {}
    for container in pod.get("spec", {}).get("containers") or ():
        requests |= container.get("resources", {}).get("requests") or {}
    short = [one for one in dict.fromkeys(_SHORT.findall(message)) if one in requests]
    details: dict[str, Any] = {}
    if short:
        most = [(one, largest(one)) for one in short]
        details["needs"] = " and ".join(amounts.words(one, requests[one]) for one in short)
        if known := [amounts.words(one, amount) for one, amount in most if amount is not None]:
            details["largest_node"] = " and ".join(known)
    if found := _NODES.search(message):
        details["nodes"] = int(found[1])
    if tainted := sum(int(one) for one in _TAINTED.findall(message)):
        details["tainted"] = tainted
    return details


def _of_registry(events: Iterable[Object]) -> str:
    """The registry's answer, which a pod that is in back-off does not say itself."""
    for event in reversed(list(events)):
        message = str(event.get("message", ""))
        if event.get("reason") == "Failed" and message.startswith("Failed to pull image"):
            return message.partition(": ")[2] or message
    return ""


def _image(pod: Object) -> str:
    return str(next(one["image"] for one in pod["spec"]["containers"] if one["name"] == MAIN))


def _condition(pod: Object, kind: str) -> Mapping[str, Any] | None:
    found = pod.get("status", {}).get("conditions") or ()
    return next((one for one in found if one["type"] == kind), None)


def _pairs(text: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in text.split(",") if "=" in one)
