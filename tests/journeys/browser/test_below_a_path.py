"""The real pages at `/stepwell/` of a proxy that has other programs beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from tests.cli.shell import wait
from tests.journeys.browser.conftest import Visit, Watches
from tests.journeys.browser.looking import axe_in_both_themes
from tests.journeys.browser.site import PASSWORD, Site, approved, serving

from stepwell.cli.serving.listener import Listener, bound

pytestmark = pytest.mark.slow

BASE: Final = "/stepwell"
_OF_A_HOP: Final = {b"connection", b"transfer-encoding", b"keep-alive", b"date", b"server"}

SCREENS = {
    "/": "Home",
    "/review": "Review",
    "/workflows": "Catalog",
    "/schedules": "Schedules",
    "/runs": "Runs",
    "/metrics": "Metrics",
    "/reports": "Reports",
    "/state": "State",
    "/settings": "Settings",
    "/steps": "Steps",
}


class Proxy:
    """`location /stepwell/ { proxy_pass ... }`; all other paths are another program's.

    Parameters
    ----------
    takes_off : whether it takes the path off before it asks the server.
    """

    def __init__(self, *, takes_off: bool) -> None:
        self.server = ""
        self._takes_off = takes_off
        self._client = httpx.AsyncClient(timeout=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the server, and pass its answer on as it comes."""
        path: bytes = scope["raw_path"]
        if path == BASE.encode():
            await RedirectResponse(f"{BASE}/", 301)(scope, receive, send)
        elif path.startswith(f"{BASE}/".encode()):
            await self._pass_on(Request(scope, receive), path, send)
        else:
            await PlainTextResponse("another program", 404)(scope, receive, send)

    async def _pass_on(self, request: Request, path: bytes, send: Send) -> None:
        place = path.removeprefix(BASE.encode()) if self._takes_off else path
        url = httpx.URL(self.server, raw_path=place + b"?" + request.scope["query_string"])
        body = await request.body()
        asked = httpx.Request(request.method, url, headers=request.headers.raw, content=body)
        answer = await self._client.send(asked, stream=True)
        ends = BackgroundTask(answer.aclose)
        response = StreamingResponse(answer.aiter_raw(), answer.status_code, background=ends)
        heads = answer.headers.raw
        response.raw_headers = [(name, value) for name, value in heads if not _of_a_hop(name)]
        await response(request.scope, request.receive, send)


def _of_a_hop(name: bytes) -> bool:
    return name.lower() in _OF_A_HOP


@pytest.fixture(scope="module", params=["the proxy takes the path off", "the proxy leaves it"])
def below(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bundle: Path
) -> Iterator[Site]:
    """What people see: the server at the proxy's address."""
    proxy = Proxy(takes_off=request.param == "the proxy takes the path off")
    app, socket = FastAPI(), bound("127.0.0.1", 0)
    app.mount("/", proxy)
    listener = Listener(app, socket).start()
    public = f"http://127.0.0.1:{socket.getsockname()[1]}{BASE}"
    try:
        folder = tmp_path_factory.mktemp("below")
        with serving(folder, STEPWELL_PUBLIC_URL=public) as site:
            proxy.server = site.url  # images reach the server through it, too
            approved(site.shell, ("weather",))
            yield replace(site, url=public)
    finally:
        listener.stop()


@pytest.fixture
def paths(visit: Visit, watches: Watches) -> Iterator[list[str]]:
    """Whatever a page of the test asks for; all of it must be below the path."""
    asked: list[str] = []
    yield asked
    outside = [one for one in asked if not one.startswith(f"{BASE}/")]
    assert outside == []
    assert asked != []


def followed(page: Page, paths: list[str]) -> Page:
    page.on("request", lambda one: paths.append(re.sub(r"^https?://[^/]+", "", one.url)))
    return page


def finished(below: Site) -> str:
    """A run that has ended, which the server's own address for images has let it do."""
    run = below.api.post("/workflows/weather/year-in-review/runs", {"parameters": {"year": 2015}})
    log = below.shell.log("serve")
    wait(lambda: below.api.get(f"/runs/{run['id']}")["state"] in ("succeeded", "failed"), log)
    return str(run["id"])


def test_who_logs_in_comes_to_the_deep_link_that_they_wanted_and_stays_there(
    below: Site, visit: Visit, paths: list[str]
) -> None:
    run = finished(below)
    page = followed(visit(None, at=below), paths)
    page.goto(below.link(f"/runs/{run}?tab=steps"))
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert page.url.startswith(below.link("/login?next="))
    page.get_by_label("Name", exact=True).fill("operator")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    wanted = below.link(f"/runs/{run}?tab=steps")
    expect(page).to_have_url(wanted)
    expect(page.get_by_role("tab", name="Steps")).to_have_attribute("aria-selected", "true")
    page.get_by_role("row").nth(1).click()
    expect(page).to_have_url(re.compile(r"&step="))
    deep = page.url
    page.reload()
    expect(page).to_have_url(deep)
    expect(page.get_by_role("complementary")).to_be_visible()
    page.get_by_role("navigation", name="Screens").first.get_by_role("link", name="State").click()
    expect(page).to_have_url(below.link("/state"))
    page.go_back()
    expect(page).to_have_url(deep)
    axe_in_both_themes(page)


def test_every_screen_is_reached_by_its_link_and_by_a_reload(
    below: Site, visit: Visit, paths: list[str]
) -> None:
    page = followed(visit("admin", at=below), paths)
    page.goto(below.link("/"))
    rail = page.get_by_role("navigation", name="Screens").first
    for path, title in SCREENS.items():
        if path == "/steps":
            page.goto(below.link(path))
        else:
            rail.get_by_role("link", name=title, exact=path == "/").first.click()
        expect(page).to_have_title(re.compile(f"{title} · Stepwell$"))
        assert page.url.partition("?")[0] == below.link(path)
        page.reload()
        expect(page).to_have_title(re.compile(f"{title} · Stepwell$"))
        expect(page.get_by_role("status", name="Loading")).to_have_count(0)
        expect(page.get_by_role("alert")).to_have_count(0)


def test_what_happens_comes_in_live_through_the_proxy(
    below: Site, visit: Visit, paths: list[str]
) -> None:
    page = followed(visit("operator", at=below), paths)
    page.goto(below.link("/runs"))
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    run = finished(below)
    pill = page.get_by_role("button", name=re.compile(r"\d+ new runs?"))
    row = page.locator(f'a[href*="{run}"]')
    expect(pill.or_(row).first).to_be_visible()
    if pill.is_visible():
        pill.click()
    expect(row.first).to_have_attribute("href", f"{BASE}/runs/{run}")


def test_links_that_the_server_makes_lead_through_the_proxy(
    below: Site, visit: Visit, paths: list[str]
) -> None:
    name = f"ada-{len(below.api.get('/users')['items'])}"
    link = below.api.post("/users", {"name": name, "role": "viewer"})["link"]["url"]
    assert link.startswith(below.link("/password#swl_"))
    page = followed(visit(None, at=below), paths)
    page.goto(link)
    expect(page).to_have_title("Set your password · Stepwell")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(below.link("/login"))
