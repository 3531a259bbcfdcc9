"""What an answer names as what can be done is done by the call that it names."""

from __future__ import annotations

from datetime import timedelta

from starlette.testclient import TestClient
from tests.server.runs.conftest import Start
from tests.server.runs.support import Pods, Work, settlement
from tests.server.support import on_both
from tests.server.waiting.support import Why

from stepwell import clock


@on_both
def test_an_attempt_that_waits_can_be_brought_forward_or_given_up_by_the_call_that_is_named(
    start: Start, why: Why, pod: Pods, work: Work, client: TestClient, show: Start
) -> None:
    run = start()
    work()
    one = pod(run)
    step = one.claim()
    at = clock.now() + timedelta(seconds=300)
    one.settle(settlement(step, None, schedule_time=at, failure_count=1, description="No."))
    again, stop = why(run)["reason"]["actions"]
    assert again["label"] == "retry now"
    assert client.post(again["path"].lstrip("/"), json=again["body"]).is_success
    assert "RETRY_AT" not in str(why(run)["reason"])
    assert stop["label"] == "stop retrying, cancel the run"
    assert client.post(stop["path"].lstrip("/"), json=stop["body"]).is_success
    assert show(run)["state"] == "cancelling"
