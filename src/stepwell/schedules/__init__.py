"""When work begins by itself: trigger kinds, time zones, overlap and misfire rules.

Schedules are pure: each is a frozen value, and whoever asks brings the instant. A
`Timetable` acts on them in a program of your own; the server's room of the same name
keeps them in a database and does so there.

    Cron("30 7 * * MON-FRI", timezone="Europe/Oslo")
    Every(minutes=15)
    Once(datetime(2026, 12, 24, 17, tzinfo=timezone.utc))
    Timetable(engine, registry).schedule("v1/report", cron="30 7 * * *", timezone="Europe/Oslo")
"""

from typing import TYPE_CHECKING

from stepwell.lazily import lazily

if TYPE_CHECKING:
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
    from stepwell.schedules.recurring import Plan, Timetable, correlation, due_at

__getattr__ = lazily(
    __name__,
    {
        "stepwell.schedules.base": "Misfire Overlap Schedule",
        "stepwell.schedules.cron": "Cron",
        "stepwell.schedules.errors": "CronInvalid IntervalInvalid ScheduleInvalid TimezoneUnknown",
        "stepwell.schedules.every": "Every",
        "stepwell.schedules.kinds": "from_json",
        "stepwell.schedules.once": "Once",
        "stepwell.schedules.recurring": "Plan Timetable correlation due_at",
    },
)

__all__ = [
    "Cron",
    "CronInvalid",
    "Every",
    "IntervalInvalid",
    "Misfire",
    "Once",
    "Overlap",
    "Plan",
    "Schedule",
    "ScheduleInvalid",
    "Timetable",
    "TimezoneUnknown",
    "correlation",
    "due_at",
    "from_json",
]
