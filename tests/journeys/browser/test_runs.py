"""A run that failed is found, mended and run again; one that waits says what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.conftest import Visit
from tests.journeys.browser.looking import axe_in_both_themes
from tests.journeys.browser.site import Site, serving

pytestmark = pytest.mark.slow

SOURCE = '''
"""What breaks, and what waits."""

from pathlib import Path

from stepwell.workflows import Approval, WorkflowGroup, operation

group = WorkflowGroup("works")


@group.workflow()
class LoadRows:
    @operation
    def fetch(self) -> int:
        """Fetch them."""
        print("fetched them")
        return 3

    @operation
    def load(self, fetch: int) -> int:
        """Load them, unless the disk is full."""
        if Path({full!r}).exists():
            raise OSError("the disk is full")
        print("loaded", fetch)
        return fetch


@group.workflow()
class PayOut:
    @operation(approval=Approval(within=3600))
    def pay(self) -> str:
        """Pay."""
        return "paid"
'''

LONG = 180_000
"""Milliseconds for a run to end, also where many others work on the machine."""


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Iterator[Site]:
    """A server with a group whose disk is full as long as a file says so."""
    with serving(tmp_path_factory.mktemp("works")) as site:
        source = site.shell.folder / "works.py"
        source.write_text(SOURCE.replace("{full!r}", repr(str(site.shell.folder / "full"))))
        site.shell.good("groups", "register", source)
        site.shell.good("groups", "approve", "works", "--reason", "first release")
        yield site


def started(works: Site, workflow: str) -> str:
    run: str = works.api.post(f"/workflows/works/{workflow}/runs", {"parameters": {}})["id"]
    return run


def opened(page: Page, works: Site, run: str) -> None:
    page.goto(works.link(f"/runs/{run}"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_failed_run_is_found_mended_and_run_again(visit: Visit, works: Site) -> None:
    full = works.shell.folder / "full"
    full.touch()
    run = started(works, "load-rows")
    page = visit("operator", at=works)
    page.goto(works.link("/runs?q=state:failed"))
    row = page.get_by_role("link", name=re.compile("load-rows"))
    expect(row.first).to_be_visible(timeout=LONG)
    opened(page, works, run)
    expect(page.get_by_text("the disk is full").first).to_be_visible(timeout=LONG)
    axe_in_both_themes(page)

    full.unlink()
    page.get_by_role("button", name="Run again").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("reuse result")).to_be_visible()
    expect(dialog.get_by_text("run again", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Start it").click()
    expect(page).not_to_have_url(re.compile(run))
    expect(page.get_by_role("main").get_by_text("succeeded").first).to_be_visible(timeout=LONG)
    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_text("loaded 3")).to_be_visible(timeout=LONG)

    assert works.api.get(f"/runs/{run}")["superseded_by"] is not None
    opened(page, works, run)
    expect(page.get_by_role("main").get_by_text("superseded").first).to_be_visible()


def test_a_waiting_run_says_what_for_until_somebody_approves(visit: Visit, works: Site) -> None:
    run = started(works, "pay-out")
    page = visit("reviewer", at=works)
    opened(page, works, run)
    why = page.get_by_role("region", name=re.compile("why", re.IGNORECASE))
    expect(why.get_by_text(re.compile("approval"))).to_be_visible(timeout=LONG)
    sentence = works.api.get(f"/runs/{run}/why")["sentence"]
    assert "approval" in sentence
    assert "approval" in works.shell.good("why", run).out
    axe_in_both_themes(page)

    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("main").get_by_text("succeeded").first).to_be_visible(timeout=LONG)


def test_who_may_only_look_sees_why_a_button_is_not_theirs(visit: Visit, works: Site) -> None:
    run = started(works, "pay-out")
    page = visit("viewer", at=works)
    opened(page, works, run)
    button = page.get_by_role("button", name="Cancel")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_have_attribute("aria-description", re.compile("operator"))


def row_of(page: Page, run: str) -> Locator:
    return page.get_by_role("row").filter(has=page.locator(f'a[href*="{run}"]'))


def finished(page: Page, act: str) -> Locator:
    """The progress of an act on two runs, when it is finished."""
    box = page.get_by_role("region", name=f"{act}: 2 runs")
    expect(box.get_by_role("status")).to_have_text("2 of 2 done; is finished", timeout=LONG)
    return box


def agreed(page: Page, title: str, reason: str) -> None:
    """The dialog of a wide act says how many it is about, and is answered with a reason."""
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog.get_by_text(re.compile("stepwell bulk start"))).to_be_visible()
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=title).click()
    expect(dialog).to_have_count(0)


def test_an_act_on_many_runs_is_taken_back_and_so_is_what_took_it_back(
    visit: Visit, works: Site
) -> None:
    runs = [started(works, "pay-out") for _ in range(2)]
    page = visit("operator", at=works)
    page.goto(works.link("/runs?q=workflow:pay-out"))
    for run in runs:
        row_of(page, run).get_by_role("checkbox").check()
    selected = page.get_by_role("region", name="2 selected")
    selected.get_by_role("button", name="Cancel").click()
    agreed(page, "Cancel 2 runs", "the wrong day")
    box = finished(page, "cancel")
    for run in runs:
        expect(row_of(page, run)).to_contain_text("cancelled", timeout=LONG)

    box.get_by_role("button", name="Run them again").click()
    agreed(page, "Run 2 again as new requests", "it was the right day")
    box = finished(page, "repeat")
    begun = works.api.get("/runs", q="trigger:repeat workflow:pay-out by:operator")["items"]
    assert len(begun) == 2
    axe_in_both_themes(page)

    box.get_by_role("button", name="Cancel those that it started").click()
    agreed(page, "Cancel 2 runs", "it was the wrong day after all")
    finished(page, "cancel")
    page.goto(works.link("/runs?q=workflow:pay-out trigger:repeat"))
    for one in begun:
        expect(row_of(page, one["id"])).to_contain_text("cancelled", timeout=LONG)
    acts = works.api.get("/audit", actor="operator")["items"]
    bulk = [one["reason"] for one in acts if one["action"].startswith("bulk.")]
    assert bulk == ["it was the wrong day after all", "it was the right day", "the wrong day"]


def test_what_an_operation_wrote_is_folded_behind_its_name(visit: Visit, works: Site) -> None:
    run = started(works, "load-rows")
    page = visit("viewer", at=works)
    page.goto(works.link(f"/runs/{run}?tab=logs"))
    expect(page.get_by_role("main").get_by_text("succeeded").first).to_be_visible(timeout=LONG)
    log = page.get_by_role("log")
    load = log.get_by_role("button", name=re.compile("^load 1 line"))
    fetched, loaded = log.get_by_text("fetched them"), log.get_by_text("loaded 3")
    expect(load).to_have_attribute("aria-expanded", "true")
    expect(loaded).to_be_visible()

    load.click()
    expect(load).to_have_attribute("aria-expanded", "false")
    expect(loaded).to_have_count(0)
    expect(fetched).to_be_visible()
    page.get_by_role("button", name="Unfold all").click()
    expect(loaded).to_be_visible()
    page.get_by_role("button", name="Fold all operations").click()
    expect(fetched).to_have_count(0)
    expect(log.get_by_role("button", expanded=False)).to_have_count(2)
    axe_in_both_themes(page)

    page.get_by_label("Search the log").fill("loaded")
    expect(loaded).to_be_visible()
