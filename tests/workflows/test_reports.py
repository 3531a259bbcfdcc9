"""Reports: what is kept of each kind, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from pandas import DataFrame, NaT, Timestamp

from stepwell.workflows.errors import ReportInvalid
from stepwell.workflows.references import LARGEST
from stepwell.workflows.reports import Report, Reports


@pytest.fixture
def kept() -> list[Report]:
    return []


@pytest.fixture
def reports(kept: list[Report]) -> Reports:
    return Reports(kept.append)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        ([{"a": 1, "b": 2}, {"b": 3, "c": 4}], None, [[1, 2, None], [None, 3, 4]]),
        ([{"a": 1, "b": 2}], ["b"], [[2]]),
        ([(1, 2), (3, 4)], ["a", "b"], [[1, 2], [3, 4]]),
        (DataFrame({"a": [1, 2], "b": ["x", "y"]}), None, [[1, "x"], [2, "y"]]),
        ([{"day": date(2026, 1, 31)}], None, [["2026-01-31"]]),
        (DataFrame({"a": [1.5, None]}), None, [[1.5], [None]]),
        (
            DataFrame({"at": [NaT, Timestamp("2026-01-31")]}),
            None,
            [[None], ["2026-01-31T00:00:00"]],
        ),
        ([{"a": float("-inf")}], None, [["-inf"]]),
        ([], None, []),
    ],
)
def test_a_table_has_columns_and_rows(
    reports: Reports, kept: list[Report], rows: Any, columns: Any, expected: Any
) -> None:
    reports.table("figures", rows, columns)
    assert (kept[0].kind, kept[0].media_type) == ("table", "application/json")
    assert json.loads(kept[0].content)["rows"] == expected


def test_texts_carry_their_media_type(reports: Reports, kept: list[Report]) -> None:
    for kind in ("markdown", "html", "text", "svg"):
        getattr(reports, kind)(kind, "ä")
    assert [one.media_type for one in kept] == [
        "text/markdown",
        "text/html",
        "text/plain",
        "image/svg+xml",
    ]
    assert {one.content for one in kept} == {"ä".encode()}


def test_an_image_is_bytes_a_path_or_a_figure(
    reports: Reports, kept: list[Report], tmp_path: Path
) -> None:
    path = tmp_path / "chart.png"
    path.write_bytes(b"png")
    reports.image("bytes", b"gif", "image/gif")
    reports.image("path", path)
    reports.image("figure", Figure())
    assert [one.content[:4] for one in kept] == [b"gif", b"png", b"\x89PNG"]


def test_a_media_type_has_no_parameters(reports: Reports) -> None:
    with pytest.raises(ReportInvalid, match="no media type"):
        reports.file("rows", b"a,b", "text/csv; charset=utf-8")


def test_json_takes_models_and_dates(reports: Reports, kept: list[Report]) -> None:
    reports.json("value", {"day": date(2026, 1, 31), "some": {1, 2}})
    assert json.loads(kept[0].content) == {"day": "2026-01-31", "some": [1, 2]}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("text", "", "x"),
        ("text", "n" * 201, "x"),
        ("text", "two\nlines", "x"),
        ("text", "number", 1),
        ("json", "nan", float("nan")),
        ("json", "object", object()),
        ("table", "sequences", [(1, 2)]),
        ("table", "number", 3),
        ("file", "nowhere", "/no/such/file"),
        ("file", "large", b"x" * (LARGEST + 1)),
    ],
)
def test_what_cannot_be_kept_is_refused(
    reports: Reports, kept: list[Report], kind: str, name: str, value: Any
) -> None:
    with pytest.raises(ReportInvalid):
        getattr(reports, kind)(name, value)
    assert kept == []


def test_a_report_says_when_it_is_kept(reports: Reports, kept: list[Report]) -> None:
    reports.text("a", "x", every=10, on_failure=True, keep_days=3)
    assert (kept[0].every, kept[0].on_failure, kept[0].keep_days) == (10, True, 3)
    for wrong in ({"every": -1}, {"every": 0.5}, {"keep_days": 0}):
        with pytest.raises(ReportInvalid):
            reports.text("a", "x", **wrong)


def test_figures_and_frames_are_taken_as_they_are(reports: Reports, kept: list[Report]) -> None:
    """Of matplotlib as PNG, of Plotly as JSON; frames that say `to_dicts`, as of polars."""
    go = pytest.importorskip("plotly.graph_objects")
    figures = pytest.importorskip("matplotlib.figure")

    class Frame:
        def to_dicts(self) -> list[dict[str, int]]:
            return [{"a": 1}]

    figure = figures.Figure()
    reports.plot("drawn", figure.subplots())
    reports.plot("plotted", go.Figure(go.Bar(y=[1, 2])))
    reports.table("rows", Frame())
    assert kept[0].content.startswith(b"\x89PNG")
    assert (kept[1].kind, kept[1].media_type) == ("plot", "application/vnd.plotly.v1+json")
    assert b'"bar"' in kept[1].content
    assert kept[2].content == b'{"columns": ["a"], "rows": [[1]]}'
    with pytest.raises(ReportInvalid, match="matplotlib or Plotly"):
        reports.plot("none", object())
