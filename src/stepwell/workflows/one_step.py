"""Executing one step inside an image, outside of any workflow group.

The step's claim is held by the server's engine. Here it is executed by an engine of its own on a
store in memory, so that coroutines, timeouts, processes and injection work as in any program;
what the engine would settle is sent to the server instead, which settles it under the claim.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from stepwell.engine import Engine
from stepwell.errors import Denied, SetupError, StepwellError, StoreUnavailable
from stepwell.outcome import Settlement, Verdict
from stepwell.registry import Registry
from stepwell.step import Addition, EndedAs, Step
from stepwell.stores.http import ServerLink
from stepwell.stores.memory import MemoryStore
from stepwell.stores.memory_verbs import MemoryTransaction
from stepwell.stores.patience import patiently
from stepwell.workflows.errors import ImageContract
from stepwell.workflows.loading import import_path

OK: Final = 0
USERS_MISTAKE: Final = 2
NO_SERVER: Final = 3
REGISTRY: Final = "STEPWELL_STEPS"
"""The variable that names the handlers, as MODULE:NAME; without it they are in the file or
package that `STEPWELL_GROUP` names."""

_STEP: Final = TypeAdapter(Step)
_SETTLEMENT: Final = TypeAdapter(Settlement)


class StepsMissing(SetupError):
    """The image has no handler for the step that it is to execute."""

    code = "steps-missing"


def main(environment: Mapping[str, str]) -> int:
    """Execute the step that the environment names; the exit code, as of `runner.main`."""
    try:
        given = dict(environment)
        step_id = UUID(_variable(given, "STEPWELL_STEP_ID"))
        link = ServerLink(_variable(given, "STEPWELL_URL"), _variable(given, "STEPWELL_TOKEN"))
        os.environ.pop("STEPWELL_TOKEN", None)  # the handlers have no use for it
        told = patiently(lambda: link.post(f"/api/v1/step-jobs/{step_id}/assignments", {}))
        step = _STEP.validate_python(told["step"])
        settlement = execute(step, handlers(given, step.name))
        body = {"settlement": _SETTLEMENT.dump_python(settlement, mode="json")}
        patiently(lambda: link.post(f"/api/v1/step-jobs/{step_id}/outcomes", body))
    except (Denied, StoreUnavailable) as error:
        return _say(error, NO_SERVER)
    except StepwellError as error:
        return _say(error, USERS_MISTAKE)
    return OK


def execute(step: Step, registry: Registry) -> Settlement:
    """What a registry's handler makes of a step that is claimed elsewhere.

    Raises
    ------
    NotSupported : the handler wants a connection to the step's database (R26).
    """
    store = Capturing(step)
    engine = Engine(store, registry, queues=(step.queue,), workers=1)
    engine.drain()
    assert store.captured is not None, "an engine settles what it has executed"
    return replace(store.captured, claim=step.claim)


class Capturing(MemoryStore):
    """A store of one step, which keeps what is settled of it."""

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.captured: Settlement | None = None
        free = replace(
            step, claimed_by=None, claimed_at=None, limit_key=None, rate_key=None, waiting_for=0
        )
        with super().transaction() as tx:
            tx.add([Addition(free)])

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        """As of any store in memory, but for settlements."""
        with super().transaction() as tx:
            settle = tx.settle

            def captured(engine_id: UUID, settlements: Sequence[Settlement]) -> list[Verdict]:
                self.captured = settlements[0]
                return settle(engine_id, [_as_the_end(one) for one in settlements])

            tx.settle = captured  # type: ignore[method-assign] # this transaction's alone
            yield tx


def _as_the_end(settlement: Settlement) -> Settlement:
    """So that nothing is left to do here."""
    return replace(settlement, ended_as=EndedAs.DONE, additions=(), passes_join=False)


def handlers(environment: MutableMapping[str, str], name: str) -> Registry:
    """The image's handlers.

    Raises
    ------
    StepsMissing : there are none, or none for a step of that name.
    """
    target = environment.get(REGISTRY)
    found = _named(target) if target else _in_file(Path(_variable(environment, "STEPWELL_GROUP")))
    if not found.handles(name):
        raise StepsMissing(
            f"The image has no handler for steps named {name!r}.",
            why=f"It has {', '.join(found.names) or 'none'}.",
            fix="Build it again with the handler, or correct STEPWELL_STEP_IMAGES.",
        )
    return found


def _named(target: str) -> Registry:
    module, _, attribute = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise StepsMissing(
            f"{REGISTRY}={target} cannot be had.",
            why=f"{type(error).__name__}: {error}",
            fix="Name a Registry as MODULE:NAME.",
        ) from error
    return _registry(found, target)


def _in_file(path: Path) -> Registry:
    module = import_path(path)
    found = [one for one in vars(module).values() if isinstance(one, Registry)]
    if len(found) != 1:
        raise StepsMissing(
            f"{path.name} has {len(found)} registries of handlers.",
            fix=f"Have exactly one in it, or set {REGISTRY} to MODULE:NAME.",
        )
    return found[0]


def _registry(found: Any, target: str) -> Registry:
    made: Callable[[], Any] | None = found if callable(found) else None
    if made is not None and not isinstance(found, Registry):
        found = made()
    if not isinstance(found, Registry):
        raise StepsMissing(f"{target} is no Registry.", fix="Name a Registry as MODULE:NAME.")
    return found


def _variable(environment: Mapping[str, str], name: str) -> str:
    if name not in environment:
        raise ImageContract(
            f"The environment variable {name} is not set.",
            why="A launcher tells the image what to do by its environment.",
            fix="Let a Stepwell server start the image.",
        )
    return environment[name]


def _say(error: StepwellError, code: int) -> int:
    sys.stderr.write(f"stepwell: {error} [{error.code}]\n")
    return code
