"""The catalog and a workflow's page: what would be started, and what is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow

WORKFLOW = "/workflows/weather/year-in-review"


def runs_of(site: Site) -> int:
    query = "group:weather workflow:year-in-review"
    return int(site.api.get("/runs/counts", q=query, exact=True)["count"])


def test_a_dry_run_says_what_would_be_started_and_starts_nothing(page: Page, site: Site) -> None:
    before = runs_of(site)
    page.goto(site.link(WORKFLOW))
    page.get_by_role("button", name="Run now").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("year").fill("2015")
    dialog.get_by_role("button", name="Dry run").click()
    plan = dialog.get_by_role("status", name="What would be started")
    expect(plan).to_contain_text("Would start 1 process on the server's machine.")
    expect(plan).to_contain_text("Nothing would hold it up.")
    expect(plan).to_contain_text("year=2015")
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    axe_in_both_themes(page)
    dialog.get_by_label("year").fill("2016")
    expect(plan).to_have_count(0)  # it was of another year
    assert runs_of(site) == before


def test_a_dry_run_names_the_limit_that_a_run_would_wait_for(page: Page, site: Site) -> None:
    limit = {"kind": "workflow", "name": "weather/year-in-review", "slots": 0, "reason": "a test"}
    site.api.post("/run-limits", limit)
    try:
        page.goto(site.link(f"{WORKFLOW}?start=true"))
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("year").fill("2015")
        dialog.get_by_role("button", name="Dry run").click()
        plan = dialog.get_by_role("status", name="What would be started")
        expect(plan).to_contain_text("It would wait")
        expect(plan).to_contain_text("'a test'. The workflow weather/year-in-review has no slots.")
    finally:
        site.shell.good("pools", "remove", "--workflow", "weather/year-in-review")


def test_the_catalog_is_searched_by_a_tag_and_folded_into_groups(page: Page, site: Site) -> None:
    page.goto(site.link("/workflows"))
    expect(page.get_by_role("link", name="weather/load-weather")).to_be_visible()
    page.get_by_role("searchbox").fill("recovery")
    expect(page.get_by_role("link", name="weather/load-weather")).to_have_count(0)
    expect(page.get_by_role("table").get_by_text("recovery")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_text("By group", exact=True).click()
    groups = page.get_by_role("heading", level=2)
    expect(groups).to_have_text(["flaky", "weather"])
    expect(page.get_by_role("table", name="weather")).to_be_visible()
    groups.nth(1).click()
    expect(page.get_by_role("table", name="weather")).to_have_count(0)
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    axe_in_both_themes(page)


def test_a_search_field_is_kept_while_the_list_follows_what_is_typed(
    page: Page, site: Site
) -> None:
    page.goto(site.link("/workflows"))
    search = page.get_by_role("searchbox")
    search.press_sequentially("reco")
    expect(page).to_have_url(re.compile("text=reco"))
    expect(search).to_be_focused()
    page.keyboard.type("very")
    expect(search).to_have_value("recovery")
    expect(page).to_have_url(re.compile("text=recovery"))


def test_where_nothing_waits_for_review_it_is_said_when_it_was_looked_last(
    page: Page, site: Site
) -> None:
    page.goto(site.link("/review"))
    expect(page.get_by_role("heading", name="Nothing waits for review")).to_be_visible()
    expect(page.get_by_text("Last discovery")).to_contain_text("succeeded")
    before = len(list(site.api.items("/discoveries", 50)))
    page.get_by_role("button", name="again").click()
    expect(page.get_by_text("Discovery begun")).to_be_visible()
    assert len(list(site.api.items("/discoveries", 50))) == before + 1
    axe_in_both_themes(page)
