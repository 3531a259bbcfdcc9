"""The server with a released workflow and a played launcher, and the question why."""

from functools import partial
from typing import Any

import pytest
from tests.server.runs.conftest import *  # noqa: F403 - pytest finds fixtures by their names
from tests.server.support import Api
from tests.server.waiting.support import Asker, Why

from stepwell.cli import session
from stepwell.cli.client import Client
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.stores.protocol import EngineInfo


@pytest.fixture
def asker(api: Api, monkeypatch: pytest.MonkeyPatch) -> Asker:
    """Asks the API, and types the command, which reaches the same server."""
    client = api("viewer")
    transport: Any = client._transport
    secret = client.headers["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("STEPWELL_URL", "http://testserver")
    monkeypatch.setenv("STEPWELL_TOKEN", secret)
    monkeypatch.setattr(session, "Client", partial(Client, transport=transport))
    return Asker(client)


@pytest.fixture
def why(asker: Asker) -> Why:
    """`why(run)` or `why(run, "load")` is the answer about it."""
    return asker.run


@pytest.fixture
def engine(server: Server) -> None:
    """An engine of the server's own steps has joined; it does nothing."""
    info = EngineInfo(id=new_id(), name="server", version="1", handles=(), queues=("server",))
    with server.db.store.transaction() as tx:
        tx.join(info)
