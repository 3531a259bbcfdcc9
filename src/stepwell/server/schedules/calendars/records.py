"""Calendars that people keep."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from stepwell.server.schedules.records import Because

CalendarName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=100)]
DayName: TypeAlias = Annotated[str, Field(max_length=200)]
DayNames: TypeAlias = Annotated[dict[date, DayName], Field(max_length=5000)]


class NewCalendar(BaseModel):
    """Days on which schedules that name it do not run: date -> what day it is.

    The dates are those of `timezone`; of the schedule's own zone without one.
    """

    model_config = ConfigDict(extra="forbid")

    name: CalendarName
    description: str = Field(default="", max_length=1000)
    timezone: str | None = Field(default=None, max_length=100)
    days: DayNames = {}
    reason: Because = None


class CalendarChange(BaseModel):
    """Days to add (or to name anew) and to take away; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    description: str | None = Field(default=None, max_length=1000)
    timezone: str | None = Field(default=None, max_length=100)
    add: DayNames = {}
    remove: list[date] = Field(default=[], max_length=5000)
    reason: Because = None


class KeptCalendar(BaseModel):
    """A calendar; `used_by` are the schedules in force that name it, where one is shown."""

    name: str
    description: str
    timezone: str | None
    days: dict[date, str]
    changed_by: str
    changed_at: datetime
    used_by: list[str] = []
