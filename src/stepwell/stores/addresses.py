"""What a PostgreSQL address says of a pooler: our own parameters, which libpq does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_OFF: Final = ("", "0", "false", "no")


@dataclass(frozen=True, slots=True)
class Pooling:
    """How the server is reached.

    Parameters
    ----------
    pooler : the address is that of a pooler in transaction mode (PgBouncer).
    notify_url : a direct address for notifications, or None.
    """

    pooler: bool = False
    notify_url: str | None = None


def split_pooling(url: str) -> tuple[str, Pooling]:
    """The address without `pooler` and `notify_url`, and what they say."""
    place, _, query = url.partition("?")
    parameters = [one for one in query.split("&") if one]
    ours = dict(one.split("=", 1) for one in parameters if one.startswith(_OURS))
    rest = "&".join(one for one in parameters if not one.startswith(_OURS))
    pooler = ours.get("pooler", "").lower() not in _OFF
    pooling = Pooling(pooler, unquote(ours.get("notify_url", "")) or None)
    return f"{place}?{rest}" if rest else place, pooling


_OURS: Final = ("pooler=", "notify_url=")
