"""Operations that wait for a reviewer, as they are declared and as they run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.workflows.support import codes, described, write_group

from stepwell.codec import JSON
from stepwell.engine.sealing import seal
from stepwell.step import Step, new_step
from stepwell.workflows import Approval, WorkflowGroup, operation
from stepwell.workflows.approvals import approved, unanswered
from stepwell.workflows.describing import describe
from stepwell.workflows.local import run_local
from stepwell.workflows.manifest import load_manifest

NOW = datetime(2026, 1, 31, 7, 0, tzinfo=UTC)


def declared(group: WorkflowGroup, given: Any, deadline: float = 7200.0) -> None:
    @group.workflow(deadline=deadline)
    class Payout:
        @operation(approval=given)
        def pay(self) -> int:
            return 1


def test_an_approval_is_in_the_manifest() -> None:
    hour = Approval(within=timedelta(hours=1), message="Pay?", on_timeout="go on")
    manifest = described(lambda group: declared(group, hour)).manifest
    (pay,) = manifest.workflow("payout").operations
    assert pay.model_dump()["approval"] == {
        "within": 3600.0,
        "message": "Pay?",
        "on_timeout": "go on",
    }
    assert load_manifest(manifest.as_json()) == manifest


@pytest.mark.parametrize(
    "given",
    [
        3600,
        Approval(within=0),
        Approval(within=7200),
        Approval(within=60, on_timeout="wait"),  # type: ignore[arg-type]
        Approval(within=60, message="x" * 501),
    ],
)
def test_an_approval_that_cannot_be_waited_for_is_found_at_discovery(given: Any) -> None:
    assert codes(lambda group: declared(group, given)) == ["option-invalid"]


def test_limits_and_pools_are_in_the_manifest_and_checked() -> None:
    group = WorkflowGroup("shop", limit=5)

    @group.workflow(limit=2, pool="warehouse")
    class Load:
        @operation
        def load(self) -> int:
            return 1

    manifest = describe(group, "shop:group").manifest
    load = manifest.workflow("load")
    assert (manifest.group.limit, load.limit, load.pool) == (5, 2, "warehouse")


@pytest.mark.parametrize("options", [{"limit": 0}, {"limit": 1.5}, {"pool": "Ware House"}])
def test_a_limit_or_pool_that_cannot_be_kept_is_found_at_discovery(options: Any) -> None:
    def declare(group: WorkflowGroup) -> None:
        @group.workflow(**options)
        class Load:
            @operation
            def load(self) -> int:
                return 1

    assert len(codes(declare)) == 1


def test_what_the_first_servers_do_not_know_is_left_out_where_it_says_nothing() -> None:
    def declare(group: WorkflowGroup) -> None:
        declared(group, None)

    plain = described(declare).manifest.as_json()
    assert "limit" not in plain["group"]
    (payout,) = plain["workflows"]
    assert not {"limit", "pool"} & set(payout)
    assert "approval" not in payout["operations"][0]


def test_on_ones_own_machine_nobody_is_asked(tmp_path: Path) -> None:
    path = write_group(
        tmp_path,
        """
        from stepwell.workflows import Approval

        @group.workflow
        class Payout:
            @operation(approval=Approval(within=60))
            def pay(self, ctx: Context) -> str:
                return ctx.approval.by

            @operation
            def send(self, pay: str, ctx: Context) -> str:
                return ctx.wait_for_approval("Send?", within=60).by
        """,
    )
    result = run_local(path, "payout", {}, reports_dir=tmp_path / "reports")
    assert result.state == "succeeded"
    assert [one.result for one in result.operations] == ["stepwell run", "stepwell run"]


def test_a_question_that_cannot_be_asked_fails_the_attempt(tmp_path: Path) -> None:
    path = write_group(
        tmp_path,
        """
        import stepwell.workflows.context as context

        @group.workflow
        class Payout:
            @operation
            def pay(self, ctx: Context) -> str:
                object.__setattr__(ctx.facts, "approval", None)
                return ctx.wait_for_approval("Pay?", within=0).by
        """,
    )
    result = run_local(path, "payout", {}, reports_dir=tmp_path / "reports")
    assert result.state == "failed"
    assert "cannot be waited for" in (result.operations[0].error or "")


def row(due: datetime, args: Any = None, **approval: Any) -> tuple[Step, dict[str, Any]]:
    asked = {"until": NOW.isoformat(), "on_timeout": "fail", **approval}
    state = {"parameters": {}, "approval": asked}
    step = seal(new_step("v1/shop/payout/pay", state, schedule_time=due), JSON, NOW).step
    text = None if args is None else JSON.encode(args)
    return replace(step, activation_args=text), state


def test_a_row_that_is_woken_before_its_time_still_waits() -> None:
    lacks = unanswered(*row(NOW - timedelta(seconds=1)))
    assert lacks is not None
    assert (lacks.early, lacks.goes_on, lacks.until) == (True, False, NOW)


def test_a_row_whose_patience_is_over_fails_or_goes_on_as_it_says() -> None:
    for words, goes_on in (("fail", False), ("go on", True)):
        lacks = unanswered(*row(NOW, on_timeout=words))
        assert lacks is not None
        assert (lacks.early, lacks.goes_on) == (False, goes_on)


def test_a_row_that_was_answered_lacks_nothing() -> None:
    given = {"decision": "approved", "by": "eva", "reason": None, "at": NOW.isoformat()}
    assert unanswered(*row(NOW, {"approval": given})) is None
    found = approved(given)
    assert found is not None
    assert (found.by, found.at) == ("eva", NOW)
    assert approved({"decision": "none"}) is None
