"""Background work of the room: containers of steps that nobody executes any more are ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, RowMapping

from stepwell.errors import StepwellError
from stepwell.events import emit
from stepwell.outcome import Outcome, rerun
from stepwell.registry import Registry
from stepwell.server.jobs import queries, service
from stepwell.server.services import RETRY, Services
from stepwell.step import StepQuery, StepStatus

TEND: Final = "v1/server/tend-jobs"
EVERY: Final = 60.0
"""Seconds between two looks."""


def register(registry: Registry, services: Services) -> None:
    """Add the handler of this room."""

    @registry.handler(TEND, retry=RETRY)
    def tend() -> Outcome:
        with services.db.read() as conn:
            found = [one for one in queries.unfinished(conn) if _is_over(conn, services, one)]
        for job in found:
            _end(services, job)
        return rerun(after=EVERY)


def seed(conn: Connection, services: Services) -> None:
    """There is always one, once a step has had an image."""
    if services.settings.step_images:
        services.ensure(conn, TEND)


def _is_over(conn: Connection, services: Services, job: RowMapping) -> bool:
    """Whether its step has ended, or has been executed again since."""
    query = StepQuery(ids=(job["step_id"],), status=StepStatus.READY, limit=1)
    ready = services.db.steps(conn).search(query)
    return not ready or ready[0].execution_count >= job["number"]


def _end(services: Services, job: RowMapping) -> None:
    try:
        launcher = services.launcher(job["launcher"])
        handle = job["handle"] or launcher.find(f"step-{job['step_id']}-{job['number']}")
        status = launcher.poll(handle)
        if status.state != "ended":
            launcher.stop(handle)
            return
        output = launcher.logs(handle)
    except StepwellError as error:  # its launcher is off here, or away: the next look is soon
        emit("job.tend_failed", step=job["step_id"], error=str(error))
        return
    how = {"code": status.exit_code, "reason": status.reason}
    with services.db.write() as conn:
        service.finish(conn, job, at=status.finished_at, exit=how, output=output[-4000:])
