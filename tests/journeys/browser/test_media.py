"""Pages on paper, in the reader's own colours, much enlarged, and of a server that fails."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect
from tests.journeys.browser.conftest import Visit, Watches
from tests.journeys.browser.looking import axe_in_both_themes
from tests.journeys.browser.site import Site

_SCHEME = "() => document.documentElement.dataset.mantineColorScheme"
_EVENT = "name => { window.dispatchEvent(new Event(name)) }"
_STYLE = "(one, name) => getComputedStyle(one).getPropertyValue(name)"


def test_on_paper_a_page_is_light_and_is_all_there_is(visit: Visit, site: Site) -> None:
    page = visit("viewer", color_scheme="dark")
    page.goto(site.link("/workflows"))
    expect(page.get_by_role("table")).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate(_EVENT, "beforeprint")
    assert page.evaluate(_SCHEME) == "light"
    for gone in ("navigation", "banner"):
        expect(page.get_by_role(gone)).to_have_count(0)
    expect(page.get_by_role("button", name="Copy as")).to_have_count(0)
    expect(page.get_by_role("table")).to_be_visible()
    page.evaluate(_EVENT, "afterprint")
    assert page.evaluate(_SCHEME) == "dark"


def test_in_the_readers_own_colours_one_sees_what_is_chosen(visit: Visit, site: Site) -> None:
    page = visit("viewer", forced_colors="active")
    page.goto(site.link("/workflows/weather/year-in-review"))
    tab = page.get_by_role("tab", selected=True)
    assert tab.evaluate(_STYLE, "outline-style") == "solid"
    assert page.get_by_role("tab").nth(1).evaluate(_STYLE, "outline-style") == "none"


def test_much_enlarged_nothing_stands_over_the_page(visit: Visit, site: Site) -> None:
    page = visit("viewer", viewport={"width": 360, "height": 225})
    page.goto(site.link("/workflows"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for bar in (page.get_by_role("banner"), page.get_by_role("navigation", name="Screens")):
        assert bar.evaluate(_STYLE, "position") == "static"


def test_a_server_that_fails_takes_nothing_away_that_is_shown(
    page: Page, site: Site, watches: Watches
) -> None:
    watches[page].allow("500")
    page.goto(site.link("/settings?page=users"))
    rows = page.get_by_role("row")
    expect(rows.filter(has_text="viewer").first).to_be_visible()
    users = re.compile(r"/api/v1/users")
    page.route(users, _fail)
    page.keyboard.press("r")
    note = page.get_by_role("note").filter(has_text="The database is away.")
    expect(note).to_be_visible()
    expect(rows.filter(has_text="viewer").first).to_be_visible()
    axe_in_both_themes(page)
    page.unroute(users)
    note.get_by_role("button", name="Try again").click()
    expect(note).to_have_count(0)


def _fail(route: Route) -> None:
    route.fulfill(status=500, json={"code": "internal", "what": "The database is away."})
