"""The list of runs: narrowed by dragging, read in chosen columns, kept as a view, compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.mill import milling
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    with milling(tmp_path_factory.mktemp("mill")) as site:
        yield site


def listed(visit: Visit, mill: Site, role: str = "operator", query: str = "") -> Page:
    page = visit(role, at=mill)
    page.goto(mill.link(f"/runs{query}"))
    expect(page.get_by_role("heading", name="Runs", level=1)).to_be_visible()
    return page


def test_a_part_of_the_histogram_that_is_dragged_over_becomes_a_filter(
    visit: Visit, mill: Site
) -> None:
    page = listed(visit, mill)
    plot = page.get_by_role("img", name=re.compile("Runs by the time they were made"))
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    high = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, high)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, high, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since.*until"))
    expect(page.get_by_role("row").filter(has_text="grind")).to_have_count(4)


def test_a_query_is_kept_as_a_view_with_its_columns_that_others_see(
    visit: Visit, mill: Site
) -> None:
    page = listed(visit, mill, query="?q=workflow:grind input.sacks:0")
    expect(page.get_by_role("row").filter(has_text="grind")).to_have_count(1)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Attempt").check()
    page.get_by_role("button", name="Input: Move to the left").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("columnheader", name="Attempt")).to_be_visible()
    expect(page.locator("th:has-text('Input') ~ th:text-is('Note')")).to_be_visible()

    page.get_by_role("button", name="Save this view").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name of the view").fill("Empty sacks")
    dialog.get_by_label("Everybody sees it").check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)

    other = listed(visit, mill, "viewer")
    other.get_by_role("link", name="Empty sacks").click()
    expect(other.get_by_role("row").filter(has_text="grind")).to_have_count(1)
    expect(other.get_by_role("columnheader", name="Attempt")).to_be_visible()
    axe_in_both_themes(other)
    said = mill.shell.good("runs", "list", "workflow:grind input.sacks:0").out
    assert len(said.splitlines()) == 2  # the head, and that run


def test_where_nothing_fits_the_word_that_hides_most_can_be_left_out(
    visit: Visit, mill: Site
) -> None:
    page = listed(visit, mill, query="?q=workflow:grind state:cancelled")
    main = page.get_by_role("main")
    expect(main.get_by_text(re.compile("No run fits"))).to_be_visible()
    main.get_by_role("button", name=re.compile("^Without state:cancelled")).click()
    expect(page.get_by_role("row").filter(has_text="grind")).to_have_count(4)


def test_two_runs_are_laid_beside_each_other(visit: Visit, mill: Site) -> None:
    page = listed(visit, mill, query="?q=input.sacks:0,1")
    rows = page.get_by_role("row").filter(has_text="grind")
    expect(rows).to_have_count(2)
    for row in rows.all():
        row.get_by_role("checkbox").check()
    page.get_by_role("region", name="2 selected").get_by_text("Compare").click()
    expect(page).to_have_url(re.compile("/compare/"))
    expect(page.get_by_text("grind was done, and is failed.")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def test_what_the_query_finds_is_written_to_a_file(visit: Visit, mill: Site) -> None:
    page = listed(visit, mill, query="?q=state:failed")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as loading:
        page.get_by_role("menuitem", name=re.compile("CSV")).click()
    head, *lines = Path(loading.value.path()).read_text().splitlines()
    assert "workflow" in head
    assert len(lines) == 1
