"""Which image a name means just now: the nodes say it, as they alone can pull it.

An image that is named by its digest is what it is. For any other name a pod is made that
has it pulled and runs nothing of it; its status has the digest. So the server needs no way
to the registry and no credentials, and what is on the nodes without a registry works too.
"""

from __future__ import annotations

import hashlib
import time
from typing import Final

from stepwell.launchers.container.references import parse
from stepwell.launchers.kubernetes import body, names
from stepwell.launchers.kubernetes.book import Object, Seen, finished, of_uid
from stepwell.launchers.kubernetes.conditions import main_status, waiting
from stepwell.launchers.kubernetes.options import GroupOptions, KubernetesOptions
from stepwell.launchers.kubernetes.places import Place
from stepwell.launchers.kubernetes.requests import Requests
from stepwell.launchers.protocol import Condition, ImageUnusable, LaunchFailed, Pinned

PATIENCE: Final = 15.0
"""Seconds that a caller waits for a pod that pulls; then it asks again."""
LOOK: Final = 0.1
_FINAL: Final = ("not found", "manifest unknown", "invalid", "no such", "denied", "unauthorized")
"""Words of registries that mean: asking again will not help."""


class Images:
    """The verbs of a launcher that are about images."""

    def __init__(self, requests: Requests, options: KubernetesOptions, owner: str) -> None:
        self._requests, self._options, self._owner = requests, options, owner

    def pin(self, place: Place, image: str, asked: GroupOptions) -> Pinned:
        """The digest of the image, and a name by which nodes can pull exactly that.

        Raises
        ------
        ImageUnusable : there is none of that name, or nobody may have it.
        LaunchFailed : a pod looks, and has not said anything yet.
        """
        reference = parse(image)
        if reference.digest:
            return Pinned(digest=reference.digest, location=image)
        found = self._looked_at(place, image, asked)
        digest = f"sha256:{found.rpartition('sha256:')[2]}"
        return Pinned(digest=digest, location=self._location(image, found))

    def locate(self, image: str, digest: str) -> str:
        """What to start: the name with the digest, or of an image without registry its name."""
        reference = parse(image)
        local = reference.local or self._options.pull_policy == "Never"
        return image if local else reference.at(digest)

    def _location(self, image: str, found: str) -> str:
        return self.locate(image, f"sha256:{found.rpartition('sha256:')[2]}")

    def _looked_at(self, place: Place, image: str, asked: GroupOptions) -> str:
        """The id that a node has of an image."""
        place.check()
        launch = f"image-{hashlib.sha256(image.encode()).hexdigest()[:20]}"
        name = names.job_name(self._owner, launch)
        of = {"owner": self._owner, "namespace": place.namespace}
        uid = self._begun(place, name, body.probe(launch, image, asked, self._options, **of))
        end = time.monotonic() + PATIENCE
        while True:
            seen = self._seen(place, name, uid, launch)
            if found := _id(seen):
                self._end(place, name, seen)
                return found
            unexplained = self._check(place, name, image, seen)
            if time.monotonic() >= end:
                break
            time.sleep(LOOK)
        if unexplained is None:
            raise LaunchFailed(f"A pod looks at {image}; it has not said anything yet.")
        self._end(place, name, seen)
        raise _held(image, unexplained)

    def _seen(self, place: Place, name: str, uid: str, launch: str) -> Seen:
        """What is known of the Job that looks. One that is over has had its pod, whatever the
        watch of pods has told until now."""
        seen = of_uid(place.book.seen(name), uid)
        if seen.job is None or not finished(seen.job) or _id(seen):
            return seen
        for pod in self._requests.pods(place, launch):
            place.book.put_pod(pod)
        return of_uid(place.book.seen(name), uid)

    def _begun(self, place: Place, name: str, made: Object) -> str:
        """The Job that looks: made now, unless one is looking just now."""
        seen = place.book.seen(name)
        if seen.job is None or seen.gone:
            job = self._requests.create(place, made)
            place.book.put_job(job)
            return str(job["metadata"]["uid"])
        return str(seen.job["metadata"]["uid"])

    def _end(self, place: Place, name: str, seen: Seen) -> None:
        """Nobody who asks from here on is answered by what this Job has met."""
        self._requests.delete(place, name)
        if seen.job is not None:
            place.book.drop_job(seen.job)

    def _check(self, place: Place, name: str, image: str, seen: Seen) -> Condition | None:
        """Raise for what will not come to a good end.

        Returns that the node could not pull the image, while nobody has told why: that is told
        by an event, which may come later. Who asks next would take it for news of his own pod.
        """
        if seen.job is not None and finished(seen.job) and not seen.gone:
            self._end(place, name, seen)
            raise LaunchFailed(f"The pod that looked at {image} has ended without a word.")
        condition = waiting(seen, lambda _: None, lambda _: None)
        if condition is None or condition.code == "STARTING":
            return None
        if condition.code != "K8S_IMAGE":
            raise _held(image, condition)
        error = str(condition.details.get("error") or condition.message)
        if error.startswith("Back-off"):
            return condition
        self._end(place, name, seen)
        raise _unusable(image, error)


def _id(seen: Seen) -> str:
    """The id of the image, as the status of its pod has it: `name@sha256:...`, or a hash;
    empty while it is not known."""
    found = (str(main_status(one.pod).get("imageID", "")) for one in reversed(seen.pods))
    return next((one for one in found if "sha256:" in one), "")


def _unusable(image: str, error: str) -> ImageUnusable | LaunchFailed:
    if any(word in error.lower() for word in _FINAL):
        return ImageUnusable(
            f"The cluster cannot pull {image}.",
            why=f"The registry's answer: {error}",
            fix="Correct its name, push it, or give the group a pull secret.",
        )
    return LaunchFailed(
        f"The cluster could not pull {image} now.",
        why=f"The registry's answer: {error}",
        fix="See whether the nodes reach the registry.",
    )


def _held(image: str, condition: Condition) -> LaunchFailed:
    failed = LaunchFailed(f"The pod that looks at {image} waits.", why=condition.message)
    failed.condition = condition
    return failed
