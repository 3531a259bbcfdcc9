"""A burst whose claims are written: one transaction settles the one before and claims it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from tests.engine.test_batch import World

from stepwell.clock import SYSTEM
from stepwell.engine.bursts import Bursts
from stepwell.engine.committer import Ended
from stepwell.errors import StoreUnavailable
from stepwell.stores.protocol import Claimed, ClaimRequest, Transaction


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.close()


def bursts(world: World, meanwhile: Callable[[Bursts], object]) -> Bursts:
    """Those of an engine that claims nothing, and to which something happens meanwhile."""

    def claim(tx: Transaction, request: ClaimRequest, *, beside: bool) -> Claimed:
        meanwhile(made)
        return Claimed()

    no: Any = Mock(return_value=False)
    made = Bursts(
        world.store,
        SYSTEM,
        world.committer._held,
        world.committer,
        claim=claim,
        takes_over=no,
        aside=no,
        go=no,
    )
    return made


def put(ended: Ended) -> Callable[[Bursts], object]:
    """The step of a burst before ends in its own thread."""
    return lambda made: made.put(ended.holding, ended)


def test_what_ends_during_a_claim_is_settled_with_the_next_one(world: World) -> None:
    """And not by a second writer beside it."""
    ended = world.ended()
    made = bursts(world, put(ended))
    made.settle_and_claim(world.request())
    assert (made.pending, world.put) == (1, [])
    made.settle_and_claim(world.request())
    assert world.committer.tally.done == 1
    assert made.pending == 1  # it ends once more, here


def test_what_ends_during_a_claim_that_fails_goes_to_the_committer(world: World) -> None:
    """With what was to be settled in the same transaction (R13)."""
    before, meanwhile = world.ended(), world.ended()

    def fail(made: Bursts) -> None:
        made.put(meanwhile.holding, meanwhile)
        raise StoreUnavailable("cut")

    made = bursts(world, fail)
    made._unsettled = [before]
    with pytest.raises(StoreUnavailable):
        made.settle_and_claim(world.request())
    assert world.put == [before, meanwhile]
    assert not made.put(meanwhile.holding, meanwhile)


def test_what_is_left_when_no_claim_follows_goes_to_the_committer(world: World) -> None:
    ended = world.ended()
    made = bursts(world, put(ended))
    made.settle_and_claim(world.request())
    made.hand_over()
    assert (made.pending, world.put) == (0, [ended])
