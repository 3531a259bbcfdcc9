"""The step of a discovery: pin the image, start it, wait for it, keep what it wrote.

Each execution does the next of these and commits it, so the step can be killed
anywhere: pinning and starting are idempotent, and the token can be made again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from stepwell.errors import StepwellError, Unavailable
from stepwell.launchers.protocol import LaunchSpec, LaunchStatus, pin
from stepwell.outcome import Outcome, done, rerun
from stepwell.registry import Registry
from stepwell.server.discoveries import queries, service, tokens
from stepwell.server.discoveries.output import readable
from stepwell.server.discoveries.records import Fault, State
from stepwell.server.groups import service as groups
from stepwell.server.services import QUEUE, RETRY, Services
from stepwell.step import NewStep, OnConflict, new_step

POLL_SECONDS: Final = 0.25
STARTING: Final = timedelta(minutes=10)
"""A launcher that cannot start an image for so long has failed."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of `v1/server/discover`."""

    def discover(state: Any) -> Outcome:
        return Discovering(services, UUID(state["discovery_id"])).advance()

    registry.add(discover, service.STEP, retry=RETRY)


class Discovering:
    """One execution of the step: reads the row, does the next thing, says when to come back."""

    def __init__(self, services: Services, discovery_id: UUID) -> None:
        self.services, self.id = services, discovery_id

    def advance(self) -> Outcome:
        """Do what comes next; an error of the image or the setup ends the discovery."""
        with self.services.db.read() as conn:
            row = queries.get(conn, self.id)
        if row is None:
            return done(description="The discovery is gone.")
        try:
            return self._next(row)(row)
        except StepwellError as error:
            if isinstance(error, Unavailable) and not self._too_late(row):
                raise
            return self._failed(Fault.model_validate(error.as_dict()))

    def _next(self, row: queries.Row) -> Callable[[queries.Row], Outcome]:
        if row["handle"] is not None:
            return self._watch
        if State(row["state"]).ended:
            return lambda _: done()
        return self._launch if row["digest"] is not None else self._pin

    def _pin(self, row: queries.Row) -> Outcome:
        with self.services.db.read() as conn:
            group = groups.get(conn, row["group_name"])
        with self.services.asking(group.launcher) as launcher:
            pinned = pin(launcher, group.image, group.launch_options)
        kept = {"digest": pinned.digest, "location": pinned.location, "state": State.RUNNING}
        seen = {"launcher": group.launcher, "image": group.image}
        with self.services.db.write() as conn:
            now = queries.lock(conn, self.id)
            if now is not None and now["digest"] is None:  # else another server was faster
                queries.change(conn, self.id, **kept, **seen)
        return rerun(description="The image is pinned.")

    def _launch(self, row: queries.Row) -> Outcome:
        with self.services.db.read() as conn:
            group = groups.get(conn, row["group_name"])
        plain = groups.launch_environment(group, with_secrets=group.discover_with_secrets)
        settings = self.services.settings
        contract = {
            "STEPWELL_URL": settings.url_for_images,
            "STEPWELL_TOKEN": tokens.made(settings.signing_key, self.id),
            "STEPWELL_DISCOVERY_ID": str(self.id),
        }
        spec = LaunchSpec(
            name=f"discover-{self.id}",
            image=row["location"],
            mode="discover",
            environment={**plain, **contract},
            deadline_seconds=settings.discovery_timeout,
            options=group.launch_options or {},
        )
        with self.services.asking(row["launcher"]) as launcher:
            handle = launcher.start(spec)
        self._change(handle=handle, started_at=self.services.clock.now())
        return rerun(after=POLL_SECONDS, description="The image was started.")

    def _watch(self, row: queries.Row) -> Outcome:
        with self.services.asking(row["launcher"]) as launcher:
            status = launcher.poll(row["handle"])
            if status.state == "running":
                if self._overdue(row["started_at"]):
                    launcher.stop(row["handle"])
                return rerun(after=POLL_SECONDS)
            output = launcher.logs(row["handle"])
        return self._finished(status, output)

    def _finished(self, status: LaunchStatus, output: str) -> Outcome:
        kept = readable(output)
        with self.services.db.write() as conn:
            row = queries.lock(conn, self.id)
            if row is not None and not State(row["state"]).ended:
                service.fail(conn, self.id, self._silent(row, status))
            service.keep_output(conn, self.id, kept)
        return done(description=status.reason, next=[self._announcement()])

    def _announcement(self) -> NewStep:
        """The next step looks whether somebody must review what was found, and tells them."""
        state = {"discovery_id": str(self.id)}
        return new_step(
            service.ANNOUNCE,
            state,
            queue=QUEUE,
            unique_key=str(self.id),
            on_conflict=OnConflict.IGNORE,
        )

    def _failed(self, fault: Fault) -> Outcome:
        with self.services.db.write() as conn:
            row = queries.lock(conn, self.id)
            if row is not None and not State(row["state"]).ended:
                service.fail(conn, self.id, fault)
        return done(description=fault.what)

    def _silent(self, row: queries.Row, status: LaunchStatus) -> Fault:
        """The image has ended and has posted nothing."""
        limit = self.services.settings.discovery_timeout
        ran = (status.finished_at or self.services.clock.now()) - row["started_at"]
        if status.exit_code != 0 and ran.total_seconds() >= limit:
            return Fault(
                code="discovery-timeout",
                what=f"The image has posted no manifest within {limit:g} s.",
                why=status.reason,
                fix="Keep work out of the group's imports, or raise STEPWELL_DISCOVERY_TIMEOUT.",
            )
        return Fault(
            code="discovery-no-manifest",
            what="The image has ended without posting a manifest.",
            why=status.reason,
            fix="See its output. A Python image runs `python -m stepwell.workflows`; for any "
            "other see docs/reference/protocol.md, and try `stepwell groups check`.",
        )

    def _too_late(self, row: queries.Row) -> bool:
        waited: timedelta = self.services.clock.now() - row["created_at"]
        return waited > STARTING

    def _overdue(self, started_at: datetime) -> bool:
        limit = timedelta(seconds=self.services.settings.discovery_timeout + 30)
        return self.services.clock.now() - started_at > limit

    def _change(self, **values: Any) -> None:
        with self.services.db.write() as conn:
            queries.change(conn, self.id, **values)
