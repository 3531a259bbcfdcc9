"""The server's own steps: all listed, always there."""

from __future__ import annotations

import ast
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from tests.server.support import drain, on_both

import stepwell.server
from stepwell import clock
from stepwell.engine import StepClient
from stepwell.errors import StoreUnavailable
from stepwell.server import background
from stepwell.server.app import Server
from stepwell.server.services import QUEUE
from stepwell.step import StepQuery, StepStatus
from stepwell.testing.launcher_contract import until


def test_every_room_that_has_background_work_is_in_the_list() -> None:
    rooms = Path(stepwell.server.__file__).parent
    exist = {path.parent.name for path in rooms.glob("*/steps.py") if _registers(path)}
    assert {room.__name__.split(".")[2] for room in background.ROOMS} == exist


def _registers(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    return any(isinstance(one, ast.FunctionDef) and one.name == "register" for one in tree.body)


def test_every_step_of_the_server_has_a_name_with_a_version(server: Server) -> None:
    names = background.handlers(server.services).names
    assert names
    assert all(name.startswith("v1/server/") for name in names)


def test_every_step_of_the_server_is_tried_again_within_5_s_and_without_end(
    server: Server,
) -> None:
    """R3: none of them fails for good, and none sleeps for hours after an outage."""
    registry = background.handlers(server.services)
    for name in registry.names:
        retry = registry.find(name).retry
        assert retry.allows(1_000, OSError())
        assert max(map(retry.delay, range(1, 100))) <= 5, name


def ready(server: Server) -> list[str]:
    found = StepClient(server.db.store).search(StepQuery(status=StepStatus.READY, queue=QUEUE))
    return sorted(step.name for step in found)


def test_seeding_twice_adds_each_step_once(server: Server) -> None:
    before = ready(server)
    assert "v1/server/tick" in before
    with server.db.write() as conn:
        background.seed(conn, server.services)
    assert ready(server) == before


@on_both
def test_what_a_clock_that_was_ahead_has_put_to_sleep_is_woken(server: Server) -> None:
    """Figures were not counted, nobody was told of anything, and nothing was let go of, until the
    clock was there."""
    names = {"v1/server/tick", "v1/server/watch", "v1/server/watch-schedules", "v1/server/fold"}
    names |= {"v1/server/sweep", "v1/server/retain"}
    steps, tomorrow = StepClient(server.db.store), clock.now() + timedelta(days=1)

    def asleep() -> set[str]:
        found = steps.search(StepQuery(status=StepStatus.READY, queue=QUEUE))
        return {step.name for step in found if step.schedule_time >= tomorrow} & names

    for step in steps.search(StepQuery(status=StepStatus.READY, queue=QUEUE)):
        steps.reschedule(step.id, tomorrow)
    assert asleep() == names
    with server.db.write() as conn:
        background.seed(conn, server.services)
    assert not asleep()


def test_a_sweep_that_sleeps_for_as_long_as_it_should_is_left_alone(server: Server) -> None:
    steps, soon = StepClient(server.db.store), clock.now() + timedelta(hours=1)
    (sweep,) = steps.search(StepQuery(status=StepStatus.READY, name="v1/server/sweep"))
    steps.reschedule(sweep.id, soon)
    with server.db.write() as conn:
        background.seed(conn, server.services)
    (sweep,) = steps.search(StepQuery(status=StepStatus.READY, name="v1/server/sweep"))
    assert sweep.schedule_time == soon


def test_a_step_that_was_lost_is_seeded_again(server: Server) -> None:
    """R29: whatever became of the tick, within a minute there is one again."""
    lost = StepClient(server.db.store)
    for step in lost.search(StepQuery(status=StepStatus.READY, name="v1/server/tick")):
        lost.cancel(step.id, "lost in a test")
    assert "v1/server/tick" not in ready(server)
    seeder = background.Seeder(server.services, every=0.01)
    seeder.start()
    try:
        until(lambda: "v1/server/tick" in ready(server))
    finally:
        seeder.stop()


@pytest.mark.parametrize(
    "error", [StoreUnavailable("The database cannot be reached."), RuntimeError("a surprise")]
)
def test_a_seeder_outlives_a_database_that_is_away(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    tried = threading.Semaphore(0)

    def away() -> None:
        tried.release()
        raise error

    monkeypatch.setattr(server.db, "write", away)
    seeder = background.Seeder(server.services, every=0.01)
    seeder.start()
    assert all(tried.acquire(timeout=90) for _ in range(3))
    seeder.stop()


def test_the_servers_steps_settle_down(server: Server) -> None:
    drain(server, patience=0.0)
    assert "v1/server/tick" in ready(server)
