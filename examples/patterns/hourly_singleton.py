"""An hourly singleton: one step that reruns at each full hour, however many processes there are."""

from collections.abc import Callable
from datetime import datetime, timedelta

from stepwell import Outcome, Registry, RetryPolicy, StepClient, new_step, rerun
from stepwell.clock import SYSTEM, Clock

NAME = "v1/hourly-cleaning"


def build(clean: Callable[[], int], clock: Clock = SYSTEM) -> Registry:
    """The handlers. An hour that fails is tried again each minute, and the next one comes."""
    registry = Registry()

    @registry.handler(NAME, retry=RetryPolicy(delays=(60,)))
    def run(state: int) -> Outcome:
        cleaned = clean()
        return rerun(state + cleaned, at=next_hour(clock.now()), description=f"{cleaned} cleaned")

    return registry


def start(steps: StepClient) -> None:
    """To be called by each process that starts: the first one adds the step."""
    steps.add(new_step(NAME, 0, singleton=True, on_conflict="ignore"))


def next_hour(now: datetime) -> datetime:
    """The next full hour; of a time zone of your choice if yours is off by half an hour."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
