"""How many steps a burst locks, after bursts that could not begin all of theirs."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from stepwell.engine.bursts import MOST, Bursts
from stepwell.engine.relay import Relay


@pytest.fixture
def paced() -> Bursts:
    """Bursts of which only the pace is asked."""
    return Bursts(
        Mock(), Mock(), Mock(), Mock(), claim=Mock(), takes_over=Mock(), aside=Mock(), go=Mock()
    )


def test_a_burst_that_could_not_begin_all_is_followed_by_a_smaller_one(paced: Bursts) -> None:
    paced._pace(1000, freed=300)
    assert (paced.most, paced.cut) == (700, True)


def test_one_that_was_held_up_for_a_moment_halves_the_next_at_most(paced: Bursts) -> None:
    """Whatever was in the way may have held up this one alone."""
    paced._pace(1000, freed=1000)
    assert paced.most == MOST // 2


def test_where_none_ever_begins_one_is_tried(paced: Bursts) -> None:
    """With none at all there would be no next burst."""
    for _ in range(20):
        paced._pace(paced.most, freed=paced.most)
    assert paced.most == 1


def test_bursts_that_begin_all_of_theirs_grow_faster_and_faster(paced: Bursts) -> None:
    """A little at first: what was too much before mostly is again."""
    paced._pace(1000, freed=900)
    paced._pace(500, freed=400)
    paced._pace(250, freed=150)
    seen = [paced.most]
    while paced.most < MOST:
        paced._pace(paced.most, freed=0)
        seen.append(paced.most)
    assert seen == [125, 157, 221, 349, 605, MOST]
    assert not paced.cut


@pytest.mark.parametrize("cut", [True, False])
def test_where_one_burst_was_too_much_there_is_no_second(paced: Bursts, cut: bool) -> None:
    second = Mock(most=MOST, taken=[], pending=0)
    relay = Relay(
        paced,
        second,
        Mock(),
        Mock(),
        median=lambda: 0.0001,
        may=lambda: True,
        request=Mock(),
        took=Mock(),
        rested=Mock(),
    )
    relay._call = Mock()  # type: ignore[method-assign]
    paced.cut = cut
    relay.more()
    assert relay._call.called is not cut
