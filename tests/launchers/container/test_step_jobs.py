"""Steps of a program in containers of their own; one is killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, Podman, owner
from tests.launchers.container.program import settings
from tests.server.live import listening, without_fsync
from tests.server.support import free_port

from stepwell import Registry, StepQuery, StepStatus, new_step
from stepwell.codec import JSON
from stepwell.engine import Engine
from stepwell.launchers.recipe import write
from stepwell.server.app import Server
from stepwell.server.jobs import service
from stepwell.server.launchers import making
from stepwell.testing.launcher_contract import until
from stepwell.version import VERSION

pytestmark = pytest.mark.slow

SHOP = """
import time
from pathlib import Path

from stepwell import Registry, RetryPolicy, done

registry = Registry()


@registry.handler("shop/resize", retry=RetryPolicy(delays=(0.1,)))
def resize(state):
    with Path("/notes/log").open("a") as file:
        file.write("resize" + chr(10))
    while not Path("/notes/go").exists():
        time.sleep(0.02)
    return done({"width": state["width"] // 2})
"""


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A program as an image: the recipe of groups serves it too."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(SHOP)
    write(folder / "shop.py", base=BASE, version=VERSION)
    wheels.put(folder / "wheels")
    name = f"localhost/test-{owner(folder)}"
    podman.run("build", "--quiet", "--no-cache", "--tag", name, str(folder), within=300)
    yield name
    podman.forget(owner(folder))


def test_a_step_runs_in_a_container_and_outlives_its_loss(
    podman: Podman, image: str, tmp_path: Path
) -> None:
    """Killed in the middle, it is executed again in another one, and its record says why."""
    notes = tmp_path / "notes"
    notes.mkdir()
    notes.chmod(0o777)
    (tmp_path / "data").mkdir()
    given = settings(tmp_path, free_port(), podman.address)
    server = without_fsync(Server(replace(given, step_images=(f"shop/resize={image}",))))
    server.db.migrate()
    with server, listening(server):
        step_id = Engine(server.db.store, Registry()).add(new_step("shop/resize", {"width": 8}))
        until((notes / "log").exists, 90)
        killed = podman.run("ps", "-q", "--filter", f"label=stepwell.launch=step-{step_id}-1")
        podman.run("kill", "--signal", "KILL", killed.strip())
        until(lambda: len((notes / "log").read_text().splitlines()) == 2, 90)
        (notes / "go").touch()

        def ended() -> bool:
            query = StepQuery(ids=(step_id,), status=StepStatus.DONE)
            with server.db.store.transaction() as tx:
                return bool(tx.search(query))

        until(ended, 90)
        with server.db.store.transaction() as tx:
            (step,) = tx.search(StepQuery(ids=(step_id,)))
        with server.db.read() as conn:
            second, first = service.listed(conn, step_id)
    assert JSON.decode(step.result or "") == {"width": 4}
    assert step.execution_count == 2
    assert first.exit is not None
    assert "SIGKILL" in first.exit["reason"]
    assert (first.lost, second.lost) == (1, 0)
    podman.forget(making._owner(server.settings))
