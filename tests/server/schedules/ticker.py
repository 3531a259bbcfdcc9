"""A process that ticks until nothing is due; `stall` makes it stop in the middle of a transaction.

It writes a line for each transaction, or `stalled`.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from stepwell.errors import StoreUnavailable
from stepwell.server.database.session import Database
from stepwell.server.runs.service import Starts
from stepwell.server.schedules import queries, steps
from stepwell.server.schedules.instant import now_of
from stepwell.server.schedules.ledger.books import Books, ByRunsRoom
from stepwell.server.schedules.queries import Row
from stepwell.server.services import Services
from stepwell.server.settings import Settings

STALL_AFTER: Final = 7


class Stalling(ByRunsRoom):
    """Starts some runs, and then hangs with all of it uncommitted."""

    started = 0

    def start(self, starts: Starts, schedule: Row, due_at: datetime) -> UUID:
        run_id = super().start(starts, schedule, due_at)
        self.started += 1
        if self.started == STALL_AFTER:
            print("stalled", flush=True)
            threading.Event().wait()
        return run_id


def main(url: str, mode: str) -> None:
    """Tick in small transactions, so that many of them meet."""
    steps.BATCH, steps.STARTS = 4, 10  # type: ignore[misc]
    db = Database(url)
    db.open()
    services = Services(Settings(data_dir=Path("unused")), db)
    books = Books(db, runs=Stalling()) if mode == "stall" else Books(db)
    while is_due(services):
        try:
            batch = steps.settle_batch(services, books)
        except StoreUnavailable:
            continue  # as the step would be tried again
        if batch.schedules:
            print(f"settled {batch.schedules}", flush=True)
        else:
            time.sleep(0.02)


def is_due(services: Services) -> bool:
    """Whether anything is left, held by others or not."""
    with services.db.read() as conn:
        due = queries.earliest_due(conn)
        return due is not None and due <= now_of(conn)


if __name__ == "__main__":
    main(*sys.argv[1:])
