"""The screen of schedules on a clock that stands still: clock changes, missed fires, pauses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.standing import Standing, standing
from tests.journeys.browser.watching import Watch

from stepwell.schedules import Cron, Every, Misfire

pytestmark = pytest.mark.slow

SATURDAY = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before the clock in Oslo goes from 02:00 to 03:00."""
MONDAY = datetime(2026, 5, 4, 12, tzinfo=UTC)

Begin = Callable[[datetime], Standing]


@pytest.fixture
def begin(tmp_path: Path, migrated_file: Path) -> Iterator[Begin]:
    """`begin(at)` is a server whose clock stands at that instant."""
    shutil.copy(migrated_file, tmp_path / "server.db")
    with ExitStack() as open_:
        yield lambda at: open_.enter_context(standing(tmp_path, at))


@pytest.fixture
def oslo(visit: Any) -> Callable[[Standing, str], Page]:
    """A browser in Oslo, of somebody with a role."""
    return lambda place, role: visit(role, at=place.site, timezone_id="Europe/Oslo")


def fires(page: Page) -> Locator:
    """The marks of the strips."""
    return page.get_by_role("listbox").get_by_role("option")


def days(place: Standing, number: int) -> None:
    """So many days go by, each ticked within its hours."""
    for _ in range(number * 24):
        place.hands.move(hours=1)
        place.tick()


def test_a_fire_that_the_clock_leaves_out_runs_an_hour_later_and_the_strip_says_so(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(SATURDAY - timedelta(days=2, hours=11, minutes=29))
    place.schedule(Cron("30 2 * * *", timezone="Europe/Oslo"))
    days(place, 2)
    place.hands.at = SATURDAY
    place.tick()
    page = oslo(place, "operator")
    place.show(page, "/schedules?zoom=7d")
    expect(fires(page).filter(has=page.locator("[data-outcome=coming]"))).to_have_count(2)
    expect(page.get_by_role("option", name="Sun 29 Mar, 03:00, to come")).to_be_attached()
    expect(page.get_by_role("option", name="Mon 30 Mar, 02:30, to come")).to_be_attached()
    expect(page.get_by_text("clock +1 h")).to_be_visible()
    page.get_by_role("link", name="nightly").click()
    note = "On 29 Mar 2026 02:30 does not exist: runs once at 03:00 instead."
    expect(page.get_by_text(note)).to_be_visible()
    days(place, 2)
    place.show(page, "/schedules?zoom=7d")
    for when in ("Sat 28 Mar, 02:30", "Sun 29 Mar, 03:00", "Mon 30 Mar, 02:30"):
        expect(page.get_by_role("option", name=f"{when}, succeeded")).to_be_attached()


def test_a_strip_says_that_more_fires_are_to_come_than_are_listed(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Every(20))
    page = oslo(place, "viewer")
    place.show(page, "/schedules?zoom=21d")
    words = re.compile("later ones are not shown")
    expect(page.get_by_role("listbox", name=words)).to_be_visible()
    expect(page.get_by_text("for you")).to_have_count(0)  # it has no time of day
    place.show(page, "/schedules?zoom=1d")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.get_by_role("listbox", name=words)).to_have_count(0)


def test_a_reader_elsewhere_is_told_the_time_on_their_own_clock(begin: Begin, visit: Any) -> None:
    place = begin(SATURDAY)
    place.schedule(Cron("30 7 * * *", timezone="Europe/Oslo"))
    page = visit("viewer", at=place.site, timezone_id="Asia/Tokyo")
    place.show(page, "/schedules")
    expect(page.get_by_text("At 07:30 every day (Europe/Oslo)")).to_be_visible()
    expect(page.get_by_text("= 14:30 for you")).to_be_visible()


