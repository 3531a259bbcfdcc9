"""Each reason why something waits, made to happen, and read in the API, the shell and the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect
from starlette.testclient import TestClient
from tests.cli.shell import Shell, free_port
from tests.journeys.browser.looking import axe_in_both_themes, fits
from tests.journeys.browser.site import PASSWORD, Site
from tests.server.conftest import api, database_url
from tests.server.conftest import settings as quiet_settings
from tests.server.live import listening
from tests.server.runs.conftest import (
    PlayedLauncher,
    Start,
    client,
    launcher,
    pod,
    released,
    server,
    show,
    start,
    work,
)
from tests.server.runs.support import (
    GIVEN,
    Pods,
    Work,
    operation,
    pass_time,
    rows,
    settlement,
    stop_clock,
    workflow,
)
from tests.server.schedules.support import scheduled
from tests.server.support import token
from tests.server.waiting.conftest import engine as join_engine
from tests.server.waiting.support import timeless
from tests.server.waiting.test_held import sent
from tests.server.waiting.test_why import REPORTED
from typer.testing import CliRunner

from stepwell import clock
from stepwell.cli.app import app
from stepwell.cli.client import Client
from stepwell.cli.profile import Profile
from stepwell.launchers.protocol import Condition, LaunchStatus
from stepwell.schedules import Cron, Every, Overlap
from stepwell.server.app import Server
from stepwell.server.settings import Settings
from stepwell.server.waiting.records import Code

pytestmark = pytest.mark.slow

__all__ = [
    "api",
    "client",
    "database_url",
    "join_engine",
    "launcher",
    "pod",
    "quiet_settings",
    "released",
    "server",
    "show",
    "start",
    "work",
]
"""Fixtures of the server's tests, which pytest finds by their names."""


@pytest.fixture
def settings(quiet_settings: Settings) -> Settings:
    """Those of the server's tests, at a port of their own."""
    return replace(quiet_settings, port=free_port())


