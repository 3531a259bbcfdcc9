"""Tell live views of what no row of the server's own tables shows."""

from __future__ import annotations

from sqlalchemy import Connection

from stepwell import clock
from stepwell.server.events import queries


def tell(conn: Connection, topic: str, what: str, *keys: str) -> None:
    """In the caller's transaction. Whatever is a row of the server tells of itself, by triggers."""
    queries.add(conn, clock.now(), topic, what, keys)
