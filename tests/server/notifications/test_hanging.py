"""A target that does not answer holds up its own messages, and nothing else."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.server.support import Api, on_both

from stepwell.engine import Engine
from stepwell.outcome import Outcome, done
from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.notifications import sending, service
from stepwell.server.services import QUEUE

PROBE = "v1/server/probe"


@on_both
def test_a_target_that_hangs_leaves_workers_for_schedules(
    api: Api, server: Server, hook: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """50 failures at once, and a webhook that never answers: the tick was 40 s late."""
    hangs, answers, probed = threading.Event(), threading.Event(), threading.Event()

    def send(*_: object) -> str:
        hangs.set()
        assert answers.wait(90)
        return "HTTP 200"

    monkeypatch.setattr(sending, "send", send)
    for _ in range(3):
        api("operator").post("/notifications/targets/ops/tests", json={})

    def probe() -> Outcome:
        probed.set()
        return done()

    registry = background.handlers(server.services)
    registry.add(probe, PROBE)
    engine = Engine(server.db.store, registry, queues=(QUEUE,), workers=2)
    engine.start()
    try:
        assert hangs.wait(90)
        with server.db.write() as conn:
            service.add_step(conn, server.db, PROBE, None)
        assert probed.wait(20)
    finally:
        answers.set()
        engine.stop(90)
