"""Limits, notifications and retention, each from its first dialog to its last.

What is set is set where it should be, what is mistyped is told in words and can be mended in the
dialog, and what is removed is gone. One server serves all; nothing runs on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.conftest import Visit, Watches
from tests.journeys.browser.site import Site, serving

from stepwell.engine import StepClient
from stepwell.step import new_step
from stepwell.stores import open_store

pytestmark = pytest.mark.slow

HOOK = "http://hooks.example.org/stepwell"
"""Nobody asks it: no test message is sent."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server with one group in force."""
    with serving(tmp_path_factory.mktemp("office"), ("flaky",)) as running:
        yield running


@pytest.fixture
def page(visit: Visit, office: Site, watches: Watches) -> Page:
    """An admin's, where what is mistyped may be refused."""
    page = visit("admin", at=office)
    watches[page].allow(r"/(run-limits|targets|mutes) .*422")
    return page


def opened(page: Page, site: Site, part: str) -> None:
    page.goto(site.link(f"/settings?page={part}"))
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def dialog(page: Page, button: str) -> Locator:
    page.get_by_role("button", name=button, exact=True).click()
    found = page.get_by_role("dialog")
    expect(found).to_be_visible()
    return found


def submit(found: Locator, name: str) -> None:
    """Send what is in the dialog; it is closed when that was done."""
    found.get_by_role("button", name=name, exact=True).click()
    expect(found).to_have_count(0)


def refused(found: Locator, name: str, said: str | re.Pattern[str]) -> None:
    """Send it, and be told why not; the button has the focus again, for another try."""
    button = found.get_by_role("button", name=name, exact=True)
    button.click()
    expect(found.get_by_role("alert")).to_contain_text(said)
    expect(button).to_be_focused()


def held(found: Locator, name: str, of: str, typed: str, said: str) -> None:
    """It is not sent while a number is none; the field keeps what was typed, and is gone to."""
    field(found, of).fill(typed)
    found.get_by_role("button", name=name, exact=True).click()
    expect(field(found, of)).to_be_focused()
    expect(field(found, of)).to_have_value(typed)
    expect(found.get_by_text(said)).to_be_visible()


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def field(found: Locator, name: str) -> Locator:
    """By its label, which has a star where something must be written."""
    return found.get_by_label(re.compile(rf"^{re.escape(name)}( \*)?$"))


def limits(site: Site) -> dict[str, int]:
    return {one["name"]: one["slots"] for one in site.api.get("/run-limits")["items"]}


def test_a_limit_is_set_changed_and_removed(page: Page, office: Site) -> None:
    opened(page, office, "limits")
    found = dialog(page, "Set a limit")
    field(found, "Name").fill("my db")
    refused(found, "Set it", "it has only letters, digits")
    field(found, "Name").fill("etl-db")
    expect(found.get_by_role("status")).to_contain_text("No workflow names this pool yet")
    submit(found, "Set it")
    expect(row(page, "etl-db")).to_be_visible()
    assert limits(office) == {"etl-db": 1}

    found = dialog(page, "Change etl-db")
    expect(field(found, "At once")).to_be_focused()
    field(found, "At once").fill("3")
    submit(found, "Set it")
    expect(row(page, "etl-db").get_by_role("cell", name="3", exact=True)).to_be_visible()
    assert limits(office) == {"etl-db": 3}

    found = dialog(page, "Remove etl-db")
    found.get_by_role("button", name="Close", exact=True).last.click()
    expect(found).to_have_count(0)
    assert limits(office) == {"etl-db": 3}
    submit(dialog(page, "Remove etl-db"), "Remove")
    expect(row(page, "etl-db")).to_have_count(0)
    assert limits(office) == {}


def test_a_limit_of_a_workflow_is_chosen_from_what_is_in_force(page: Page, office: Site) -> None:
    opened(page, office, "limits")
    found = dialog(page, "Set a limit")
    found.get_by_role("combobox", name="Of", exact=True).click()
    page.get_by_role("option", name="workflow").click()
    field(found, "Name").fill("flaky/rank-share")
    expect(found.get_by_role("status")).to_contain_text("No workflow of this name is in force")
    page.get_by_role("option", name="flaky/rank-shares").click()
    expect(found.get_by_role("status")).to_have_count(0)
    submit(found, "Set it")
    expect(row(page, "flaky/rank-shares")).to_be_visible()
    assert limits(office) == {"flaky/rank-shares": 1}
    submit(dialog(page, "Remove flaky/rank-shares"), "Remove")
    assert limits(office) == {}


