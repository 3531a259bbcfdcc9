"""State that a person edits, and what becomes of an edit that somebody else has overtaken."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.conftest import Visit, Watches
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow

GROUP = "weather"


def kept(site: Site, key: str, value: Any) -> None:
    """Write the first version of a key."""
    body = {"value": value, "expect_version": 0, "reason": "for a start"}
    site.api.post(f"/state/{GROUP}/edits", body, scope="group", key=key)


def versions(site: Site, key: str) -> list[dict[str, Any]]:
    """All of them, the oldest first."""
    found = site.api.get(f"/state/{GROUP}/history", scope="group", key=key)
    return list(reversed(found["items"]))


def drawer_of(page: Page, site: Site, key: str) -> Locator:
    page.goto(site.link(f"/state?group={GROUP}"))
    page.get_by_role("row").filter(has_text=key).click()
    return page.get_by_role("complementary", name=key)


def editing(page: Page, site: Site, key: str) -> Locator:
    """The dialog, which knows the version that it was opened with."""
    drawer_of(page, site, key).get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name=f"Edit {key}")
    expect(dialog).to_be_visible()
    return dialog


def saved(dialog: Locator, text: str, reason: str) -> None:
    dialog.get_by_label("Value, as JSON").fill(text)
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Save").click()


def overtaken(mine: Page, theirs: Page, site: Site, key: str) -> Locator:
    """My dialog, after the other one has written 15 and I have tried to write 20."""
    dialog = editing(mine, site, key)
    other = editing(theirs, site, key)
    saved(other, '{"limit": 15}', "the market has calmed down")
    expect(other).to_have_count(0)
    saved(dialog, '{"limit": 20}', "more room for August")
    found = "Somebody else was faster: version 2 was written by reviewer"
    expect(dialog.get_by_text(found)).to_be_visible()
    return dialog


@pytest.fixture
def mine(visit: Visit, watches: Watches) -> Page:
    page = visit("operator")
    watches[page].allow(r"/state/weather/edits\S* .*409")
    return page


@pytest.fixture
def theirs(visit: Visit) -> Page:
    return visit("reviewer")


def test_an_operator_edits_a_value_and_its_history_says_what_changed_and_why(
    mine: Page, site: Site
) -> None:
    kept(site, "price-limit", {"limit": 10, "of": "EUR"})
    dialog = editing(mine, site, "price-limit")
    expect(dialog.get_by_label("Value, as JSON")).to_have_value(
        '{\n  "limit": 10,\n  "of": "EUR"\n}'
    )
    dialog.get_by_label("Value, as JSON").fill('{"limit": 10')
    expect(dialog.get_by_text("This is no JSON.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    axe_in_both_themes(mine)
    saved(dialog, '{"limit": 12, "of": "EUR"}', "the market is nervous")
    expect(dialog).to_have_count(0)

    drawer = mine.get_by_role("complementary", name="price-limit")
    expect(drawer.get_by_text("Version 2").first).to_be_visible()
    changes = drawer.get_by_role("list", name="Version 2 against 1")
    expect(changes.get_by_role("listitem")).to_have_count(1)
    expect(changes).to_contain_text("10")
    expect(changes).to_contain_text("12")
    assert versions(site, "price-limit")[-1]["written_by"] == "operator"
    [told] = site.api.get("/audit", action="state.edit", actor="operator", limit=1)["items"]
    assert told["reason"] == "the market is nervous"


def test_an_edit_that_was_overtaken_shows_both_and_overwrites_only_when_told_to(
    mine: Page, theirs: Page, site: Site
) -> None:
    kept(site, "order-limit", {"limit": 10})
    dialog = overtaken(mine, theirs, site, "order-limit")
    expect(dialog.get_by_text("limit: 15")).to_be_visible()
    expect(dialog.get_by_label("Value, as JSON")).to_have_value('{"limit": 20}')
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    axe_in_both_themes(mine)
    assert [one["value"]["limit"] for one in versions(site, "order-limit")] == [10, 15]

    dialog.get_by_role("button", name="Overwrite it").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    assert [one["value"]["limit"] for one in versions(site, "order-limit")] == [10, 15, 20]
    for page in (mine, theirs):
        drawer = page.get_by_role("complementary", name="order-limit")
        expect(drawer.get_by_text("limit: 20")).to_be_visible()


def test_who_takes_up_what_the_other_wrote_goes_on_from_there(
    mine: Page, theirs: Page, site: Site
) -> None:
    kept(site, "stock-limit", {"limit": 10})
    dialog = overtaken(mine, theirs, site, "stock-limit")
    dialog.get_by_role("button", name="Take up what is there now").click()
    expect(dialog.get_by_label("Value, as JSON")).to_have_value('{\n  "limit": 15\n}')
    mine.set_viewport_size({"width": 390, "height": 844})
    fits(mine)
    saved(dialog, '{"limit": 16}', "a little more")
    expect(dialog).to_have_count(0)
    assert [one["value"]["limit"] for one in versions(site, "stock-limit")] == [10, 15, 16]


def test_what_somebody_has_deleted_meanwhile_is_said_before_it_is_written_again(
    mine: Page, site: Site
) -> None:
    kept(site, "old-limit", {"limit": 10})
    dialog = editing(mine, site, "old-limit")
    gone = {"delete": True, "expect_version": 1, "reason": "nobody reads it"}
    site.api.post(f"/state/{GROUP}/edits", gone, scope="group", key="old-limit")
    saved(dialog, '{"limit": 11}', "it is needed")
    conflict = dialog.get_by_role("alert").filter(has_text="Somebody else was faster")
    expect(conflict).to_contain_text("version 2")
    expect(conflict).to_contain_text("deleted")
    dialog.get_by_role("button", name="Overwrite it").click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    assert versions(site, "old-limit")[-1]["value"] == {"limit": 11}


def test_who_may_only_look_sees_the_value_and_why_it_is_not_theirs_to_edit(
    visit: Visit, site: Site
) -> None:
    kept(site, "seen-limit", {"limit": 10})
    page = visit("viewer")
    drawer = drawer_of(page, site, "seen-limit")
    expect(drawer.get_by_text("limit: 10")).to_be_visible()
    button = drawer.get_by_role("button", name="Edit")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute(
        "aria-description", "Needs the role operator. Settings, Users says who has it."
    )


def test_a_whole_number_that_javascript_cannot_keep_is_shown_and_saved_as_it_is(
    mine: Page, site: Site
) -> None:
    big = 2**53 + 1
    kept(site, "last-id", {"id": big, "said": "a"})
    drawer = drawer_of(mine, site, "last-id")
    expect(drawer.get_by_text(f"id: {big}")).to_be_visible()
    drawer.get_by_role("button", name="Edit").click()
    dialog = mine.get_by_role("dialog", name="Edit last-id")
    saved(dialog, f'{{"id": {big}, "said": "b"}}', "another word")
    expect(dialog).to_have_count(0)
    assert versions(site, "last-id")[-1]["value"] == {"id": big, "said": "b"}


def test_a_group_is_narrowed_to_one_of_its_scopes(mine: Page, site: Site) -> None:
    kept(site, "of-all", 1)
    mine.goto(site.link(f"/state?group={GROUP}"))
    expect(mine.get_by_role("row").filter(has_text="of-all")).to_be_visible()
    mine.get_by_role("combobox", name="Scope").click()
    mine.get_by_role("option", name="workflow load-weather").click()
    expect(mine.get_by_role("row").filter(has_text="of-all")).to_have_count(0)
    expect(mine).to_have_url(f"{site.url}/state?group={GROUP}&scope=workflow:load-weather")
