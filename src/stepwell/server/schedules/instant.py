"""What time it is, where due instants are judged."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from stepwell.clock import SYSTEM, Clock


def now_of(conn: Connection, clock: Clock = SYSTEM) -> datetime:
    """The instant that due times are judged by: the store's, so that servers agree (R17)."""
    if clock is SYSTEM and conn.dialect.name == "postgresql":
        found: datetime = conn.execute(select(func.clock_timestamp())).scalar_one()
        return found
    return clock.now()
