"""A known cause of failures is muted with a reason until a day, and shown again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.cli.shell import wait
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

REFUSED, NEGATIVE = "connection refused to db:5432", "the price of AAPL is negative"

SOURCE = f'''
"""Prices that never come."""

from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("feeds")


@group.workflow()
class LoadFeed:
    feed: int = 0

    @operation
    def load(self, feed: int) -> int:
        if feed == 0:
            raise ValueError("{NEGATIVE}")
        raise ConnectionError("{REFUSED}")
'''


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server on which three runs have failed for two causes."""
    with serving(tmp_path_factory.mktemp("feeds")) as site:
        source = site.shell.folder / "feeds.py"
        source.write_text(SOURCE)
        site.shell.good("groups", "register", source)
        site.shell.good("groups", "approve", "feeds", "--reason", "first release")
        for feed in range(3):
            site.api.post("/workflows/feeds/load-feed/runs", {"parameters": {"feed": feed}})
        wait(lambda: site.api.get("/causes")["runs"] == 3, site.shell.log("serve"))
        yield site


def at_home(page: Page, site: Site) -> Locator:
    """The rows of the causes."""
    page.goto(site.link("/"))
    return page.get_by_role("list", name="Failures by cause").get_by_role("listitem")


def chosen(page: Page, cause: str, act: str) -> Locator:
    """The item of a cause's menu."""
    page.get_by_role("button", name=re.compile(f"More: .*{cause}")).click()
    return page.get_by_role("menuitem", name=act)


def test_a_cause_is_muted_until_a_day_seen_as_muted_and_shown_again(
    visit: Visit, feeds: Site
) -> None:
    page = visit("operator", at=feeds)
    rows = at_home(page, feeds)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("3 runs failing for 2 causes")
    expect(rows).to_have_count(2)
    chosen(page, REFUSED, "Mute").click()
    dialog = page.get_by_role("dialog", name="Mute this cause")
    mute = dialog.get_by_role("button", name="Mute")
    until = date.today() + timedelta(days=10)
    dialog.get_by_label("Another day").check()
    expect(mute).to_be_disabled()
    dialog.locator("input[type=date]").fill(until.isoformat())
    expect(mute).to_be_disabled()
    dialog.get_by_label("Reason").fill("the supplier mends it by then")
    axe_in_both_themes(page)
    mute.click()
    expect(dialog).to_have_count(0)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(NEGATIVE)
    expect(heading).to_contain_text("1 run failing for 1 cause")

    page.get_by_role("button", name="1 muted").click()
    muted = rows.filter(has_text=REFUSED)
    expect(muted).to_contain_text("Muted by operator: the supplier mends it by then. Until")
    expect(muted).to_contain_text(f"{until.day} {until:%b}")
    page.reload()
    expect(muted).to_contain_text("Muted by operator")
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    page.set_viewport_size({"width": 1440, "height": 900})

    [held] = [one["muted"] for one in feeds.api.get("/causes", muted=True)["items"] if one["muted"]]
    ends = datetime.fromisoformat(held["until"]).astimezone(UTC)
    assert abs(ends - datetime.now(UTC) - timedelta(days=10)) < timedelta(days=1, hours=1)

    chosen(page, REFUSED, "Show again").click()
    expect(page.get_by_text("Muted by operator")).to_have_count(0)
    expect(heading).to_contain_text("3 runs failing for 2 causes")
    expect(at_home(page, feeds)).to_have_count(2)
    acts = feeds.api.get("/audit", actor="operator")["items"]
    assert [one["action"] for one in acts[:2]] == ["cause.unmute", "cause.mute"]


def test_who_may_only_look_sees_that_to_mute_is_not_theirs(visit: Visit, feeds: Site) -> None:
    page = visit("viewer", at=feeds)
    expect(at_home(page, feeds)).to_have_count(2)
    act = chosen(page, NEGATIVE, "Mute")
    expect(act).to_have_attribute("aria-disabled", "true")
    act.click(force=True)
    expect(page.get_by_role("dialog")).to_have_count(0)