def test_who_chooses_the_zone_of_the_schedule_reads_its_times_on_its_own_clock(
    begin: Begin, visit: Any
) -> None:
    place = begin(SATURDAY)
    one = place.schedule(Cron("30 7 * * *", timezone="Europe/Oslo"))
    page = visit("viewer", at=place.site, timezone_id="Asia/Tokyo")
    place.show(page, "/schedules")
    row = page.locator(f"[data-schedule='{one}']")
    expect(row).to_contain_text("29 Mar 14:30")
    page.get_by_role("button", name="Account").click()
    page.get_by_role("radiogroup", name="Time zone").get_by_text("Schedule’s").click()
    page.keyboard.press("Escape")
    expect(row).to_contain_text("29 Mar 07:30 Oslo")
    expect(page.get_by_text("for you")).to_have_count(0)
    expect(page.get_by_role("option", name="Sun 29 Mar, 07:30, to come")).to_be_attached()
    page.reload()
    expect(row).to_contain_text("29 Mar 07:30 Oslo")


def test_a_missed_fire_is_run_from_its_mark_and_the_ledger_keeps_saying_that_it_was_missed(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    one = place.schedule(Cron("0 14 * * *", misfire=Misfire.SKIP))
    place.tick()
    place.hands.move(hours=3.5)
    place.tick()
    page = oslo(place, "operator")
    place.show(page, "/schedules?zoom=1d")
    banner = page.get_by_role("region", name="The scheduler was away")
    expect(banner).to_contain_text("1 fire of 1 schedule was missed.")
    mark = page.get_by_role("option", name=re.compile(r"Mon 4 May, 16:00 .*missed"))
    expect(mark).to_be_attached()
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Run this fire now").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("the power is back")
    page.get_by_role("button", name="Run it", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    place.end_runs()
    [line] = [
        one for one in place.site.api.get(f"/schedules/{one}/ledger")["items"] if one["count"]
    ]
    assert (line["fate"], line["backfilled"]) == ("missed", 1)
    place.show(page, f"/schedules?zoom=1d&schedule={one}&tab=ledger")
    expect(page.get_by_text("Proven: all 1 due fire is accounted for")).to_be_visible()
    expect(page.get_by_role("complementary")).to_contain_text("A backfill made up for it.")


def test_what_a_downtime_missed_is_decided_about_once(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Every(hours=1, misfire=Misfire.SKIP), workflow="hourly")
    place.tick()
    place.hands.move(hours=3.5)
    place.tick()
    page = oslo(place, "operator")
    place.show(page, "/schedules?zoom=1d")
    page.get_by_role("button", name="Run each once (3)").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("it was the power")
    dialog.get_by_role("button", name="Run every missed fire once").click()
    expect(page.get_by_role("region", name="The scheduler was away")).to_have_count(0)
    [backfill] = place.site.api.get("/backfills")["items"]
    assert (backfill["instants"], backfill["reason"]) == (3, "it was the power")


def test_a_paused_week_is_one_band_and_ends_by_itself(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Cron("0 2 * * *", timezone="Europe/Oslo"))
    place.tick()
    page = oslo(place, "operator")
    place.show(page, "/schedules")
    page.get_by_role("checkbox", name="Select weather/nightly").check()
    page.get_by_role("button", name="Pause", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Monday, 06:00").check()
    dialog.get_by_label("Reason").fill("db upgrade")
    dialog.get_by_role("button", name="Pause 1 schedule").click()
    expect(page.get_by_text("paused until 11 May 06:00")).to_be_visible()
    expect(page.get_by_text("5 May 02:00", exact=True)).to_have_count(0)  # that one does not run
    page.get_by_role("link", name="nightly").click()
    drawer = page.get_by_role("complementary")
    expect(drawer.get_by_text("It is paused until 11 May 06:00")).to_be_visible()
    expect(drawer.locator("li[data-off]").filter(has_text="paused")).to_have_count(5)
    days(place, 9)
    place.show(page, "/schedules")
    expect(page.get_by_role("option", name="7 paused")).to_be_attached()
    expect(page.get_by_role("option", name="Wed 13 May, 02:00, succeeded")).to_be_attached()
    expect(page.get_by_text("paused until")).to_have_count(0)


def test_what_was_skipped_last_night_is_found_in_the_morning(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Cron("0 2 * * *"))
    skipped = place.schedule(Cron("30 2 * * *"), workflow="hourly")
    body = {"count": 1, "reason": "stocktaking"}
    place.site.api.post(f"/schedules/{skipped}/skips", body)
    days(place, 1)
    page = oslo(place, "viewer")
    place.show(page, "/schedules")
    expect(page.get_by_role("link", name="nightly")).to_be_visible()
    page.get_by_text("Skipped", exact=True).click()
    expect(page.get_by_role("link", name="nightly")).to_have_count(0)
    expect(page.get_by_role("link", name="hourly")).to_be_visible()


def test_a_backfill_is_dragged_previewed_and_followed_to_its_end(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Cron("0 2 * * *", timezone="Europe/Oslo"))
    days(place, 2)
    page = oslo(place, "operator")
    place.show(page, "/schedules")
    strip = page.get_by_role("listbox")
    expect(fires(page).first).to_be_attached()
    strip.hover()  # it stands still by then
    box = strip.bounding_box()
    assert box is not None
    day = box["width"] / 21
    page.mouse.move(box["x"] + 4 * day, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 7 * day, box["y"] + 14, steps=4)
    page.mouse.up()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Run 3 fires")).to_be_visible()
    expect(dialog.get_by_text("Ends about")).to_be_visible()
    dialog.get_by_label("Reason").fill("the feed was wrong")
    dialog.get_by_role("button", name="Run 3 fires").click()
    drawer = page.get_by_role("complementary")
    expect(drawer.get_by_text("0 of 3")).to_be_visible()
    place.move_backfills()
    expect(drawer.get_by_text("0 of 3, 1 running")).to_be_visible()
    while not place.move_backfills():
        place.end_runs()
    expect(drawer.get_by_text("3 of 3")).to_be_visible()
    expect(drawer.get_by_text("done", exact=True)).to_be_visible()


def test_the_preview_follows_what_is_typed_and_a_mistake_is_explained(
    begin: Begin, oslo: Callable[[Standing, str], Page], watches: dict[Page, Watch]
) -> None:
    place = begin(SATURDAY)
    place.schedule(Cron("30 2 * * *", timezone="Europe/Oslo"))
    page = oslo(place, "operator")
    place.show(page, "/schedules")
    page.get_by_role("link", name="nightly").click()
    page.get_by_role("button", name="Edit", exact=True).click()
    preview = page.get_by_role("region", name="The next ten fires")
    expect(preview).to_contain_text("At 02:30 every day (Europe/Oslo)")
    field = page.get_by_label("Cron expression")
    field.fill("0 9 * * MON")
    expect(preview).to_contain_text("At 09:00 on Monday (Europe/Oslo)")
    expect(preview.get_by_role("listitem")).to_have_count(10)
    watches[page].allow(r"schedule-previews .*422")
    field.fill("0 99 * * MON")
    expect(page.get_by_text("its hour field '99' cannot be read")).to_be_visible()


def test_the_table_says_the_same_and_a_viewer_sees_why_they_may_not(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    place.schedule(Cron("0 2 * * *", timezone="Europe/Oslo"))
    days(place, 3)
    page = oslo(place, "viewer")
    place.show(page, "/schedules")
    expect(page.get_by_role("listbox")).to_be_visible()
    axe_in_both_themes(page)
    page.keyboard.press("t")
    row = page.get_by_role("row").filter(has_text="weather/nightly")
    expect(row).to_contain_text("succeeded")
    axe_in_both_themes(page)
    assert "table=1" in page.url
    add = page.get_by_role("button", name="Add a schedule")
    expect(add).to_have_attribute("aria-disabled", "true")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("table")).to_have_count(0)
    fits(page)


def test_where_nothing_is_scheduled_three_examples_are_offered(
    begin: Begin, oslo: Callable[[Standing, str], Page]
) -> None:
    place = begin(MONDAY)
    page = oslo(place, "operator")
    place.show(page, "/schedules")
    page.get_by_role("button", name="every weekday at 07:30").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Cron expression")).to_have_value("30 7 * * MON-FRI")
    dialog.get_by_role("combobox", name="Workflow").click()
    page.get_by_role("option", name="weather/nightly").click()
    dialog.get_by_label("Name").fill("mornings")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("complementary")).to_contain_text("At 07:30 on Monday through Friday")
    [made] = place.site.api.get("/schedules")["items"]
    assert (made["name"], made["origin"]) == ("mornings", "added")
