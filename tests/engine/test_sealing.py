"""Which rows are the first of their ids, so that no store has to look for others (R1)."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.reduction import ForkingPickler

import pytest

from stepwell import new_step
from stepwell.clock import SYSTEM
from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.ids import new_id
from stepwell.step import NewStep


def test_the_first_row_of_an_id_that_was_made_with_its_step_is_fresh() -> None:
    new = new_step("v1/x")
    assert _is_fresh(new)
    assert not _is_fresh(new)


def test_an_id_that_was_given_may_be_in_a_store_already() -> None:
    assert not _is_fresh(new_step("v1/x", id=new_id()))


@pytest.mark.parametrize(
    "copied",
    [
        copy.copy,
        copy.deepcopy,
        lambda new: ForkingPickler.loads(ForkingPickler.dumps(new)),
        replace,
    ],
    ids=["copied", "copied deeply", "sent to a process", "replaced"],
)
def test_a_copy_of_a_step_is_the_same_step_and_may_be_in_a_store_already(
    copied: Callable[[NewStep], NewStep],
) -> None:
    new = new_step("v1/x", {"number": 1})
    twin = copied(new)
    assert twin == new
    assert not _is_fresh(twin)
    assert _is_fresh(new)


def test_of_several_threads_that_add_a_step_one_adds_its_first_row() -> None:
    together = threading.Barrier(8)

    def tell(new: NewStep) -> bool:
        together.wait()
        return _is_fresh(new)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(100):
            assert sum(pool.map(tell, [new_step("v1/x")] * 8)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_step_that_was_made_before_a_fork_is_on_both_sides_of_it() -> None:
    new = new_step("v1/x")
    child = os.fork()
    if child == 0:
        os._exit(_is_fresh(new))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not _is_fresh(new)


def _is_fresh(new: NewStep) -> bool:
    return seal(new, JSON, SYSTEM.now()).fresh
