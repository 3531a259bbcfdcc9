"""A queue that never gives up: what it holds is delivered, whenever the other side is back."""

from collections.abc import Callable
from uuid import UUID

from stepwell import Registry, StepClient, new_step

QUEUE = "deliveries"


def build(deliver: Callable[[str], None]) -> Registry:
    """The handlers. `deliver` raises while the other side is away."""
    registry = Registry()

    @registry.handler("v1/deliver")  # by default: 1, 8, 27 s, at most 2 h apart, without limit
    def run(state: str) -> None:
        deliver(state)

    return registry


def enqueue(steps: StepClient, message: str) -> UUID:
    """Put a message into the queue; returns the id of its step."""
    return steps.add(new_step("v1/deliver", message, queue=QUEUE, search_key=message))
