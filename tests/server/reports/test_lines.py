"""The diff of texts that operations have written."""

from __future__ import annotations

import random
from difflib import unified_diff

import pytest

from stepwell.server.reports import lines
from stepwell.server.reports.lines import unified


def _usual(old: list[str], new: list[str]) -> list[str]:
    return list(unified_diff(old, new, "before", "after", lineterm=""))


@pytest.mark.parametrize("seed", range(40))
def test_a_diff_is_the_one_of_the_standard_library(seed: int) -> None:
    some = random.Random(seed)
    old = [some.choice("abcdef") for _ in range(some.randrange(30))]
    new = [one for one in old if some.random() < 0.8] + some.choices("xyz", k=some.randrange(3))
    assert list(unified(old, new)) == _usual(old, new)


def test_lines_that_come_again_and_again_are_not_looked_at_pair_by_pair() -> None:
    """A log's: none of 150 lines is so frequent that it would be left out, and of 40,000 there
    are ten million pairs, which were looked at thousands of times."""
    old = ["begin", *(f"step {n % 150} ok" for n in range(40_000)), "end"]
    new = ["begin", *(f"step {7 * n % 150} ok" for n in range(40_000)), "end"]
    found = list(unified(old, new))
    assert sum(line.startswith("+step") for line in found) == 39_999  # the first is the same
    assert (found[3], found[-1]) == (" begin", " end")


def test_a_change_that_is_not_looked_into_has_its_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "MOST", 0)
    old, new = [*"abcdefgh", "1", *"stuvwxyz"], [*"abcdefgh", "2", "3", *"stuvwxyz"]
    assert list(unified(old, new)) == _usual(old, new)
    assert list(unified([], ["a"])) == _usual([], ["a"])
    assert list(unified(["a"], [])) == _usual(["a"], [])
