"""Targets that do not answer hold up messages, and nothing else."""

from __future__ import annotations

import threading

import pytest
from tests.server.support import Api, on_both

from stepwell.engine import Engine
from stepwell.outcome import Outcome, done
from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.notifications import sending, service
from stepwell.server.notifications.telling import DELIVER
from stepwell.server.services import QUEUE
from stepwell.step import StepQuery

PROBE = "v1/server/probe"
WORKERS = 8


@on_both
@pytest.mark.parametrize(("targets", "at_once"), [(1, 1), (10, 4)])
def test_targets_that_hang_leave_workers_for_the_rest(
    api: Api, server: Server, monkeypatch: pytest.MonkeyPatch, targets: int, at_once: int
) -> None:
    """50 failures at once, and a webhook that never answers: the tick was 40 s late."""
    hanging, answers, probed = threading.Semaphore(0), threading.Event(), threading.Event()

    def send(*_: object) -> str:
        hanging.release()
        assert answers.wait(90)
        return "HTTP 200"

    monkeypatch.setattr(sending, "send", send)
    admin = api("admin")
    for number in range(targets):
        new = {"name": f"t{number}", "kind": "email", "to": ["ops@example.org"]}
        assert admin.post("/notifications/targets", json=new).status_code == 201
        for _ in range(3):
            admin.post(f"/notifications/targets/t{number}/tests", json={})

    with server.db.read() as conn:
        waiting = server.db.steps(conn).search(StepQuery(name=DELIVER, limit=100))
    assert len({one.limit_key for one in waiting}) == at_once

    def probe() -> Outcome:
        probed.set()
        return done()

    registry = background.handlers(server.services)
    registry.add(probe, PROBE)
    engine = Engine(server.db.store, registry, queues=(QUEUE,), workers=WORKERS)
    engine.start()
    try:
        for _ in range(at_once):
            assert hanging.acquire(timeout=90)
        with server.db.write() as conn:
            service.add_step(conn, server.db, PROBE, None)
        assert probed.wait(20)
    finally:
        answers.set()
        engine.stop(90)
