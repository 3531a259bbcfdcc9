"""What the start of a Job would make, and what would hold it up. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stepwell.launchers import amounts
from stepwell.launchers.kubernetes.body import MAIN
from stepwell.launchers.kubernetes.conditions import Largest
from stepwell.launchers.protocol import Condition, LaunchPlan


def planned(
    job: Mapping[str, Any], server: str, misgivings: Sequence[str], largest: Largest
) -> LaunchPlan:
    """The plan.

    Parameters
    ----------
    job : as it would be made: with the patch of its group.
    server : the cluster's address.
    misgivings : why its pods would not be taken, in the cluster's words.
    """
    pod = job["spec"]["template"]["spec"]
    main = next(one for one in pod["containers"] if one["name"] == MAIN)
    asked = main.get("resources") or {}
    requests = asked.get("requests") or {}
    return LaunchPlan(
        what=f"1 Job in the namespace {job['metadata']['namespace']} of the cluster at {server}",
        image=main["image"],
        requests=requests,
        limits=asked.get("limits") or {},
        notes=tuple(_notes(pod)),
        condition=_rejected(misgivings) or _too_large(requests, largest),
    )


def _notes(pod: Mapping[str, Any]) -> Iterator[str]:
    if account := pod.get("serviceAccountName"):
        yield f"Its pod runs as the service account {account}."
    if wanted := pod.get("nodeSelector"):
        labels = ", ".join(f"{name}={value}" for name, value in sorted(wanted.items()))
        yield f"It runs on nodes with {labels}."


def _rejected(misgivings: Sequence[str]) -> Condition | None:
    if not misgivings:
        return None
    details = {"error": misgivings[0]}
    return Condition(code="K8S_ADMISSION", details=details, message=misgivings[0])


def _too_large(requests: Mapping[str, str], largest: Largest) -> Condition | None:
    """It asks for more of something than any node has, busy or not."""
    for resource, amount in requests.items():
        most = largest(resource)
        if most is not None and amounts.number(amount) > amounts.number(most):
            words = {"needs": amount, "largest_node": most}
            details = {key: amounts.words(resource, one) for key, one in words.items()}
            return Condition(code="K8S_UNSCHEDULABLE", details=details)
    return None
