"""The server's own sweep: it is there, removes what is old, and comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.server.support import drain, on_both

from stepwell.engine import StepClient
from stepwell.server.app import Server
from stepwell.server.retention.steps import SWEEP, policy
from stepwell.step import StepStatus


@on_both
def test_the_server_sweeps_by_a_step_of_its_own(server: Server) -> None:
    drain(server, patience=0.0)
    (sweep,) = StepClient(server.db.store).search(name=SWEEP)
    assert sweep.status is StepStatus.READY
    assert sweep.execution_count == 1
    assert str(sweep.description).startswith("The last sweep ")


def test_the_settings_say_how_long_the_steps_of_runs_are_kept(server: Server) -> None:
    settings = replace(server.settings, keep_done_days=10, keep_failed_days=20)
    kept = policy(replace(server.services, settings=settings)).standard
    assert (kept.done, kept.failed) == (timedelta(days=10), timedelta(days=20))
