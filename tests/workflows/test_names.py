"""Python's names as step names."""

from __future__ import annotations

import pytest

from stepwell.workflows.names import is_valid, kebab, step_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NightlyInvoices", "nightly-invoices"),
        ("load_rows", "load-rows"),
        ("HTTPFetch", "http-fetch"),
        ("Load2Rows", "load2-rows"),
        ("_private", "private"),
    ],
)
def test_names_are_written_with_hyphens(written: str, name: str) -> None:
    assert kebab(written) == name


@pytest.mark.parametrize("name", ["", "2fast", "Upper", "späti", "a_b", "a" * 61])
def test_a_name_outside_the_pattern_is_not_valid(name: str) -> None:
    assert not is_valid(name)


def test_three_names_make_a_step_name() -> None:
    assert step_name("shop", "sales", "load-rows") == "v1/shop/sales/load-rows"
