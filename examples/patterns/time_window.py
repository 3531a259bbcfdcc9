"""A time window: calls are made from 07:00 to 20:00 where the customer lives."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from stepwell import Outcome, Registry, done, rerun
from stepwell.clock import SYSTEM, Clock

OPENS, CLOSES = time(7), time(20)


@dataclass
class Call:
    number: str
    zone: str


def build(ring: Callable[[str], None], clock: Clock = SYSTEM) -> Registry:
    """The handlers. Outside of the window a step waits, without counting as a failure."""
    registry = Registry()

    @registry.handler("v1/call")
    def call(state: Call) -> Outcome:
        opens = opening(clock.now(), ZoneInfo(state.zone))
        if opens is not None:
            return rerun(at=opens, description=f"waits for {opens:%A %H:%M} in {state.zone}")
        ring(state.number)
        return done()

    return registry


def opening(now: datetime, zone: ZoneInfo) -> datetime | None:
    """When the window opens next, or None if it is open now."""
    local = now.astimezone(zone)
    if OPENS <= local.time() < CLOSES:
        return None
    day = local.date() + timedelta(days=local.time() >= CLOSES)
    return datetime.combine(day, OPENS, zone)
