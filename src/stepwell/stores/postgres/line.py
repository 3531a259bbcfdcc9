"""Looking at a connection's line without the driver, which would read from it."""

from __future__ import annotations

import select
from typing import Any

import psycopg


def has_come(connection: psycopg.Connection[Any]) -> bool:
    """Whether something is there to be read by now, or the other end has closed."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
