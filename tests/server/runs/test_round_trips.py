"""What a container's verb asks of PostgreSQL, and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from tests.server.runs.conftest import Start
from tests.server.runs.support import Pod, Pods, Work, following, settlement
from tests.server.support import problem

from stepwell import clock
from stepwell.outcome import Verdict
from stepwell.server.app import Server
from stepwell.server.runs import queries

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["postgres"], indirect=True),
]


@pytest.fixture
def mine(start: Start, work: Work, pod: Pods) -> Pod:
    """The container of a run, which has joined."""
    run = start()
    work()
    return pod(run)


def test_a_token_that_is_revoked_while_a_verb_waits_for_the_run_reaches_nothing(
    mine: Pod, server: Server
) -> None:
    """R34: how the attempt stands is asked when the run is locked, not before."""
    run_id = UUID(mine.run_id)
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor() as threads:
        with server.db.write() as conn:
            queries.lock(conn, run_id)
            asked = threads.submit(mine.ask, "beat", engine_id=mine.engine_id, started=[])
            while not conn.execute(waiting).scalar_one():
                assert not asked.done()
            queries.change_attempt(conn, run_id, 1, revoked_at=clock.now())
        problem(asked.result(90), 403, "run-token-revoked")


def test_a_result_that_is_reported_alone_is_eight_round_trips(
    mine: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begin, the run's lock, its attempt, the row and whether it is the last, the settlement, the
    notice for live views, the measurement, and the commit."""
    step = mine.claim()
    mine.call("add", additions=[following(step, "load"), following(step, "report")])
    waits: list[None] = []
    wait = psycopg.Connection.wait

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        waits.append(None)
        return wait(self, *args, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    assert mine.settle(settlement(step)) == [Verdict.APPLIED]
    assert len(waits) == 8
