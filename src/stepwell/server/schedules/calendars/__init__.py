"""Calendars that people keep: days on which schedules that name them do not run."""
