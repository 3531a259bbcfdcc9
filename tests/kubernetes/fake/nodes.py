"""The scheduler and the nodes of a cluster that is played: pods as processes of this machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kubernetes.fake.objects import Object, Objects

from stepwell.launchers import amounts

DIGEST = "sha256:" + "ab" * 32
LOOK = 0.05


@dataclass
class Node:
    """A machine: what it has for pods, and whether it is heard of."""

    name: str
    cpu: str = "4"
    memory: str = "8Gi"
    heard: bool = True

    @property
    def as_object(self) -> Object:
        return {
            "metadata": {"name": self.name},
            "status": {"allocatable": {"cpu": self.cpu, "memory": self.memory}},
        }


@dataclass
class Image:
    """What an image runs. `instant` pods run at once, as long as nobody ends them."""

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    instant: bool = False
    digest: str = DIGEST


class Nodes:
    """Places pods and runs them.

    `tell` makes an event of a pod.
    """

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.tell: Callable[[Object, str, str, str], None] = lambda *_: None
        self.nodes = [Node("node-1"), Node("node-2", cpu="2", memory="4Gi")]
        self.images: dict[str, Image] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="sw-pods-"))
        self.processes: dict[str, asyncio.subprocess.Process] = {}

    async def began(self, pod: Object) -> None:
        """One pod's life."""
        node = await self._scheduled(pod)
        image = await self._pulled(pod, node) if node else None
        environment = await self._configured(pod) if image else None
        if node is None or image is None or environment is None:
            self.objects.drop("pods", pod)
        elif image.instant:
            began = {"startedAt": self.objects.now()}
            self._status(pod, "Running", running=began, digest=image.digest)
        else:
            await self._run(pod, node, image, environment)

    def written(self, pod: Object) -> bytes:
        """What it wrote; the API server asks its node for that."""
        name = pod["spec"].get("nodeName", "")
        if not all(one.heard for one in self.nodes if one.name == name):
            url = f"https://{name}:10250/containerLogs/{pod['metadata']['name']}/main"
            raise ConnectionError(f'Get "{url}": dial tcp: connect: connection refused')
        path = self._folder / pod["metadata"]["name"]
        return path.read_bytes() if path.exists() else b""

    def end(self, pod: Object, code: int, reason: str = "") -> None:
        """A pod's container has ended."""
        reason = reason or ("Completed" if code == 0 else "Error")
        ended = {"exitCode": code, "reason": reason, "finishedAt": self.objects.now()}
        state = _state(pod).get("running") or {"startedAt": self.objects.now()}
        phase = "Succeeded" if code == 0 else "Failed"
        digest = pod["status"]["containerStatuses"][0].get("imageID", DIGEST).partition("@")[2]
        self._status(pod, phase, terminated={**state, **ended}, digest=digest)

    async def _scheduled(self, pod: Object) -> Node | None:
        """The node that takes it; None if it is deleted before."""
        needs = _main(pod).get("resources", {}).get("requests", {})
        while not _doomed(pod):
            for node in self.nodes:
                enough = all(
                    amounts.number(getattr(node, one, "0")) >= amounts.number(amount)
                    for one, amount in needs.items()
                )
                if enough and node.heard:
                    pod["spec"]["nodeName"] = node.name
                    self.objects.change("pods", pod, conditions=[self._condition("True", "", "")])
                    return node
            await self._unscheduled(pod, needs)
        return None

    async def _unscheduled(self, pod: Object, needs: Mapping[str, str]) -> None:
        count = len(self.nodes)
        short = [
            one
            for one, amount in needs.items()
            if all(
                amounts.number(getattr(node, one, "0")) < amounts.number(amount)
                for node in self.nodes
            )
        ]
        words = ", ".join(f"{count} Insufficient {one}" for one in short)
        message = (
            f"0/{count} nodes are available: {words}. preemption: 0/{count} nodes are available."
        )
        if not pod["status"].get("conditions"):
            condition = self._condition("False", "Unschedulable", message)
            self.objects.change("pods", pod, conditions=[condition])
            self.tell(pod, "Pod", "FailedScheduling", message)
        await self.objects.more(1)

    def _condition(self, status: str, reason: str, message: str) -> Object:
        about = {"type": "PodScheduled", "lastTransitionTime": self.objects.now()}
        return {**about, "status": status, "reason": reason, "message": message}

    async def _pulled(self, pod: Object, node: Node) -> Image | None:
        name = _main(pod)["image"]
        while not _doomed(pod):
            for known in (name, name.partition("@")[0]):
                if known in self.images:
                    return self.images[known]
            error = f'failed to resolve reference "{name}": {name}: not found'
            if not _state(pod):
                self.tell(pod, "Pod", "Failed", f'Failed to pull image "{name}": {error}')
                waiting = {
                    "reason": "ImagePullBackOff",
                    "message": f'Back-off pulling image "{name}"',
                }
                self._status(pod, "Pending", waiting=waiting)
            await self.objects.more(1)
        return None

    async def _configured(self, pod: Object) -> dict[str, str] | None:
        """Its environment, once all that it refers to is there."""
        while not _doomed(pod):
            found, missing = self._environment(pod)
            if not missing:
                return found
            if _state(pod).get("waiting", {}).get("message") != missing:
                waiting = {"reason": "CreateContainerConfigError", "message": missing}
                self._status(pod, "Pending", waiting=waiting)
            await self.objects.more(1)
        return None

    def _environment(self, pod: Object) -> tuple[dict[str, str], str]:
        made: dict[str, str] = {}
        container, namespace = _main(pod), pod["metadata"]["namespace"]
        for one in container.get("envFrom", ()):
            kind, name, found = self._referred(namespace, one)
            if found is None:
                return made, f'{kind} "{name}" not found'
            prefix = one.get("prefix", "")
            made |= {f"{prefix}{key}": value for key, value in found["data"].items()}
        for one in container.get("env", ()):
            if "value" in one:
                made[one["name"]] = one["value"]
                continue
            kind, name, found = self._referred(namespace, one["valueFrom"])
            if found is None:
                return made, f'{kind} "{name}" not found'
            (key,) = (ref["key"] for ref in one["valueFrom"].values())
            if key not in found["data"]:
                called = "Secret" if kind == "secret" else "ConfigMap"
                return made, f"couldn't find key {key} in {called} {namespace}/{name}"
            made[one["name"]] = found["data"][key]
        return made, ""

    def _referred(self, namespace: str, one: Object) -> tuple[str, str, Object | None]:
        """What a reference is to, by its kind and name; None if it is not there."""
        secret = one.get("secretRef") or one.get("secretKeyRef")
        kind, resource = ("secret", "secrets") if secret else ("configmap", "configmaps")
        name = (secret or one.get("configMapRef") or one["configMapKeyRef"])["name"]
        return kind, name, self.objects.get(resource, namespace, name)

    async def _run(
        self, pod: Object, node: Node, image: Image, environment: dict[str, str]
    ) -> None:
        name, container = pod["metadata"]["name"], _main(pod)
        given = container.get("command")
        command = [*given, *container.get("args", ())] if given else list(image.command)
        command[0] = sys.executable if command[0] in ("python", "python3") else command[0]
        usual = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
        with (self._folder / name).open("wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    env={**usual, **image.environment, **environment},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as error:
                self._not_begun(pod, str(error), image.digest)
                return
        self.processes[name] = process
        self._status(pod, "Running", running={"startedAt": self.objects.now()}, digest=image.digest)
        reason = await self._looked_after(pod, node, process)
        if not node.heard:
            return
        code = await process.wait()
        self.end(pod, code if code >= 0 else 128 - code, reason)
        if _doomed(pod):
            self.objects.drop("pods", pod)

    def _not_begun(self, pod: Object, error: str, digest: str) -> None:
        now = self.objects.now()
        ended = {"exitCode": 128, "reason": "StartError", "message": error, "finishedAt": now}
        self._status(pod, "Failed", terminated={"startedAt": now, **ended}, digest=digest)

    async def _looked_after(
        self, pod: Object, node: Node, process: asyncio.subprocess.Process
    ) -> str:
        """Until it ends: for its memory, and whether it is to be ended. Why it was killed."""
        limits = _main(pod).get("resources", {}).get("limits", {})
        most = amounts.number(limits.get("memory", "0")) or float("inf")
        ending = asyncio.get_running_loop().create_task(process.wait())
        asked: float | None = None
        reason, loop = "", asyncio.get_running_loop()
        while not ending.done():
            if asked is None and _doomed(pod) and node.heard:
                _signal(process, signal.SIGTERM)
                asked = loop.time()
            grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
            if asked is not None and loop.time() - asked > grace:
                _signal(process, signal.SIGKILL)
            if _resident(process.pid) > most:
                reason = "OOMKilled"
                _signal(process, signal.SIGKILL)
            await asyncio.wait({ending}, timeout=LOOK)
        return reason

    def _status(self, pod: Object, phase: str, digest: str = DIGEST, **state: Any) -> None:
        name = _main(pod)["image"].partition("@")[0]
        one = {"name": _main(pod)["name"], "image": name, "state": state}
        if "waiting" not in state:
            one["imageID"] = f"{name}@{digest}"
        self.objects.change("pods", pod, phase=phase, containerStatuses=[one])

    def close(self) -> None:
        """End all that runs."""
        for process in self.processes.values():
            _signal(process, signal.SIGKILL)
        shutil.rmtree(self._folder, ignore_errors=True)


def _main(pod: Object) -> Object:
    found: Object = pod["spec"]["containers"][0]
    return found


def _state(pod: Object) -> Object:
    found = pod["status"].get("containerStatuses") or [{}]
    state: Object = found[0].get("state", {})
    return state


def _doomed(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _signal(process: asyncio.subprocess.Process, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _resident(pid: int) -> float:
    """The memory of a process, in bytes."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * float(os.sysconf("SC_PAGE_SIZE"))
