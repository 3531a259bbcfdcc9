"""Metrics: figures of real runs, a closer look by dragging, a target that is set and dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.mill import milling
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow

# Pressed, moved and let go with no frame drawn between: so it is where the machine is busy.
AT_ONCE = """chart => {
  const { left, right, top, height } = chart.getBoundingClientRect();
  const mouse = (kind, clientX) => chart.dispatchEvent(
    new MouseEvent(kind, { clientX, clientY: top + height / 2, bubbles: true }));
  mouse("mousemove", (left + right) / 2);
  mouse("mousedown", (left + right) / 2);
  for (const back of [100, 50, 8]) mouse("mousemove", right - back);
  mouse("mouseup", right - 8);
}"""


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    with milling(tmp_path_factory.mktemp("mill")) as site:
        yield site


def opened(visit: Visit, mill: Site, role: str, query: str = "") -> Page:
    page = visit(role, at=mill)
    page.goto(mill.link(f"/metrics{query}"))
    expect(page.get_by_role("heading", name="Metrics", level=1)).to_be_visible()
    return page


def charted(visit: Visit, mill: Site) -> tuple[Page, Locator]:
    """The page of a day, and its first chart."""
    page = opened(visit, mill, "viewer", "?range=24h")
    chart = page.locator("main svg.recharts-surface[role=application]").first
    expect(chart).to_be_visible()
    return page, chart


def test_the_figures_are_those_of_the_api_over_every_range(visit: Visit, mill: Site) -> None:
    page = opened(visit, mill, "viewer")
    main = page.get_by_role("main")
    ranges = page.get_by_role("radiogroup", name="Time range")
    for range_ in ("1 h", "6 h", "24 h", "7 d", "30 d", "90 d"):
        ranges.get_by_text(range_, exact=True).click()
        figures = main.locator("dl").first
        expect(figures).to_contain_text("3 of 4")  # they succeeded
        expect(figures).to_contain_text("1 of 4")
    expect(main.get_by_text("there is nothing to grind")).to_be_visible()
    page.get_by_role("button", name="Show as a table").click()
    table = page.get_by_role("table", name="Runs and their time, the newest first")
    expect(table.get_by_role("row").nth(1)).to_be_visible()
    axe_in_both_themes(page)
    page.get_by_role("button", name="Show as a picture").click()
    expect(table).to_have_count(0)
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("format=csv"))
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    last = ranges.get_by_text("90 d", exact=True).bounding_box()
    assert last is not None
    assert last["x"] + last["width"] < 390


def test_what_is_dragged_over_is_looked_at_closer_and_a_bar_leads_to_its_runs(
    visit: Visit, mill: Site
) -> None:
    page, chart = charted(visit, mill)
    chart.hover()
    box = chart.bounding_box()
    assert box is not None
    high, right = box["y"] + box["height"] / 2, box["x"] + box["width"] - 8
    page.mouse.move(right - 150, high)
    page.mouse.down()
    page.mouse.move(right, high, steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from="))
    expect(page).to_have_url(re.compile("to="))
    expect(page.locator("main dl").first).to_contain_text("3 of 4")
    out = page.get_by_role("button", name="Zoom out")
    out.click()
    expect(out).to_have_count(0)
    expect(page.locator("main [aria-busy=true]")).to_have_count(0)

    bars = [one.bounding_box() for one in page.locator("main .recharts-bar-rectangle path").all()]
    bar = next(one for one in bars if one and one["height"] > 10)
    middle = bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2
    page.mouse.move(*middle)
    told = page.locator("main .recharts-tooltip-wrapper").first
    expect(told).to_contain_text("succeeded")
    # All four, unless an hour has ended between them: then there are two bars.
    runs = sum(map(int, re.findall(r"(?:succeeded|failed)\D*(\d+)", told.inner_text())))
    page.mouse.click(*middle)
    expect(page).to_have_url(re.compile("/runs.q=.*since"))
    expect(page.get_by_role("row").filter(has_text="grind")).to_have_count(runs)


def test_however_quick_the_hand_all_that_it_dragged_over_is_looked_at(
    visit: Visit, mill: Site
) -> None:
    page, chart = charted(visit, mill)
    chart.evaluate(AT_ONCE)
    expect(page).to_have_url(re.compile("from="))
    expect(page.locator("main dl").first).to_contain_text("3 of 4")


def test_a_target_is_set_with_its_budget_and_dropped_again(visit: Visit, mill: Site) -> None:
    page = opened(visit, mill, "operator", "?group=mill&workflow=grind")
    page.get_by_role("button", name="Set a target").click()
    dialog = page.get_by_role("dialog", name="Hold a workflow to a target")
    expect(dialog.get_by_role("button", name="Set a target")).to_be_disabled()
    dialog.get_by_label("Success, in percent").fill("99")
    dialog.get_by_label("p95, in seconds").fill("1200")
    dialog.get_by_label("Reason").fill("so it is promised")
    command = "stepwell targets set mill/grind --success 0.99 --p95 1200 --reason"
    expect(dialog.get_by_text(re.compile(command))).to_be_visible()
    dialog.get_by_role("button", name="Set a target").click()
    expect(dialog).to_have_count(0)
    targets = page.get_by_role("table", name="Targets")
    expect(targets.get_by_role("row").filter(has_text="success")).to_contain_text("75.0 %")
    expect(targets.get_by_role("row").filter(has_text="p95")).to_contain_text("too few runs yet")
    axe_in_both_themes(page)
    [made] = mill.api.get("/targets")
    assert made["reason"] == "so it is promised"

    targets.get_by_role("button", name="Drop mill/grind success").click()
    page.get_by_role("dialog").get_by_role("button", name="Drop").click()
    expect(targets).to_have_count(0)


def test_who_may_only_look_sees_who_may_set_a_target(visit: Visit, mill: Site) -> None:
    page = opened(visit, mill, "viewer")
    button = page.get_by_role("button", name="Set a target")
    expect(button).to_have_attribute("aria-disabled", "true")
