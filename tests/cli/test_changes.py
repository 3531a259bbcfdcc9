"""What people change at a server: schedules, groups and steps, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import Shell
from tests.cli.test_mistakes import refused

from stepwell.cli.exits import Exit

SOURCE = """from stepwell.schedules import Cron
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("{name}")


@group.workflow(schedule=Cron("30 7 * * *", timezone="Europe/Oslo"))
class Nightly:
    limit: int = 1

    @operation
    def go(self, limit: int) -> int:
        return limit
"""


def grouped(served: Shell, folder: Path, name: str) -> str:
    """A released group of this name with one scheduled workflow."""
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(SOURCE.format(name=name))
    served.good("groups", "register", path)
    served.good("groups", "approve", name)
    return name


@pytest.fixture(scope="module")
def nightly(served: Shell, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A schedule from the source."""
    return grouped(served, tmp_path_factory.mktemp("cadence"), "cadence") + "/nightly"


@pytest.fixture
def night(served: Shell, nightly: str) -> Iterator[str]:
    """A schedule that was added beside it."""
    words = ("cadence", "nightly", "night", "--every", "3600", "-p", "limit=2")
    made = served.good("schedules", "add", *words, "--overlap", "queue", "--json").json
    yield f"{nightly}/night"
    if any(one["id"] == made["id"] for one in listed(served)):
        served.good("schedules", "remove", made["id"])


def listed(served: Shell) -> list[dict[str, Any]]:
    return list(served.good("schedules", "list", "--group", "cadence", "--json").json)


def settings(served: Shell) -> list[dict[str, Any]]:
    """The same without what the next full hour changes; each change counts in `version`."""
    moving = ("next_due", "last")
    return [{k: v for k, v in one.items() if k not in moving} for one in listed(served)]


def test_a_schedule_from_the_source_is_overridden_shown_so_and_put_back(
    served: Shell, nightly: str
) -> None:
    which, change = f"{nightly}/default", ("schedules", "change", f"{nightly}/default")
    refused(served.type(*change, "--overlap", "queue"), Exit.MISTAKE, "reason-missing")
    served.good(*change, "--cron", "0 6 * * *", "-p", "limit=3", "--reason", "a busy week")
    shown = served.good("schedules", "show", which, "--json").json
    assert (shown["origin"], shown["parameters"]) == ("overridden", {"limit": 3})
    assert (shown["spec"]["expression"], shown["spec"]["timezone"]) == ("0 6 * * *", "Europe/Oslo")
    mine = ("schedules", "list", "--group", "cadence")  # others would make the columns narrow
    for told in (served.good(*mine), served.good("schedules", "show", which)):
        assert "a busy week" in told.out
        assert "tests" in told.out, "who has overridden it"
        assert "differs: cron 30 7 * * * (Europe/Oslo)" in told.out
    served.good(*change, "--unset", "limit", "--reason", "x")
    assert served.good("schedules", "show", which, "--json").json["parameters"] == {}
    back = served.good("schedules", "end-override", which, "--reason", "calm", "--json").json
    assert (back["origin"], back["spec"]["expression"]) == ("source", "30 7 * * *")
    refused(
        served.type("schedules", "end-override", which),
        Exit.CONFLICT,
        "schedule-not-overridden",
    )