@pytest.fixture
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Three operations; a test may give more of `load`."""
    load = operation("load", **getattr(request, "param", {}))
    return workflow(operation("fetch", retries=4), load, operation("report"))


@dataclass(frozen=True)
class Stage:
    """The server of a test, and the hands that move it."""

    server: Server
    client: TestClient
    launcher: PlayedLauncher
    start: Start
    work: Work
    pod: Pods
    show: Start
    patch: pytest.MonkeyPatch
    site: Site

    def launched(self) -> dict[str, Any]:
        """A run whose container was started."""
        run = self.start()
        self.work()
        return run

    def limited(self, slots: int) -> dict[str, Any]:
        """A run for which this many slots are not enough."""
        body = {"kind": "workflow", "name": "weather/nightly", "slots": slots}
        assert self.client.post("run-limits", json={**body, "reason": "db upgrade"}).is_success
        runs = [self.start() for _ in range(slots + 1)]
        self.work(lambda: self.show(runs[-1])["waiting"])
        return runs[-1]

    def later(self, seconds: float, **fields: Any) -> dict[str, Any]:
        """A run whose first operation has run, and runs again later."""
        run = self.launched()
        one = self.pod(run)
        step = one.claim()
        at = clock.now() + timedelta(seconds=seconds)
        one.settle(settlement(step, None, schedule_time=at, **fields))
        return run


@pytest.fixture
def stage(
    server: Server,
    client: TestClient,
    launcher: PlayedLauncher,
    start: Start,
    work: Work,
    pod: Pods,
    show: Start,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> Iterator[Stage]:
    """A server that listens, with an operator who can log in."""
    secret = token(server, "admin")
    with listening(server) as url, Client(Profile(url, secret)) as admin:
        link = admin.post("/users", {"name": "operator", "role": "operator"})["link"]
        admin.post("/password-resets", {"secret": link["secret"], "password": PASSWORD})
        monkeypatch.setenv("STEPWELL_URL", url)
        monkeypatch.setenv("STEPWELL_TOKEN", secret)
        site = Site(url, Shell(tmp_path), admin)
        hands = (client, launcher, start, work, pod, show, monkeypatch)
        yield Stage(server, *hands, site)


Place = tuple[str, str]
"""Where the page shows it, and where the API does."""


def of_run(run: dict[str, Any], step: str | None = None) -> Place:
    asked = "" if step is None else f"?step={quote(step)}"
    return f"/runs/{run['id']}{asked}", f"/runs/{run['id']}/why{asked}"


def of_schedule(schedule_id: Any) -> Place:
    return f"/schedules?schedule={schedule_id}", f"/schedules/{schedule_id}/why"


def paused_system(stage: Stage) -> Place:
    run = stage.start()
    body = {"kind": "pause", "key": "runs", "reason": "db upgrade"}
    assert stage.client.post("controls", json=body).is_success
    return of_run(run)


def paused_schedule(stage: Stage) -> Place:
    one = scheduled(stage.server, Cron("0 0 1 1 *", timezone="Europe/Oslo"), parameters=GIVEN)
    until = (clock.now() + timedelta(hours=6)).isoformat()
    body = {"reason": "db upgrade", "until": until}
    assert stage.client.post(f"schedules/{one}/pauses", json=body).is_success
    return of_schedule(one)


def not_due(stage: Stage) -> Place:
    run = stage.start()
    at = clock.now() + timedelta(hours=3, minutes=10)
    with stage.server.db.write() as conn:
        stage.server.db.steps(conn).reschedule(rows(stage.server, run)[-1].id, at)
    return of_run(run)


def depends_on(stage: Stage) -> Place:
    run = stage.launched()
    stage.pod(run).claim()
    return of_run(run, "report")


def approval(stage: Stage) -> Place:
    run = stage.launched()
    stage.pod(run).work(then="load")
    stage.launcher.end(f"{run['id']}-1")
    stage.work(lambda: stage.show(run)["waiting"])
    return of_run(run)


def overlap(stage: Stage) -> Place:
    one = scheduled(stage.server, Every(seconds=1, overlap=Overlap.QUEUE), parameters=GIVEN)
    why = f"schedules/{one}/why"
    stage.work(lambda: "OVERLAP" in stage.client.get(why).text)
    return of_schedule(one)


def rate_limit(stage: Stage) -> Place:
    run = stage.start()
    body = {"kind": "rate", "key": "smtp", "slots": 1, "period": 1800.0}
    assert stage.client.post("controls", json=body).is_success
    sent(stage.server, run, 2, rate_key="smtp")
    mails = [one for one in rows(stage.server, run) if one.name == "mail"]
    (left,) = (one for one in mails if one.ended_as is None)
    return of_run(run, str(left.id))


def behind(stage: Stage) -> Place:
    run = stage.start()
    pass_time(stage.patch, 12_000)
    return of_run(run)


def unforeseen(stage: Stage) -> Place:
    run = stage.start()
    begun = datetime.fromisoformat(run["created_at"])
    stop_clock(stage.patch, begun + timedelta(seconds=1))
    return of_run(run)


def reported(code: str) -> Callable[[Stage], Place]:
    def happen(stage: Stage) -> Place:
        run = stage.launched()
        details, message, _ = REPORTED[code]
        since = clock.now() - timedelta(seconds=40)
        condition = Condition(code=code, details=details, message=message, since=since)
        status = LaunchStatus(state="running", condition=condition)
        stage.launcher.ended[f"{run['id']}-1"] = status
        return of_run(run)

    return happen


FAILED = {"description": "TimeoutError: after 30 s\n  x", "failure_count": 2}
ASKS = {"approval": {"within": 3600.0, "on_timeout": "fail"}}

HAPPEN: dict[str, tuple[Callable[[Stage], Place], str]] = {
    "PAUSED_SYSTEM": (paused_system, r"Paused by .* on .*: 'db upgrade'\."),
    "PAUSED_SCHEDULE": (paused_schedule, r"Paused on .*: 'db upgrade'\. Resumes .* UTC\."),
    "PAUSED_WORKFLOW": (lambda stage: of_run(stage.limited(0)), r"Paused by .*: 'db upgrade'\."),
    "NOT_DUE": (not_due, r"Starts .*, in 3 h (10|9) m\."),
    "DEPENDS_ON": (depends_on, r"Waits for fetch \(running\) and load \(not begun\)\."),
    "SLEEPING": (lambda stage: of_run(stage.later(18_000)), r"Sleeps until .*, (4 h 59|5 h 0?0) m"),
    "RETRY_AT": (
        lambda stage: of_run(stage.later(3_000, **FAILED)),
        r"Attempt 3 of 5 in (49|50) m .*; last error: TimeoutError: after 30 s\.",
    ),
    "APPROVAL": (approval, r"Load waits for approval until .*, then fails\."),
    "OVERLAP": (overlap, r"The previous run .* is still starting \(.*\); policy queue\."),
    "CONCURRENCY": (lambda stage: of_run(stage.limited(1)), r"0 ahead in line\."),
    "RATE_LIMIT": (rate_limit, r"The rate of smtp is used up \(1 in 1800 s\); next slot in "),
    "NO_RUNNER": (lambda stage: of_run(stage.start()), r"No engine of the server took work since"),
    "ENGINE": (behind, r"Scheduler behind by 3 h 2"),
    "UNKNOWN": (unforeseen, r"No reason known\. The engine saw "),
    **{code: (reported(code), REPORTED[code][2]) for code in REPORTED},
}


def cases() -> list[Any]:
    """Each of the reasons, with the workflow that it needs."""
    return [pytest.param(ASKS if one == "APPROVAL" else {}, one, id=one) for one in HAPPEN]


def test_every_reason_is_made_to_happen() -> None:
    assert set(HAPPEN) == set(Code)


@pytest.mark.parametrize(("entry", "code"), cases(), indirect=["entry"])
def test_a_reason_reads_the_same_in_the_api_in_the_shell_and_on_the_page(
    stage: Stage, visit: Any, request: pytest.FixtureRequest, code: str
) -> None:
    happen, expected = HAPPEN[code]
    if code != "NO_RUNNER":
        request.getfixturevalue("join_engine")
    path, why = happen(stage)

    found = answered(stage, why)
    assert found["reason"]["code"] == code
    said = found["sentence"].replace("*", "")
    plain = expected if code not in REPORTED else re.escape(expected.replace("*", ""))
    if code == "STARTING":
        plain = r"Pulling 1\.2 GB image on node-7, \d+ s so far \(usually 55 s\)\."
    assert re.search(plain, said), said

    typed = CliRunner().invoke(app, words_of(why))
    assert typed.exit_code == 0, typed.output
    sentence, *lines = typed.stdout.splitlines()
    assert timeless(sentence) == timeless(found["sentence"])
    assert f"  code: {code}" in lines
    assert all(f"  {one['label']}: {one['command']}" in lines for one in found["reason"]["actions"])

    page: Page = visit("operator", at=stage.site)
    page.goto(stage.site.link(path))
    region = shown(page, path)
    expect(region).to_contain_text(re.compile(plain))
    expect(region).to_contain_text(code)
    for one in found["reason"]["actions"]:
        expect(region).to_contain_text(one["command"])


def answered(stage: Stage, why: str) -> dict[str, Any]:
    """What the API says."""
    path, _, step = why.partition("?step=")
    found: dict[str, Any] = stage.site.api.get(path, **({"step": step} if step else {}))
    return found


def words_of(why: str) -> list[str]:
    """The command that asks the same: `/runs/1/why?step=load`."""
    path, _, step = why.partition("?step=")
    _, kind, one, _ = path.split("/")
    return ["why", one, *(["--schedule"] if kind == "schedules" else []), *filter(None, [step])]


def shown(page: Page, path: str) -> Locator:
    """What the page says about it: in the drawer, where one is open."""
    drawn = page.get_by_role("complementary") if "=" in path else page.get_by_role("main")
    return drawn.get_by_role("region", name="Why does it wait?")


def test_what_can_be_done_about_it_is_done_from_the_page(
    stage: Stage, visit: Any, join_engine: None
) -> None:
    run = stage.later(3_000, **FAILED)
    path, _ = of_run(run)
    page: Page = visit("operator", at=stage.site)
    page.goto(stage.site.link(path))
    region = shown(page, path)
    expect(region.get_by_role("button", name="Retry now", exact=True)).to_be_visible()
    axe_in_both_themes(page)
    region.get_by_role("button", name="Stop retrying, cancel the run", exact=True).click()
    dialog = page.get_by_role("dialog", name="Stop retrying, cancel the run")
    dialog.get_by_label("Reason").fill("the table is gone")
    expect(dialog.get_by_text(re.compile("stepwell runs cancel .* --reason"))).to_be_visible()
    dialog.get_by_role("button", name="Stop retrying, cancel the run").click()
    expect(dialog).to_have_count(0)
    assert stage.show(run)["state"] in ("cancelling", "cancelled")
    expect(region).to_have_count(0)
    acts = stage.site.api.get("/audit", actor="operator")["items"]
    assert any(one["reason"] == "the table is gone" for one in acts)


def test_what_somebody_has_paused_is_resumed_from_the_run_that_waits_for_it(
    stage: Stage, visit: Any, join_engine: None
) -> None:
    path, _ = paused_system(stage)
    page: Page = visit("operator", at=stage.site)
    page.goto(stage.site.link(path))
    region = shown(page, path)
    expect(region.get_by_role("link", name="runs", exact=True)).to_have_attribute(
        "href", re.compile("/settings.page=limits")
    )
    page.set_viewport_size({"width": 390, "height": 844})
    fits(page)
    region.get_by_role("button", name="Resume", exact=True).click()
    dialog = page.get_by_role("dialog", name="Resume")
    dialog.get_by_label("Reason").fill("the upgrade is over")
    dialog.get_by_role("button", name="Resume").click()
    expect(dialog).to_have_count(0)
    assert stage.site.api.get("/controls")["items"] == []
    expect(region).not_to_contain_text("db upgrade")
