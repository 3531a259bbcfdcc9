"""A shop whose effects are written down."""

from __future__ import annotations

import pytest

from stepwell import Outcome, Registry, Step, done, new_step
from stepwell.testing.effects import Effects


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def shop(effects: Effects) -> Registry:
    """An order charges a card under an idempotency key, and sends a mail without one."""
    registry = Registry()

    @registry.handler("v1/order")
    def order(state: int) -> Outcome:
        return done(next=[new_step("v1/charge", state), new_step("v1/send-mail")])

    @registry.handler("v1/charge")
    async def charge(step: Step, state: int) -> None:
        effects.record("charge", state, key=step.id)

    @registry.handler("v1/send-mail")
    def send_mail() -> None:
        effects.record("mail")

    return registry
