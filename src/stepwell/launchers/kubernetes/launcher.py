"""The Kubernetes launcher: a Job per launch, named by it, so that asking twice is harmless.

A Job is made suspended, gets its Secret, and is let go: a crash in between leaves a Job that
does nothing, and that the next start of that launch goes on with. What became of launches is
read from a book that watches keep; no request is made for a launch that runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from stepwell import clock
from stepwell.launchers.container.output import HeadAndTail
from stepwell.launchers.kubernetes import body, doctor, names, words
from stepwell.launchers.kubernetes.api import KubernetesApi, Refused
from stepwell.launchers.kubernetes.book import Object, Seen, finished, made_sure, pods_alive
from stepwell.launchers.kubernetes.images import Images
from stepwell.launchers.kubernetes.nodes import Nodes
from stepwell.launchers.kubernetes.options import (
    GroupOptions,
    KubernetesOptions,
    LaunchOptionsInvalid,
    group_options,
)
from stepwell.launchers.kubernetes.places import Place, Places
from stepwell.launchers.kubernetes.planning import planned
from stepwell.launchers.kubernetes.requests import Requests, cannot
from stepwell.launchers.notices import Notices
from stepwell.launchers.protocol import (
    Handle,
    LaunchFailed,
    LaunchPlan,
    LaunchSpec,
    LaunchSpecInvalid,
    LaunchStatus,
    Pinned,
    Standing,
)

LOG_BYTES: Final = 10 * 1024 * 1024
"""How much output of one launch is answered: half of it the head, half the tail."""
LOG_READ: Final = 256 * 1024 * 1024
"""How much of it is read at most."""
NEEDLESS: Final = timedelta(minutes=10)
"""What runs for so long though no run needs it is removed."""
_ROUNDS: Final = 3
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")

T = TypeVar("T")


class KubernetesLauncher:
    """Starts images as Jobs of a cluster.

    Parameters
    ----------
    api : the client of the cluster.
    options : what every Job gets.
    owner : names this installation, on its Jobs: the same for all servers on one database,
        and for no other.
    """

    def __init__(
        self,
        api: KubernetesApi,
        options: KubernetesOptions | None = None,
        *,
        owner: str,
        log_bytes: int = LOG_BYTES,
    ) -> None:
        self.api, self.options, self._owner = api, options or KubernetesOptions(), owner
        self._log_bytes = log_bytes
        self.requests = Requests(api, owner)
        self.nodes = Nodes(api)
        usual = self.options.namespace or api.access.namespace
        self.places = Places(api, (usual, *self.options.namespaces), owner)
        self.images = Images(self.requests, self.options, owner)
        self._written: dict[str, str] = {}

    @property
    def notices(self) -> Notices:
        """See `launchers.notices`: the watches tell when something may have ended."""
        return self.places.bell.notices

    def close(self) -> None:
        """End the watches and all connections."""
        self.places.close()
        self.api.close()

    # -- images ----------------------------------------------------------------------

    def pin(self, image: str) -> Pinned:
        """Have a node pull the image, and take its digest (R37)."""
        return self.pin_for(image, {})

    def pin_for(self, image: str, options: Mapping[str, Any]) -> Pinned:
        """The same, in the group's namespace and with its pull secrets."""
        asked = group_options(options)
        place = self.places[self._namespace(asked)]
        return self._asked(f"pin {image}", lambda: self.images.pin(place, image, asked))

    def digest(self, image: str) -> str:
        """The digest of the image as the nodes would pull it now."""
        return self.pin(image).digest

    def locate(self, image: str, digest: str) -> str:
        """The image's name with its digest."""
        return self.images.locate(image, digest)

    # -- permissions -----------------------------------------------------------------

    def reach(self) -> str:
        """The cluster; that it refuses to say its version is an answer too."""
        try:
            self.api.ask("GET", "/version")
        except Refused:
            pass
        return f"the cluster at {self.api.access.server} answers."

    def standing(self) -> Standing:
        """What it may do in its namespaces, asked verb by verb."""
        return self._asked("permissions", lambda: doctor.standing(self.api, self.places.allowed))

    # -- launches --------------------------------------------------------------------

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Have them checked here, and by the cluster, which keeps nothing of it."""
        asked = group_options(options)
        place = self.places[self._namespace(asked)]
        spec = LaunchSpec(name="options", image="localhost/image:any", mode="run")
        self._asked("dry run", lambda: self.requests.tried(place, self._job(spec, asked)))

    def plan(self, spec: LaunchSpec) -> LaunchPlan:
        """The Job as it would be made; the cluster says whether it would take it."""
        _check(spec)
        asked = group_options(spec.options)
        place = self.places[self._namespace(asked)]
        made = self._job(spec, asked)
        try:
            bad = self.requests.misgivings(place, made)
        except Refused as refused:
            raise cannot(spec, refused, place.namespace) from refused
        return planned(made, self.api.access.server, bad, self.nodes.largest)

    def start(self, spec: LaunchSpec) -> Handle:
        """Make the Job unless it is there, and let it go unless it was."""
        _check(spec)
        asked = group_options(spec.options)
        place = self.places[self._namespace(asked)]
        try:
            self._start(place, spec, self._job(spec, asked))
        except Refused as refused:
            raise cannot(spec, refused, place.namespace) from refused
        return {**self.find(spec.name), "namespace": place.namespace}

    def find(self, name: str) -> Handle:
        """The handle is made of the name; where the Job is, is looked for."""
        return {"launcher": "kubernetes", "name": name}

    def poll(self, handle: Handle) -> LaunchStatus:
        """What the watches tell; no request unless the Job, or the pod of one that is over, is
        not there."""
        place, job = self._found(handle)
        seen = place.book.seen(job)
        gone = seen.job is None or (seen.gone and not any(pods_alive(seen)))
        if gone or (not seen.pods and words.is_over(seen)):
            seen = self._asked(job, lambda: self._confirmed(place, job, handle["name"]))
        if seen.job is None and not seen.pods:
            return words.NEVER
        used = place.usage.of(seen.pod.pod["metadata"]["name"]) if seen.pod else None
        largest, pulled = self.nodes.largest, place.book.pulls.of
        return words.status(seen, self.api.here, largest, clock.now(), used, pulled)

    def stop(self, handle: Handle) -> None:
        """Suspend the Job: its pod is ended, and the Job stays as what is known of it."""
        place, job = self._found(handle)
        seen = place.book.seen(job)
        if seen.job is not None and (finished(seen.job) or words.stop_of(seen.job)):
            return
        if seen.pods and all(one.over for one in seen.pods):
            return
        self._keep_output(place, job, seen)
        found = self._asked(job, lambda: self.requests.suspend(place, job, "stopped"))
        if found is not None:
            place.book.put_job(found)

    def logs(self, handle: Handle) -> str:
        """Head and tail of what it wrote, with the cut marked; what a node does not have any
        more, or does not give when its end is long ago, is what was there when it was asked to
        stop."""
        place, job = self._found(handle)
        seen = place.book.seen(job)
        if seen.pod is None or seen.pod.gone:
            return self._written.get(job, "")
        try:
            return self._read(place, seen.pod.pod["metadata"]["name"])
        except Refused:  # its container has not begun, or its node is gone
            return self._written.get(job, "")
        except LaunchFailed:
            self._asked(job, lambda: self.requests.get(place, job))  # it is not the cluster
            if not words.is_long_over(seen.pod, self.api.here, clock.now()):
                raise
            return f"{self._written.get(job, '')}{words.UNREAD.format(node=words.node(seen))}"

    # -- what is over ------------------------------------------------------------------

    def leftovers(self, before: datetime) -> list[str]:
        """Of this installation, in the namespaces that it may use."""
        names_of: list[str] = []
        for namespace in self.places.allowed:
            place = self.places[namespace]
            place.check()
            names_of += [
                launch
                for one in place.book.jobs()
                if (launch := _launch(one)) and self._is_over(one, before)
            ]
        return names_of

    def remove(self, name: str) -> None:
        """Remove its Job with all that it owns; ends it if it runs."""
        place, job = self._found(self.find(name))
        self._asked(job, lambda: self.requests.delete(place, job))
        self._written.pop(job, None)

    def sweep_images(self, needed: Collection[str], before: datetime) -> int:
        """Nothing: nodes look after their images themselves."""
        return 0

    # -- what the verbs are made of -------------------------------------------------

    @property
    def _usual(self) -> Place:
        return self.places[self.places.allowed[0]]

    def _namespace(self, asked: GroupOptions) -> str:
        if asked.namespace is None:
            return self.places.allowed[0]
        if asked.namespace not in self.places.allowed:
            raise LaunchOptionsInvalid(
                f"Groups may not use the namespace {asked.namespace!r}.",
                why=f"The server works in: {', '.join(self.places.allowed)}.",
                fix="Name one of these, or add it to STEPWELL_KUBERNETES_NAMESPACES.",
            )
        return asked.namespace

    def _job(self, spec: LaunchSpec, asked: GroupOptions) -> Object:
        namespace = self._namespace(asked)
        return body.job(spec, asked, self.options, owner=self._owner, namespace=namespace)

    def _start(self, place: Place, spec: LaunchSpec, made: Object) -> None:
        job: Object | None = self.requests.create(place, made)
        for _ in range(_ROUNDS):
            if job is None:
                break
            place.book.put_job(job)
            if not job["spec"].get("suspend") or words.stop_of(job):
                return  # it was let go before, or is not wanted any more
            self.requests.give(place, spec, job)
            released = self.requests.release(place, job["metadata"]["name"])
            job = released or self.requests.get(place, job["metadata"]["name"])
        raise LaunchFailed(
            f"The Job of {spec.name} is changed by others.", fix="It is tried again."
        )

    def _found(self, handle: Handle) -> tuple[Place, str]:
        """Where a launch is, as it is known now; the usual place if it is nowhere."""
        job = names.job_name(self._owner, handle["name"])
        named = handle.get("namespace")
        if named is not None:
            place = self.places[named]
            place.check()
            return place, job
        for namespace in self.places.allowed:
            place = self.places[namespace]
            place.check()
            if place.book.seen(job).job is not None:
                return place, job
        return self._looked_for(job), job

    def _looked_for(self, job: str) -> Place:
        """Where a Job is that no watch has told of; the usual place if it is nowhere."""
        for namespace in self.places.allowed[1:]:
            place = self.places[namespace]
            if self._asked(job, lambda place=place: self.requests.get(place, job)):  # type: ignore[misc]
                return place
        return self._usual

    def _confirmed(self, place: Place, job: str, launch: str) -> Seen:
        """As the cluster has it at this moment: a watch may be behind a Job that is new, and the
        watch of pods behind that of Jobs."""
        found = self.requests.get(place, job)
        if found is not None:
            place.book.put_job(found)
        seen = place.book.seen(job)
        if seen.job is not None and not seen.pods:
            for pod in self.requests.pods(place, launch):
                place.book.put_pod(pod)
            seen = place.book.seen(job)
        return made_sure(seen, gone=found is None)

    def _keep_output(self, place: Place, job: str, seen: Seen) -> None:
        """A pod that is ended is deleted with its output."""
        if seen.pod is None or seen.pod.gone:
            return
        try:
            self._written[job] = self._read(place, seen.pod.pod["metadata"]["name"])
        except (Refused, LaunchFailed):
            return  # its container has not begun
        while len(self._written) > 100:
            del self._written[next(iter(self._written))]

    def _read(self, place: Place, pod: str) -> str:
        kept = HeadAndTail(self._log_bytes)
        path, limit = f"{place.pods}/{pod}/log", str(LOG_READ)
        with self.api.stream(path, container=body.MAIN, limitBytes=limit) as answer:
            for piece in answer.iter_bytes():
                kept.add(piece)
        return kept.text()

    def _is_over(self, job: Object, before: datetime) -> bool:
        over = finished(job)
        if over is not None:
            return (self.api.here(over.get("lastTransitionTime")) or before) < before
        made = self.api.here(job["metadata"].get("creationTimestamp"))
        return made is None or made < clock.now() - NEEDLESS

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Refused as refused:
            raise LaunchFailed(
                f"The cluster refuses: {what}.",
                why=refused.message,
                fix="See `stepwell doctor kubernetes`.",
            ) from refused


def _launch(job: Object) -> str:
    return str((job["metadata"].get("annotations") or {}).get(names.LAUNCH, ""))


def _check(spec: LaunchSpec) -> None:
    if not names.can_be(spec.name):
        raise LaunchSpecInvalid(
            f"{spec.name!r} cannot be the name of a launch.",
            fix="Use lower-case letters, digits and dashes.",
        )
    for key, value in spec.environment.items():
        if not _VARIABLE.fullmatch(key) or "\0" in value:
            raise LaunchSpecInvalid(
                f"{key!r} cannot be an environment variable in a pod.",
                fix="Names have letters, digits, '_', '.' and '-'; values no null characters.",
            )