def test_a_schedule_of_ones_own_is_added_changed_and_removed(served: Shell, night: str) -> None:
    shown = served.good("schedules", "show", night, "--json").json
    assert (shown["origin"], shown["parameters"], shown["spec"]["overlap"]) == (
        "added",
        {"limit": 2},
        "queue",
    )
    words = ("--once", "2040-01-01T00:00:00Z", "--misfire", "skip", "--end", "2041-01-01T00:00:00Z")
    changed = served.good("schedules", "change", night, *words, "--json").json
    assert changed["spec"] == {
        "kind": "once",
        "at": "2040-01-01T00:00:00Z",
        "overlap": "queue",
        "misfire": "skip",
        "end": "2041-01-01T00:00:00Z",
    }
    open_end = served.good("schedules", "change", night, "--end", "none", "--json").json
    assert "end" not in open_end["spec"]
    served.good("schedules", "remove", night, "--reason", "enough")
    refused(served.type("schedules", "show", night), Exit.NOT_FOUND, "schedule-unknown")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "invalid-input"),
        (("--overlap", "queue"), "invalid-input"),
        (("--every", "60", "--cron", "* * * * *"), "invalid-input"),
        (("--timezone", "Europe/Oslo"), "invalid-input"),
        (("--every", "0"), "interval-invalid"),
        (("-p", "limit=many"), "parameters-invalid"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(
    served: Shell, night: str, words: tuple[str, ...], code: str
) -> None:
    before = settings(served)
    refused(served.type("schedules", "change", night, *words), Exit.MISTAKE, code)
    assert settings(served) == before


def test_what_the_source_declares_cannot_be_removed(served: Shell, nightly: str) -> None:
    answer = served.type("schedules", "remove", f"{nightly}/default")
    refused(answer, Exit.CONFLICT, "schedule-from-source")


def test_a_new_schedule_needs_one_trigger(served: Shell, nightly: str) -> None:
    add = ("schedules", "add", "cadence", "nightly", "day")
    refused(served.type(*add), Exit.MISTAKE, "invalid-input")
    refused(served.type(*add, "--every", "60", "--once", "x"), Exit.MISTAKE, "invalid-input")


def test_a_group_is_archived_and_restored(served: Shell, tmp_path: Path) -> None:
    name = grouped(served, tmp_path, "shelved")
    served.good("groups", "archive", name, "--reason", "no more")
    names = [one["name"] for one in served.good("groups", "list", "--json").json]
    assert name not in names
    assert name in served.good("groups", "list", "--archived").out
    refused(served.type("groups", "discover", name), Exit.CONFLICT, "group-archived")
    assert served.good("groups", "restore", name, "--json").json["archived_at"] is None
    run = served.good("runs", "start", name, "nightly", "--wait", "--json").json
    assert run["state"] == "succeeded"


def test_a_group_is_changed_a_part_at_a_time(served: Shell, tmp_path: Path) -> None:
    name = grouped(served, tmp_path, "moving")
    change = ("groups", "change", name)
    served.good(*change, "--env", "A=1", "--env", "B=2", "--secret", "C=env:HOME")
    made = served.good(*change, "--env", "A=3", "--unset", "B", "--json").json
    assert (made["environment"], made["secrets"]) == ({"A": "3"}, {"C": "env:HOME"})
    other = (tmp_path / "moving.py").rename(tmp_path / "moved.py")
    moved = served.good(*change, "--image", other, "--discover-with-secrets", "--json").json
    assert (moved["image"], moved["discover_with_secrets"]) == (str(other), True)
    refused(served.type(*change), Exit.MISTAKE, "invalid-input")
    refused(served.type(*change, "--unset", "B"), Exit.MISTAKE, "invalid-input")


def test_steps_of_a_store_are_ended_by_hand(shell: Shell) -> None:
    """R6: with a reason, and with a result where they are done."""
    shell.good("migrate", "--database", "sqlite:///mine.db")
    store = ("--store", "sqlite:///mine.db")
    bad, good = (shell.good("steps", "add", "v1/hello", *store).out.strip() for _ in range(2))
    shell.good("steps", "fail", bad, "--reason", "the disk is gone", *store)
    shell.good("steps", "complete", good, "--result", '{"n": 1}', "--reason", "by mail", *store)
    failed, done = (shell.good("steps", "show", one, "--json", *store).json for one in (bad, good))
    assert (failed["ended_as"], failed["description"]) == ("failed", "the disk is gone")
    assert (done["ended_as"], done["description"], done["result"]) == ("done", "by mail", {"n": 1})
    refused(shell.type("steps", "fail", good, *store), Exit.CONFLICT, "step-ended")


def test_a_step_that_the_server_needs_is_not_ended_by_hand(served: Shell) -> None:
    (tick,) = served.good("steps", "list", "--name", "v1/server/tick", "--json").json
    for verb in ("fail", "complete"):
        refused(served.type("steps", verb, tick["id"]), Exit.DENIED, "step-protected")
