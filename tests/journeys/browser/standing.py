"""A server in this process whose clock stands still until a journey moves it: for schedules.

Nothing of it runs by itself. A journey ticks, ends runs and moves backfills on by hand, and
the browser's clock shows the same instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from playwright.sync_api import Page
from sqlalchemy import select, update
from tests.cli.shell import Shell, free_port
from tests.journeys.browser.site import PASSWORD, Site
from tests.server.live import listening, without_fsync
from tests.server.schedules.support import Hands, entry, release, scheduled
from tests.server.support import token

from stepwell.cli.client import Client
from stepwell.cli.profile import Profile
from stepwell.outcome import Done, Rerun
from stepwell.schedules import Schedule
from stepwell.server.app import Server
from stepwell.server.database.tables import backfills, runs
from stepwell.server.schedules.backfills.steps import move
from stepwell.server.schedules.ledger.books import Books
from stepwell.server.schedules.steps import tick
from stepwell.server.settings import Settings


@dataclass
class Standing:
    """The server, its clock, and the site that people visit."""

    server: Server
    hands: Hands
    site: Site
    _state: Any = None

    def schedule(self, spec: Schedule, workflow: str = "nightly") -> UUID:
        """A schedule that somebody has added."""
        return scheduled(self.server, spec, workflow=workflow, name="default")

    def tick(self) -> None:
        """One tick, as the server's step does it, and what it started has succeeded."""
        self.tick_alone()
        self.end_runs()

    def tick_alone(self) -> None:
        """One tick; what it started goes on."""
        books = Books(self.server.db)
        state = () if self._state is None else (self._state,)
        found = tick(self.server.services, books, *state)
        self._state = found.state if isinstance(found, Rerun) else None

    def end_runs(self, minutes: float = 20) -> None:
        """What goes on began when it was due, and has succeeded."""
        going = select(runs.c.id, runs.c.due_at).where(runs.c.state == "waiting")
        with self.server.db.write() as conn:
            for run_id, due in conn.execute(going).all():
                times = {"started_at": due, "finished_at": due + timedelta(minutes=minutes)}
                ended = update(runs).where(runs.c.id == run_id)
                conn.execute(ended.values(state="succeeded", created_at=due, **times))

    def move_backfills(self) -> bool:
        """Each backfill goes on by one turn; whether all have come to their end."""
        with self.server.db.read() as conn:
            ids = conn.execute(select(backfills.c.id).where(backfills.c.state == "running"))
            going = list(ids.scalars())
        moved = [move(self.server.services, one) for one in going]
        return all(isinstance(one, Done) for one in moved)

    def show(self, page: Page, path: str) -> None:
        """Go to a screen, with a clock that shows the server's time."""
        page.clock.set_fixed_time(self.hands.now())
        page.goto(self.site.link(path))


@contextmanager
def standing(folder: Path, at: datetime) -> Iterator[Standing]:
    """A started server with the released workflows `nightly` and `hourly`, at this instant.

    Its database is the folder's `server.db`, which may be there with all tables.
    """
    settings = Settings(
        data_dir=folder / "data",
        database_url=f"sqlite:///{folder / 'server.db'}",
        secret_key="a key for journeys",
        launchers=("process",),
        port=free_port(),
        run_engine=False,
    )
    hands = Hands(at)
    server = without_fsync(Server(settings, launchers={}, clock=hands))
    server.db.migrate()
    with server:
        release(server, entry("nightly"), entry("hourly"))
        secret = token(server, "admin")
        with listening(server) as url, Client(Profile(url, secret)) as api:
            for role in ("operator", "viewer"):
                link = api.post("/users", {"name": role, "role": role})["link"]
                api.post("/password-resets", {"secret": link["secret"], "password": PASSWORD})
            yield Standing(server, hands, Site(url, Shell(folder), api))
