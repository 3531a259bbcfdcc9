"""The pages of a program that embeds the engine: `stepwell ui --store`, and no server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from tests.cli.shell import Shell, free_port, wait
from tests.journeys.browser.conftest import PATIENCE, Watches
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.watching import Watch

from stepwell.engine import StepClient
from stepwell.step import EndedAs, StepStatus, new_step
from stepwell.stores import open_store

pytestmark = pytest.mark.slow

LETTERS = 60
"""More than one page of the list."""

Look: TypeAlias = Callable[..., Page]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[StepClient]:
    """The steps of a program: letters that wait, and bills of which two have failed."""
    store = open_store(address(tmp_path))
    store.migrate()
    client = StepClient(store)
    for number in range(LETTERS):
        letter = {"to": f"customer {number}"}
        client.add(new_step("v1/send-letter", letter, search_key=f"c-{number}"))
    for number in (7, 8):
        bill = client.add(new_step("v1/bill", {"order": number}))
        client.fail(bill, f"no such customer: {number}")
    yield client
    store.close()


@pytest.fixture
def look(tmp_path: Path, bundle: Path, browser: Browser, watches: Watches) -> Iterator[Look]:
    """`look("--actions")` is a browser that has come in by the link that was printed."""
    with ExitStack() as held:

        def come(*words: str) -> Page:
            shell, port = Shell(tmp_path), free_port()
            begun = shell.background("ui", "--store", address(tmp_path), "--port", port, *words)
            link = _link_in(held.enter_context(begun))
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            held.callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            watches[page] = Watch(page, f"http://127.0.0.1:{port}")
            page.goto(link)
            return page

        yield come


def address(folder: Path) -> str:
    return f"sqlite:///{folder / 'shop.db'}"


def _link_in(log: Path) -> str:
    link = re.compile(r"http://127\.0\.0\.1:\d+/login\?code=\S+")
    found: re.Match[str] = wait(lambda: link.search(log.read_text()), log)
    return found[0]


def opened(page: Page, row: str, name: str) -> Locator:
    """The drawer of the first row that says so."""
    page.get_by_role("row").filter(has_text=row).first.click()
    drawer = page.get_by_role("complementary", name=name)
    expect(drawer).to_be_visible()
    return drawer


def id_in(page: Page, *, but: UUID | None = None) -> UUID:
    """The step whose drawer is open, soon after a click: it is part of the address.

    `but` is the one whose drawer was open before.
    """
    expect(page).to_have_url(re.compile(rf"[?&]step=(?!{but})"))
    found = re.search(r"[?&]step=([0-9a-f-]{36})", page.url)
    assert found is not None
    return UUID(found[1])


def test_a_failed_step_is_found_read_and_executed_again(look: Look, shop: StepClient) -> None:
    page = look("--actions")
    expect(page).to_have_title("Steps · Stepwell")
    status = page.get_by_role("radiogroup", name="State")
    expect(status).to_contain_text("Failed 2")
    expect(status).to_contain_text(f"Ready {LETTERS}")
    axe_in_both_themes(page)
    page.get_by_role("radiogroup", name="Failures by kind").get_by_text("Failures by kind").click()
    bills = page.get_by_role("row").filter(has_text="v1/bill")
    expect(bills.first).to_contain_text("no such customer")
    status.get_by_text("Failed").click()
    page.get_by_role("radiogroup", name="Failures by kind").get_by_text("Steps").click()
    expect(page.get_by_role("row")).to_have_count(3)

    drawer = opened(page, "no such customer: 7", "v1/bill")
    failed = id_in(page)
    expect(drawer.get_by_role("heading", name="What went wrong")).to_be_visible()
    expect(drawer.get_by_text("no such customer: 7").first).to_be_visible()
    expect(drawer.get_by_text("order: 7")).to_be_visible()
    axe_in_both_themes(page)
    drawer.get_by_role("button", name="Execute again").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"stepwell steps retry {failed}")).to_be_visible()
    dialog.get_by_label("Reason").fill("the customer is there now")
    dialog.get_by_role("button", name="Execute again").click()
    expect(dialog).to_have_count(0)
    graph = drawer.get_by_role("region", name="Which step made which")
    expect(graph.get_by_role("button")).to_have_count(2)
    [copy] = shop.search(copy_of=failed)
    assert (copy.status, copy.state) == (StepStatus.READY, shop.get(failed).state)
    graph.get_by_role("button", name="waiting").click()
    assert id_in(page, but=failed) == copy.id


def test_a_step_is_activated_with_arguments_and_another_is_ended_by_hand(
    look: Look, shop: StepClient
) -> None:
    page = look("--actions")
    search = page.get_by_role("combobox", name="Search steps")
    search.press_sequentially("sea")
    page.get_by_role("option", name="search:").click()
    search.press_sequentially("c-17")
    search.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]q=search"))
    expect(page.get_by_role("row")).to_have_count(2)
    drawer = opened(page, "v1/send-letter", "v1/send-letter")
    one = id_in(page)
    drawer.get_by_role("button", name="Activate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Arguments, as JSON").fill('{"again": ')
    expect(dialog.get_by_role("button", name="Activate")).to_be_disabled()
    dialog.get_by_label("Arguments, as JSON").fill('{"again": true}')
    dialog.get_by_role("button", name="Activate").click()
    expect(dialog).to_have_count(0)
    expect(drawer.get_by_text("again: true")).to_be_visible()
    assert shop.get(one).activation_args == '{"again":true}'

    page.goto(re.sub(r"\?.*", "?search_key_prefix=c-18", page.url))  # a link of before
    expect(page.get_by_role("row").filter(has_text="c-18")).to_have_count(1)
    drawer = opened(page, "c-18", "v1/send-letter")
    other = id_in(page, but=one)
    expect(drawer).to_contain_text(str(other))
    drawer.get_by_role("button", name="End by hand").click()
    end = dialog.get_by_role("button", name="End by hand")
    expect(end).to_be_disabled()
    dialog.get_by_label("Reason").fill("the customer has moved")
    end.click()
    expect(dialog).to_have_count(0)
    expect(drawer.get_by_text("cancelled").first).to_be_visible()
    ended = drawer.get_by_role("button", name="Activate")
    expect(ended).to_have_attribute(
        "aria-description", "Only a ready step can be activated or ended."
    )
    assert shop.get(other).ended_as is EndedAs.CANCELLED
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)


def test_read_only_the_pages_show_and_change_nothing(look: Look, shop: StepClient) -> None:
    page = look()
    drawer = opened(page, "v1/send-letter", "v1/send-letter")
    for act in ("Activate", "Execute again", "End by hand"):
        button = drawer.get_by_role("button", name=act)
        expect(button).to_have_attribute("aria-disabled", "true")
    expect(drawer.get_by_role("button", name="Activate")).to_have_attribute(
        "aria-description", re.compile("stepwell ui --actions")
    )
    for screen in ("/runs", "/settings", "/"):
        page.goto(re.sub(r"/steps.*", screen, page.url))
        expect(page).to_have_title("Steps · Stepwell")
    rail = page.get_by_role("navigation", name="Screens")
    expect(rail.get_by_role("link", name="Steps")).to_be_visible()
    expect(rail.get_by_role("link", name="Runs")).to_have_count(0)


def test_a_list_of_more_than_a_page_goes_on_as_one_scrolls(look: Look, shop: StepClient) -> None:
    page = look()
    rows = page.get_by_role("row")
    expect(rows.nth(20)).to_be_attached()  # until then there is nothing to scroll
    page.mouse.move(700, 600)
    page.mouse.wheel(0, 20_000)
    expect(page.get_by_role("table")).to_have_attribute("aria-rowcount", str(LETTERS + 2 + 1))
