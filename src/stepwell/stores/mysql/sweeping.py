"""Removing what was kept for long enough, a few rows at a time (R23)."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.retention import Expiry
from stepwell.stores.mysql.rows import instant
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.protocol import Swept


def sweep(sql: Statements, expiries: Sequence[Expiry], limit: int) -> Swept:
    """Remove at most `limit` rows; nobody waits for it, for nobody else writes to them."""
    gone = 0
    for one in expiries:
        gone += _remove(sql, one, limit - gone) if gone < limit else 0
    return Swept(removed=gone, more=gone == limit)


def _remove(sql: Statements, expiry: Expiry, most: int) -> int:
    rows = sql.rows(
        f"sweep_{expiry.status}",
        retention=int(expiry.retention),
        before=instant(expiry.before),
        limit=most,
    )
    ids = tuple(row[0] for row in rows)
    return sql.change(f"remove_{expiry.status}", ids=ids) if ids else 0
