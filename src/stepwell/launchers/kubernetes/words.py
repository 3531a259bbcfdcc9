"""How a launch ended, as a status with a sentence; pure, from what was last seen of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from stepwell.launchers import amounts
from stepwell.launchers.container.words import DEADLINE_OVER, STOPPED, of_code
from stepwell.launchers.kubernetes import names
from stepwell.launchers.kubernetes.body import MAIN
from stepwell.launchers.kubernetes.book import Object, Seen, SeenPod, finished, pods_alive, told_at
from stepwell.launchers.kubernetes.conditions import (
    Here,
    Largest,
    Pulled,
    main_status,
    unheard,
    waiting,
)
from stepwell.launchers.protocol import LaunchStatus

NEVER: Final = LaunchStatus(state="ended", reason="It was never started here.")
GIVEN_UP: Final = timedelta(seconds=30)
"""A pod that should be gone for so long is on a node that is not heard of."""
UNREAD: Final = "[what else it wrote is on the node {node}, which does not answer]\n"
"""Instead of output that nobody will read."""


def status(
    seen: Seen,
    here: Here,
    largest: Largest,
    now: datetime,
    used: float | None = None,
    pulled: Pulled = lambda _: {},
) -> LaunchStatus:
    """The status of a launch of which something is known.

    Parameters
    ----------
    used : the memory that it used when it was looked at last, in bytes.
    pulled : what earlier pulls of an image tell.
    """
    lost = [_lost(one, here, now) for one in pods_alive(seen)]
    if not all(lost) or not (lost or is_over(seen)):
        condition = waiting(seen, here, largest, pulled) or unheard(seen, here, now)
        reason = "" if condition is None else condition.message
        return LaunchStatus(
            state="running", reason=reason, started_at=_started(seen, here), condition=condition
        )
    begun, over = _started(seen, here), _finished(seen, here) or now
    over = min(over, now)  # by a node's clock that goes ahead
    return LaunchStatus(
        state="ended",
        exit_code=_code(seen),
        reason=_reason(seen, here, now, used),
        started_at=None if begun is None else min(begun, over),
        finished_at=over,
        details=facts(seen),
    )


def facts(seen: Seen) -> dict[str, Any]:
    """What is kept of a launch after its pod is gone: where it ran, and what was told of it."""
    job, pod = seen.job or {}, seen.pod.pod if seen.pod else {}
    found = pod.get("status", {}).get("conditions") or ()
    made = {
        "namespace": job.get("metadata", {}).get("namespace"),
        "job": job.get("metadata", {}).get("name"),
        "pod": pod.get("metadata", {}).get("name"),
        "node": pod.get("spec", {}).get("nodeName"),
        "condition": _newest(found),
        "events": [
            {
                "at": told_at(one),
                "reason": one.get("reason", ""),
                "message": one.get("message", ""),
                "count": (one.get("series") or {}).get("count") or one.get("count") or 1,
            }
            for one in seen.events
        ],
    }
    return {name: value for name, value in made.items() if value}


def stop_of(job: Object | None) -> str:
    """Why a Job was asked to stop; empty if it was not."""
    return str(((job or {}).get("metadata", {}).get("annotations") or {}).get(names.STOP, ""))


def is_over(seen: Seen) -> bool:
    """Whether no pod is to come."""
    if seen.job is None or seen.gone or stop_of(seen.job) or finished(seen.job) is not None:
        return True
    return any(one.pod.get("status", {}).get("phase") in _ENDED for one in seen.pods)


def is_long_over(seen: SeenPod, here: Here, now: datetime) -> bool:
    """Whether a node that does not give its output now is not waited for any more."""
    state = main_status(seen.pod).get("state", {}).get("terminated") or {}
    over = here(state.get("finishedAt"))
    return _lost(seen, here, now) or (over is not None and now - over > GIVEN_UP)


def node(seen: Seen) -> str:
    """The node of its newest pod."""
    return _node(seen.pod.pod if seen.pod else {})


def _lost(seen: SeenPod, here: Here, now: datetime) -> bool:
    """Whether it is on a node that is not heard of, and will not say that it has ended."""
    if seen.pod.get("status", {}).get("reason") == "NodeLost":
        return True
    doomed = here(seen.pod["metadata"].get("deletionTimestamp"))
    return doomed is not None and now - doomed > GIVEN_UP


def _reason(seen: Seen, here: Here, now: datetime, used: float | None) -> str:
    stop = stop_of(seen.job)
    if stop:
        return DEADLINE_OVER if stop == "deadline" else STOPPED
    over = finished(seen.job) if seen.job is not None else None
    late = over is not None and over.get("reason") == "DeadlineExceeded"
    if seen.pod is None:
        return _without_pod(seen, late=late)
    pod = seen.pod.pod
    if late or pod.get("status", {}).get("reason") == "DeadlineExceeded":
        return DEADLINE_OVER
    if _lost(seen.pod, here, now) and not seen.pod.gone:
        return f"Its node {_node(pod)} is not heard of any more, and its pod with it."
    told = _disrupted(pod) or _ended_by_deletion(seen, pod, here)
    return told or _of_container(pod, used) or _deleted(seen, pod)


def _without_pod(seen: Seen, *, late: bool) -> str:
    told = f" The cluster says: {seen.events[-1].get('message', '')}" if seen.events else ""
    if late:
        return f"{DEADLINE_OVER} Its pod was never made.{told}"
    if seen.gone:
        return f"Its Job was deleted before it had a pod.{told}"
    return f"Its Job has ended, and its pod is gone: nobody saw how it ended.{told}"


def _disrupted(pod: Object) -> str:
    """The cluster has ended the pod for a reason of its own; empty if it has not."""
    status, node = pod.get("status", {}), _node(pod)
    told = str(status.get("message") or "").strip()
    says = f" The cluster says: {told}" if told else ""
    if (reason := status.get("reason", "")) in _BY_NODE:
        return f"{_BY_NODE[reason].format(node=node)}{says}"
    for one in status.get("conditions") or ():
        if one["type"] == "DisruptionTarget" and one["status"] == "True":
            words = _DISRUPTIONS.get(one.get("reason", ""), "The cluster has ended it.")
            more = f" The cluster says: {one['message']}" if one.get("message") else says
            return f"{words.format(node=node)}{more}"
    if reason.startswith("OutOf") or reason in ("UnexpectedAdmissionError", "NodeAffinity"):
        return f"The node {node} did not take its pod ({reason}).{says}"
    return ""


def _ended_by_deletion(seen: Seen, pod: Object, here: Here) -> str:
    """It was ended because somebody has deleted it; empty if it had ended before."""
    state = main_status(pod).get("state", {}).get("terminated") or {}
    over, asked = here(state.get("finishedAt")), _deletion(pod, here)
    if over is None or asked is None or over < asked:
        return ""
    if state["exitCode"] == 0 or state.get("reason") == "OOMKilled":
        return ""
    what = "Its Job" if seen.gone else "Its pod"
    on = f"while it ran on {_node(pod)}"
    return f"{what} was deleted by somebody {on}. {of_code(state['exitCode'], '')}"


def _deletion(pod: Object, here: Here) -> datetime | None:
    """When a pod was asked to go; the cluster notes when it is to be gone."""
    doomed = here(pod["metadata"].get("deletionTimestamp"))
    grace = pod["metadata"].get("deletionGracePeriodSeconds") or 0
    return None if doomed is None else doomed - timedelta(seconds=grace)


def _of_container(pod: Object, used: float | None) -> str:
    """How its process ended; empty if it is not known to have ended."""
    state = main_status(pod).get("state", {}).get("terminated")
    if not state:
        return ""
    code, reason = state["exitCode"], state.get("reason", "")
    if reason == "OOMKilled":
        return _out_of_memory(pod, used)
    error = str(state.get("message") or "").strip() if reason in _NOT_RUN else ""
    if reason in _NOT_RUN:
        return f"Its command could not be run: see its output. The cluster says: {error}"
    return of_code(code, error)


def _out_of_memory(pod: Object, used: float | None) -> str:
    limits: dict[str, str] = {}
    for one in pod["spec"]["containers"]:
        if one["name"] == MAIN:
            limits = one.get("resources", {}).get("limits") or {}
    most = amounts.number(limits.get("memory", "0"))
    limit = f"its limit of {amounts.size(most)}" if most else f"its node {_node(pod)} has"
    sample = f"; it used {amounts.size(used)} when last looked at" if used else ""
    return f"It was killed because it needed more memory than {limit} (out of memory){sample}."


def _deleted(seen: Seen, pod: Object) -> str:
    what = "Its Job was deleted" if seen.gone else "Its pod was deleted"
    ran = f" while it ran on {_node(pod)}" if _ran(pod) else " before its image ran"
    return f"{what} by somebody{ran}; nobody saw how it ended."


def _code(seen: Seen) -> int | None:
    if seen.pod is None:
        return None
    state = main_status(seen.pod.pod).get("state", {}).get("terminated") or {}
    code: int | None = state.get("exitCode")
    return code


def _started(seen: Seen, here: Here) -> datetime | None:
    state = main_status(seen.pod.pod).get("state", {}) if seen.pod else {}
    one = state.get("running") or state.get("terminated") or {}
    return here(one.get("startedAt"))


def _finished(seen: Seen, here: Here) -> datetime | None:
    if seen.pod is None:
        over = finished(seen.job) if seen.job is not None else None
        return here((over or {}).get("lastTransitionTime"))
    return here(
        (main_status(seen.pod.pod).get("state", {}).get("terminated") or {}).get("finishedAt")
    )


def _ran(pod: Object) -> bool:
    return bool(main_status(pod).get("state", {}).get("running"))


def _node(pod: Object) -> str:
    return str(pod.get("spec", {}).get("nodeName") or "(none)")


def _newest(conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    changed = max((str(one.get("lastTransitionTime")) for one in conditions), default="")
    found = (one for one in conditions if str(one.get("lastTransitionTime")) == changed)
    return next((dict(one) for one in found), None)


_ENDED: Final = frozenset({"Succeeded", "Failed"})
_NOT_RUN: Final = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
_BY_NODE: Final = {
    "Evicted": "It was evicted from the node {node}, which was short of something.",
    "NodeLost": "Its node {node} is not heard of any more, and its pod with it.",
    "NodeShutdown": "Its node {node} was shut down.",
    "Terminated": "Its node {node} was shut down.",
    "Shutdown": "Its node {node} was shut down.",
    "Preempting": "Another pod of higher priority has taken its place on {node}.",
}
_DISRUPTIONS: Final = {
    "PreemptionByScheduler": "Another pod of higher priority has taken its place on {node}.",
    "DeletionByTaintManager": "Its node {node} was not heard of any more, or would not keep it.",
    "EvictionByEvictionAPI": "It was evicted from the node {node}, as when that is drained.",
    "DeletionByPodGC": "Its node {node} is gone, and its pod with it.",
    "TerminationByKubelet": "The node {node} has ended it: short of something, or shut down.",
}
