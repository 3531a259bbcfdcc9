"""The parts of the weather example, on the real table."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from weather import months, rows

YEAR = rows.read(date(2012, 1, 1), date(2012, 12, 31))


def test_a_range_has_each_of_its_days_once_in_order() -> None:
    days = [one.day for one in YEAR]
    assert len(days) == 366
    assert days == sorted(set(days))


def test_rows_outside_the_table_are_none() -> None:
    assert rows.read(date(2016, 1, 1), date(2016, 3, 31)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [({"lowest": 50.0}, "above"), ({"rain": -1.0}, "negative"), ({"kind": "frogs"}, "frogs")],
)
def test_a_row_that_cannot_be_right_says_why(change: dict[str, Any], said: str) -> None:
    assert rows.fault(YEAR[0]) is None
    assert said in (rows.fault(replace(YEAR[0], **change)) or "")


def test_months_sum_up_all_days() -> None:
    made = months.by_month(YEAR)
    assert [one.month for one in made][:2] == ["2012-01", "2012-02"]
    assert sum(one.days for one in made) == 366
    assert made[0].rain == pytest.approx(sum(one.rain for one in YEAR[:31]), abs=0.05)


def test_the_chart_has_a_bar_for_each_month() -> None:
    figure = months.chart(months.by_month(YEAR))
    assert len(figure.axes[0].patches) == 12
