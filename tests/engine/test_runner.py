"""Where held steps run, and when nobody is to look for them."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from tests.engine.signals import wait_for

from stepwell import Registry
from stepwell.clock import SYSTEM, now
from stepwell.codec import JSON
from stepwell.engine.held import Held, Holding
from stepwell.engine.runner import Runner, Slots
from stepwell.ids import new_id
from stepwell.step import Step


def test_while_no_beat_is_confirmed_no_thread_looks_for_steps() -> None:
    """R14: they must not begin, and to look again and again would keep a core busy."""
    held, fresh, put = Held(), [False], []
    registry = Registry()
    registry.handler("v1/x")(lambda: None)
    nobody: Any = Mock()
    looks = []

    def is_fresh() -> bool:
        looks.append(fresh[0])
        return fresh[0]

    runner = Runner(
        registry,
        JSON,
        SYSTEM,
        held,
        nobody,
        name="me",
        slots=Slots(most=4, fewest=4),
        fresh=is_fresh,
        put=lambda holding, ended: put.append(ended),
        members=nobody,
        loop=asyncio.new_event_loop(),
    )

    def holding() -> Holding:
        row = Step(
            id=new_id(), name="v1/x", flow_id=new_id(), created_at=now(), schedule_time=now()
        )
        return Holding(row, new_id(), 0.0)

    fresh[0] = True
    held.accept([holding()])
    runner.call()
    wait_for(lambda: len(put) == 1)
    fresh[0] = False
    held.accept([holding()])
    before = len(looks)
    for _ in range(10):
        runner.call()
    with pytest.raises(AssertionError):
        wait_for(lambda: len(looks) > before + 50, 0.3)
    assert (held.waiting, len(put)) == (1, 1)
    fresh[0] = True
    runner.call()
    wait_for(lambda: len(put) == 2)
    runner.stop()