def waiting_in(queue: str, site: Site) -> None:
    """A step that no engine of the server takes."""
    store = open_store(f"sqlite:///{site.shell.folder / 'data/stepwell.db'}")
    try:
        StepClient(store).add(new_step("v1/test/send", queue=queue))
    finally:
        store.close()


def test_a_queue_is_paused_and_a_key_limited_until_they_are_let_go(
    page: Page, office: Site
) -> None:
    waiting_in("mail", office)
    opened(page, office, "limits")
    found = dialog(page, "Pause a queue")
    field(found, "Queue").fill("mial")
    expect(found.get_by_role("status")).to_contain_text("No engine serves a queue of this name")
    field(found, "Queue").fill("")
    page.get_by_role("option", name="mail").click()
    expect(found.get_by_role("status")).to_have_count(0)
    expect(found.get_by_role("button", name="Pause a queue")).to_be_disabled()
    field(found, "Reason").fill("the provider is away")
    submit(found, "Pause a queue")
    found = dialog(page, "Limit or rate")
    found.get_by_text("rate", exact=True).click()
    field(found, "Key").fill("sms")
    field(found, "How many").fill("10")
    held(found, "Set it", "Within so many seconds", "0", "At least 0.001.")
    held(found, "Set it", "Within so many seconds", "2,5", "Write it with a point: 2.5")
    field(found, "Within so many seconds").fill("60")
    submit(found, "Set it")
    expect(row(page, "mail")).to_contain_text("no step is taken")
    expect(row(page, "sms")).to_contain_text("10 within 1m 00s")
    submit(dialog(page, "Resume mail"), "Resume")
    submit(dialog(page, "Forget sms"), "Forget")
    expect(row(page, "sms")).to_have_count(0)
    assert office.api.get("/controls")["items"] == []


def notes(site: Site, what: str) -> list[dict[str, Any]]:
    return list(site.api.get(f"/notifications/{what}")["items"])


