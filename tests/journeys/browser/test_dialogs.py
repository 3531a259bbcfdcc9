"""Dialogs, drawers and menus: no sins for axe, also on a phone, and the focus comes back.

What is opened here is of every kind, by keys alone: a dialog keeps the focus, Esc closes it, and
the focus goes back to where it was opened from.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow

DIALOGS = {
    "/workflows/weather/year-in-review": "Run now",
    "/schedules": "Add a schedule",
    "/calendars": "Add a calendar",
    "/settings?page=sources": "Add a source",
    "/settings?page=groups": "Register a group",
    "/settings?page=groups#archive": "Archive weather",
    "/settings?page=limits": "Set a limit",
    "/settings?page=notifications": "Add a target",
    "/settings?page=users": "New user",
    "/settings?page=tokens": "New token",
}
"""Where, and the name of the button."""

_KEPT = """() => {
  const dialog = document.querySelector('[role=dialog]')
  return dialog !== null && dialog.contains(document.activeElement)
}"""


def begun(page: Page, site: Site, path: str) -> None:
    page.goto(site.link(path))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def looked_at(page: Page) -> None:
    """As it is open now: wide and narrow, light and dark."""
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    axe_in_both_themes(page)
    fits(page)


@pytest.mark.parametrize("path", DIALOGS)
def test_a_dialog_keeps_the_focus_and_gives_it_back(page: Page, site: Site, path: str) -> None:
    begun(page, site, path)
    button = page.get_by_role("button", name=DIALOGS[path], exact=True).first
    button.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_function(_KEPT)  # it takes the focus a moment later; nobody types that fast
    for _ in range(25):
        page.keyboard.press("Tab")
        assert page.evaluate(_KEPT), "the focus has left the dialog"
    page.keyboard.press("Escape")
    if page.get_by_role("listbox").count():  # the first Esc was that of an open list of choices
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    button.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    looked_at(page)


def test_a_menu_holds_only_its_items_and_gives_the_focus_back(page: Page, site: Site) -> None:
    begun(page, site, "/runs")
    button = page.get_by_role("button", name="Copy as")
    button.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    fits(page)
    axe_in_both_themes(page)
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(button).to_be_focused()


def test_the_palette_is_opened_and_left_by_keys(page: Page, site: Site) -> None:
    begun(page, site, "/settings?page=tokens")
    button = page.get_by_role("button", name="New token")
    button.focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    axe_in_both_themes(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("Metr")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Metrics · Stepwell")


def test_a_row_is_opened_by_arrows_and_enter_and_its_drawer_closed_by_esc(
    page: Page, site: Site
) -> None:
    begun(page, site, "/steps?status=done")
    rows = page.locator("tbody tr")
    rows.first.focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary").filter(has=page.get_by_role("heading", level=2))
    expect(drawer).to_be_focused()
    axe_in_both_themes(page)
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(rows.locator("xpath=self::*[@tabindex='0']")).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    axe_in_both_themes(page)
    fits(page)
    card = page.get_by_role("list", name="Steps").get_by_role("listitem").first
    card.press("Enter")
    expect(drawer).to_be_focused()
    expect(page.get_by_role("banner")).to_have_count(0)  # it is below the drawer
    page.keyboard.press("Escape")
    expect(card).to_be_focused()
    expect(page.get_by_role("banner")).to_be_visible()


def test_beside_a_drawer_the_words_of_a_table_stay_whole(page: Page, site: Site) -> None:
    begun(page, site, "/steps?status=done")
    page.locator("tbody tr").first.press("Enter")
    drawer = page.get_by_role("complementary").filter(has=page.get_by_role("heading", level=2))
    table, beside = page.get_by_role("table").bounding_box(), drawer.bounding_box()
    assert table is not None
    assert beside is not None
    assert table["x"] + table["width"] <= beside["x"]
    row = page.locator("tbody tr").first.bounding_box()
    assert row is not None
    assert row["height"] < 60, "a name is broken into syllables"


@pytest.mark.parametrize("path", ["/nosuch", "/review/flaky"])
def test_where_there_is_no_page_there_is_the_way_to_all_others(
    page: Page, site: Site, path: str
) -> None:
    begun(page, site, path)
    expect(page).to_have_title("There is no such page · Stepwell")
    expect(page.get_by_role("main")).to_have_count(1)
    page.get_by_role("navigation", name="Screens").get_by_role("link", name="Catalog").click()
    expect(page).to_have_title("Catalog · Stepwell")
    alone = page.locator("tbody a").first.bounding_box()
    assert alone is not None
    assert alone["height"] >= 24, "too low for a finger"
    page.locator("tbody a").first.click()
    above = page.get_by_role("main").get_by_role("link", name="Catalog")
    expect(above).not_to_have_attribute("aria-current", "page")


def test_a_screen_on_its_way_is_told_of(page: Page, site: Site) -> None:
    held: list[Route] = []
    page.route("**/MetricsPage-*.js", lambda route: held.append(route))  # noqa: PLW0108
    begun(page, site, "/workflows")
    page.get_by_role("link", name="Metrics").press("Enter")
    expect(page.get_by_role("main")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("status").filter(has_text="Loading")).to_have_count(1)
    expect(page).to_have_title("Catalog · Stepwell")
    for route in held:
        route.continue_()
    page.unroute("**/MetricsPage-*.js")
    expect(page).to_have_title("Metrics · Stepwell")
    expect(page.get_by_role("main")).to_have_attribute("aria-busy", "false")


def test_a_run_is_begun_and_read_by_keys_alone(page: Page, site: Site) -> None:
    """The palette to the workflow, its dialog, the run, its tabs, and back to the list."""
    begun(page, site, "/")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_title("Catalog · Stepwell")
    page.get_by_role("link", name="weather/year-in-review").press("Enter")
    page.get_by_role("button", name="Run now").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("year")).to_be_focused()
    page.keyboard.type("2015")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_contain_text("year-in-review")
    expect(page.get_by_role("main").get_by_text("succeeded").first).to_be_visible(timeout=180_000)
    page.get_by_role("tab", name="Timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Graph")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_title("Runs · Stepwell")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("row").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).not_to_have_title("Runs · Stepwell")
