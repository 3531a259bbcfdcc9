"""On a phone: long names fit, tabs stay in one row, and a failed run leads to its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.cli.shell import wait
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import fits
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}
GROUP = "finance-reporting-and-regulatory-submissions-of-all-regions"
SOURCE = f'''
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("{GROUP}")


@group.workflow()
class Load:
    order: int = 12345678901234567890

    @operation
    def load(self, order: int) -> int:
        """Fail."""
        print("asking for", order)
        raise ValueError("there is no such order")
'''


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A group of a long name: its run has failed, and then what was found in it is none."""
    with serving(tmp_path_factory.mktemp("long")) as site:
        file = site.shell.folder / "load.py"
        file.write_text(SOURCE)
        site.shell.good("groups", "register", file)
        site.shell.good("groups", "approve", GROUP, "--reason", "first release")
        given = {"parameters": {"order": 2**63 + 1}}
        run = site.api.post(f"/workflows/{GROUP}/load/runs", given)["id"]
        wait(lambda: site.api.get(f"/runs/{run}")["state"] == "failed", site.shell.log("serve"))
        file.write_text(SOURCE.replace("class Load", f"class {'Load' * 20}"))
        assert site.shell.type("groups", "discover", GROUP).code != 0
        yield site


@pytest.fixture
def page(long: Site, visit: Visit) -> Page:
    return visit("operator", at=long, viewport=PHONE)


@pytest.fixture
def run(long: Site) -> str:
    """The path of the failed run."""
    [one] = long.api.get("/runs?q=state:failed")["items"]
    return f"/runs/{one['id']}"


def inside(page: Page, what: Locator) -> None:
    """It can be seen from its left edge to its right one."""
    box = what.bounding_box()
    assert box is not None
    assert box["x"] >= 0, box
    assert box["x"] + box["width"] <= PHONE["width"], box
    assert what.evaluate("one => one.scrollWidth <= one.clientWidth + 1")


def test_long_names_fit_where_nothing_waits_and_where_discoveries_failed(
    page: Page, long: Site
) -> None:
    page.goto(long.link("/review"))
    inside(page, page.get_by_role("button", name=f"Discover {GROUP} again"))
    fits(page)
    page.get_by_role("tab", name="Errors").click()
    inside(page, page.get_by_role("button", name="Discover again"))
    trigger = page.get_by_text("request", exact=True).bounding_box()
    assert trigger is not None
    assert trigger["height"] < 30, "a word stands in one line"
    fits(page)


def test_the_tabs_of_a_run_and_of_a_workflow_stand_in_one_row(
    page: Page, long: Site, run: str
) -> None:
    for path in (run, f"/workflows/{GROUP}/load"):
        page.goto(long.link(path))
        tabs = page.get_by_role("tab")
        expect(tabs).to_have_count(6)
        tops = {box["y"] for one in tabs.all() if (box := one.bounding_box()) is not None}
        assert len(tops) == 1, tops
        inside(page, tabs.last)
        fits(page)


def test_a_failed_run_leads_to_the_log_of_what_failed(page: Page, long: Site, run: str) -> None:
    page.goto(long.link(run))
    page.get_by_role("link", name="Its log").click()
    expect(page.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("asking for 9223372036854775809")).to_be_visible()


def test_a_long_number_is_shown_and_sent_again_as_it_was_given(
    page: Page, long: Site, run: str
) -> None:
    page.goto(long.link(run))
    expect(page.get_by_text("9223372036854775809").first).to_be_visible()
    page.get_by_role("button", name="Run again").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="As a new request").check()
    with page.expect_request("**/repeats") as sent:
        dialog.get_by_role("button", name="Start it").click()
    assert '"order":9223372036854775809' in (sent.value.post_data or "")
