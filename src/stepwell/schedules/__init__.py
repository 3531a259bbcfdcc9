"""When work begins by itself: trigger kinds, time zones, overlap and misfire rules.

Everything here is pure: a schedule is a frozen value, and whoever asks brings
the instant. The server's room of the same name keeps schedules in a database
and acts on them.

    Cron("30 7 * * MON-FRI", timezone="Europe/Oslo")
    Every(minutes=15)
    Once(datetime(2026, 12, 24, 17, tzinfo=timezone.utc))
"""

from stepwell.schedules.base import Misfire, Overlap, Schedule
from stepwell.schedules.cron import Cron
from stepwell.schedules.errors import (
    CronInvalid,
    IntervalInvalid,
    ScheduleInvalid,
    TimezoneUnknown,
)
from stepwell.schedules.every import Every
from stepwell.schedules.kinds import from_json
from stepwell.schedules.once import Once

__all__ = [
    "Cron",
    "CronInvalid",
    "Every",
    "IntervalInvalid",
    "Misfire",
    "Once",
    "Overlap",
    "Schedule",
    "ScheduleInvalid",
    "TimezoneUnknown",
    "from_json",
]
