"""When schedules are due in a span to come, and which of these instants will be skipped.

The instants depend on nothing but the schedule, and the page asks for them again each time that
something happens: they are kept while the schedule stays as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from itertools import islice, repeat
from threading import Lock
from typing import Final, NamedTuple, TypeAlias

from sqlalchemy import Connection

from stepwell.errors import StepwellError
from stepwell.schedules import Schedule
from stepwell.schedules.calendars import Exclusion, exclusion, never
from stepwell.schedules.ledger import Why
from stepwell.server.schedules import queries
from stepwell.server.schedules.calendars import service as calendars
from stepwell.server.schedules.ledger import skips
from stepwell.server.schedules.queries import Row

MOST: Final = 20_000
"""So many future instants of a schedule are computed."""

ROOM: Final = 100_000
"""So many instants are kept at most, of all schedules together."""

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Fires:
    """A schedule's due instants in a span; of one that cannot be read there are none."""

    row: Row
    spec: Schedule | None
    due: Sequence[datetime]
    excluded: Exclusion = never

    @classmethod
    def of(cls, conn: Connection, row: Row, begin: datetime, end: datetime) -> Fires:
        """The instants from `next_due` on that lie in [begin, end), `MOST` at most."""
        try:
            spec = queries.spec_of(row)
            excluded = exclusion(spec, calendars.known(conn, spec.exclude))
        except StepwellError:
            return cls(row, None, ())
        return cls(row, spec, _due(row["next_due"], spec, begin, end), excluded)

    def skipped(self) -> Iterable[str | None]:
        """Why each of them will be skipped, if it will."""
        asked = skips.of(self.row)
        if self.row["paused_at"] is None and not asked and self.excluded is never:
            return repeat(None, len(self.due))
        return [_skipped(self.row, at, asked, self.excluded) for at in self.due]


def _due(
    next_due: datetime | None, spec: Schedule, begin: datetime, end: datetime
) -> Sequence[datetime]:
    if next_due is None:
        return ()
    if next_due < begin:
        return list(islice(spec.between(begin, end), MOST))
    return KNOWN.of(spec, next_due, end)


def paused(row: Row, at: datetime) -> bool:
    """Whether the schedule's pause goes on at an instant."""
    until = row["paused_until"]
    return row["paused_at"] is not None and (until is None or at < until)


def _skipped(
    row: Row, at: datetime, asked: Mapping[datetime, str], excluded: Exclusion
) -> str | None:
    if paused(row, at):
        return Why.PAUSED.value
    if at in asked:
        return asked[at]
    day = excluded(at)
    return None if day is None else f"{Why.CALENDAR.value}: {day}".removesuffix(": ")


# -- what is kept ------------------------------------------------------------------

_Key: TypeAlias = tuple[Schedule, str, datetime]


class _Instants(NamedTuple):
    until: datetime
    due: Sequence[datetime]

    @property
    def size(self) -> int:
        """Of what takes room; a schedule with none to come takes some too."""
        return len(self.due) + 10


class Known:
    """Instants of schedules from when they are due next; those computed first go first."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = Lock()
        self._kept = 0
        self._known: OrderedDict[_Key, _Instants] = OrderedDict()

    def __len__(self) -> int:
        """How many schedules it knows."""
        return len(self._known)

    def of(self, spec: Schedule, begin: datetime, end: datetime) -> Sequence[datetime]:
        """The due instants in [begin, end), `MOST` at most."""
        key = (spec, spec.key, begin)
        with self._lock:
            known = self._known.get(key)
        if known is None or known.until < end:
            known = _computed(spec, begin, end)
            self._keep(key, known)
        return known.due[: bisect_left(known.due, end)]

    def _keep(self, key: _Key, known: _Instants) -> None:
        with self._lock:
            before = self._known.pop(key, None)
            self._known[key] = known
            self._kept += known.size - (0 if before is None else before.size)
            while self._kept > self._room:
                _, oldest = self._known.popitem(last=False)
                self._kept -= oldest.size


def _computed(spec: Schedule, begin: datetime, end: datetime) -> _Instants:
    """Up to the next full hour, for the end that is asked for moves on with the clock."""
    hour = end.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    until = end if hour == end or hour.year == MAXYEAR else hour + _HOUR
    return _Instants(until, list(islice(spec.between(begin, until), MOST)))


KNOWN: Final = Known()
