"""The format's name travels with the step, and says which codec reads it (R4)."""

from __future__ import annotations

from typing import Any

from stepwell import Engine, Outcome, Registry, RetryPolicy, StepClient, done, new_step, rerun
from stepwell.stores.protocol import Store


class Shouting:
    """Text in capitals, as a codec."""

    format = "shouting"

    def encode(self, value: Any) -> str:
        return str(value).upper()

    def decode(self, text: str, annotation: Any) -> Any:
        return text.lower()


def _added(store: Store) -> Any:
    return StepClient(store, codec=Shouting()).add(new_step("v1/x", "Hallo"))


def test_what_one_codec_wrote_it_reads_in_an_engine_of_another(
    store: Store, registry: Registry
) -> None:
    registry.add(lambda state: done(state), "v1/x")  # noqa: PLW0108 - done has other parameters
    step_id = _added(store)
    engine = Engine(store, registry, codecs=[Shouting()])
    engine.drain()
    step = engine.get(step_id)
    assert (step.state, step.state_format) == ("HALLO", "shouting")
    assert (step.result, step.result_format) == ('"hallo"', "json")


def test_a_format_that_nobody_here_reads_is_a_failed_attempt(
    store: Store, registry: Registry
) -> None:
    later = RetryPolicy(delays=(3600.0,))
    registry.add(lambda state: done(state), "v1/x", retry=later)  # noqa: PLW0108
    step_id = _added(store)
    engine = Engine(store, registry)
    engine.drain()
    step = engine.get(step_id)
    assert (step.status, step.failure_count, step.state_format) == ("ready", 1, "shouting")
    assert step.description is not None
    assert "No codec here reads the format 'shouting'" in step.description


def test_a_rerun_may_change_the_format(store: Store, registry: Registry) -> None:
    seen: list[Any] = []

    @registry.handler("v1/x")
    def x(state: Any) -> Outcome:
        seen.append(state)
        return rerun(state={"said": state}) if isinstance(state, str) else done()

    step_id = _added(store)
    engine = Engine(store, registry, codecs=[Shouting()])
    engine.drain()
    step = engine.get(step_id)
    assert seen == ["hallo", {"said": "hallo"}]
    assert (step.state, step.state_format) == ('{"said":"hallo"}', "json")


def test_a_rerun_that_keeps_the_state_keeps_its_format(store: Store, registry: Registry) -> None:
    seen: list[Any] = []

    @registry.handler("v1/x")
    def x(state: Any) -> Outcome:
        seen.append(state)
        return rerun() if len(seen) == 1 else done()

    step_id = _added(store)
    engine = Engine(store, registry, codecs=[Shouting()])
    engine.drain()
    assert seen == ["hallo", "hallo"]
    assert engine.get(step_id).state_format == "shouting"


def test_an_engine_of_another_codec_still_reads_json(store: Store, registry: Registry) -> None:
    registry.add(lambda state: done(state), "v1/x")  # noqa: PLW0108
    step_id = StepClient(store).add(new_step("v1/x", {"a": "b"}))
    engine = Engine(store, registry, codec=Shouting())
    engine.drain()
    step = engine.get(step_id)
    assert (step.result, step.result_format) == ("{'A': 'B'}", "shouting")
