"""How often one may try to log in: a row per account and per address, for all servers (R20).

A row holds the instant up to which tries are used up. Each try moves it on by the
interval; a try for which it would lie further ahead than the burst allows is refused,
and moves nothing. So nothing has to be counted, reset or cleaned up to be right.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from stepwell.errors import Unavailable
from stepwell.server.database.tables import login_throttles as t
from stepwell.server.services import Services


class TooManyLogins(Unavailable):
    """Too many logins were tried for an account or from an address."""

    code = "too-many-logins"
    status = 429

    def __init__(self, what: str, *, why: str = "", fix: str = "", after: int = 1) -> None:
        super().__init__(what, why=why, fix=fix)
        self.retry_after = after


@dataclass(frozen=True, slots=True)
class Pace:
    """So many tries at once, then one per interval in seconds."""

    burst: int
    interval: float


ACCOUNT: Final = Pace(burst=10, interval=30.0)
ADDRESS: Final = Pace(burst=50, interval=5.0)


def charge(services: Services, name: str, address: str | None) -> None:
    """Pay for one try, before the password is looked at; commits by itself.

    Whether the account exists makes no difference.

    Raises
    ------
    TooManyLogins : the account or the address has had enough; nothing else is paid for.
    """
    now = services.clock.now()
    with services.db.write() as conn:
        for key, pace in sorted(_keys(name, address), key=lambda one: one[0]):
            _lock(conn, key, services)
            free_at = conn.execute(select(t.c.free_at).where(t.c.key == key)).scalar_one()
            ahead = max(free_at - now.timestamp(), 0.0) + pace.interval
            if ahead > pace.burst * pace.interval:
                raise _refused(ahead - pace.burst * pace.interval)
            values = {"free_at": now.timestamp() + ahead, "changed_at": now}
            conn.execute(update(t).where(t.c.key == key).values(**values))


def forgive(conn: Connection, name: str) -> None:
    """The account's owner is here: what others have tried is forgotten; the address's stays."""
    conn.execute(delete(t).where(t.c.key == _account(name)))


def _lock(conn: Connection, key: str, services: Services) -> None:
    """Make the row, or wait for whoever changes it."""
    insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    row = insert(t).values(key=key, free_at=0.0, changed_at=services.clock.now())
    same = {"changed_at": row.excluded.changed_at}
    conn.execute(row.on_conflict_do_update(index_elements=[t.c.key], set_=same))


def _keys(name: str, address: str | None) -> list[tuple[str, Pace]]:
    keys = [(_account(name), ACCOUNT)]
    return keys if address is None else [*keys, (f"address:{_network(address)}", ADDRESS)]


def _account(name: str) -> str:
    """Hashed: people type passwords where the name belongs."""
    return f"account:{hashlib.sha256(name.lower().encode()).hexdigest()}"


def _network(address: str) -> str:
    """IPv6 by /64: whoever has one address there has all of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:60]
    return str(found if found.version == 4 else ipaddress.ip_network((found, 64), strict=False))


def _refused(seconds: float) -> TooManyLogins:
    after = int(seconds) + 1
    return TooManyLogins(
        "There were too many logins.",
        why="Tries are limited for each account and each address.",
        fix=f"Wait for {after} s, then try again.",
        after=after,
    )
