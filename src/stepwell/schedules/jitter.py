"""Jitter: due instants moved a little, so that not everything begins in the same second.

How far depends on nothing but the schedule's key and the instant, so all servers and
previews agree. An instant is never moved to or past the one after it: order stays, and
each planned instant is due once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

_RANGE: Final = 1 << 64


def moved(
    planned: Iterator[datetime], key: str, seconds: int, end: datetime | None
) -> Iterator[tuple[datetime, datetime]]:
    """Each planned instant, and when it is due: less than `seconds` later, before what follows."""
    at = next(planned, None)
    while at is not None:
        following = next(planned, None)
        yield at, at + delay(key, at, seconds, following or end)
        at = following


def delay(key: str, at: datetime, seconds: int, until: datetime | None) -> timedelta:
    """How much later than `at` it is: whole seconds, less than `seconds` and before `until`."""
    room = seconds if until is None else min(seconds, int((until - at).total_seconds()))
    return timedelta(seconds=_share(key, at) * room // _RANGE)


def _share(key: str, at: datetime) -> int:
    text = f"{key}\n{at.astimezone(UTC).isoformat()}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
