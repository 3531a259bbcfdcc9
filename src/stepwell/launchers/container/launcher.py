"""The container launcher: a container per launch, named by it, so that asking twice is harmless.

What a container needs to be known by is kept in the engine, as its name and its
labels; a new server finds it there. Ended containers stay, with their output,
until a sweep takes them.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stepwell import clock
from stepwell.launchers.container import words
from stepwell.launchers.container.engine import ContainerEngine, Refused
from stepwell.launchers.container.images import Images
from stepwell.launchers.container.marks import OLDEST, Marks
from stepwell.launchers.container.options import LAUNCH, OWNER, ContainerOptions, body
from stepwell.launchers.container.output import HeadAndTail, frames
from stepwell.launchers.container.planning import planned
from stepwell.launchers.container.usage import Usage
from stepwell.launchers.protocol import (
    Handle,
    ImageUnusable,
    LaunchFailed,
    LaunchPlan,
    LaunchSpec,
    LaunchSpecInvalid,
    LaunchStatus,
    Pinned,
)

LOG_BYTES: Final = 10 * 1024 * 1024
"""How much output of one launch is read: half of it the head, half the tail."""

NEEDLESS: Final = timedelta(minutes=10)
"""What runs for so long though no run needs it is removed."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,120}")
_NOT_FOUND, _CONFLICT = 404, 409
_COMMAND: Final = ("no such file", "not found", "permission denied", "exec format")
"""Words of runtimes that mean: the image's command can never be run."""


