"""Why a step is where it is, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from stepwell import Engine, Registry, RetryPolicy, StepClient, new_step
from stepwell.engine.explaining import explain
from stepwell.errors import StepNotFound
from stepwell.ids import new_id
from stepwell.step import EndedAs, Step
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import EngineInfo, Store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENGINE = UUID(int=7)
BARE = Step(id=new_id(), name="v1/x", flow_id=new_id(), created_at=NOW, schedule_time=NOW)
SINCE = "2026-03-01 12:00:00 UTC"
ALONE = (
    "It has been due for 3 d 0 h, and waits to be run alone, for 2 engines died while "
    "running it (R15)."
)
FAILED: dict[str, Any] = {"ended_as": EndedAs.FAILED, "ended_at": NOW}


def after(**span: float) -> datetime:
    return NOW + timedelta(**span)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"schedule_time": after(minutes=4)}, "It is due at 2026-03-01 12:04:00 UTC, in 4 min."),
        (
            {"schedule_time": after(seconds=8), "failure_count": 2, "description": "no\nway"},
            "Try 3 begins at 2026-03-01 12:00:08 UTC, in 8 s; the last one failed: no",
        ),
        (
            {"schedule_time": after(hours=-3)},
            "It has been due for 3 h 0 min, and no engine of the queue 'default' has claimed it.",
        ),
        (
            {"schedule_time": after(days=-3), "lost_count": 2},
            ALONE,
        ),
        ({"parked": True}, "No engine of the queue 'default' handles the name 'v1/x' (R19)."),
        (
            {"claimed_by": ENGINE, "claimed_at": NOW},
            f"It is claimed, and runs or is about to, on engine {ENGINE} since {SINCE}.",
        ),
        (
            {"claimed_by": ENGINE, "claimed_at": NOW, "started": True},
            f"It runs, on engine {ENGINE} since 2026-03-01 12:00:00 UTC.",
        ),
        (
            FAILED | {"failure_count": 5, "execution_count": 9, "description": "E: no\n  at"},
            "It failed at 2026-03-01 12:00:00 UTC, at attempt 5: E: no",
        ),
        (
            FAILED | {"description": "by hand", "execution_count": 1},
            "It ended as failed at 2026-03-01 12:00:00 UTC after 1 execution: by hand",
        ),
        (
            {"ended_as": EndedAs.DONE, "ended_at": NOW, "execution_count": 2},
            "It ended as done at 2026-03-01 12:00:00 UTC after 2 executions.",
        ),
        (
            {"ended_as": EndedAs.DONE, "ended_at": NOW, "activation_no": 2, "activation_seen": 1},
            (
                "It ended as done at 2026-03-01 12:00:00 UTC after 0 executions. "
                "Its last activation came too late to be seen (R8)."
            ),
        ),
    ],
)
def test_a_row_says_why_it_is_there(fields: dict[str, Any], sentence: str) -> None:
    assert explain(replace(BARE, **fields), NOW) == sentence


def test_a_client_explains_a_step_of_any_store(store: Store, registry: Registry) -> None:
    @registry.handler("v1/pay", retry=RetryPolicy(attempts=3, delays=(0.0,)))
    def pay() -> None:
        raise LookupError("no such account")

    client = StepClient(store)
    paid, strange = client.add_many([new_step("v1/pay"), new_step("v1/strange")])
    assert client.explain(paid).endswith(", and no engine is running on this store.")
    with Engine(store, registry) as engine:
        engine.drain()
        assert "handles the name 'v1/strange'" in engine.explain(strange)
    said = client.explain(paid)
    assert said.endswith("at attempt 3: LookupError: no such account")


def alive(name: str, *handles: str, queues: tuple[str, ...] = ("default",)) -> EngineInfo:
    return EngineInfo(id=new_id(), name=name, version="1", handles=handles, queues=queues)


@pytest.mark.parametrize(
    ("engines", "sentence"),
    [
        ([], "It has been due for 0 s, and no engine is running on this store."),
        (
            [alive("a", "v1/x", queues=("mail",)), alive("b", "v1/x", queues=("deafult", "mail"))],
            (
                "It has been due for 0 s, and no engine serves the queue 'default': those that run "
                "serve 'deafult', 'mail'. Did you mean 'deafult'?"
            ),
        ),
        (
            [alive("a", "v1/xy"), alive("b", "v1/x", queues=("mail",))],
            "No engine of the queue 'default' handles the name 'v1/x' (R19). Did you mean 'v1/xy'?",
        ),
        (
            [alive(name, "v1/x") for name in "abcde"],
            (
                "It has been due for 0 s, and has not been claimed by 'a', 'b', 'c' and 2 more, "
                "whose workers may be busy, or who may be dead: `stepwell doctor` tells."
            ),
        ),
    ],
)
def test_a_step_that_nobody_takes_is_explained_by_who_is_alive(
    engines: list[EngineInfo], sentence: str
) -> None:
    assert explain(BARE, NOW, lambda: engines) == sentence


def test_who_is_alive_is_asked_anew_for_a_step_that_an_engine_has_met_and_left(
    store: Store, registry: Registry
) -> None:
    """R19: the mark on the row is that of an engine which may be gone."""
    client = StepClient(store)
    met = client.add(new_step("v1/later"))
    Engine(store, registry).drain()
    assert "handles the name 'v1/later' (R19), and no engine is running" in client.explain(met)
    registry.handler("v1/later")(lambda: None)
    newer = Engine(store, registry, queues=("mail",), name="newer")
    with newer:
        assert "no engine serves the queue 'default'" in client.explain(met)


@pytest.mark.parametrize("end", ["cancel", "fail", "complete"])
def test_a_join_that_was_ended_by_hand_waits_no_more(store: Store, end: str) -> None:
    client = StepClient(store)
    *_, join = client.add_many([new_step("v1/x")], then=new_step("v1/join"))
    getattr(client, end)(join, "given up")
    assert client.explain(join).startswith("It ended as ")
    assert client.explain(join).endswith(": given up")


def test_a_step_that_ends_without_having_seen_its_activation_says_so(
    store: Store, registry: Registry
) -> None:
    """R8: to whoever has activated it."""

    @registry.handler("v1/hears", "v1/deaf")
    def handler(step: Step, activation: str | None) -> None:
        if step.name == "v1/deaf":
            engine.activate(step.id, "too late")

    engine = Engine(store, registry)
    hears, deaf = engine.add_many([new_step("v1/hears"), new_step("v1/deaf")])
    engine.activate(hears, "in time")
    engine.drain()
    assert (engine.get(hears).ended_unseen, engine.get(deaf).ended_unseen) == (False, True)
    assert engine.explain(deaf).endswith("Its last activation came too late to be seen (R8).")


def test_what_does_not_exist_has_no_explanation() -> None:
    with pytest.raises(StepNotFound):
        StepClient(MemoryStore()).explain(new_id())
