"""A changed group under review: what is decided there is in force at once, and is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

FIRST = '''
"""Orders and letters."""

from stepwell.schedules import Every
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("shop")


@group.workflow(schedule=Every(seconds=86400))
class CountOrders:
    limit: int = 100

    @operation
    def count(self, limit: int) -> int:
        """Count them."""
        return limit


@group.workflow()
class SendReminders:
    @operation
    def send(self) -> None:
        """Send them."""
'''

ADDED = '''

@group.workflow()
class TidyUp:
    days: int = 30

    @operation
    def find(self, days: int) -> list[str]:
        """Find what is old."""
        return [str(days)]

    @operation(timeout=60)
    def tidy(self, find: list[str]) -> int:
        """Tidy it up."""
        return len(find)
'''

SECOND = FIRST.replace("limit: int = 100", "limit: int = 500").partition("\n\n@group.workflow()")[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server with a group whose image has one workflow more, one less, and one other."""
    with serving(tmp_path_factory.mktemp("shop")) as site:
        source = site.shell.folder / "shop.py"
        source.write_text(FIRST)
        site.shell.good("groups", "register", source)
        site.shell.good("groups", "approve", "shop", "--reason", "first release")
        source.write_text(SECOND + ADDED)
        site.shell.good("groups", "discover", "shop")
        yield site


def reviewed(page: Page, shop: Site) -> None:
    page.goto(shop.link("/review"))
    page.get_by_role("link", name="shop", exact=True).click()
    expect(page).to_have_title("Review: shop · Stepwell")


# Before anything of what the one before has done is drawn.
AT_ONCE = """keys => keys.forEach(key => document.body.dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""


def test_keys_pressed_at_once_go_as_far_and_decide_only_what_was_seen(
    visit: Visit, shop: Site
) -> None:
    page = visit("reviewer", at=shop)
    reviewed(page, shop)
    names = page.get_by_role("navigation", name="Workflows").get_by_role("button")
    expect(names).to_have_count(3)
    page.evaluate(AT_ONCE, ["k", "k", "j", "j"])
    expect(names.nth(2)).to_have_attribute("aria-current", "true")

    names.first.click()
    expect(names.first).to_have_attribute("aria-current", "true")
    page.evaluate(AT_ONCE, ["a", "d"])
    expect(page.get_by_role("button", name="Apply 1 accept", exact=True)).to_be_visible()


def test_one_is_accepted_one_rejected_one_held_in_one_act(visit: Visit, shop: Site) -> None:
    page = visit("reviewer", at=shop)
    reviewed(page, shop)
    expect(page.get_by_text("The default of limit changes from 100 to 500.")).to_be_visible()
    axe_in_both_themes(page)

    workflows = page.get_by_role("navigation", name="Workflows")
    choose = page.get_by_role("group", name=re.compile("accepts"))
    for workflow, choice in (
        ("tidy-up", "Accept"),
        ("count-orders", "Reject"),
        ("send-reminders", "Hold"),
    ):
        workflows.get_by_role("button", name=workflow).click()
        choose.get_by_role("button", name=choice).click()
    page.get_by_role("button", name="Apply 1 accept, 1 reject, 1 hold").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("stepwell groups approve shop tidy-up")).to_be_visible()
    dialog.get_by_label("Reason").fill("tidy first")
    dialog.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Release 2 is in force.")).to_be_visible()

    group = shop.api.get("/groups/shop")
    assert group["release"] == 2
    assert sorted(group["workflows"]) == ["count-orders", "send-reminders", "tidy-up"]
    detail = shop.api.get("/workflows/shop/count-orders")
    assert detail["entry"]["parameters"]["properties"]["limit"]["default"] == 100
    assert detail["versions"][0]["release"] == 1
    (entry,) = (
        one
        for one in shop.api.items("/audit", 50)
        if one["action"].startswith("review") or "decide" in one["action"]
        if one.get("reason") == "tidy first"
    )
    assert entry["actor"] == "reviewer"

    page.goto(shop.link("/workflows"))
    expect(page.get_by_role("link", name="shop/tidy-up")).to_be_visible()


def test_who_may_not_decide_sees_why(visit: Visit, shop: Site) -> None:
    page = visit("viewer", at=shop)
    reviewed(page, shop)
    button = page.get_by_role("button", name="Accept all")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("aria-description", re.compile("reviewer"))
    for key in ("a", "d", "h"):
        page.keyboard.press(key)
    expect(page.get_by_text("Reviewers decide here; you can read and comment")).to_be_visible()
    expect(page.get_by_role("button", name="Clear")).to_have_count(0)


def test_where_two_must_decide_the_first_waits_for_another(visit: Visit, shop: Site) -> None:
    """Whoever proposes cannot confirm, and is told so before the dialog and not by it."""
    shop.api.patch("/groups/shop", {"two_person": True})
    source = shop.shell.folder / "shop.py"
    source.write_text(source.read_text().replace("limit: int = 500", "limit: int = 700"))
    shop.shell.good("groups", "discover", "shop")
    first, second = visit("reviewer", at=shop), visit("admin", at=shop)
    reviewed(first, shop)
    first.get_by_role("button", name="Accept all").click()
    first.get_by_role("button", name=re.compile("^Apply")).click()
    dialog = first.get_by_role("dialog")
    expect(dialog.get_by_text("A second reviewer must confirm what you apply.")).to_be_visible()
    dialog.get_by_label("Reason").fill("more orders")
    dialog.get_by_role("button", name=re.compile("^Apply")).click()
    confirm = first.get_by_role("button", name="Confirm")
    expect(confirm).to_have_attribute("aria-description", re.compile("your own proposal"))
    accept = first.get_by_role("button", name="Accept", exact=True)
    expect(accept).to_have_attribute("aria-disabled", "true")
    first.keyboard.press("a")
    expect(first.get_by_text("Decisions wait for another reviewer")).to_be_visible()

    reviewed(second, shop)
    second.get_by_role("button", name="Confirm").click()
    second.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(second.get_by_role("button", name="Confirm")).to_have_count(0)
    assert shop.api.get("/groups/shop")["release"] == 3
