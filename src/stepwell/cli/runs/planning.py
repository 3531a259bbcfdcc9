"""What `stepwell runs start --dry-run` shows: what would be started, and what would hold it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stepwell.cli.exits import WorkFailed
from stepwell.cli.session import Session

FIELDS: Final = {
    "group": "group",
    "workflow": "workflow",
    "launcher": "launcher",
    "image": "launch.image",
    "digest": "digest",
    "asks for": "launch.requests",
    "at most": "launch.limits",
    "parameters": "parameters",
    "operations": "operations",
    "wait for approval": "approvals",
    "deadline (s)": "deadline",
    "pool": "pool",
    "limits": "limits",
}


def show(session: Session, plan: dict[str, Any]) -> None:
    """The plan of a run.

    Raises
    ------
    WorkFailed : the run would fail at once.
    """
    session.out.line(plan["sentence"])
    session.out.record(plan, FIELDS)
    for line in _remarks(plan):
        session.out.line(line)
    if plan["fails"] is not None:
        raise WorkFailed(
            f"A run of {plan['group']}/{plan['workflow']} would fail at once.",
            why=plan["fails"],
            fix="See `stepwell doctor`; nothing was started.",
        )


def _remarks(plan: Mapping[str, Any]) -> Iterator[str]:
    yield from (plan["launch"] or {}).get("notes", ())
    for hold in plan["holds"]:
        yield f"It would wait: {hold['sentence']}"
    if not plan["holds"] and plan["fails"] is None:
        yield "Nothing would hold it up."
