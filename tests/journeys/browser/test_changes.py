"""What changed since the last success: image and release, input, durations, state, by the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.cli.shell import wait
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

SOURCE = '''
"""Counts, with a table that grows."""

import time

from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("books")


@group.workflow()
class CloseDay:
    limit: int = 10
    wait: float = 0.0

    @operation
    def read(self, context: Context, limit: int) -> int:
        """Read them."""
        context.state.save("seen", limit)
        return limit

    @operation
    def add_up(self, read: int, wait: float) -> int:
        """Add them up."""
        time.sleep(wait)
        return read
'''

CHECK = '''
    @operation
    def check(self, add_up: int) -> int:
        """Check the sum."""
        raise ValueError("the sum is odd")
'''

LONG = 180_000


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server with a success by release 1, and a failure by release 2 with other input."""
    with serving(tmp_path_factory.mktemp("books")) as site:
        source = site.shell.folder / "books.py"
        source.write_text(SOURCE)
        site.shell.good("groups", "register", source)
        site.shell.good("groups", "approve", "books", "--reason", "first release")
        ended(site, {})
        source.write_text(SOURCE + CHECK)
        site.shell.good("groups", "discover", "books")
        site.shell.good("groups", "approve", "books", "--reason", "sums are checked")
        ended(site, {"limit": 7, "wait": 2.5})
        yield site


def ended(site: Site, parameters: dict[str, Any]) -> None:
    """A run with these, at its end."""
    run = site.api.post("/workflows/books/close-day/runs", {"parameters": parameters})["id"]
    over = ("succeeded", "failed")
    wait(lambda: site.api.get(f"/runs/{run}")["state"] in over, site.shell.log("serve"))


def test_all_that_changed_is_said_in_sentences_and_shown_in_tables(
    books: Site, visit: Visit
) -> None:
    failed, good = books.api.get("/runs")["items"]
    page: Page = visit("viewer", at=books)
    page.goto(books.link(f"/runs/{failed['id']}"))
    page.get_by_role("tab", name="What changed").click()
    main = page.get_by_role("main")
    short = [one["digest"].removeprefix("sha256:")[:12] for one in (good, failed)]
    image = f"The image is another: release 1 ({short[0]}) became release 2 ({short[1]})."
    expect(main.get_by_text(image)).to_be_visible()
    for sentence in (
        "limit was not given, and is 7.",
        "check was not there, and is failed.",
        "1 key of the state was written since: workflow:close-day/seen.",
    ):
        expect(main.get_by_role("listitem").filter(has_text=sentence)).to_be_visible()
    expect(
        main.get_by_text(re.compile(r"add-up took 2\.\d s, and less than 0\.1 s before\."))
    ).to_be_visible()

    where = page.get_by_role("table", name="By what, and where")
    expect(where.get_by_role("row", name=re.compile("^Image"))).to_contain_text(short[1])
    expect(page.get_by_role("table", name="Input")).to_contain_text("limit")
    operations = page.get_by_role("table", name="Operations")
    expect(operations.get_by_role("row", name=re.compile("^add-up"))).to_contain_text("+2")
    axe_in_both_themes(page)
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    page.set_viewport_size({"width": 1440, "height": 900})

    page.get_by_role("link", name="What release 2 has that release 1 had not").click()
    expect(page).to_have_url(re.compile("tab=versions"))
    expect(page.get_by_text(re.compile("check")).first).to_be_visible()


def test_a_key_of_the_state_leads_to_its_value(books: Site, visit: Visit) -> None:
    failed = books.api.get("/runs")["items"][0]
    page: Page = visit("viewer", at=books)
    page.goto(books.link(f"/runs/{failed['id']}?tab=changes"))
    page.get_by_role("link", name=re.compile("seen$")).click()
    expect(page).to_have_url(re.compile("/state"))
    expect(page.get_by_role("complementary")).to_contain_text("seen")


def test_the_command_says_the_same_sentences(books: Site) -> None:
    failed = books.api.get("/runs")["items"][0]
    said = books.shell.good("runs", "changes", failed["id"]).out
    told = books.api.get(f"/runs/{failed['id']}/changes")["comparison"]["sentences"]
    assert [one for one in said.splitlines() if one.startswith("- ")] == [
        f"- {one}" for one in told
    ]
