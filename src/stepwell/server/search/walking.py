"""Go through everything that a query finds, oldest first, in pieces that one transaction takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select

from stepwell.server.database.tables import runs
from stepwell.server.search.meaning import Asker
from stepwell.server.search.plan import WINDOW, Key, Plan, order, planned
from stepwell.server.search.service import bound, counted_up_to, equal


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of the runs, and the key to go on from; None where there are no more."""

    rows: Sequence[RowMapping]
    after: Key | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Runs by a query or by ids, of those that were there at an instant.

    Parameters
    ----------
    by : who asks, for `by:me`.
    """

    query: str | None
    ids: Sequence[UUID] | None
    until: datetime
    by: str

    def piece(self, conn: Connection, after: Key | None, limit: int) -> Piece:
        """At most `limit` runs from `after` on; raises `QueryInvalid`."""
        plan = self.plan(conn)
        most = WINDOW if plan.rest else limit
        window = plan.window(most, after, oldest_first=True)
        query = plan.rows(window).order_by(*order(window, oldest_first=True)).limit(limit)
        rows = conn.execute(query).mappings().all()
        if len(rows) == limit:
            return Piece(rows, (rows[-1]["created_at"], rows[-1]["id"]))
        key = select(window.c.created_at, window.c.id).order_by(*order(window, oldest_first=True))
        end = conn.execute(key.offset(most - 1).limit(1)).first()
        return Piece(rows, None if end is None else (end[0], end[1]))

    def count(self, conn: Connection, most: int) -> tuple[int, bool]:
        """How many, counted up to `most`, and whether there are more."""
        return counted_up_to(conn, self.plan(conn), most)

    def plan(self, conn: Connection) -> Plan:
        """How they are found; raises `QueryInvalid`."""
        given = [bound(runs.c.created_at <= self.until)]
        if self.ids is not None:
            given.append(equal("id", *self.ids))
        return planned(Asker(conn, self.by, self.until), self.query or "", given)
