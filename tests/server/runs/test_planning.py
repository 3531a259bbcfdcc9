"""What a re-execution does with each operation, from its rows and its manifest. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.server.runs.support import operation, workflow

from stepwell.codec import JSON
from stepwell.ids import new_id
from stepwell.server.runs.planning import Mode, Planner, warnings
from stepwell.step import EndedAs, Step

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def takes(source: str, *, required: bool = True, **schema: Any) -> dict[str, Any]:
    return {source: {"from": source, "schema": schema, "required": required}}


ENTRY = workflow(
    operation("a"),
    operation("b", inputs=takes("a", required=False)),
    operation(
        "c", inputs={**takes("b"), "n": {"from": "parameter", "schema": {}, "required": True}}
    ),
    operation("d"),
)


def row(name: str, ended_as: EndedAs | None = EndedAs.DONE, result: Any = 1) -> Step:
    return Step(
        id=new_id(),
        name=f"v1/weather/nightly/{name}",
        flow_id=new_id(),
        created_at=NOW,
        schedule_time=NOW,
        ended_as=ended_as,
        result=JSON.encode(result),
    )


def marks(*rows: Step, mode: Mode = Mode.FAILED, at: str | None = None) -> list[str]:
    last = {one.name.rpartition("/")[2]: one for one in rows}
    return [one.mark.value for one in Planner(ENTRY, last, ENTRY).plan(mode, at)]


AGAIN, REUSE, SKIP = "run again", "reuse result", "skipped"


def test_what_failed_runs_again_with_all_that_takes_its_value_directly_or_not() -> None:
    rows = (row("a", EndedAs.FAILED), row("b"), row("c"), row("d"))
    assert marks(*rows) == [AGAIN, AGAIN, AGAIN, REUSE]


def test_what_was_skipped_cancelled_or_never_ran_runs_again() -> None:
    assert marks(row("a"), row("b"), row("c", EndedAs.SKIPPED)) == [REUSE, REUSE, AGAIN, AGAIN]
    assert marks(row("a"), row("b", EndedAs.CANCELLED), row("d")) == [REUSE, AGAIN, AGAIN, REUSE]


def test_from_an_operation_on_nothing_before_it_runs() -> None:
    rows = (row("a", EndedAs.FAILED), row("b"), row("c"), row("d"))
    assert marks(*rows, mode=Mode.FROM_OPERATION, at="c") == [SKIP, REUSE, AGAIN, AGAIN]


def test_who_needs_what_was_left_out_is_warned_of() -> None:
    plan = Planner(ENTRY, {}, ENTRY).plan(Mode.FROM_OPERATION, "c")
    assert [one.mark.value for one in plan] == [SKIP, SKIP, AGAIN, AGAIN]
    lacks, effects = warnings(plan, ENTRY)
    assert lacks == "c will be skipped: it needs what b has not given."
    assert effects == "What c, d did outside of Stepwell is done again."


def test_a_result_that_fits_no_longer_is_not_taken_over() -> None:
    entry = workflow(operation("a"), operation("b", inputs=takes("a", type="string")))
    plan = Planner(entry, {"a": row("a", result=3), "b": row("b")}, entry).plan(Mode.FAILED)
    assert [one.mark.value for one in plan] == [AGAIN, AGAIN]
    assert plan[0].why == "Its result does not fit what b takes now."
    assert plan[1].why == "It takes what a will give anew."
