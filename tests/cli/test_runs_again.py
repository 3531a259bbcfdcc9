"""Runs that are tried, labelled, done again, approved, compared and limited, as people type it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import at_rest
from tests.cli.shell import Shell, wait
from tests.cli.test_mistakes import refused

from stepwell.cli.exits import Exit

SOURCE = """
from pathlib import Path
from stepwell.workflows import Approval, Context, WorkflowGroup, operation

group = WorkflowGroup("payments")
disk = Path(__file__).parent / "disk"


@group.workflow(pool="bank")
class Payout:
    amount: int = 1

    @operation
    def collect(self, amount: int) -> int:
        return amount

    @operation
    def check(self, collect: int) -> int:
        if not Path("{disk}").exists():
            raise OSError("no disk")
        return collect

    @operation(approval=Approval(within=3600, message="Pay it?"))
    def pay(self, check: int, ctx: Context) -> str:
        return f"{{check}} by {{ctx.approval.by}}"
"""


@pytest.fixture(scope="module")
def disk(served: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that `check` needs; the group `payments` is released."""
    folder = tmp_path_factory.mktemp("payments")
    path, disk = folder / "payments.py", folder / "disk"
    path.write_text(SOURCE.format(disk=disk))
    served.good("groups", "register", path)
    served.good("groups", "approve", "payments")
    return disk


