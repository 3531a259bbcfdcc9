"""What the policy of the pages keeps a browser from, on a page as small as can be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from tests.journeys.browser import looking
from tests.journeys.browser.conftest import PATIENCE
from tests.journeys.browser.watching import Watch
from tests.server.ui.conftest import INDEX

from stepwell.cli.serving.listener import Listener, bound
from stepwell.server.ui.base_path import BelowPath
from stepwell.server.ui.bundle import Shelf
from stepwell.server.ui.serving import Pages

SCRIPT = """
document.title = 'up'
const nonce = document.querySelector('meta[name=csp-nonce]').content
const style = document.createElement('style')
style.setAttribute('nonce', nonce)
style.textContent = '#root { color: rgb(1, 2, 3) }'
document.head.append(style)
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A page below /stepwell, and nothing else."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets/index-1a2b.js").write_text(SCRIPT)
    app, socket = FastAPI(), bound("127.0.0.1", 0)
    app.add_middleware(Pages, shelf=Shelf(tmp_path), base="/stepwell")
    app.add_middleware(BelowPath, base="/stepwell")
    listener = Listener(app, socket).start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}/stepwell/deep/down"
    listener.stop()


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watch]:
    page = opened(browser)
    watch = Watch(page, address)
    page.goto(address)
    expect(page).to_have_title("up")
    yield watch
    page.close()


def opened(browser: Browser, **options: Any) -> Page:
    page = browser.new_page(**options)
    page.set_default_timeout(PATIENCE)
    return page


def told(watch: Watch, words: str) -> None:
    """Wait until the browser has complained so."""
    end = time.monotonic() + looking.PATIENCE
    while words not in "\n".join(watch.wrong):
        assert time.monotonic() < end, watch.wrong
        watch.page.wait_for_timeout(20)


def test_own_script_and_style_with_the_nonce_work_below_a_path(watched: Watch) -> None:
    expect(watched.page.locator("#root")).to_have_css("color", "rgb(1, 2, 3)")
    watched.check()


@pytest.mark.parametrize(
    "does",
    [
        "e => { e.innerHTML = '<img src=x onerror=\"window.hurt = 1\">' }",
        "e => { const s = document.createElement('script'); s.text = 'hurt = 1'; e.append(s) }",
        "e => { const s = document.createElement('script'); s.src = 'data:,hurt=1'; e.append(s) }",
        "e => { try { setTimeout('hurt = 1') } catch {} }",
    ],
)
def test_no_script_but_our_own_runs(watched: Watch, does: str) -> None:
    watched.page.eval_on_selector("#root", does)
    told(watched, "policy violation: script-src")
    watched.page.wait_for_function("() => new Promise(go => setTimeout(go, 50)).then(() => true)")
    assert watched.page.evaluate("window.hurt") is None


def test_a_style_without_the_nonce_is_not_used(watched: Watch) -> None:
    does = "e => { e.innerHTML = '<style>#root { color: red }</style>' }"
    watched.page.eval_on_selector("#root", does)
    expect(watched.page.locator("#root")).to_have_css("color", "rgb(1, 2, 3)")
    told(watched, "policy violation: style-src")


def test_nothing_is_sent_to_another_origin(watched: Watch) -> None:
    watched.page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    told(watched, "Refused to connect because it violates")
    with pytest.raises(AssertionError):
        watched.check()


def test_a_request_elsewhere_and_an_exception_are_noticed(browser: Browser, address: str) -> None:
    page = opened(browser, bypass_csp=True)
    watch = Watch(page, address)
    page.goto(address)
    page.evaluate("fetch('http://localhost:9/').catch(() => 0)")
    page.evaluate("setTimeout(() => { throw new Error('oh') })")
    told(watch, "request to another origin: http://localhost:9/")
    told(watch, "exception: oh")
    page.close()


def test_the_page_cannot_be_framed(browser: Browser, address: str) -> None:
    page = opened(browser)
    with page.expect_event("requestfailed") as refused:
        page.set_content(f'<iframe src="{address}"></iframe>')
    assert refused.value.url == address
    assert "BLOCKED" in str(refused.value.failure)
    page.close()
