"""What can be wrong with a schedule. All are `InvalidInput`: nothing was changed."""

from __future__ import annotations

from stepwell.errors import InvalidInput


class ScheduleInvalid(InvalidInput):
    """A schedule's JSON or options cannot be used."""

    code = "schedule-invalid"


class CronInvalid(ScheduleInvalid):
    """A cron expression that cannot be read, or never fires."""

    code = "cron-invalid"


class IntervalInvalid(ScheduleInvalid):
    """An interval that is not a whole number of seconds, one or more."""

    code = "interval-invalid"


class TimezoneUnknown(ScheduleInvalid):
    """A name that is not in the IANA time zone database."""

    code = "timezone-unknown"


class CalendarUnknown(ScheduleInvalid):
    """A calendar that is not there, or a country or subdivision without known holidays."""

    code = "calendar-unknown"
