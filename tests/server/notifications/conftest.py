"""A receiver of webhooks on a real port, and targets that lead to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.server.support import Api, drain

from stepwell.server.app import Server
from stepwell.server.notifications import sending, service
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.settings import Settings


@dataclass
class Received:
    """One request, as it arrived."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Listens on loopback; answers with `status`."""

    port: int = 0
    status: int = 200
    location: str | None = None
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(sending, "TIMEOUT", 90.0)
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            made.received.append(Received(self.path, headers, body))
            self.send_response(made.status)
            if made.location:
                self.send_header("location", made.location)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = web.server_port
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield made
    web.shutdown()
    web.server_close()
    thread.join()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    from dataclasses import replace

    return replace(settings, webhook_hosts=("127.0.0.1",))


@pytest.fixture
def hook(api: Api, receiver: Receiver) -> dict[str, Any]:
    """A webhook target called `ops`, as it was answered."""
    body = {"name": "ops", "kind": "webhook", "url": receiver.url}
    answer = api("admin").post("/notifications/targets", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


Subscribe = Callable[..., dict[str, Any]]


@pytest.fixture
def subscribe(api: Api, hook: dict[str, Any]) -> Subscribe:
    """`subscribe(kinds=[...])` adds a rule for `ops`."""

    def rule(**body: Any) -> dict[str, Any]:
        answer = api("operator").post("/notifications/rules", json={"target": "ops", **body})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    return rule


@pytest.fixture
def fail(server: Server) -> Callable[..., None]:
    """`fail(n)` is n failures of one cause; `told` runs the server's steps until all is sent."""

    def failures(count: int = 1, **given: Any) -> None:
        about: dict[str, Any] = {"group": "weather", "workflow": "nightly", "fingerprint": "abc"}
        about |= {"sentence": "It failed.", **given}
        for _ in range(count):
            with server.db.write() as conn:
                occasion = Occasion(kind=Kind.FAILURE, **about)
                service.occur(conn, server.services, occasion)

    return failures


@pytest.fixture
def told(server: Server, receiver: Receiver) -> Callable[[], list[Any]]:
    """`told()` is what the receiver has got by now, once the server's steps have run."""

    def messages() -> list[Any]:
        drain(server, patience=0.2)
        got = [one.json for one in receiver.received]
        receiver.received.clear()
        return got

    return messages
