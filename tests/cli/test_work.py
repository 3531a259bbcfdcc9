"""`stepwell work MODULE:NAME`: the engine of a program of one's own, in one process or several."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.cli.shell import PATIENCE, Shell, free_port, wait
from tests.cli.test_mistakes import refused
from tests.engine.signals import gone

from stepwell import StepClient, new_step
from stepwell.cli.exits import Exit
from stepwell.cli.serving.app_target import load_engine
from stepwell.stores import open_store

pytestmark = pytest.mark.slow

PROGRAM = """
import gc, os, time
from stepwell import Engine, Registry, done
from stepwell.stores import open_store

registry, empty, number = Registry(), Registry(), 3
engine = Engine(open_store("sqlite:///mine.db"), registry)

@registry.handler("v1/work")
def work(state):
    os.write(1, f"begin {os.getpid()}\\n".encode())
    while isinstance(state, str) and not os.path.exists(state):
        time.sleep(0.02)
    time.sleep(0 if isinstance(state, str) else state)
    return done(os.getpid())

@registry.handler("v1/spared")
def spared():
    return done(gc.get_freeze_count())

def make():
    return registry

def breaks():
    raise ValueError("no configuration")
"""


@pytest.fixture
def shop(tmp_path: Path) -> Shell:
    """A shell in the folder of a program, with a migrated store."""
    shell = Shell(tmp_path, STEPWELL_STORE="sqlite:///mine.db")
    (tmp_path / "shop.py").write_text(PROGRAM)
    (tmp_path / "broken.py").write_text("import nowhere\n")
    shell.good("migrate", "--store", "sqlite:///mine.db")
    return shell


@pytest.fixture(autouse=True)
def _no_trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a command imports in this process is forgotten."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield
    sys.modules.pop("shop", None)


@pytest.fixture
def steps(shop: Shell) -> Iterator[StepClient]:
    store = open_store(f"sqlite:///{shop.folder / 'mine.db'}")
    yield StepClient(store)
    store.close()


@contextmanager
def working(shop: Shell, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    """The command, until it is told to end; it must end well."""
    process = shop.begin("work", *words)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, log(shop)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def log(shop: Shell) -> str:
    return shop.log("work").read_text()


def logged(shop: Shell, pattern: str, times: int = 1) -> list[str]:
    """What the pattern finds in the log, as soon as it finds so many."""
    found: list[str] = wait(
        lambda: len(lines := re.findall(pattern, log(shop))) >= times and lines, shop.log("work")
    )
    return found


@pytest.mark.parametrize("name", ["registry", "make", "engine"])
def test_the_handlers_of_a_program_are_run(shop: Shell, steps: StepClient, name: str) -> None:
    step = steps.add(new_step("v1/work", 0))
    if name == "engine":
        del shop.environment["STEPWELL_STORE"]
    with working(shop, f"shop:{name}"):
        wait(lambda: steps.get(step).ended_at)
        logged(shop, "engine.started")
    logged(shop, "engine.stopped")


def test_the_garbage_collector_passes_over_the_program(shop: Shell, steps: StepClient) -> None:
    """Looking through all that was imported, again and again, takes a tenth of the time."""
    step = steps.add(new_step("v1/spared"))
    with working(shop, "shop:registry"):
        wait(lambda: steps.get(step).ended_at)
    assert int(steps.get(step).result or 0) > 10_000


def test_queues_get_their_shares_of_the_workers(
    shop: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop.folder)
    engine = load_engine("shop:registry", "sqlite:///mine.db", None, ("default=6", "mail=2"))
    assert engine._shares == {"default": 6, "mail": 2}
    assert (engine._scope.queues, engine._scope.slots.most) == (("default", "mail"), 8)
    plain = load_engine("shop:registry", "sqlite:///mine.db", None, ("default", "mail"))
    assert plain._shares is None


@pytest.mark.parametrize(
    "queues", ["default=6,mail", "default=x", "=3", "default=0", "mail=1,mail=2"]
)
def test_shares_that_are_none_are_refused(shop: Shell, queues: str) -> None:
    answer = shop.type("work", "shop:registry", "--queues", queues)
    refused(answer, Exit.MISTAKE, "invalid-input")


def test_the_steps_of_a_killed_worker_run_elsewhere_and_it_is_started_again(
    shop: Shell, steps: StepClient
) -> None:
    """Promise 1, with real processes: a worker dies, the work does not."""
    with working(shop, "shop:registry", "--processes", 2):
        logged(shop, "engine.started", times=2)
        step = steps.add(new_step("v1/work", "go"))
        (first,) = map(int, logged(shop, r"begin (\d+)"))
        os.kill(first, signal.SIGKILL)
        (shop.folder / "go").touch()
        wait(lambda: steps.get(step).ended_at)
        second = int(steps.get(step).result or 0)
        assert second != first
        logged(shop, "was killed by SIGKILL")  # the step may end before its supervisor sees that
        pids = [int(pid) for pid in logged(shop, r"worker \d is process (\d+)", times=3)]
    assert all(map(gone, pids)), "all are gone with their supervisor"


def test_workers_whose_supervisor_is_killed_stop_by_themselves(
    shop: Shell, steps: StepClient
) -> None:
    """Nobody is left behind that works on without anybody to stop it."""
    process = shop.begin("work", "shop:registry", "--processes", 2)
    logged(shop, "engine.started", times=2)
    pids = [int(pid) for pid in logged(shop, r"worker \d is process (\d+)", times=2)]
    process.kill()
    process.wait()
    wait(lambda: all(map(gone, pids)), shop.log("work"))
    assert steps.store.inspect().engines == (), "they have left"  # type: ignore[attr-defined]


def test_a_running_step_ends_before_its_workers_do(shop: Shell, steps: StepClient) -> None:
    """Promise 10, through the supervisor."""
    with working(shop, "shop:registry", "--processes", 2):
        step = steps.add(new_step("v1/work", 1))
        logged(shop, r"begin (\d+)")
    assert steps.get(step).status == "done"


def test_a_signal_makes_all_workers_log_every_event(shop: Shell, steps: StepClient) -> None:
    with working(shop, "shop:registry", "--processes", 2) as process:
        logged(shop, "engine.started", times=2)
        process.send_signal(signal.SIGUSR1)
        logged(shop, "Every event is logged", times=2)
        steps.add(new_step("v1/work", 0))
        logged(shop, "DEBUG stepwell step.executed")


def test_metrics_are_served_by_each_worker(shop: Shell, steps: StepClient) -> None:
    port = free_port()
    with working(shop, "shop:registry", "--metrics-port", port):
        logged(shop, "engine.started")
        wait(lambda: measured(port, "stepwell_engine_up") == 1)  # it counts what it has logged
        assert measured(port, "stepwell_store_up") == 1


def measured(port: int, name: str) -> float | None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        families = text_string_to_metric_families(answer.read().decode())
        found = {one.name: one.value for family in families for one in family.samples}
    return found.get(name)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("shp:registry", "Did you mean 'shop'?"),
        ("shop:registri", "Did you mean 'registry'?"),
        ("shop:empty", "has no handlers"),
        ("shop:number", "of the type int"),
        ("shop:breaks", "ValueError: no configuration"),
        ("shop.py", "module:name"),
        ("broken:registry", "No module named 'nowhere'"),
    ],
)
def test_a_mistake_is_told_once_and_ends_all(shop: Shell, target: str, said: str) -> None:
    process = shop.begin("work", target, "--processes", 3)
    assert process.wait(PATIENCE) == Exit.MISTAKE, log(shop)
    assert log(shop).count("error: ") == 1
    assert said in log(shop)
    assert "code: app-invalid" in log(shop)
    assert "Traceback" not in log(shop)


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (("shop:registry", "--launcher", "process"), Exit.MISTAKE, "invalid-input"),
        (("--workers", "2"), Exit.MISTAKE, "invalid-input"),
        (("shop:registry", "--store", "memory://"), Exit.MISTAKE, "invalid-input"),
        (("shop:registry", "--store", "mine.db"), Exit.MISTAKE, "invalid-input"),
        (("shop:registry", "--store", "sqlite:///no.db"), Exit.SETUP, "schema-missing"),
        (("shop:engine", "--workers", "2"), Exit.MISTAKE, "app-invalid"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_does_not_go_together_is_refused(
    shop: Shell, words: tuple[str, ...], code: Exit, name: str
) -> None:
    refused(shop.type("work", *words), code, name)


def test_without_a_store_it_says_how_to_name_one(shop: Shell) -> None:
    del shop.environment["STEPWELL_STORE"]
    refused(shop.type("work", "shop:registry"), Exit.SETUP, "no-store")


def test_the_servers_own_steps_are_worked_on_in_processes_too(shop: Shell) -> None:
    """The second one is started when the first one works."""
    del shop.environment["STEPWELL_STORE"]
    shop.good("migrate")
    with working(shop, "--processes", 2):
        logged(shop, "engine.started")
        logged(shop, "worker 2 is process")
