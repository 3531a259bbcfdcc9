"""The requests that change a cluster, each idempotent; and what refusals mean."""

from __future__ import annotations

from typing import Any, Final

from stepwell.launchers.kubernetes import body, names
from stepwell.launchers.kubernetes.api import JSON_PATCH, MERGE, KubernetesApi, Refused
from stepwell.launchers.kubernetes.conditions import refused as meaning
from stepwell.launchers.kubernetes.options import LaunchOptionsInvalid
from stepwell.launchers.kubernetes.places import Place
from stepwell.launchers.protocol import LaunchFailed, LaunchSpec, LaunchSpecInvalid

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_INVALID: Final = (400, 422)

Object = dict[str, Any]


class LaunchNameTaken(LaunchSpecInvalid):
    """A Job of that name is somebody else's."""

    code = "launch-name-taken"


class Requests:
    """Requests about Jobs of one installation.

    Parameters
    ----------
    owner : the installation.
    """

    def __init__(self, api: KubernetesApi, owner: str) -> None:
        self._api, self._owner = api, owner

    def create(self, place: Place, made: Object) -> Object:
        """The Job, new or as it was made before.

        Raises
        ------
        LaunchNameTaken : it is of somebody else.
        """
        try:
            found: Object = self._api.ask("POST", place.jobs, made)
        except Refused as refused:
            if refused.status != _CONFLICT:
                raise
            found = self.get(place, made["metadata"]["name"]) or {}
        self._check_mine(found, made)
        return found

    def get(self, place: Place, name: str) -> Object | None:
        """The Job, by a request of its own."""
        found: Object | None = self._api.find(f"{place.jobs}/{name}")
        return found

    def pods(self, place: Place, launch: str) -> list[Object]:
        """The pods of a launch, by a request of its own."""
        labels = {names.OWNER: self._owner, names.LAUNCH: names.label(launch)}
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found: list[Object] = self._api.ask("GET", place.pods, labelSelector=selector)["items"]
        return found

    def give(self, place: Place, spec: LaunchSpec, job: Object) -> None:
        """Put the environment where the Job's pod expects it."""
        try:
            self._api.ask("POST", place.secrets, body.secret(spec, job))
        except Refused as refused:
            if refused.status != _CONFLICT:  # it was put there before
                raise

    def release(self, place: Place, name: str) -> Object | None:
        """Let a suspended Job begin, unless it was asked to stop; None if it was changed."""
        stop = f"/metadata/annotations/{names.STOP}"
        patch = [
            {"op": "test", "path": stop, "value": ""},
            {"op": "replace", "path": "/spec/suspend", "value": False},
        ]
        try:
            found: Object = self._api.ask("PATCH", f"{place.jobs}/{name}", patch, form=JSON_PATCH)
        except Refused as refused:
            if refused.status in (*_INVALID, _CONFLICT):
                return None
            raise
        return found

    def suspend(self, place: Place, name: str, why: str) -> Object | None:
        """Have its pod ended, and note why; None if it is no more."""
        patch = {"metadata": {"annotations": {names.STOP: why}}, "spec": {"suspend": True}}
        try:
            found: Object = self._api.ask("PATCH", f"{place.jobs}/{name}", patch, form=MERGE)
        except Refused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise
        return found

    def delete(self, place: Place, name: str) -> None:
        """Remove a Job with all that it owns."""
        try:
            self._api.ask("DELETE", f"{place.jobs}/{name}", propagationPolicy="Background")
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise

    def tried(self, place: Place, made: Object) -> None:
        """Have the cluster say whether it would take a Job; it keeps nothing.

        Raises
        ------
        LaunchOptionsInvalid : it would not, or not its pods.
        """
        try:
            bad = self.misgivings(place, made)
        except Refused as refused:
            raise LaunchOptionsInvalid(
                "The cluster would not take a Job with these launch options.",
                why=refused.message,
                fix="Correct them, or give the server what it lacks: `stepwell doctor kubernetes`.",
            ) from refused
        if bad:
            raise LaunchOptionsInvalid(
                "The cluster would take the Job, and not its pods.",
                why=bad[0],
                fix="Correct the launch options.",
            )

    def misgivings(self, place: Place, made: Object) -> list[str]:
        """Why the cluster would take the Job and not its pods; it keeps nothing of it."""
        _, warnings = self._api.told("POST", place.jobs, made, dryRun="All")
        bad = (one for one in warnings if "PodSecurity" in one or "unknown field" in one)
        return [one.partition(" - ")[2].strip(' "') or one for one in bad]

    def _check_mine(self, found: Object, made: Object) -> None:
        labels = found.get("metadata", {}).get("labels") or {}
        wanted = made["metadata"]["labels"]
        if found and all(labels.get(one) == wanted[one] for one in (names.OWNER, names.LAUNCH)):
            return
        if not found:  # it was there, and is gone since
            raise LaunchFailed("The Job was removed meanwhile.", fix="It is tried again.")
        raise LaunchNameTaken(
            f"A Job {made['metadata']['name']} is there, and not of this server.",
            why="Its labels name another owner or launch.",
            fix="Remove it, or give this server another secret key or namespace.",
        )


def cannot(spec: LaunchSpec, refused: Refused, namespace: str) -> LaunchFailed | LaunchSpecInvalid:
    """What to say where the cluster refuses a launch."""
    condition = meaning(refused.message, namespace)
    if condition is None and refused.status in _INVALID:
        return LaunchSpecInvalid(
            f"The cluster finds the Job of {spec.name} invalid.",
            why=refused.message,
            fix="Correct the group's launch options.",
        )
    forbidden = refused.status == _FORBIDDEN and condition is None
    failed = LaunchFailed(
        f"The cluster does not take the Job of {spec.name}.",
        why=refused.message,
        fix="See `stepwell doctor kubernetes`." if forbidden else "It is tried again.",
    )
    failed.condition = condition
    return failed
