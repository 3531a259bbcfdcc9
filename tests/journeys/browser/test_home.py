"""The first page: what failed and for which causes, and how it leaves the page again."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.cli.shell import wait
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

REFUSED, NEGATIVE = 24, 13

GROUP = '''"""Prices from a feed that is there or not."""

from pathlib import Path

from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("shop")


@group.workflow()
class LoadPrices:
    feed: int = 0

    @operation
    def load(self, feed: int) -> int:
        if Path({there!r}).exists():
            return feed
        if feed < {refused}:
            raise ConnectionError("connection refused to db:5432")
        raise ValueError("the price of AAPL is negative")
'''


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What has to be there for runs to succeed."""
    return tmp_path_factory.mktemp("fix") / "there"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, bundle: Path, there: Path) -> Iterator[Site]:
    """A server on which 37 runs have failed for two causes."""
    with serving(tmp_path_factory.mktemp("shop")) as site:
        source = site.shell.folder / "shop.py"
        source.write_text(GROUP.format(there=str(there), refused=REFUSED))
        site.shell.good("groups", "register", source)
        site.shell.good("groups", "approve", "shop", "--reason", "first release")
        for feed in range(REFUSED + NEGATIVE):
            site.api.post("/workflows/shop/load-prices/runs", {"parameters": {"feed": feed}})
        for failed in range(1, REFUSED + NEGATIVE + 1):  # each of them may take its time
            wait(partial(has_failed, site, failed), site.shell.log("serve"))
        yield site


def has_failed(site: Site, number: int) -> bool:
    """Whether so many runs have failed."""
    return int(site.api.get("/causes")["runs"]) >= number


def test_37_failures_of_2_causes_are_two_rows_and_leave_when_their_re_runs_pass(
    shop: Site, there: Path, visit: Any
) -> None:
    page: Page = visit("operator", at=shop)
    page.goto(shop.link("/"))
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("37 runs failing for 2 causes")
    rows = page.get_by_role("list", name="Failures by cause").get_by_role("listitem")
    expect(rows).to_have_count(2)
    refused = rows.filter(has_text="connection refused to db:5432")
    negative = rows.filter(has_text="the price of AAPL is negative")
    expect(refused).to_contain_text("24")
    expect(negative).to_contain_text("13")
    axe_in_both_themes(page)
    there.write_text("fixed")
    for row, count in ((refused, REFUSED), (negative, NEGATIVE)):
        row.get_by_role("button", name="Re-run all").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").fill("the database is back")
        dialog.get_by_role("button", name=f"Re-run {count} runs").click()
        expect(page.get_by_role("region", name="The re-runs begin")).to_be_visible()
        expect(page.get_by_text("All of them have passed.")).to_be_visible(timeout=300_000)
        # What is said may yet be about the re-runs before.
        expect(row).to_have_count(0, timeout=300_000)
    repeated = shop.api.get("/runs", q="state:succeeded", limit=100)["items"]
    assert len(repeated) == REFUSED + NEGATIVE
    assert all(one["repeat_of"] for one in repeated)
    expect(heading).to_contain_text("Nothing is failing")


def test_where_all_is_well_the_page_is_calm(shop: Site, visit: Any) -> None:
    page: Page = visit("viewer", at=shop)
    page.goto(shop.link("/"))
    expect(page.get_by_role("heading", name="Failures by cause")).to_have_count(0)
    expect(page.get_by_role("region", name="Now", exact=True)).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_role("table", name="Runs per hour")).to_be_visible()
    axe_in_both_themes(page)
    for width in (1024, 390):
        page.set_viewport_size({"width": width, "height": 800})
        fits(page)


def test_the_first_steps_tick_themselves_and_can_be_closed(shop: Site, visit: Any) -> None:
    page: Page = visit("admin", at=shop)
    page.goto(shop.link("/"))
    steps = page.get_by_role("region", name="First steps")
    expect(steps.get_by_role("list", name="done")).to_contain_text("Run once")
    expect(steps.get_by_role("list", name="to do")).to_contain_text("Schedule it")
    steps.get_by_role("link", name="Every weekday at 07:30").click()
    expect(page.get_by_label("Cron expression")).to_have_value("30 7 * * MON-FRI")
    page.goto(shop.link("/"))
    page.get_by_role("button", name="Close; it comes back under Keys").click()
    expect(steps).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(steps).to_have_count(0)
    page.keyboard.press("?")
    page.get_by_role("link", name="First steps").click()
    expect(steps).to_be_visible()
