"""Limited retry by HTTP status, against a real server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from patterns.http_status import Post, registry

from stepwell import Step, new_step
from stepwell.testing.virtual import VirtualEngine


class Service:
    """Answers with the statuses that it was told, the last one again and again."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.keys: list[str | None] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                service.keys.append(self.headers["Idempotency-Key"])
                left = len(service.statuses) > 1
                self.send_response(service.statuses.pop(0) if left else service.statuses[0])
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def posted(url: str, *, minutes: float) -> Step:
    """What became of a POST after so many minutes."""
    with VirtualEngine(registry) as engine:
        step_id = engine.add(new_step("v1/post", Post(url, {"order": 7})))
        engine.advance(minutes=minutes)
        return engine.get(step_id)


def test_what_may_pass_is_tried_again(service: Service) -> None:
    service.statuses = [503, 429, 201]
    step = posted(service.url, minutes=2)
    assert (step.status, step.result) == ("done", '{"status":201}')
    assert len(service.keys) == 3
    assert set(service.keys) == {str(step.id)}


def test_what_does_not_pass_fails_after_five_attempts(service: Service) -> None:
    service.statuses = [503]
    step = posted(service.url, minutes=15)
    assert (step.status, step.execution_count) == ("failed", 5)
    assert "503 Service Unavailable" in str(step.description)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_will_not_pass_fails_at_once(service: Service, status: int) -> None:
    service.statuses = [status]
    step = posted(service.url, minutes=0)
    assert (step.status, step.execution_count) == ("failed", 1)
    assert str(step.description).startswith(str(status))


def test_where_nobody_listens_is_tried_again() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        step = posted(f"http://127.0.0.1:{deaf.getsockname()[1]}/", minutes=1)
    assert (step.status, step.failure_count) == ("ready", 2)
