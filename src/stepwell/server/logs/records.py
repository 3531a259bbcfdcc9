"""A piece of a log as a container sends it, and lines as they are shown."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field


class Level(StrEnum):
    """How serious a line is; a line of plain output has none."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def number(self) -> int:
        """As in `logging`."""
        return int(getattr(logging, self.name))


LEVELS: Final = tuple(Level)


def level_of(number: int) -> Level | None:
    """The level at or below a number; None for that of plain output."""
    return next((one for one in reversed(LEVELS) if number >= one.number), None)


class Piece(BaseModel):
    """What a container says of a segment that it sends.

    The same segment may be sent again while it grows. `first_line` counts the
    attempt's lines from 0; `written` is how many bytes of output the runner had passed
    on to its own stdout and stderr by its end.
    """

    segment: int = Field(ge=0, lt=1_000_000)
    first_line: int = Field(ge=0, lt=2**53)
    operation: str | None = Field(default=None, max_length=100, pattern=r"^[a-z][a-z0-9-]*$")
    execution: int | None = Field(default=None, ge=1, lt=2**31)
    written: int = Field(default=0, ge=0, lt=2**53)
    closed: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a line is: the attempt, and its number there, from 0. Places sort as lines do."""

    attempt: int
    line: int


class LogLine(BaseModel):
    """One line. `match` is False for one that is only shown as context.

    Where lines were cut to keep the log within its size, one line has `cut`, the number
    of those that are missing, and says so in its text.
    """

    attempt: int
    line: int
    at: datetime
    operation: str | None
    execution: int | None
    stream: str
    level: Level | None
    text: str
    fields: dict[str, Any] = {}
    match: bool = True
    cut: int = 0


class LogPage(BaseModel):
    """Lines in the order in which they were written.

    `next` is the cursor of what comes after the last one, also where that has yet to
    be written; `previous` that of what was before the first. `matches` counts the
    lines that fit all filters, on all pages, as far as was looked: `complete` says
    whether that was to the end.
    """

    items: list[LogLine]
    next: str | None
    previous: str | None
    matches: int
    complete: bool
    limited_to: int
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines: all that fit everything that is given.

    Parameters
    ----------
    text : somewhere in the line, in capitals or not.
    since : written then or later.
    level : as serious as that, or more.
    """

    text: str | None = None
    since: datetime | None = None
    operation: str | None = None
    execution: int | None = None
    attempt: int | None = None
    level: Level | None = None

    @property
    def narrows_lines(self) -> bool:
        """Whether a segment may hold lines that do not fit."""
        return self.text is not None or self.since is not None or self.level is not None


class Segment(BaseModel):
    """A row of the index."""

    run_id: UUID
    attempt: int
    number: int
    operation: str | None
    execution: int | None
    first_line: int
    lines: int
    size: int
    levels: int
    from_at: datetime
    until_at: datetime
    written: int
    closed: bool
    blob_id: UUID | None

    @property
    def end(self) -> int:
        """The number of the line behind its last one."""
        return self.first_line + self.lines


def instant(milliseconds: int) -> datetime:
    """An instant of a line."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
