"""The pages over a bare store of steps: for programs that embed the engine, without a server.

Sessions, the audit and remembered answers are rows of a database that lives as long as
the process, in a folder of its own; nothing but steps is read from, or written to, the store.
"""

from __future__ import annotations

import getpass
import re
import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import Connection

from stepwell.engine import StepClient
from stepwell.errors import InvalidInput
from stepwell.server.access import api as access
from stepwell.server.access import developer
from stepwell.server.access import sessions_api as logins
from stepwell.server.access.records import NewUser, Role
from stepwell.server.app import create_app
from stepwell.server.database.session import Database
from stepwell.server.database.tables import metadata
from stepwell.server.http import Router
from stepwell.server.services import Services
from stepwell.server.settings import Settings
from stepwell.server.steps import api as steps
from stepwell.server.steps import controls_api as controls
from stepwell.step import StepStatus
from stepwell.stores import open_store
from stepwell.version import VERSION

_SERVERS_STEP: Final = "v1/server/tick"

health = Router(tags=["health"])


class StoreOfServer(InvalidInput):
    """The steps are those of a server, which has rules of its own for them."""

    code = "store-of-server"


class BareHealth(BaseModel):
    """The answer of pages over a store that they reach."""

    status: Literal["ok"] = "ok"
    version: str = VERSION


@health.get("/health")
def answer() -> BareHealth:
    """Whether there is somebody."""
    return BareHealth()


ROOMS: Final[tuple[APIRouter, ...]] = (
    access.router,
    logins.router,
    steps.router,
    controls.router,
    health,
)
"""What is there without a server."""


class BareDatabase(Database):
    """The store for all that is about steps; a file of its own for all else.

    Parameters
    ----------
    url : the store's address, as of `open_store`.
    folder : where the file is.
    """

    bare: ClassVar[bool] = True

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(f"sqlite:///{folder / 'pages.db'}")
        self.store = open_store(url)

    def client(self, conn: Connection) -> StepClient:
        """The user's verbs; each commits by itself."""
        return StepClient(self.store)

    def open(self) -> None:
        """First contact with the store; raises as `Store.open`."""
        self.store.open()
        metadata.create_all(self.engine)


class BarePages:
    """Pages and API over a store, from `start` to `stop`.

    Parameters
    ----------
    url : the store's address.
    port : where they will be listened for, on loopback.
    actions : whether steps can be changed, and not only looked at.

    Raises
    ------
    InvalidInput : no store can have that address.
    """

    def __init__(self, url: str, *, port: int, actions: bool = False) -> None:
        self._held = ExitStack()
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="stepwell-ui-")))
        self._actions = actions
        settings = Settings.for_dev(
            folder,
            port=port,
            secret_key=secrets.token_urlsafe(48),
            environment=label(url),
            ui_folder=Settings.from_environment().ui_folder,
            run_engine=False,
        )
        self.services = Services(settings, BareDatabase(url, folder))
        self.app = create_app(self.services, ROOMS)

    def start(self) -> Self:
        """Open the store.

        Raises
        ------
        SchemaMissing, SetupError : it cannot be used.
        StoreOfServer : steps of a server shall be changed.
        """
        db = self.services.db
        try:
            db.open()
            if self._actions:
                _refuse_servers(StepClient(db.store))
        except BaseException:
            self.stop()
            raise
        return self

    def link(self) -> str:
        """An address that lets a browser of this machine in, once."""
        role = Role.OPERATOR if self._actions else Role.VIEWER
        with self.services.db.write() as conn:
            made = developer.link(conn, self.services.settings, NewUser(name=_name(), role=role))
        return made.url

    def stop(self) -> None:
        """Close the store, and forget all else."""
        self.app.state.hub.stop()
        self.services.db.close()
        self._held.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def label(url: str) -> str:
    """What the pages call a store: `shop on db`, without the password."""
    parts = urlsplit(url)
    name = Path(parts.path).name or parts.scheme
    return f"{name} on {parts.hostname}" if parts.hostname else name


def _name() -> str:
    """Who is at work: for the notes at controls."""
    try:
        found = getpass.getuser()
    except (KeyError, OSError):
        found = ""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", found).strip("-._@")[:100] or developer.NAME


def _refuse_servers(client: StepClient) -> None:
    if client.search(name=_SERVERS_STEP, status=StepStatus.READY, limit=1):
        raise StoreOfServer(
            "The steps in this store are those of a server.",
            why="They work for its runs and schedules, and may be changed by its rules only.",
            fix="Use the server's own pages, or leave --actions out.",
        )
