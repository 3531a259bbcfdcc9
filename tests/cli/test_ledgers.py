"""Commands of calendars, skips, backfills and the audit, as people type them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell, wait

from stepwell.cli.exits import Exit

LOAD = "weather/load-weather"


def test_a_calendar_is_made_used_changed_and_removed(served: Shell) -> None:
    served.good("calendars", "add", "feast", "--day", "2026-12-24=Christmas Eve")
    preview = ("--once", "2099-12-24T12:00:00Z", "--exclude", "feast")
    assert "except on days of feast" in served.good("schedules", "preview", *preview).out
    served.good("calendars", "change", "feast", "--day", "2099-12-24=far", "--remove", "2026-12-24")
    assert "skipped: calendar (far)" in served.good("schedules", "preview", *preview).out
    assert "feast" in served.good("calendars", "list").out
    assert "2099-12-24  far" in served.good("calendars", "show", "feast").out
    served.good("calendars", "remove", "feast", "--reason", "tests")
    answer = served.type("calendars", "show", "feast")
    assert (answer.code, "calendar-not-found" in answer.err) == (Exit.NOT_FOUND, True)


def test_a_skip_is_shown_and_taken_back(served: Shell) -> None:
    many = ("--count", "50")  # or the one to be skipped may pass before it is taken back
    shown = served.good("schedules", "skip", LOAD, *many, "--reason", "tests").out
    assert "skipped: on request of tests: tests" in shown
    assert "on request" not in served.good("schedules", "end-skips", LOAD).out


def test_a_backfill_is_previewed_begun_and_cancelled(served: Shell) -> None:
    span = ("--from", "2026-05-01T00:00:00Z", "--to", "2026-05-01T00:01:00Z")
    said = served.good("schedules", "backfill", LOAD, *span, "--preview").out
    assert "3 instants would run, oldest first." in said
    begin = ("schedules", "backfill", LOAD, *span, "--per-minute", "1", "--reason", "tests")
    made = served.good(*begin, "--json").json
    served.good("backfills", "cancel", made["id"], "--runs", "--reason", "enough")
    assert "cancelled" in served.good("backfills", "list").out
    assert "skipped" in served.good("backfills", "instants", made["id"]).out
    assert served.good("backfills", "show", made["id"], "--json").json["state"] == "cancelled"


@pytest.mark.parametrize("which", [("--all",), (LOAD, "--from", "2026-01-01T00:00:00Z")])
def test_the_audit_proves_one_or_all(served: Shell, which: tuple[str, ...]) -> None:
    def proven() -> Any:
        answer = served.type("schedules", "audit", *which, "--json")
        assert (answer.code == Exit.OK) is answer.json["proven"]
        return answer.json["proven"] and answer.json  # what is due right now is not entered yet

    found = wait(proven)
    assert found["due"] == found["accounted"]


def test_the_audit_asks_which(served: Shell) -> None:
    assert served.type("schedules", "audit").code == Exit.MISTAKE


def test_alerts_and_downtimes_say_that_there_were_none(served: Shell) -> None:
    served.good("schedules", "alerts")
    served.good("schedules", "downtimes")


def test_a_downtime_that_is_none_cannot_be_answered(served: Shell) -> None:
    nowhere = "019e0000-0000-7000-8000-000000000000"
    answer = served.type("schedules", "answer", nowhere, "each", "--reason", "tests")
    assert (answer.code, "downtime-not-found" in answer.err) == (Exit.NOT_FOUND, True)


def test_a_plan_is_applied_once(served: Shell, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    spec = '{kind = "once", at = "2099-01-01T00:00:00Z"}'
    plan.write_text(f'[[schedules]]\nworkflow = "load-weather"\nname = "far"\nspec = {spec}\n')
    first = served.good("schedules", "apply", "weather", plan, "--reason", "tests").out
    assert "weather/load-weather/far" in first
    assert "so already" in served.good("schedules", "apply", "weather", plan).out
    served.good("schedules", "remove", f"{LOAD}/far")
    plan.write_text("[[schedules")
    assert served.type("schedules", "apply", "weather", plan).code == Exit.MISTAKE