class ContainerLauncher:
    """Starts images as containers of Docker or Podman.

    Parameters
    ----------
    data_dir : where marks of stops are (`containers/`).
    engine : the client of the engine's API.
    owner : names this installation, on its containers: the same for all servers on one
        database, and for no other.
    options : what every container gets.
    log_bytes : how much of the output `logs` answers, in bytes.
    grace_seconds : between SIGTERM and SIGKILL; engines count whole seconds.
    """

    def __init__(
        self,
        data_dir: Path,
        engine: ContainerEngine,
        options: ContainerOptions | None = None,
        *,
        owner: str,
        log_bytes: int = LOG_BYTES,
        grace_seconds: float = 10.0,
    ) -> None:
        self.engine, self.images, self._owner = engine, Images(engine, owner), owner
        self.usage = Usage(self._stats)
        self._marks = Marks(data_dir.absolute() / "containers")
        self._options = options or ContainerOptions()
        self._log_bytes, self._grace = log_bytes, grace_seconds

    def pin(self, image: str) -> Pinned:
        """Pull the image if it has a registry, and keep it by a tag (R37)."""
        return self.images.pin(image)

    def digest(self, image: str) -> str:
        """The digest of the image as its registry, or this host, has it now."""
        return self.images.digest(image)

    def locate(self, image: str, digest: str) -> str:
        """The id of a local image, or the registry's name with the digest."""
        return self.images.locate(image, digest)

    def reach(self) -> str:
        """The engine, and its version."""
        found = self._asked("/version") or {}
        return f"the engine at {self.engine.address} answers, version {found.get('Version', '?')}."

    def plan(self, spec: LaunchSpec) -> LaunchPlan:
        """The container as it would be asked for; an image that is not here is not pulled."""
        _check(spec)
        image = self.images.here_or_of_registry(spec.image)
        return planned(self._body(spec, image or {}), self.engine.address, here=image is not None)

    def start(self, spec: LaunchSpec) -> Handle:
        """Create the container unless it is there, and start it unless it ever was."""
        _check(spec)
        try:
            with self._marks.alone(spec.name):
                self._start(spec)
        except Refused as refused:
            raise _failed(spec, refused) from refused
        except OSError as error:
            raise LaunchFailed(f"The launch {spec.name} failed.", why=str(error)) from error
        return self.find(spec.name)

    def find(self, name: str) -> Handle:
        """The handle is made of the name alone."""
        return {"launcher": "container", "name": name}

    def poll(self, handle: Handle) -> LaunchStatus:
        """Ask the engine; what runs longer than its deadline is asked to stop."""
        found = self._inspect(handle["name"])
        if found is None:
            return words.NEVER
        if words.overdue(found, clock.now()):
            self._stop(handle["name"], "deadline")
        name = handle["name"]
        if found["State"]["Status"] == "running":
            self.usage.sample(name)
        return words.status(found, self._marks.get(name), self.usage.of(name))

    def stop(self, handle: Handle) -> None:
        """Let the engine send SIGTERM, and SIGKILL after the grace; it need not be waited for."""
        found = self._inspect(handle["name"])
        if found is None or found["State"]["Status"] in words.ENDED:
            return
        if found["State"]["Status"] in words.WAITING:
            self.remove(handle["name"])
        else:
            self._stop(handle["name"], "stopped")

    def logs(self, handle: Handle) -> str:
        """Head and tail of stdout and stderr, with the cut marked; no more is held in memory."""
        kept = HeadAndTail(self._log_bytes)
        query = {"stdout": "true", "stderr": "true", "follow": "false"}
        try:
            with self.engine.stream("GET", f"{self._path(handle['name'])}/logs", **query) as pieces:
                for content in frames(pieces):
                    kept.add(content)
        except Refused as refused:
            if refused.status != _NOT_FOUND:
                raise LaunchFailed(
                    f"The output of {handle['name']} cannot be read.", why=refused.message
                ) from refused
        return kept.text()

    def leftovers(self, before: datetime) -> list[str]:
        """Of this installation, by the label of its containers."""
        filters = json.dumps({"label": [f"{OWNER}={self._owner}"]})
        found = self._asked("/containers/json", all="true", filters=filters)
        names = (one["Labels"][LAUNCH] for one in found)
        return [name for name in names if self._is_over(name, before)]

    def remove(self, name: str) -> None:
        """Remove its container, and the marks of its stop."""
        try:
            self.engine.ask("DELETE", self._path(name), force="true")
        except Refused as refused:
            if refused.status not in (_NOT_FOUND, _CONFLICT):  # gone, or going
                raise LaunchFailed(f"{name} stays.", why=refused.message) from refused
        self._marks.drop(name)

    def sweep_images(self, needed: Collection[str], before: datetime) -> int:
        """Take the tags away by which images were kept: pruning may take them then."""
        return self.images.drop(needed, before.timestamp())

    # -- what the verbs are made of -------------------------------------------------

    def _start(self, spec: LaunchSpec) -> None:
        found = self._inspect(spec.name)
        if found is None:
            self._create(spec)
        elif found["State"]["Status"] not in words.WAITING:
            return  # it was started: also when it has ended since
        try:
            self.engine.ask("POST", f"{self._path(spec.name)}/start")
        except Refused:
            self.remove(spec.name)
            raise

    def _create(self, spec: LaunchSpec) -> None:
        image = self.images.inspect(spec.image)
        if image is None:
            self.images.pull(spec.image)
            image = self.images.inspect(spec.image) or {}
        made = self._body(spec, image)
        try:
            self.engine.ask("POST", "/containers/create", made, name=self._name(spec.name))
        except Refused as refused:
            if refused.status != _CONFLICT:  # a server on another host was faster
                raise

    def _body(self, spec: LaunchSpec, image: Mapping[str, Any]) -> dict[str, Any]:
        own = (image.get("Config") or {}).get("User") or ""
        return body(spec, self._options, own_user=own, owner=self._owner, grace=self._grace)

    def _inspect(self, name: str) -> dict[str, Any] | None:
        """An engine that looks just as the container ends may fail on its process, which is gone
        (Podman: read /proc/PID/cgroup); asked again it knows."""
        path = f"{self._path(name)}/json"
        try:
            found: dict[str, Any] | None = self.engine.find(path)
        except Refused:
            found = self._asked(path)
        return found

    def _stats(self, name: str) -> dict[str, Any] | None:
        query = {"stream": "false", "one-shot": "true"}
        found: dict[str, Any] | None = self.engine.find(f"{self._path(name)}/stats", **query)
        return found

    def _asked(self, path: str, **query: Any) -> Any:
        try:
            return self.engine.find(path, **query)
        except Refused as refused:
            raise LaunchFailed(f"The engine refuses {path}.", why=refused.message) from refused

    def _stop(self, name: str, why: str) -> None:
        first = self._marks.put(name, why)
        if first or self._marks.age(name, clock.now().timestamp()) > OLDEST + self._grace:
            threading.Thread(target=self._end, args=(name,), daemon=True).start()

    def _end(self, name: str) -> None:
        try:
            self.engine.ask("POST", f"{self._path(name)}/stop")
        except (Refused, LaunchFailed):
            pass  # whoever polls next asks again when the mark is old

    def _name(self, launch: str) -> str:
        return f"stepwell-{self._owner}-{launch}"

    def _path(self, launch: str) -> str:
        return f"/containers/{self._name(launch)}"

    def _is_over(self, name: str, before: datetime) -> bool:
        found = self._inspect(name)
        if found is None:
            return False
        status = words.status(found, None)
        if status.state == "ended":
            return (status.finished_at or before) < before
        begun = status.started_at or words.created_at(found)
        return begun is None or begun < clock.now() - NEEDLESS


def _check(spec: LaunchSpec) -> None:
    if not _NAME.fullmatch(spec.name):
        raise LaunchSpecInvalid(
            f"{spec.name!r} cannot be the name of a launch.",
            fix="Use lower-case letters, digits and dashes.",
        )
    _check_environment(spec.environment)


def _check_environment(environment: Mapping[str, str]) -> None:
    for key, value in environment.items():
        if not key or "=" in key or "\0" in key + value:
            raise LaunchSpecInvalid(
                f"{key!r} cannot be an environment variable.",
                fix="Names have no '=', and neither names nor values have null characters.",
            )


def _failed(spec: LaunchSpec, refused: Refused) -> ImageUnusable | LaunchFailed:
    if any(word in refused.message.lower() for word in _COMMAND):
        return ImageUnusable(
            f"The image {spec.image} cannot be started.",
            why=f"The engine's answer: {refused.message}",
            fix="See whether its entry point exists and may be executed.",
        )
    return LaunchFailed(
        f"The container of {spec.name} could not be started.",
        why=f"The engine's answer: {refused.message}",
        fix="See whether the limits, the network and the user in the settings suit the engine.",
    )
