"""Settings: a token is seen once and ends when it is revoked; who may not is told why."""

from __future__ import annotations

import re
import urllib.request
from urllib.error import HTTPError

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import PASSWORD, Site

pytestmark = pytest.mark.slow

PAGES = (
    "sources",
    "groups",
    "launchers",
    "limits",
    "notifications",
    "users",
    "tokens",
    "account",
    "views",
    "retention",
    "audit",
    "system",
)


def opened(page: Page, site: Site, part: str) -> None:
    page.goto(site.link(f"/settings?page={part}"))
    expect(page).to_have_title(re.compile("Settings · Stepwell"))
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def status_of(site: Site, secret: str) -> int:
    """What the API answers to who has this token."""
    asked = urllib.request.Request(
        site.link("/api/v1/me"), headers={"Authorization": f"Bearer {secret}"}
    )
    try:
        with urllib.request.urlopen(asked) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def test_a_token_is_seen_once_and_ends_when_it_is_revoked(page: Page, site: Site) -> None:
    opened(page, site, "tokens")
    page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("nightly")
    expect(dialog.get_by_text("stepwell tokens create nightly --role viewer")).to_be_visible()
    dialog.get_by_role("button", name="Make the token").click()

    shown = page.get_by_role("dialog", name="The token nightly")
    expect(shown.get_by_text("This is shown once")).to_be_visible()
    axe_in_both_themes(page)
    secret = shown.locator("pre").inner_text()
    assert secret.startswith("sw_")
    shown.get_by_role("button", name="I have it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert secret not in page.content()
    assert status_of(site, secret) == 200

    expect(row(page, "nightly")).to_contain_text("in use")
    page.get_by_role("button", name="Revoke nightly").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("no longer needed")
    dialog.get_by_role("button", name="Revoke").click()
    expect(row(page, "nightly")).to_contain_text("revoked")
    assert status_of(site, secret) == 401

    opened(page, site, "audit")
    page.get_by_text("token.revoke").first.click()
    drawer = page.get_by_role("complementary", name="token.revoke")
    expect(drawer.get_by_text("no longer needed")).to_be_visible()


def test_who_may_not_is_told_why(visit: Visit, site: Site) -> None:
    page = visit("viewer")
    opened(page, site, "tokens")
    expect(page.get_by_text("needs the role admin; yours is viewer")).to_be_visible()
    button = page.get_by_role("button", name="New token")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("aria-description", re.compile("Needs the role admin"))
    axe_in_both_themes(page)
    opened(page, site, "groups")
    expect(row(page, "weather")).to_be_visible()
    expect(page.get_by_role("button", name="Archive weather")).to_have_attribute(
        "aria-disabled", "true"
    )


def test_a_new_user_sets_a_password_by_the_link_that_is_shown_once(
    page: Page, stranger: Page, site: Site
) -> None:
    opened(page, site, "users")
    page.get_by_role("button", name="New user").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ada")
    dialog.get_by_role("button", name="Make the account").click()
    shown = page.get_by_role("dialog", name="The link for ada")
    link = shown.locator("pre").inner_text()
    assert link.startswith(site.link("/password#swl_"))

    stranger.goto(link)
    expect(stranger).to_have_title("Set your password · Stepwell")
    axe_in_both_themes(stranger)
    assert "swl_" not in stranger.url
    stranger.get_by_label("Password", exact=True).fill(PASSWORD)
    stranger.get_by_label("The password again").fill(PASSWORD)
    stranger.get_by_role("button", name="Set the password").click()
    stranger.get_by_role("link", name="Sign in").click()
    stranger.get_by_label("Name", exact=True).fill("ada")
    stranger.get_by_label("Password", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in").click()
    stranger.get_by_role("link", name="Runs", exact=True).wait_for()


@pytest.mark.parametrize("part", PAGES)
def test_each_part_is_open_to_all_and_fits_a_phone(page: Page, site: Site, part: str) -> None:
    opened(page, site, part)
    expect(page.get_by_role("alert")).to_have_count(0)
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("combobox", name="Parts of the settings")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    fits(page)
