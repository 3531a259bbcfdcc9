"""A real Chromium and a real server for the journeys.

`page` is logged in as an admin at `site`, which all journeys of a session share: what a
journey changes there others may see. `visit("viewer")` opens another browser of another
role; `stranger` has not logged in. A page that logs an error, breaks its policy or calls
another origin fails its test.

pytest-playwright's fixtures are narrowed to a module: between modules no event loop may
run, for other tests start their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Playwright, expect
from playwright.sync_api import sync_playwright as started
from tests.journeys.browser.looking import without
from tests.journeys.browser.site import PASSWORD, Site, pause, resume, serving
from tests.journeys.browser.undisturbed import wrapped
from tests.journeys.browser.watching import Watch

from stepwell.server.settings import Settings
from stepwell.server.ui.bundle import folder_of

Visit: TypeAlias = Callable[..., Page]
Watches: TypeAlias = dict[Page, Watch]

PATIENCE = 90_000
"""Milliseconds that anything may take: a busy machine takes its time."""

expect.set_options(timeout=PATIENCE)

# The first draws no windows around the pages, which takes as much time as the pages themselves.
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--font-render-hinting=none",
)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> str:
    """The system's own; STEPWELL_TEST_BROWSER names another."""
    known = _CHROMIUM[1:] if pytestconfig.getoption("--headed", default=False) else _CHROMIUM
    found = os.environ.get("STEPWELL_TEST_BROWSER") or next(
        filter(None, map(shutil.which, known)), ""
    )
    if not found:
        without("Chromium is not installed")
    return wrapped(found, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the built pages."""
    folder = folder_of(Settings.from_environment())
    if not (folder / "index.html").exists():
        without("the pages are not built: make web")
    return folder


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with started() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser_type(playwright: Playwright) -> BrowserType:
    return playwright.chromium


@pytest.fixture(scope="module")
def browser_type_launch_args(chromium: str, pytestconfig: pytest.Config) -> dict[str, Any]:
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    headed = pytestconfig.getoption("--headed", default=False)
    return {
        "executable_path": chromium,
        "args": [*_FLAGS, *root],
        "headless": not headed,
        "timeout": PATIENCE,
    }


@pytest.fixture(scope="module")
def browser(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    made = browser_type.launch(**browser_type_launch_args)
    yield made
    made.close()


@pytest.fixture(scope="session")
def kept_site(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """What `site` is, kept for the next module."""
    with serving(tmp_path_factory.mktemp("site"), ("weather", "flaky")) as running:
        yield running


@pytest.fixture(scope="module")
def site(kept_site: Site) -> Iterator[Site]:
    """A server with the groups weather and flaky, whose schedules are due every 20 s.

    They are paused while no journey looks: their runs would take from all tests that follow.
    """
    resume(kept_site)
    yield kept_site
    pause(kept_site)


@pytest.fixture
def watches() -> Iterator[Watches]:
    """Each page of the test with who watches it; checked at its end."""
    made: Watches = {}
    yield made
    for one in made.values():
        one.check()


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, watches: Watches) -> Iterator[Visit]:
    """`visit("viewer")` is a new browser logged in as such; None is a stranger.

    `at` is a `Site` other than the shared one; further arguments are those of a Playwright
    context, such as `viewport`, `timezone_id` and `color_scheme`.
    """
    with ExitStack() as open_:

        def come(role: str | None = "admin", *, at: Site | None = None, **options: Any) -> Page:
            place: Site = at or request.getfixturevalue("site")
            usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
            context = browser.new_context(**{**usual, **options})
            open_.callback(context.close)
            context.set_default_timeout(PATIENCE)
            if role is not None:
                _log_in(context, place, role)
            page = context.new_page()
            watches[page] = Watch(page, place.url)
            _slow_down(page)
            return page

        yield come


@pytest.fixture
def page(visit: Visit) -> Page:
    """A browser of an admin, at no page yet."""
    return visit("admin")


@pytest.fixture
def stranger(visit: Visit) -> Page:
    """A browser that has not logged in."""
    return visit(None)


def _log_in(context: BrowserContext, site: Site, role: str) -> None:
    answer = context.request.post(
        site.link("/api/v1/login"),
        data={"name": role, "password": PASSWORD},
        timeout=PATIENCE,
    )
    assert answer.status == 204, answer.text()


def _slow_down(page: Page) -> None:
    """As on a machine STEPWELL_TEST_SLOWNESS times as slow, of a server that is far away."""
    slowness = float(os.environ.get("STEPWELL_TEST_SLOWNESS", "1"))
    if slowness <= 1:
        return
    tools = page.context.new_cdp_session(page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": slowness})
    tools.send("Network.enable")
    far = {"latency": 50 * slowness, "downloadThroughput": -1, "uploadThroughput": -1}
    tools.send("Network.emulateNetworkConditions", {"offline": False, **far})