def test_a_target_has_a_rule_and_goes_with_it(page: Page, office: Site) -> None:
    opened(page, office, "notifications")
    found = dialog(page, "Add a target")
    field(found, "Name").fill("on call")
    field(found, "Address").fill("nonsense")
    refused(found, "Add it", "it has only letters, digits")
    field(found, "Name").fill("oncall")
    refused(found, "Add it", "'nonsense' cannot be sent to")
    field(found, "Address").fill(HOOK)
    found.get_by_role("button", name="Add it", exact=True).click()
    secret = page.get_by_role("dialog", name="The secret of oncall")
    expect(secret.get_by_text("This is shown once")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(1)
    expect(secret.locator(":focus")).to_have_count(1)
    submit(secret, "I have it")
    expect(page.get_by_role("button", name="Add a target")).to_be_focused()
    expect(row(page, "oncall")).to_contain_text(HOOK)

    found = dialog(page, "Add a rule")
    found.get_by_role("combobox", name="Target").click()
    page.get_by_role("option", name="oncall").click()
    found.get_by_label("Workflow (optional)").fill("rank-share")
    expect(found.get_by_role("status")).to_contain_text("nothing would be told")
    page.get_by_role("option", name="rank-shares").click()
    submit(found, "Add a rule")
    expect(row(page, "rank-shares")).to_contain_text("failures, late schedules, recoveries")
    [rule] = notes(office, "rules")
    assert (rule["target"], rule["workflow"], rule["every"]) == ("oncall", "rank-shares", 3600)

    found = dialog(page, "End the rule oncall")
    told = "oncall is no longer told of failures, late schedules, recoveries, about rank-shares."
    expect(found).to_contain_text(told)
    submit(found, "End the rule")
    expect(row(page, "rank-shares")).to_have_count(0)
    submit(dialog(page, "Remove oncall"), "Remove")
    expect(page.get_by_text("Nobody is told of anything")).to_be_visible()
    assert (notes(office, "rules"), notes(office, "targets")) == ([], [])


def test_a_target_whose_variable_is_not_there_says_so(page: Page, office: Site) -> None:
    opened(page, office, "notifications")
    found = dialog(page, "Add a target")
    found.get_by_text("Slack", exact=True).click()
    field(found, "Name").fill("chat")
    field(found, "Address, as env:NAME").fill("CHAT_URL")
    expect(found.get_by_text("Write env: and the name of a variable")).to_be_visible()
    expect(found.get_by_role("button", name="Add it")).to_be_disabled()
    field(found, "Address, as env:NAME").fill("env:CHAT_URL")
    submit(found, "Add it")
    expect(row(page, "chat")).to_contain_text("This server has no environment variable CHAT_URL")
    submit(dialog(page, "Remove chat"), "Remove")


def test_a_cause_is_not_muted_until_an_instant_that_is_over(page: Page, office: Site) -> None:
    opened(page, office, "notifications")
    found = dialog(page, "Mute a cause")
    field(found, "Cause").fill("5f2c9a0b1d3e4f67")
    field(found, "Reason").fill("known")
    expect(found.get_by_role("button", name="Mute it")).to_be_disabled()
    found.get_by_label("Until (your time)").fill("2020-01-01T10:00")
    refused(found, "Mute it", re.compile("is over.*Give an instant in the future"))
    found.get_by_label("Until (your time)").fill("2099-01-01T10:00")
    submit(found, "Mute it")
    expect(row(page, "5f2c9a0b1d3e4f67")).to_contain_text("What it says is not known here")
    submit(dialog(page, "Unmute 5f2c9a0b1d3e4f67"), "Unmute")
    assert notes(office, "mutes") == []


def kept(site: Site, kind: str) -> int | None:
    [found] = [one for one in site.api.get("/retention")["items"] if one["kind"] == kind]
    days: int | None = found["days"]
    return days


def test_a_length_is_decided_by_keys_alone_and_says_what_would_go(page: Page, office: Site) -> None:
    opened(page, office, "retention")
    page.get_by_role("button", name="Change runs", exact=True).focus()
    page.keyboard.press("Enter")
    found = page.get_by_role("dialog")
    days, decide = field(found, "Days"), found.get_by_role("button", name="Decide")
    expect(days).to_be_focused()
    expect(decide).to_be_disabled()
    page.keyboard.press("Tab")
    page.keyboard.type("no room")
    for typed, said in (("0", "From 1 to 36500."), ("12,5", "A whole number is needed.")):
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
        expect(days).to_have_value(typed)
        expect(found.get_by_text(said)).to_be_visible()
        decide.press("Enter")
        expect(days).to_be_focused()
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("30")
    expect(found.get_by_role("status")).to_contain_text("Kept for 30 days, 0 would go")
    page.keyboard.press("Enter")
    expect(found).to_have_count(0)
    expect(page.get_by_role("button", name="Change runs", exact=True)).to_be_focused()
    expect(row(page, "no room")).to_contain_text("30 days")
    assert kept(office, "runs") == 30

    found = dialog(page, "Change runs")
    found.get_by_role("switch", name="for ever").press("Space")
    field(found, "Reason").fill("all of them")
    submit(found, "Decide")
    expect(row(page, "all of them")).to_contain_text("for ever")
    assert kept(office, "runs") is None

    found = dialog(page, "Back to default runs")
    field(found, "Reason").fill("as before")
    expect(found.get_by_role("status")).to_contain_text("Kept for 365 days, 0 would go")
    submit(found, "Back to default")
    expect(page.get_by_role("button", name="Back to default runs")).to_have_count(0)
    assert kept(office, "runs") == 365


def test_counting_leaves_the_focus_where_it_was(page: Page, office: Site) -> None:
    opened(page, office, "retention")
    button = page.get_by_role("button", name="What would go now")
    button.press("Enter")
    expect(page.get_by_role("columnheader", name="Would go next")).to_be_visible()
    expect(button).to_be_focused()
