"""A container's store keeps the contract through a real server, over real connections (R35)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from tests.server.live import listening, without_fsync
from tests.server.runs.support import GROUP, WORKFLOW, release, workflow
from tests.server.support import free_port

from stepwell import clock
from stepwell.errors import Denied, StoreUnavailable
from stepwell.ids import new_id
from stepwell.server.app import Server
from stepwell.server.runs import queries, tokens
from stepwell.server.runs.records import RunState
from stepwell.server.settings import Settings
from stepwell.stores.http import HttpStore
from stepwell.stores.protocol import Store
from stepwell.testing.store_contract import Cut, StoreContract, Where


class Proxy:
    """Passes bytes on, and cuts a connection before a request or before its answer."""

    def __init__(self, port: int) -> None:
        self.port, self.armed = port, ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # or the thread would wait there for ever
        self._listener.close()

    @contextmanager
    def cut(self, store: Store, where: Where) -> Iterator[None]:
        self.armed = where
        try:
            yield
        except StoreUnavailable:
            assert not self.armed
        else:
            raise AssertionError("nothing was cut")

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, name in ((client, server, "before"), (server, client, "after")):
                pump = threading.Thread(target=self._pump, args=(source, sink, name), daemon=True)
                pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        try:
            while data := source.recv(65536):
                if self.armed == name:
                    self.armed = ""
                    break
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def live(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that listens, without an engine: nobody but the test touches the runs."""
    folder: Path = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'server.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_database")()
    settings = Settings(
        data_dir=folder,
        database_url=url,
        secret_key="a key for tests",
        port=free_port(),
        run_engine=False,
    )
    server = without_fsync(Server(settings))
    server.db.migrate()
    with server, listening(server):
        release(server, workflow())
        yield server


@pytest.fixture
def proxy(live: Server) -> Iterator[Proxy]:
    made = Proxy(live.settings.port)
    yield made
    made.close()


def empty_run(server: Server) -> UUID:
    """A running run without steps, in its first attempt."""
    run_id, now = new_id(), clock.now()
    with server.db.write() as conn:
        found = queries.released(conn, GROUP, WORKFLOW)
        assert found is not None
        header = {
            "id": run_id,
            "group_name": GROUP,
            "workflow": WORKFLOW,
            "release_id": found["release_id"],
            "digest": found["digest"],
            "state": RunState.STARTING,
            "parameters": {},
            "trigger": "request",
            "requested_by": "the test",
            "due_at": now,
            "created_at": now,
            "deadline_at": now,
            "attempt": 1,
            "warnings": 0,
        }
        queries.add_all(conn, [header])
        queries.add_attempt(conn, run_id=run_id, number=1, queued_at=now)
    return run_id


def token(server: Server, run_id: UUID, attempt: int = 1) -> str:
    return tokens.issue(server.settings.signing_key, run_id, attempt)


class TestHttpStore(StoreContract):
    lacks: ClassVar[frozenset[str]] = frozenset({"bury", "add_if_none", "wake", "set_control"})

    @pytest.fixture(autouse=True)
    def _flow(self, live: Server) -> None:
        self.flow = empty_run(live)

    @pytest.fixture
    def store(self, live: Server, proxy: Proxy, _flow: None) -> Iterator[HttpStore]:
        assert self.flow is not None
        store = HttpStore(proxy.url, self.flow, token(live, self.flow))
        store.open()
        yield store
        store.close()

    @pytest.fixture
    def other_store(self, live: Server, store: Store) -> Iterator[HttpStore]:
        assert self.flow is not None
        other = HttpStore(live.settings.url, self.flow, token(live, self.flow))
        yield other
        other.close()

    @pytest.fixture
    def cut(self, proxy: Proxy) -> Cut:
        return proxy.cut

    @pytest.fixture
    def lend(self) -> AbstractContextManager[Any]:
        raise NotImplementedError("it has no outbox")

    def name(self, label: str) -> str:
        # Unique keys hold for a name, whatever the flow: each test has names of its own.
        assert self.flow is not None
        return f"v1/{GROUP}/{self.flow.hex}/{label}"


def test_a_wrong_token_fails_at_first_contact(live: Server) -> None:
    """Not at the first claim (R24)."""
    store = HttpStore(live.settings.url, empty_run(live), "swr_1_wrong")
    with pytest.raises(Denied):
        store.open()


def test_a_server_that_is_not_there_is_a_pause(live: Server) -> None:
    """And not a mistake of the caller (R24)."""
    with socket.socket() as taken:  # and nobody else may begin to listen there
        taken.bind(("127.0.0.1", 0))
        store = HttpStore(f"http://127.0.0.1:{taken.getsockname()[1]}", new_id(), "swr_1_x")
        with pytest.raises(StoreUnavailable):
            store.open()
