"""One shot: due at a single instant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from stepwell.clock import as_utc
from stepwell.schedules.base import Schedule, iso, minutes
from stepwell.schedules.errors import ScheduleInvalid


@dataclass(frozen=True)
class Once(Schedule):
    """Due once, at an aware instant.

    Raises
    ------
    ScheduleInvalid : `at` is not a datetime.
    InvalidInput : `at` has no time zone.
    """

    kind: ClassVar[str] = "once"

    at: datetime

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.at, datetime):
            raise ScheduleInvalid(
                f"{self.at!r} is not an instant.",
                fix="Use an aware datetime, for example 2026-12-24T17:00:00+01:00.",
            )
        self._set("at", as_utc(self.at))

    def _instants(self, after: datetime) -> Iterator[datetime]:
        if self.at > after:
            yield self.at

    def _own_json(self) -> dict[str, Any]:
        return {"at": iso(self.at)}

    def _words(self) -> str:
        return f"Once, at {minutes(self.at)}"
