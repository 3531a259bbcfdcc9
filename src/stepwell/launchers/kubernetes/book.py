"""What is known of one namespace: Jobs, their pods and what was told of them; also just after
they are gone, as somebody will ask how they ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from stepwell.launchers.kubernetes.pulls import Pulls

Object = dict[str, Any]

REMEMBERED: Final = 600.0
"""Seconds for which what is gone is remembered."""
EVENTS: Final = 10
"""So many events of one Job and its pods are told, the newest."""
TOLD_OF: Final = 10_000
"""Events of so many Jobs and pods are kept, the newest."""
FINAL: Final = ("Succeeded", "Failed")
"""Phases of pods that have ended."""


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod as it was last seen; `gone` if it is no more."""

    pod: Object
    gone: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing of it runs."""
        return self.gone or self.pod.get("status", {}).get("phase") in FINAL


@dataclass(frozen=True, slots=True)
class Seen:
    """A Job, its pods (newest last) and their events (newest last), as last seen."""

    job: Object | None = None
    gone: bool = False
    pods: tuple[SeenPod, ...] = ()
    events: tuple[Object, ...] = ()

    @property
    def pod(self) -> SeenPod | None:
        """The newest pod."""
        return self.pods[-1] if self.pods else None


@dataclass(slots=True)
class _Entry:
    job: Object | None = None
    gone_at: float | None = None
    pods: dict[str, SeenPod] = field(default_factory=dict)


class Book:
    """The objects of one installation in one namespace, by the names of its Jobs.

    Parameters
    ----------
    mine : whether a name is that of a Job, or of a pod, of this installation.
    ended : called when something may have ended.
    """

    def __init__(self, mine: Callable[[str], bool], ended: Callable[[], None]) -> None:
        self._mine, self._ended = mine, ended
        self._entries: dict[str, _Entry] = {}
        self._events: dict[str, dict[str, Object]] = {}
        self._lock = threading.Lock()
        self.pulls = Pulls()

    def seen(self, job: str) -> Seen:
        """All that is known of a Job."""
        with self._lock:
            entry = self._entries.get(job)
            if entry is None:
                return Seen()
            pods = sorted(entry.pods.values(), key=_born)
            told = (self._events.get(one, {}).values() for one in (job, *entry.pods))
            events = sorted((one for each in told for one in each), key=told_at)
            gone = entry.gone_at is not None
            return Seen(entry.job, gone, tuple(pods), tuple(events[-EVENTS:]))

    def jobs(self) -> list[Object]:
        """The Jobs that there are."""
        with self._lock:
            return [one.job for one in self._entries.values() if one.job and one.gone_at is None]

    def running(self) -> int:
        """How many pods run."""
        with self._lock:
            entries = list(self._entries.values())
            return sum(not pod.over for one in entries for pod in one.pods.values())

    def put_job(self, job: Object) -> None:
        """A Job as it is now; older news of it than is known are left out."""
        with self._lock:
            entry = self._entry(job["metadata"]["name"])
            another = entry.job is None or _uid(entry.job) != _uid(job)
            if another or not _older(job, entry.job):
                entry.job = lean(job)
                entry.gone_at = None if another else entry.gone_at
        if finished(job) is not None:
            self._ended()

    def drop_job(self, job: Object) -> None:
        """A Job is no more."""
        with self._lock:
            entry = self._entry(job["metadata"]["name"])
            same = entry.job is None or _uid(entry.job) == _uid(job)
            if same and entry.gone_at is None:
                entry.job, entry.gone_at = entry.job or lean(job), time.monotonic()
            self._prune()
        self._ended()

    def put_pod(self, pod: Object) -> None:
        """A pod as it is now; older news of it than is known, or of one gone, are left out."""
        seen = SeenPod(lean(pod))
        with self._lock:
            pods = self._entry(job_of(pod)).pods
            known = pods.get(pod["metadata"]["name"])
            if known and (_older(pod, known.pod) or (known.gone and _uid(known.pod) == _uid(pod))):
                return
            pods[pod["metadata"]["name"]] = seen
        if seen.over:
            self._ended()

    def drop_pod(self, pod: Object) -> None:
        """A pod is no more: its last state is kept."""
        with self._lock:
            self._entry(job_of(pod)).pods[pod["metadata"]["name"]] = SeenPod(lean(pod), gone=True)
        self._ended()

    def put_event(self, event: Object) -> None:
        """Something was told of a Job or a pod."""
        about = event.get("involvedObject") or event.get("regarding") or {}
        name = str(about.get("name", ""))
        if not self._mine(name):
            return
        self.pulls.note(event)
        with self._lock:  # a pod's name says not of which Job it is: it may be cut off
            told = self._events.setdefault(name, {})
            told[event["metadata"]["name"]] = lean(event)
            for one in sorted(told.values(), key=told_at)[:-EVENTS]:
                del told[one["metadata"]["name"]]
            while len(self._events) > TOLD_OF:
                del self._events[next(iter(self._events))]

    def keep_jobs(self, jobs: list[Object], version: str) -> None:
        """These are all the Jobs that there were at a version; one made since then is kept."""
        names = {one["metadata"]["name"] for one in jobs}
        for one in self.jobs():
            if one["metadata"]["name"] not in names and not _before(version, _version(one)):
                self.drop_job(one)
        for one in jobs:
            self.put_job(one)

    def keep_pods(self, pods: list[Object], version: str) -> None:
        """These are all the pods that there were at a version; one made since then is kept."""
        names = {one["metadata"]["name"] for one in pods}
        with self._lock:
            entries = list(self._entries.values())
            known = [seen.pod for one in entries for seen in one.pods.values() if not seen.gone]
        for one in known:
            if one["metadata"]["name"] not in names and not _before(version, _version(one)):
                self.drop_pod(one)
        for one in pods:
            self.put_pod(one)

    def _entry(self, job: str) -> _Entry:
        return self._entries.setdefault(job, _Entry())

    def _prune(self) -> None:
        old = time.monotonic() - REMEMBERED
        for name, one in list(self._entries.items()):
            alive = any(not pod.over for pod in one.pods.values())
            if one.gone_at is not None and one.gone_at < old and not alive:
                for told in (name, *one.pods):
                    self._events.pop(told, None)
                del self._entries[name]


@dataclass(frozen=True, slots=True)
class Listening:
    """How a mirror fills a book."""

    replace: Callable[[list[Object], str], None]
    put: Callable[[Object], None]
    drop: Callable[[Object], None]


def of_jobs(book: Book) -> Listening:
    """Jobs, as a mirror tells of them."""
    return Listening(book.keep_jobs, book.put_job, book.drop_job)


def of_pods(book: Book) -> Listening:
    """Pods, as a mirror tells of them."""
    return Listening(book.keep_pods, book.put_pod, book.drop_pod)


def of_events(book: Book) -> Listening:
    """Events; that one is forgotten by the cluster changes nothing here."""

    def all_of(events: list[Object], version: str) -> None:
        for one in events:
            book.put_event(one)

    return Listening(all_of, book.put_event, lambda _: None)


_ENDINGS: Final = ("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet")
"""The last two come first: a Job has failed when its pods, too, have ended."""


def finished(job: Object) -> Object | None:
    """The condition by which a Job has ended, or will when its pods have; None before."""
    for one in job.get("status", {}).get("conditions") or ():
        if one["type"] in _ENDINGS and one["status"] == "True":
            return dict(one)
    return None


def job_of(pod: Object) -> str:
    """The name of the Job that a pod is of."""
    about = pod["metadata"]
    owners = (one["name"] for one in about.get("ownerReferences") or () if one["kind"] == "Job")
    return next(owners, "") or about["name"].rpartition("-")[0]


def told_at(event: Object) -> str:
    """When an event was told last, as text that sorts."""
    series = event.get("series") or {}
    times = (event.get("lastTimestamp"), series.get("lastObservedTime"), event.get("eventTime"))
    born = str(event["metadata"].get("creationTimestamp") or "")
    return max((str(one) for one in times if one), default=born)


def lean(one: Object) -> Object:
    """An object without what nobody here reads, and which is half of it."""
    about = {name: value for name, value in one["metadata"].items() if name != "managedFields"}
    return one | {"metadata": about}


def _uid(one: Mapping[str, Any]) -> str:
    return str(one["metadata"].get("uid", ""))


def _older(job: Object, known: Object | None) -> bool:
    """Whether it is an earlier version of the same object."""
    if known is None or _uid(known) != _uid(job):
        return False
    return _before(_version(job), _version(known))


def _owners(pod: Object) -> list[str]:
    return [str(one.get("uid")) for one in pod["metadata"].get("ownerReferences") or ()]


def _version(one: Mapping[str, Any]) -> str:
    return str(one["metadata"].get("resourceVersion", ""))


def _before(version: str, other: str) -> bool:
    """Whether a version is an earlier one; False where versions are not numbers."""
    return version.isdigit() and other.isdigit() and int(version) < int(other)


def _born(seen: SeenPod) -> tuple[str, str]:
    about = seen.pod["metadata"]
    return about.get("creationTimestamp", ""), about["name"]


def pods_alive(seen: Seen) -> Iterator[SeenPod]:
    """The pods of which something may run."""
    return (one for one in seen.pods if not one.over)


def made_sure(seen: Seen, *, gone: bool) -> Seen:
    """The same, where the cluster was asked whether the Job is no more."""
    return replace(seen, gone=gone)


def of_uid(seen: Seen, uid: str) -> Seen:
    """What is known of the Job with that uid, and not of one that had its name before."""
    pods = tuple(one for one in seen.pods if uid in _owners(one.pod))
    mine = {one.pod["metadata"]["name"] for one in pods}

    def fits(event: Object) -> bool:
        about = event.get("involvedObject") or event.get("regarding") or {}
        return about.get("name") in mine or about.get("uid") == uid

    return replace(seen, pods=pods, events=tuple(one for one in seen.events if fits(one)))