def shown(served: Shell, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = served.good("runs", "show", run_id, "--json").json
    return found


def test_a_run_is_tried_fails_is_done_again_from_there_and_waits_for_a_reviewer(
    served: Shell, disk: Path
) -> None:
    plan = served.good("runs", "start", "payments", "payout", "-p", "amount=7", "--dry-run").out
    assert "collect, check, pay" in plan
    assert "bank" in plan
    assert plan.startswith("Would start 1 process on the server's machine.")
    assert "Nothing would hold it up." in plan
    words = ("-p", "amount=7", "--label", "team=ops", "--priority", "high", "--json")
    first = served.good("runs", "start", "payments", "payout", *words).json["id"]
    wait(lambda: shown(served, first)["state"] == "failed")
    told = served.good("runs", "show", first).out
    assert "team:ops" in told
    assert "payments.py payout --param amount=7" in told
    preview = served.good("runs", "reexecute", first, "--preview").out
    assert "reuse result" in preview
    assert "It failed." in preview
    disk.touch()
    again = served.good("runs", "reexecute", first, "--reason", "a disk", "--json").json["id"]
    wait(lambda: (shown(served, again)["waiting"] or {}).get("code") == "approval")
    assert (
        "pay waits for approval (Pay it?)"
        in served.good("runs", "list", "--waiting", "approval").out
    )
    assert "--reason" in served.type("runs", "reject", again).err, "a rejection says why"
    assert "approved" in served.good("runs", "approve", again, "--reason", "fine").out
    wait(lambda: shown(served, again)["state"] == "succeeded")
    after = shown(served, again)
    assert [one["operation"] for one in after["operations"] if one["reused"]] == ["collect"]
    assert after["operations"][-1]["result"].startswith("7 by ")
    assert after["operations"][-1]["description"].startswith("Approved by ")
    assert shown(served, first)["state"] == "superseded"
    assert "check was failed, and is done." in served.good("runs", "compare", first, again).out
    assert "It has never succeeded" in served.good("runs", "changes", first).out
    assert served.good("runs", "label", first, "ticket=1", "--remove", "team").out == "ticket:1\n"
    assert first in served.good("runs", "list", "--label", "ticket:1", "--json").out


def test_pools_are_listed_set_and_removed(served: Shell, disk: Path) -> None:
    assert "bank" in served.good("pools", "list").out, "it is named by a workflow"
    served.good("pools", "set", "bank", "--slots", "4", "--reason", "more tellers")
    served.good("pools", "set", "--workflow", "payments/payout", "--slots", "0")
    found = {one["name"]: one for one in served.good("pools", "list", "--json").json}
    assert (found["bank"]["slots"], found["bank"]["reason"]) == (4, "more tellers")
    words = ("runs", "start", "payments", "payout", "--json")
    run = served.good(*words).json["id"]
    wait(lambda: (shown(served, run)["waiting"] or {}).get("code") == "limit")
    assert "payments/payout is reached (0 of 0)" in served.good("runs", "show", run).out
    assert "urgent" in served.good("runs", "prioritise", run, "urgent").out
    served.good("runs", "cancel", run)
    served.good("pools", "remove", "--workflow", "payments/payout")
    served.good("pools", "remove", "bank")
    refused(served.type("pools", "remove", "bank"), Exit.NOT_FOUND, "limit-not-found")
    refused(served.type("pools", "set", "--slots", "1"), Exit.MISTAKE, "invalid-input")


def test_queues_and_limits_of_a_server_need_no_way_to_its_database(served: Shell) -> None:
    served.good("queues", "pause", "mail", "--reason", "it moves")
    (found,) = served.good("queues", "list", "--json").json
    assert (found["key"], found["reason"]) == ("mail", "it moves")
    assert served.good("queues", "resume", "mail").out == "resumed mail\n"
    assert "not paused" in served.good("queues", "resume", "mail").out
    served.good("limits", "set", "smtp", "3")
    served.good("limits", "rate", "smtp", "600", "--per", "60")
    assert len(served.good("limits", "list", "--json").json) == 2
    assert served.good("limits", "drop", "smtp").out == "dropped smtp\n"
    both = ("queues", "list", "--store", "sqlite:///x.db", "--url", "http://127.0.0.1:1")
    refused(served.type(*both), Exit.MISTAKE, "invalid-input")


def test_a_schedule_gives_its_labels_to_its_runs(served: Shell) -> None:
    words = ("schedules", "label", "weather/load-weather", "team=met")
    assert served.good(*words).out == "team:met\n"
    run = served.good("schedules", "run", "weather/load-weather", "--json").json
    assert shown(served, run["run_id"])["labels"] == {"team": "met"}
    at_rest(served)  # the next test may be about what this run reads
    assert served.good(*words[:3], "--remove", "team").out == "no labels\n"


LARGE = """
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("letters")


@group.workflow
class Write:
    @operation
    def short(self) -> dict[str, int]:
        return {"æ": 1}

    @operation
    def long(self) -> str:
        return "x" * 300_000
"""


def test_what_operations_return_is_shown_briefly_and_each_whole(
    served: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "letters.py"
    path.write_text(LARGE)
    served.good("groups", "register", path)
    served.good("groups", "approve", "letters")
    run = served.good("runs", "start", "letters/write", "--wait", "--json").json["id"]
    lines = served.good("runs", "result", run).out
    assert '{"æ": 1}' in lines
    assert "too long to be shown here" in lines
    assert served.good("runs", "result", run, "short").json == {"æ": 1}
    assert served.good("runs", "result", run, "long").json == "x" * 300_000
    refused(served.type("runs", "result", run, "shirt"), Exit.NOT_FOUND, "result-unknown")


SLOW = """
import time
from pathlib import Path
from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("files")


@group.workflow
class Copy:
    @operation
    def fetch(self, ctx: Context) -> None:
        ctx.progress(2, 8, "of 8 files")
        while not Path("{go}").exists():
            time.sleep(0.05)
"""


def test_how_far_a_run_is_is_shown_while_it_goes_on(served: Shell, tmp_path: Path) -> None:
    path, go = tmp_path / "files.py", tmp_path / "go"
    path.write_text(SLOW.format(go=go))
    served.good("groups", "register", path)
    served.good("groups", "approve", "files")
    run = served.good("runs", "start", "files/copy", "--deadline", 3600, "--json").json["id"]
    wait(lambda: shown(served, run)["progress"] is not None)
    assert "fetch 25% of 8 files" in served.good("runs", "show", run).out
    go.touch()
    wait(lambda: shown(served, run)["state"] == "succeeded")
    assert shown(served, run)["progress"] is None
