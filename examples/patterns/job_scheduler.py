"""A job scheduler: a table of jobs, when each is due, and what happens if it is late or long."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from stepwell import Outcome, Registry, Step, StepClient, done, new_step
from stepwell.schedules import Timetable, correlation

OSLO = "Europe/Oslo"
JOBS: Mapping[str, Mapping[str, Any]] = {
    # closes each day once, also the days on which nobody was there
    "v1/close-day": {"cron": "0 1 * * *", "timezone": OSLO, "overlap": "queue", "misfire": "all"},
    # on weekdays; after a weekend without power the last one is enough
    "v1/send-report": {"cron": "30 7 * * MON-FRI", "timezone": OSLO, "misfire": "latest"},
    # nobody misses one of these
    "v1/refresh-cache": {"every": timedelta(minutes=15), "misfire": "skip"},
}


def build(run: Callable[[Step], Any]) -> Registry:
    """One handler for all jobs; it is given the step, and so the job's name."""
    registry = Registry()

    @registry.handler(*JOBS)
    def job(step: Step) -> Outcome:
        return done(run(step))

    return registry


def declare(timetable: Timetable) -> None:
    """To be called by each process that starts: what is there already is left as it is."""
    for name, when in JOBS.items():
        timetable.schedule(name, **when)


def run_now(steps: StepClient, name: str) -> UUID:
    """Run a job out of turn. It counts as a run of its schedule, so runs do not overlap."""
    return steps.add(new_step(name, correlation_id=correlation(name)))
