"""The first steps, each from its own line of the list, on a server where nothing was done yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

LONG = 110_000


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server on which nothing was done but to make its accounts."""
    with serving(tmp_path_factory.mktemp("fresh")) as site:
        yield site


def steps_of(page: Page) -> Locator:
    return page.get_by_role("region", name="First steps")


def ticked(page: Page, name: str) -> None:
    """The line has ticked itself; nobody has loaded the page again."""
    done = steps_of(page).get_by_role("list", name="done")
    expect(done).to_contain_text(name, timeout=LONG)


def test_a_new_server_is_led_from_nothing_to_a_scheduled_workflow(
    fresh: Site, visit: Visit
) -> None:
    page = visit("admin", at=fresh)
    page.goto(fresh.link("/"))
    steps = steps_of(page)
    ticked(page, "Engine running")
    expect(steps).to_contain_text(
        re.compile(r"Stepwell \S+ on sqlite:///.*; what it keeps is in /")
    )
    axe_in_both_themes(page)

    expect(steps.get_by_role("link", name="A folder or file")).to_be_visible()
    steps.get_by_role("button", name="Load the demo").click()
    ticked(page, "Find workflows")

    expect(steps).to_contain_text("stepwell-demo waits for a decision.", timeout=LONG)
    expect(steps).to_contain_text("stepwell groups review stepwell-demo")
    steps.get_by_role("link", name="Open Review").click()
    toured(page)
    accepted(page)

    page.goto(fresh.link("/"))
    ticked(page, "Review and accept")
    expect(steps).to_contain_text("stepwell runs start stepwell-demo fetch-prices --wait")
    steps.get_by_role("button", name="Run fetch-prices and watch it").click()
    expect(page).to_have_url(re.compile("/runs/"))
    main = page.get_by_role("main")
    expect(main.get_by_text("succeeded").first).to_be_visible(timeout=LONG)
    expect(main).to_contain_text("×3")

    page.goto(fresh.link("/"))
    ticked(page, "Run once")
    steps.get_by_role("link", name="Every weekday at 07:30").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Cron expression")).to_have_value("30 7 * * MON-FRI")
    expect(dialog.get_by_role("combobox", name="Workflow")).to_have_value(
        re.compile("fetch-prices")
    )
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    [made] = fresh.api.get("/schedules")["items"]
    assert made["workflow"] == "fetch-prices"

    page.goto(fresh.link("/"))
    expect(steps).to_have_count(0)  # all is done: the accounts are there
    page.goto(fresh.link("/?first=1"))
    ticked(page, "Make it yours")
    steps.get_by_role("button", name="Remove the demo").click()
    expect(steps).to_contain_text("No workflow group is known yet.", timeout=LONG)
    assert fresh.api.get("/groups")["items"] == []
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def toured(page: Page) -> None:
    """Three things are pointed out, and each is on the page."""
    for number, title in enumerate(("What is different", "What accepting does", "Decide"), 1):
        expect(page.get_by_text(title, exact=True).last).to_be_visible()
        expect(page.get_by_text(f"{number} of 3")).to_be_visible()
        page.get_by_role("button", name="Done" if number == 3 else "Next").last.click()
    expect(page.get_by_text("3 of 3")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("tour"))


def accepted(page: Page) -> None:
    """All that is offered."""
    page.get_by_role("button", name="Accept all").click()
    page.get_by_role("button", name=re.compile("^Apply")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("to try it")
    dialog.get_by_role("button", name=re.compile("Apply")).click()
    expect(dialog).to_have_count(0)


def test_the_last_line_leads_to_all_that_makes_it_ones_own(fresh: Site, visit: Visit) -> None:
    page = visit("admin", at=fresh)
    page.route("**/api/v1/first-run", without_accounts)
    page.goto(fresh.link("/?first=1"))
    own = steps_of(page).get_by_role("listitem").filter(has_text="Make it yours")
    for command in ("users create", "tokens create", "doctor kubernetes", "backup"):
        expect(own).to_contain_text(f"stepwell {command}")
    for link, part in (("Accounts", "users"), ("A token", "tokens"), ("Kubernetes", "launchers")):
        href = re.compile(f"/settings.page={part}")
        expect(own.get_by_role("link", name=link)).to_have_attribute("href", href)


def without_accounts(route: Route) -> None:
    """What a server answers that has all but accounts; whoever logs in has one."""
    found = route.fetch().json()
    for one in found["items"]:
        one["done"] = one["task"] != "own"
    route.fulfill(json={**found, "done": False})


def test_a_group_that_cannot_be_read_is_told_with_what_was_seen_and_what_to_do(
    fresh: Site, visit: Visit
) -> None:
    fresh.api.post("/groups", {"name": "broken", "image": "/nowhere/broken.py"})
    page = visit("admin", at=fresh)
    page.goto(fresh.link("/?first=1"))
    steps = steps_of(page)
    found = steps.get_by_role("listitem").filter(has_text="Find workflows")
    expect(found).to_contain_text("broken:", timeout=LONG)
    expect(found).to_contain_text("What to do:")
