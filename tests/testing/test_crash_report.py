"""What crashes did is told in words."""

from __future__ import annotations

import pytest

from stepwell import Outcome, Registry, Step, done, new_step, rerun
from stepwell.testing.crashing import crash_everywhere
from stepwell.testing.effects import Effects
from stepwell.testing.virtual import VirtualEngine


def order(engine: VirtualEngine) -> None:
    engine.add(new_step("v1/order", 10))


def test_a_flow_without_effects_proves_nothing(shop: Registry, effects: Effects) -> None:
    with pytest.raises(AssertionError, match=r"effects=\.\.\."):
        crash_everywhere(order, shop).assert_effects_once()
    with pytest.raises(AssertionError, match="Record some"):
        crash_everywhere(order, shop, effects=list).assert_effects_once()


def test_the_report_says_where_and_what(shop: Registry, effects: Effects) -> None:
    assert str(crash_everywhere(order, shop, effects=effects)) == (
        "The engine was killed at 19 places of v1/order, v1/charge, v1/send-mail.\n"
        "Ran again for the same step: v1/charge, v1/order, v1/send-mail.\n"
        "Killed after an effect of its handler (v1/send-mail): mail\n"
        "  doubled: mail happened twice instead of once\n"
        "Killed after its handler, before the settlement was committed (v1/send-mail)\n"
        "  doubled: mail happened twice instead of once"
    )


def test_the_report_says_once_what_many_executions_of_a_step_suffer(effects: Effects) -> None:
    registry = Registry()

    @registry.handler("v1/poll")
    def poll(step: Step) -> Outcome:
        effects.record("poll")
        return rerun() if step.execution_count < 9 else done()

    report = crash_everywhere(
        lambda engine: engine.add(new_step("v1/poll")), registry, effects=effects
    )
    assert len([crash for crash in report.crashes if crash.doubled]) == 20
    assert len(str(report).splitlines()) == 6
    assert "(v1/poll): poll (10 crashes)\n  doubled: poll happened 11 times" in str(report)


def test_the_report_of_a_flow_that_stands_it_says_so(effects: Effects) -> None:
    registry = Registry()
    registry.add(lambda step: effects.record("one", key=step.id) and None, "v1/x")

    def flow(engine: VirtualEngine) -> None:
        engine.add(new_step("v1/x"))

    told = str(crash_everywhere(flow, registry, effects=effects))
    assert told.endswith("No effect was doubled or lost.")
    assert str(crash_everywhere(flow, registry)).endswith("No effects were looked at.")
