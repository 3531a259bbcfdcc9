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
from stepwell.stores.protocol import Store

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
    assert "no engine of the queue 'default' has claimed it" in client.explain(paid)
    with Engine(store, registry) as engine:
        engine.drain()
        assert "handles the name 'v1/strange'" in engine.explain(strange)
    said = client.explain(paid)
    assert said.endswith("at attempt 3: LookupError: no such account")


def test_what_does_not_exist_has_no_explanation() -> None:
    with pytest.raises(StepNotFound):
        StepClient(MemoryStore()).explain(new_id())
