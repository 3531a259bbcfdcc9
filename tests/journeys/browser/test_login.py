"""The first journey: to come in by name and password, and to see a page."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from tests.journeys.browser.conftest import Visit, Watches
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


def test_what_was_typed_is_there_and_sent_after_a_session_is_over(
    page: Page, site: Site, watches: Watches
) -> None:
    watches[page].allow("401")
    page.goto(site.link("/workflows/weather/year-in-review?start=1"))
    form = page.get_by_role("dialog", name="Run weather/year-in-review now")
    form.get_by_label("year").fill("2016")
    form.get_by_label("Reason").fill("typed before the session was over")
    page.context.clear_cookies()
    form.get_by_role("button", name="Run now").press("Enter")

    over = page.get_by_role("dialog", name="Your session is over")
    expect(over.get_by_label("Password", exact=True)).to_be_focused()
    axe_in_both_themes(page)
    over.get_by_label("Password", exact=True).fill("a wrong one")
    page.keyboard.press("Enter")
    expect(over.get_by_role("alert")).to_be_visible()
    over.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(over).to_have_count(0)
    expect(page).to_have_url(re.compile("/runs/"))
    expect(page.get_by_text("2016").first).to_be_visible()


def test_who_signs_out_in_one_tab_leaves_no_other_open(
    visit: Visit, site: Site, watches: Watches
) -> None:
    page = visit("viewer")
    watches[page].allow("401")  # it may be asking for what is new while it is signed out
    page.goto(site.link("/runs"))
    expect(page).to_have_title("Runs · Stepwell")
    other = page.context.new_page()
    other.goto(site.link("/"))
    other.get_by_role("button", name="Account").click()
    other.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
