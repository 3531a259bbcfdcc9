"""Handlers in processes of their own: real children, and real deaths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.engine import apart
from tests.engine.signals import gone, wait_for

from stepwell import Engine, NewStep, Registry, Step, new_step
from stepwell.engine.processes import Child, Job, Processes
from stepwell.errors import HandlerInvalid
from stepwell.stores.memory import MemoryStore
from stepwell.testing.virtual import VirtualEngine


def _run(*new: NewStep) -> list[Step]:
    engine = Engine(MemoryStore(), apart.registry, processes=1)
    ids = engine.add_many(new)
    engine.drain()
    return [engine.get(step_id) for step_id in ids]


def _ended(engine: Engine, new: NewStep) -> Step:
    step_id = engine.add(new)
    wait_for(lambda: engine.get(step_id).ended_as)
    return engine.get(step_id)


def _result(step: Step) -> dict[str, object]:
    assert step.ended_as == "done", step.description
    assert step.result is not None
    found: dict[str, object] = __import__("json").loads(step.result)
    return found


def test_it_runs_elsewhere_with_its_state_its_step_and_its_arguments() -> None:
    engine = Engine(MemoryStore(), apart.registry, processes=1)
    step_id = engine.add(new_step("v1/render", apart.Picture(width=3)))
    engine.activate(step_id, {"quality": 5})
    engine.drain()
    result = _result(engine.get(step_id))
    assert result.pop("pid") != os.getpid()
    assert result == {"width": 3, "step": "v1/render", "args": {"quality": 5}}
    (spawned,) = engine.search(name="v1/rendered")
    assert spawned.created_by_step_id == step_id
    assert spawned.state == '{"width":3,"path":""}'


def test_a_child_is_used_again() -> None:
    steps = _run(*(new_step("v1/render", apart.Picture(n)) for n in range(5)))
    assert len({_result(step)["pid"] for step in steps}) == 1


def test_it_may_rerun_with_another_state() -> None:
    (step,) = _run(new_step("v1/rerun", 0))
    assert (step.result, step.execution_count) == ('"back"', 2)


def test_an_exception_comes_back_with_its_type_its_message_and_its_place() -> None:
    (step,) = _run(new_step("v1/value-error"))
    assert step.ended_as == "failed"  # its retry policy says so, by the type
    assert step.description is not None
    assert step.description.startswith("ValueError: not this one\n")
    assert 'in wrong: raise ValueError("not this one")' in step.description


def test_a_failure_there_has_the_fingerprint_that_it_has_here() -> None:
    (step,) = _run(new_step("v1/value-error"))
    with VirtualEngine(apart.registry) as virtual:  # which calls it in this process
        step_id = virtual.add(new_step("v1/value-error"))
        virtual.drain()
        assert step.fingerprint == virtual.get(step_id).fingerprint is not None


def test_an_exception_that_cannot_be_sent_is_still_of_its_type() -> None:
    (step,) = _run(new_step("v1/stubborn"))
    assert (step.status, step.failure_count) == ("ready", 1)
    assert step.description is not None
    assert step.description.startswith("Stubborn: code 7\n")


def test_a_step_failed_by_hand_there_brings_its_steps() -> None:
    engine = Engine(MemoryStore(), apart.registry, processes=1)
    step_id = engine.add(new_step("v1/fail-step"))
    engine.drain()
    assert engine.get(step_id).description == "the picture is black"
    assert engine.count(name="v1/rendered").ready == 1


@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [("v1/exit", 3, "exit code 3"), ("v1/exit", 0, "exit code 0"), ("v1/crash", None, "SIGSEGV")],
)
def test_a_child_that_dies_is_a_failed_attempt_and_the_next_one_lives(
    name: str, state: object, reason: str
) -> None:
    dead, alive = _run(new_step(name, state), new_step("v1/rerun", 0))
    assert dead.ended_as == "failed"
    assert dead.description is not None
    assert reason in dead.description
    assert alive.ended_as == "done"


def test_what_cannot_be_sent_back_is_a_readable_failure() -> None:
    (step,) = _run(new_step("v1/unsendable"))
    assert step.description is not None
    assert "cannot be sent from its process" in step.description


def test_a_timeout_kills_the_child(tmp_path: Path) -> None:
    with Engine(MemoryStore(), apart.registry, processes=1) as engine:
        before = _ended(engine, new_step("v1/render", apart.Picture(1)))  # by the only child
        timed_out = _ended(engine, new_step("v1/spin-3s", str(tmp_path / "pid")))
        wait_for(lambda: gone(int(str(_result(before)["pid"]))))
        after = _ended(engine, new_step("v1/rerun", 0))
    assert timed_out.description == "The handler took longer than 3 s."
    assert after.ended_as == "done"


def test_a_cancelled_step_has_its_child_killed(tmp_path: Path) -> None:
    where = tmp_path / "pid"
    with Engine(MemoryStore(), apart.registry, processes=1) as engine:
        step_id = engine.add(new_step("v1/spin", str(where)))
        wait_for(lambda: where.exists() and where.read_text())
        engine.cancel(step_id, "not needed")
        wait_for(lambda: gone(int(where.read_text())))
        after = engine.add(new_step("v1/rerun", 0))
        wait_for(lambda: engine.get(after).ended_as == "done")
    assert engine.get(step_id).ended_as == "cancelled"


def test_a_stop_that_runs_out_of_time_kills_the_child_and_gives_the_step_back(
    tmp_path: Path,
) -> None:
    where = tmp_path / "pid"
    engine = Engine(MemoryStore(), apart.registry, processes=1).start()
    step_id = engine.add(new_step("v1/spin", str(where)))
    wait_for(lambda: where.exists() and where.read_text())
    engine.stop(timeout=0)
    wait_for(lambda: gone(int(where.read_text())))
    left = engine.get(step_id)
    assert (left.status, left.claimed_by, left.failure_count) == ("ready", None, 0)


def test_an_engine_that_never_runs_such_a_step_has_no_children() -> None:
    with Engine(MemoryStore(), apart.registry) as engine:
        assert engine._worker is not None
        assert not engine._worker._runner._processes._children


async def _coroutine() -> None: ...


def _connected(connection: object) -> None: ...


@pytest.mark.parametrize("function", [lambda: None, _coroutine, _connected, apart.Picture])
def test_what_cannot_run_in_another_process_is_refused(function: object) -> None:
    with pytest.raises(HandlerInvalid):
        Registry(resolve=lambda name, kind: None).add(function, "v1/x", process=True)  # type: ignore[arg-type]


def test_a_call_whose_time_is_over_as_it_answers_leaves_no_dead_child_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next call is not to fail for what happened to this one."""
    processes, late = Processes(1), Job(lambda: None)
    ask = Child.ask

    def and_be_killed(child: Child, call: bytes) -> Any:
        answer = ask(child, call)
        late.kill()
        return answer

    monkeypatch.setattr(Child, "ask", and_be_killed)
    assert processes.call(late, os.path.basename, {"p": "a/b"}) == "b"
    monkeypatch.undo()
    assert processes.call(Job(lambda: None), os.path.basename, {"p": "a/c"}) == "c"
    processes.stop()
