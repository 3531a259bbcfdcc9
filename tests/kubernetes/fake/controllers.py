"""What a cluster does by itself: pods for Jobs, the ends of Jobs, and what goes with them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from tests.kubernetes.fake.api import Api
from tests.kubernetes.fake.objects import GENERATED, Object, Objects


class Jobs:
    """The controller of Jobs, and the collector of what is owned by what is gone.

    Parameters
    ----------
    pod_began : called with each new pod; it plays the scheduler and the node.
    """

    def __init__(
        self, api: Api, objects: Objects, pod_began: Callable[[Object], Awaitable[None]]
    ) -> None:
        self._api, self._objects, self.pod_began = api, objects, pod_began
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look at each Job that has changed, or whose pods have; at all when nothing happens."""
        version = 0
        while not self._api.closing:
            touched = self._objects.touched(version) if version else None
            idle, version = version == self._objects.version, self._objects.version
            jobs = {one["metadata"]["uid"]: one for one in self._objects.select("jobs")}
            for uid in jobs if idle or touched is None else touched:
                if uid in jobs:
                    self._look(jobs[uid])
                else:
                    self._collect(uid)
            if self._objects.version == version:
                await self._objects.more(0.2)
            else:
                await asyncio.sleep(0)

    def _look(self, job: Object) -> None:
        status = job.setdefault("status", {})
        if any(one["type"] in ("Complete", "Failed") for one in status.get("conditions", ())):
            return
        pods = self._objects.owned("pods", job["metadata"]["uid"])
        if job["spec"].get("suspend"):
            self._suspended(job, pods)
        elif "startTime" not in status:
            self._objects.change("jobs", job, startTime=self._objects.now(), active=1)
            loop = asyncio.get_running_loop()
            loop.call_later(job["spec"]["activeDeadlineSeconds"], self._late, job)
        elif not pods and status.get("pods_made"):
            self._end(job, "Failed", "BackoffLimitExceeded")
        elif not pods:
            self._make_pod(job)
        elif pods[0]["status"]["phase"] == "Succeeded":
            self._end(job, "Complete", "")
        elif pods[0]["status"]["phase"] == "Failed":
            self._end(job, "Failed", "BackoffLimitExceeded")

    def _make_pod(self, job: Object) -> None:
        template, about = job["spec"]["template"], job["metadata"]
        pod = {
            "metadata": {
                **template["metadata"],
                "name": f"{about['name']}-"[:GENERATED] + uuid.uuid4().hex[:5],
                "namespace": about["namespace"],
                "ownerReferences": [
                    {"kind": "Job", "name": about["name"], "uid": about["uid"], "controller": True}
                ],
            },
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        name = pod["metadata"]["name"]
        for check in self._api.admission:
            if why := check("pods", pod):
                message = f'Error creating: pods "{name}" is forbidden: {why}'
                if about["uid"] not in self._told:
                    self._told.add(about["uid"])
                    self.tell(job, "Job", "FailedCreate", message)
                return
        job["status"]["pods_made"] = True
        self._begin(self.pod_began(self._objects.add("pods", about["namespace"], pod)))

    def tell(self, one: Object, kind: str, reason: str, message: str) -> None:
        """An event of type Warning."""
        about = one["metadata"]
        event = {
            "metadata": {"name": f"{about['name']}.{uuid.uuid4().hex[:12]}"},
            "involvedObject": {
                "kind": kind,
                "name": about["name"],
                "uid": about["uid"],
                "namespace": about["namespace"],
            },
            "type": "Warning",
            "reason": reason,
            "message": message,
            "count": 1,
            "lastTimestamp": self._objects.now(),
        }
        self._objects.add("events", about["namespace"], event)

    def _suspended(self, job: Object, pods: list[Object]) -> None:
        for pod in pods:
            if "deletionTimestamp" not in pod["metadata"]:
                self._delete(pod)
        if not any(one["type"] == "Suspended" for one in job["status"].get("conditions", ())):
            condition = {"type": "Suspended", "status": "True", "reason": "JobSuspended"}
            self._objects.change("jobs", job, conditions=[condition])

    def _delete(self, pod: Object) -> None:
        if pod["status"]["phase"] in ("Succeeded", "Failed"):
            self._objects.drop("pods", pod)
            return
        self._objects.doom(pod)

    def _late(self, job: Object) -> None:
        if job["spec"].get("suspend") or _over(job):
            return
        for pod in self._objects.owned("pods", job["metadata"]["uid"]):
            self._delete(pod)
        self._end(job, "Failed", "DeadlineExceeded")

    def _end(self, job: Object, kind: str, reason: str) -> None:
        condition = {
            "type": kind,
            "status": "True",
            "reason": reason,
            "lastTransitionTime": self._objects.now(),
        }
        self._objects.change("jobs", job, conditions=[condition], active=0)

    def _collect(self, uid: str) -> None:
        """Remove what was owned by what is gone."""
        for one in self._objects.owned("secrets", uid):
            self._objects.drop("secrets", one)
        for one in self._objects.owned("pods", uid):
            if "deletionTimestamp" not in one["metadata"]:
                self._delete(one)

    def _begin(self, work: Awaitable[None]) -> None:
        async def done() -> None:
            await work

        task = asyncio.get_running_loop().create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _over(job: Object) -> bool:
    return any(one["type"] in ("Complete", "Failed") for one in job["status"].get("conditions", ()))
