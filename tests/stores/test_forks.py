"""A program that is forked after it has used its store: by gunicorn, or by multiprocessing."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import Engine, Registry, StepClient, new_step
from stepwell.ids import new_id
from stepwell.stores import open_store
from stepwell.stores.controls import ControlKind
from stepwell.stores.http import ServerLink
from stepwell.stores.inspecting import Inspectable
from stepwell.stores.protocol import Store

PATIENCE = 90
ROUNDS = 20


@pytest.fixture(params=["sqlite", "postgres", "mysql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind that has connections of its own, opened."""
    kind = request.param
    file = f"sqlite:///{tmp_path / 'steps.db'}"
    made = open_store(file if kind == "sqlite" else request.getfixturevalue(f"{kind}_steps"))
    made.migrate()
    made.open()
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"v1/fork/{new_id()}"


def forked(work: Callable[[], object]) -> int:
    """The pid of a child that does this, and is killed if it never comes to an end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(PATIENCE)
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def ended_well(*pids: int) -> bool:
    """Whether the children did what they were to do."""
    return {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids} == {0}


def add_some(client: StepClient, name: str) -> None:
    for _ in range(ROUNDS):
        client.add(new_step(name))


def test_parent_and_children_add_at_the_same_time(store: Store, name: str) -> None:
    client = StepClient(store)
    client.add(new_step(name))
    pids = [forked(lambda: add_some(client, name)) for _ in range(2)]
    add_some(client, name)
    assert ended_well(*pids)
    assert client.count(name=name).ready == 3 * ROUNDS + 1


def test_a_thread_that_was_adding_leaves_the_child_free_to_add(store: Store, name: str) -> None:
    client = StepClient(store)
    adding, go_on = threading.Event(), threading.Event()

    class Slow:
        def add(self, *more: Any) -> Any:
            adding.set()
            go_on.wait(PATIENCE)
            return store.add(*more)

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

    client.store = Slow()
    adder = threading.Thread(target=client.add, args=[new_step(name)])
    adder.start()
    assert adding.wait(PATIENCE)
    client.store = store
    pid = forked(lambda: client.add(new_step(name)))
    assert ended_well(pid)
    go_on.set()
    adder.join()
    assert client.count(name=name).ready == 2


def test_threads_that_were_in_transactions_leave_the_child_free_to_write(
    store: Store, name: str
) -> None:
    client = StepClient(store)
    begun = threading.Barrier(21, timeout=PATIENCE)

    def write(each: int) -> None:
        with store.transaction() as tx:
            if each == 0:  # SQLite has one writer at a time
                tx.drop_control(ControlKind.PAUSE, name)
            begun.wait()
            time.sleep(0.3)  # so long it is still open while the process forks

    threads = [threading.Thread(target=write, args=[each]) for each in range(20)]
    for thread in threads:
        thread.start()
    begun.wait()
    pid = forked(lambda: add_some(client, name))
    assert ended_well(pid)
    for thread in threads:
        thread.join()
    assert client.count(name=name).ready == ROUNDS


def test_an_engine_is_its_parents_and_the_child_may_run_its_own(store: Store, name: str) -> None:
    registry, ran = Registry(), threading.Event()

    @registry.handler(name)
    def work() -> None:
        ran.set()

    engine = Engine(store, registry)

    def run_one_of_its_own() -> None:
        engine.stop()  # as `with` and atexit do
        with engine:
            assert engine.id not in {None, before}
            engine.drain()

    with engine:
        before = engine.id
        assert ended_well(forked(run_one_of_its_own))
        assert isinstance(store, Inspectable)
        assert before in {one.id for one in store.inspect().engines}
        ran.clear()
        engine.add(new_step(name))
        assert ran.wait(PATIENCE)
        assert engine.id == before


def test_a_child_tells_the_engines_of_its_parent(postgres_steps: str, name: str) -> None:
    store, registry, ran = open_store(postgres_steps), Registry(), threading.Event()

    @registry.handler(name)
    def work() -> None:
        ran.set()

    def add_and_close() -> None:
        engine.add(new_step(name))
        store.close()

    with Engine(store, registry) as engine:
        wakes = store._bell._wakes  # type: ignore[attr-defined]
        assert ended_well(forked(add_and_close))
        assert ran.wait(PATIENCE)
        assert store._bell._wakes == wakes  # type: ignore[attr-defined]
    store.close()


def test_a_child_speaks_to_the_server_on_connections_of_its_own() -> None:
    link = ServerLink("http://localhost:1", "token")
    before = link._pool

    def differs() -> None:
        assert link._pool is not before

    assert ended_well(forked(differs))
    assert link._pool is before
