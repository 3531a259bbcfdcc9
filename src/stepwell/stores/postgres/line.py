"""Looking at a connection's line without the driver, which would read from it."""

from __future__ import annotations

import select
from typing import Any

import psycopg


def has_come(connection: psycopg.Connection[Any], within: float | None = None) -> bool:
    """Whether something is there to be read, or the other end has closed.

    Parameters
    ----------
    within : seconds to wait for it; None: for ever.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(None if within is None else within * 1000))
