"""The first journey: to come in by name and password, and to see a page."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes
from tests.journeys.browser.site import PASSWORD, Site


def test_who_logs_in_sees_the_page_that_they_wanted(stranger: Page, site: Site) -> None:
    stranger.goto(site.link("/runs"))
    expect(stranger.get_by_label("Password", exact=True)).to_be_visible()
    axe_in_both_themes(stranger)
    stranger.get_by_label("Name", exact=True).fill("operator")
    stranger.get_by_label("Password", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()

    expect(stranger).to_have_title("Runs · Stepwell")


def test_a_session_of_the_browser_needs_no_second_login(page: Page, site: Site) -> None:
    page.goto(site.link("/runs"))
    expect(page).to_have_title("Runs · Stepwell")
    page.reload()
    expect(page).to_have_title("Runs · Stepwell")


def test_every_role_comes_in(visit: Visit, site: Site) -> None:
    for role in ("viewer", "reviewer"):
        page = visit(role)
        page.goto(site.link("/runs"))
        expect(page).to_have_title("Runs · Stepwell")
