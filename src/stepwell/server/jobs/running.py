"""Executing one step in a container: the handler of every name that has an image.

The server's engine holds the claim, so the step's record, retries, limits and search are those
of any other step. The launch is named by the step and its execution, which is counted when it
is settled: a server that takes the step over after another one's death finds the same launch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from sqlalchemy import RowMapping

from stepwell import clock
from stepwell.errors import InvalidInput, StepwellError, Unavailable
from stepwell.events import emit
from stepwell.launchers.protocol import Handle, Launcher, LaunchSpec, LaunchStatus
from stepwell.outcome import FailStep, Settlement
from stepwell.registry import Registry
from stepwell.server.jobs import queries, service, tokens
from stepwell.server.jobs.images import StepImage
from stepwell.server.services import Services
from stepwell.step import Step, StepQuery, StepStatus

T = TypeVar("T")

LOOK_EVERY: Final = 0.25
"""Seconds between two looks at a launch."""
TRY_AGAIN: Final = 5.0
"""Seconds until what the launcher could not do is tried again."""
LINGER: Final = 30.0
"""Seconds that a container may stay after its outcome."""
MOST_LOST: Final = 5
"""So many launches in a row may end without an outcome; then the step fails (R15)."""
KEPT: Final = 64 * 1024
"""So many of the last characters of the output are kept."""
USERS_MISTAKE: Final = 2


class JobLost(Unavailable):
    """A step's container ended without an outcome."""

    code = "job-lost"


def handlers(services: Services, images: Mapping[str, StepImage]) -> Registry:
    """A registry with a handler for each step name that has an image."""
    registry = Registry()
    for name, image in images.items():
        registry.add(_handler(services, image), name)
    return registry


def _handler(services: Services, image: StepImage) -> Callable[..., Settlement]:
    def execute(step: Step, cancelled: threading.Event) -> Settlement:
        return Job(services, image, step, cancelled).run()

    return execute


class Job:
    """One execution of a step.

    Parameters
    ----------
    cancelled : set when the claim is gone: the step was ended by hand, or is another server's.
    """

    def __init__(
        self, services: Services, image: StepImage, step: Step, cancelled: threading.Event
    ) -> None:
        self.services, self.image, self.step, self.cancelled = services, image, step, cancelled
        self.number = step.execution_count + 1
        self.name = f"step-{step.id}-{self.number}"

    def run(self) -> Settlement:
        """What the container has made of the step.

        Raises
        ------
        JobLost : it has ended without an outcome; the step is tried again.
        FailStep : it was lost too often, or its image cannot execute the step.
        """
        launcher = self.services.launcher(self.image.launcher)
        job = self._patiently(self._opened)
        if job["finished_at"] is None:
            handle = job["handle"] or self._launched(launcher)
            status = self._followed(launcher, handle)
            self._patiently(lambda: self._close(job, launcher, handle, status))
        job, told = self._patiently(lambda: self._told(job))
        if told is None:
            raise self._without(job)
        return told

    def _patiently(self, ask: Callable[[], T]) -> T:
        """What a launcher or the database answers, when it is there again: the container goes on
        meanwhile, and a failed attempt would start a second one beside it."""
        while True:
            try:
                return ask()
            except Unavailable as error:
                emit("job.held_up", step=self.step.id, execution=self.number, error=str(error))
            if self.cancelled.wait(TRY_AGAIN):
                raise JobLost("The step was taken away before its container could be looked at.")

    def _told(self, job: RowMapping) -> tuple[RowMapping, Settlement | None]:
        """The launch as it is now, and what its container has said."""
        with self.services.db.read() as conn:
            told = service.outcome(conn, self.step.id, self.number)
            return queries.get(conn, self.step.id, self.number) or job, told

    def _opened(self) -> RowMapping:
        with self.services.db.write() as conn:
            return service.opened(
                conn, self.step, image=self.image.image, launcher=self.image.launcher
            )

    def _launched(self, launcher: Launcher) -> Handle:
        """Start it, unless it was started; a launcher that is away is waited for."""
        while not self.cancelled.is_set():
            try:
                return self._start(launcher)
            except InvalidInput as error:
                raise FailStep(f"Its container cannot be started. {error}") from error
            except StepwellError as error:
                emit("job.launch_failed", step=self.step.id, error=str(error))
                self.cancelled.wait(TRY_AGAIN)
        raise JobLost("The step was taken away before its container was started.")

    def _start(self, launcher: Launcher) -> Handle:
        pinned = launcher.pin(self.image.image)
        spec = LaunchSpec(
            name=self.name,
            image=pinned.location,
            mode="step",
            environment=self._environment(),
            deadline_seconds=self.services.settings.step_deadline,
        )
        handle = launcher.start(spec)
        now = clock.now()
        with self.services.db.write() as conn:
            values = {"handle": handle, "launched_at": now, "digest": pinned.digest}
            queries.change(conn, self.step.id, self.number, **values)
        emit("job.launched", step=self.step.id, name=self.step.name, execution=self.number)
        return handle

    def _environment(self) -> dict[str, str]:
        settings = self.services.settings
        return {
            "STEPWELL_URL": settings.url_for_images,
            "STEPWELL_STEP_ID": str(self.step.id),
            "STEPWELL_TOKEN": tokens.issue(settings.signing_key, self.step.id, self.number),
        }

    def _followed(self, launcher: Launcher, handle: Handle) -> LaunchStatus:
        """Its end. It is stopped when the step has ended by hand, or when it does not end."""
        told_at = None
        while True:
            status = self._patiently(lambda: launcher.poll(handle))
            if status.state == "ended":
                return status
            if self.cancelled.is_set() and not self._patiently(self._is_ready):
                self._patiently(lambda: launcher.stop(handle))
            elif self.cancelled.is_set():
                raise JobLost("The step is another server's now.")
            elif told_at is not None and (clock.now() - told_at).total_seconds() > LINGER:
                self._patiently(lambda: launcher.stop(handle))
            told_at = told_at or (clock.now() if self._patiently(self._has_told) else None)
            if self.cancelled.wait(LOOK_EVERY):
                time.sleep(LOOK_EVERY)

    def _is_ready(self) -> bool:
        with self.services.db.read() as conn:
            query = StepQuery(ids=(self.step.id,), status=StepStatus.READY, limit=1)
            return bool(self.services.db.steps(conn).search(query))

    def _has_told(self) -> bool:
        with self.services.db.read() as conn:
            job = queries.get(conn, self.step.id, self.number)
        return job is not None and job["outcome"] is not None

    def _close(
        self, job: RowMapping, launcher: Launcher, handle: Handle, status: LaunchStatus
    ) -> None:
        how = {"code": status.exit_code, "reason": status.reason}
        output = launcher.logs(handle)[-KEPT:].replace("\0", "\ufffd")
        with self.services.db.write() as conn:
            service.finish(conn, job, at=status.finished_at, exit=how, output=output)
        emit("job.ended", step=self.step.id, execution=self.number, reason=status.reason)

    def _without(self, job: RowMapping) -> FailStep | JobLost:
        """What to say of a launch without an outcome."""
        reason = f"{job['exit']['reason']}\n{_last_lines(job['output'] or '')}".strip()
        if job["exit"]["code"] == USERS_MISTAKE:
            return FailStep(f"The image could not execute the step. {reason}")
        if job["lost"] >= MOST_LOST:
            return FailStep(f"Its container was lost {job['lost']} times in a row. {reason}")
        return JobLost("Its container has ended without an outcome.", why=reason)


def _last_lines(output: str) -> str:
    return "\n".join(output.splitlines()[-20:])[-4000:]
