"""The whole way with real processes: dev, discover, review, approve, tick, run, report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.shell import EXAMPLES, Shell, wait

from stepwell.cli.client import Client

pytestmark = pytest.mark.slow

GROUP = """
from stepwell.schedules import Every
from stepwell.workflows import Context, WorkflowGroup, operation

group = WorkflowGroup("shop", description="Two small workflows.")


@group.workflow(schedule=Every(seconds=1))
class CountOrders:
    @operation
    def count(self, context: Context) -> int:
        seen = context.state.get("seen", default=0) + 1
        context.state.save("seen", seen)
        return seen

    @operation
    def tell(self, context: Context, count: int) -> None:
        context.report.json("orders", {"count": count})


@group.workflow
class SendBills:
    limit: int = 10

    @operation
    def send(self, limit: int) -> str:
        return f"sent {limit}"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "shop.py").write_text(GROUP)
    return Shell(tmp_path)


@pytest.fixture
def api(shell: Shell) -> Iterator[Client]:
    with shell.dev("groups") as client:
        wait(lambda: "watching groups" in output(shell), shell.folder / "dev.log")
        yield client


def output(shell: Shell) -> str:
    return (shell.folder / "dev.log").read_text()


def ended(api: Client, workflow: str) -> list[dict[str, Any]]:
    runs = api.items("/runs", 100, workflow=workflow)
    return [run for run in runs if run["state"] in ("succeeded", "failed")]


def edit(shell: Shell, *changes: tuple[str, str]) -> None:
    """All of them at once: what is half edited would be taken up too."""
    path = shell.folder / "groups" / "shop.py"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    beside = shell.folder / "edited"
    beside.write_text(text)
    beside.replace(path)


def test_a_group_goes_the_whole_way_from_a_file_to_a_report(shell: Shell, api: Client) -> None:
    assert "+ count-orders: new" in output(shell)
    assert ended(api, "count-orders") == []
    assert list(api.items("/schedules")) == []

    assert "count-orders" in shell.good("groups", "review", "shop").out
    assert "release 1 of shop" in shell.good("groups", "approve", "shop").out
    first = wait(lambda: ended(api, "count-orders"))[-1]

    assert (first["state"], first["trigger"]) == ("succeeded", "schedule")
    shown = shell.good("runs", "show", first["id"]).out
    assert "count" in shown
    assert "done" in shown
    (report,) = shell.good("reports", "list", "--run", first["id"], "--json").json
    assert json.loads(shell.good("reports", "get", report["id"]).out) == {"count": 1}
    assert "ran" in shell.good("schedules", "ledger", "shop/count-orders").out
    # The instant of this very second may be open: then nothing is broken, but not proven either.
    assert shell.type("schedules", "audit", "shop/count-orders", "--json").json["unbroken"]
    metrics = shell.good("metrics", "--json").json["totals"]
    assert any(one["workflow"] == "count-orders" and one["succeeded"] for one in metrics)
    wait(lambda: "run shop/count-orders succeeded" in output(shell))


def test_of_a_changed_group_one_workflow_is_accepted_and_one_rejected(
    shell: Shell, api: Client
) -> None:
    shell.good("groups", "approve", "shop")
    more = ("limit: int = 10", "limit: int = 20")
    edit(shell, more, ("Every(seconds=1)", "Every(seconds=3600)"))
    wait(lambda: "~ send-bills: changed" in output(shell))

    review = shell.good("groups", "review", "shop", "--json").json
    assert set(review["pending"]) == {"count-orders", "send-bills"}
    shell.good("groups", "reject", "shop", "count-orders", "--reason", "too slow")
    approved = shell.good("groups", "approve", "shop", "send-bills").out

    assert "release 2 of shop is in force" in approved
    (schedule,) = shell.good("schedules", "list", "--json").json
    assert schedule["spec"]["seconds"] == 1
    run = shell.good("runs", "start", "shop", "send-bills", "--wait", "--json").json
    assert run["operations"][0]["result"] == "sent 20"
    assert "too slow" in shell.good("groups", "review", "shop").out


def test_a_broken_import_keeps_the_release_in_force_and_shows_the_error(
    shell: Shell, api: Client
) -> None:
    shell.good("groups", "approve", "shop")
    broken = "import nowhere_to_be_found\nfrom stepwell.schedules"
    edit(shell, ("from stepwell.schedules", broken))
    wait(lambda: "nowhere_to_be_found" in output(shell))

    wait(lambda: "goes on" in output(shell))
    assert "code: group-import-failed" in output(shell)
    run = shell.good("runs", "start", "shop", "send-bills", "--wait", "--json").json
    assert run["state"] == "succeeded"
    assert shell.good("groups", "list", "--json").json[0]["release"] == 1


def test_a_group_that_appears_later_is_taken_up(shell: Shell, api: Client) -> None:
    shutil.copytree(EXAMPLES / "flaky", shell.folder / "groups" / "flaky")
    wait(lambda: "+ rank-shares: new" in output(shell))
