"""Every screen with real data, in every width and theme: no sideways scrolling, no sins for axe.

`make screenshots` keeps the pictures in docs/screenshots.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.browser.looking import ROOT, pictures
from tests.journeys.browser.site import Site

pytestmark = pytest.mark.slow

WANTED = os.environ.get("STEPWELL_SCREENSHOTS", "")
"""The folder in which pictures are kept, if they are."""


def at(path: str) -> Callable[[Site], str]:
    """A screen with an address of its own."""
    return lambda site: path


def decided(site: Site) -> str:
    """The review of a group's first discovery."""
    [found] = site.api.get("/groups/flaky/discoveries")["items"]
    return f"/review/flaky/{found['id']}"


def ended(site: Site) -> str:
    """A run that has had its failures."""
    run = site.shell.good("runs", "start", "flaky", "rank-shares", "--wait", "--json").json
    return f"/runs/{run['id']}"


SCREENS = {
    "home": at("/"),
    "review": at("/review"),
    "review-of-a-group": decided,
    "catalog": at("/workflows"),
    "workflow": at("/workflows/flaky/rank-shares"),
    "schedules": at("/schedules"),
    "runs": at("/runs"),
    "run": ended,
    "metrics": at("/metrics"),
    "reports": at("/reports"),
    "state": at("/state"),
    "steps": at("/steps"),
    "settings": at("/settings"),
}
"""Name of the picture -> path of the screen."""


_IN_TRANSIT = """() => [...document.querySelectorAll('*')].filter(one => {
  const found = getComputedStyle(one).transitionDuration
  return found.split(',').some(each => parseFloat(each) > 0)
}).length"""
"""How many elements would take their time to change."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    return ROOT / WANTED if WANTED else tmp_path_factory.mktemp("screenshots")


@pytest.mark.parametrize("name", list(SCREENS))
def test_a_screen_fits_every_width_and_theme(
    page: Page, site: Site, folder: Path, name: str
) -> None:
    page.goto(site.link(SCREENS[name](site)))
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert len(pictures(page, name, folder, kept=bool(WANTED))) == 6


def test_for_whom_motion_disturbs_nothing_takes_its_time_to_change(page: Page, site: Site) -> None:
    """A page of a thousand elements would begin a thousand transitions with each new theme."""
    page.goto(site.link("/workflows"))
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert page.evaluate(_IN_TRANSIT) == 0
