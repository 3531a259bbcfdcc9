"""The format's name travels with the step, and says which codec reads it (R4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stepwell import Engine, Outcome, Registry, RetryPolicy, StepClient, done, new_step, rerun
from stepwell.clock import now
from stepwell.codec import JSON, Codec
from stepwell.stores.protocol import Store


class Shouting:
    """Text in capitals, as a codec."""

    format = "shouting"

    def encode(self, value: Any) -> str:
        return str(value).upper()

    def decode(self, text: str, annotation: Any) -> Any:
        if text != text.upper():
            raise ValueError("it does not shout")
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


@pytest.mark.parametrize(("teller", "told"), [(JSON, {"go": "on"}), (Shouting(), "on")])
@pytest.mark.parametrize("codecs", [(JSON, Shouting()), (Shouting(), JSON)])
def test_arguments_of_an_activation_are_read_whichever_codec_has_written_them(
    store: Store, registry: Registry, teller: Codec, told: Any, codecs: tuple[Codec, Codec]
) -> None:
    """They say no format: a program activates with its own, the commands and pages with JSON."""
    seen: list[Any] = []
    registry.add(lambda activation: seen.append(activation), "v1/x")  # noqa: PLW0108
    own, other = codecs
    engine = Engine(store, registry, codec=own, codecs=[other])
    step_id = engine.add(new_step("v1/x", schedule_time=now() + timedelta(hours=1)))
    StepClient(store, codec=teller).activate(step_id, told)
    engine.drain()
    assert seen == [told]


def test_arguments_that_no_codec_reads_are_a_failed_attempt_in_the_words_of_the_engines_own(
    store: Store, registry: Registry
) -> None:
    registry.add(lambda activation: None, "v1/x", retry=RetryPolicy(delays=(3600.0,)))
    engine = Engine(store, registry, codecs=[Shouting()])
    step_id = engine.add(new_step("v1/x", schedule_time=now() + timedelta(hours=1)))
    with store.transaction() as tx:
        tx.activate(step_id, "{neither", None)
    engine.drain()
    step = engine.get(step_id)
    assert (step.status, step.failure_count) == ("ready", 1)
    assert step.description is not None
    assert "Stored text does not fit" in step.description
