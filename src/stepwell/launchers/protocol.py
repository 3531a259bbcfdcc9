"""What a launcher must do: keep an image, start it once per name, say how it ended.

A launcher decides nothing about runs. It is asked by name, so asking twice is
harmless, and its handle is plain JSON, so that a server that was started anew
finds what an earlier one has started. The contract is in
`stepwell.testing.launcher_contract`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from stepwell.errors import InvalidInput, Unavailable

Handle: TypeAlias = dict[str, Any]
"""JSON-able; only the launcher that made it reads it."""

Mode: TypeAlias = Literal["discover", "run", "step"]


class ImageUnusable(InvalidInput):
    """The image of a group cannot be kept or found."""

    code = "image-unusable"


class LaunchSpecInvalid(InvalidInput):
    """A launch that no launcher can start."""

    code = "launch-spec-invalid"


class LaunchFailed(Unavailable):
    """The launcher could not start the image now; it may be tried again.

    `condition` is what it waits for, where the launcher knows it so exactly.
    """

    code = "launch-failed"
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """An image as it is kept: its digest ('sha256:...'), and what `LaunchSpec.image` wants."""

    digest: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchSpec:
    """One start of an image.

    Parameters
    ----------
    name : the launch's name, unique for all time: lower-case letters, digits and dashes.
    image : the location of a pinned image.
    mode : 'discover', 'run' or 'step'; the image finds it in `STEPWELL_MODE`.
    environment : what the image gets beside the launcher's own few variables. Secret.
    deadline_seconds : it is stopped when it runs longer.
    options : what is asked of the launcher beyond what all launches get, as `Configurable`
        launchers check it.
    """

    name: str
    image: str
    mode: Mode
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    deadline_seconds: float = 24 * 60 * 60.0
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a launch waits for before its image runs, or is held up by, in a form that can be
    judged.

    Parameters
    ----------
    code : one of `K8S_QUOTA`, `K8S_UNSCHEDULABLE`, `K8S_IMAGE`, `K8S_CONFIG`,
        `K8S_ADMISSION`, `STARTING`, `LOST`; `stepwell.server.waiting.conditions` has the details
        that each may carry. A launcher may report others; their message is shown.
    details : JSON: names, amounts and texts; never a secret.
    message : the launcher's own words.
    since : when it was seen first.
    """

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchStatus:
    """What became of a launch.

    `reason` is a sentence for people: why it ended, or what it waits for.
    `exit_code` is None while it runs, and where it ended without one. `condition` is what
    it waits for while its image does not run yet. `details`, JSON, is what else is worth
    keeping when it has ended: where it ran, and what was told of it.
    """

    state: Literal["running", "ended"]
    exit_code: int | None = None
    reason: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    condition: Condition | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Launcher(Protocol):
    """The verbs. Safe to use from several threads and several servers at once."""

    def pin(self, image: str) -> Pinned:
        """Keep the image as it is now; what is started later is exactly this (R37).

        Raises `ImageUnusable` when there is no such image.
        """
        ...

    def digest(self, image: str) -> str:
        """The digest that `pin` would answer now; keeps and starts nothing.

        Raises `ImageUnusable` when there is no such image.
        """
        ...

    def locate(self, image: str, digest: str) -> str:
        """The location of an image that was pinned earlier.

        Raises `ImageUnusable` when it is not kept any more.
        """
        ...

    def start(self, spec: LaunchSpec) -> Handle:
        """Start the image, unless a launch of that name was ever started; its handle.

        Raises `LaunchFailed` when it may be tried again.
        """
        ...

    def find(self, name: str) -> Handle:
        """The handle of a launch by its name, whether or not it was ever started."""
        ...

    def poll(self, handle: Handle) -> LaunchStatus:
        """Whether it runs, or how it ended; the same answer however often it is asked."""
        ...

    def stop(self, handle: Handle) -> None:
        """Ask it to end, and make it end after a grace time; returns at once."""
        ...

    def logs(self, handle: Handle) -> str:
        """What it wrote, head and tail, with a mark where the middle was cut."""
        ...


@runtime_checkable
class Sweepable(Protocol):
    """A launcher whose launches and kept images stay somewhere until they are swept."""

    def leftovers(self, before: datetime) -> list[str]:
        """The names of launches that ended before that instant, or that run, for minutes."""
        ...

    def remove(self, name: str) -> None:
        """Remove a launch that nobody needs, with its output; ends it if it runs."""
        ...

    def sweep_images(self, needed: Collection[str], before: datetime) -> int:
        """Let go of kept images made before that instant, but for these digests; how many."""
        ...


@runtime_checkable
class Configurable(Protocol):
    """A launcher of which a group can ask for something: a namespace, resources, a patch."""

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Raise an `InvalidInput` for what cannot be, and `LaunchFailed` where nobody can say."""
        ...

    def pin_for(self, image: str, options: Mapping[str, Any]) -> Pinned:
        """As `pin`, with what the group asks for: the secret of its registry, for example."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """What starting a launch would make.

    Parameters
    ----------
    what : for people, after the words "would start": `1 Job in the namespace jobs`.
    image : exactly what would run.
    requests, limits : what it asks for, and may have at most: resource -> amount, as Kubernetes
        writes them. Empty is none.
    notes : sentences for people: what else is worth knowing before it is started.
    condition : what would hold it up, as far as that can be known before.
    """

    what: str
    image: str
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    condition: Condition | None = None


@runtime_checkable
class Plannable(Protocol):
    """A launcher that says what a start would make."""

    def plan(self, spec: LaunchSpec) -> LaunchPlan:
        """Go the way of `start` up to where something is made; raises as `start` does."""
        ...


@runtime_checkable
class Reachable(Protocol):
    """A launcher that works elsewhere: in an engine, in a cluster."""

    def reach(self) -> str:
        """Who answers, in a sentence; raises `LaunchFailed` where nobody does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Verbs on one resource of a cluster, and those of them that are not granted.

    Parameters
    ----------
    group : the API group; empty is the core.
    namespace : empty is the whole cluster.
    missing : those of `verbs` that are not granted.
    optional : without it the launcher works, and can say less.
    why : what it is for, for people.
    manifest : the YAML that grants it, with all else that is needed in that place; empty
        where nothing is missing.
    """

    group: str
    resource: str
    namespace: str
    verbs: tuple[str, ...]
    missing: tuple[str, ...]
    optional: bool
    why: str
    manifest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a launcher may do in its cluster.

    Parameters
    ----------
    server : the cluster's address.
    subject : whom the cluster takes the launcher for.
    namespaces : those that it works in, the usual one first.
    manifest : the YAML that grants all that is missing; empty where nothing is.
    """

    server: str
    subject: str
    namespaces: tuple[str, ...]
    grants: tuple[Grant, ...]
    manifest: str


@runtime_checkable
class Permitted(Protocol):
    """A launcher that works where others say what it may do: in a cluster."""

    def standing(self) -> Standing:
        """Ask for each permission; raises `LaunchFailed` where nobody says."""
        ...


def pin(launcher: Launcher, image: str, options: Mapping[str, Any] | None) -> Pinned:
    """Pin the image of a group, with what the group asks of its launcher."""
    if options and isinstance(launcher, Configurable):
        return launcher.pin_for(image, options)
    return launcher.pin(image)
