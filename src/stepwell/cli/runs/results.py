"""`stepwell runs result`: what an operation has returned, also what is too large for a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from stepwell.cli.client import ALL
from stepwell.cli.parameters import did_you_mean
from stepwell.cli.runs.commands import Id, app
from stepwell.cli.session import Session, command
from stepwell.cli.state.commands import short
from stepwell.errors import NotFound


class ResultUnknown(NotFound):
    """The run has no such operation, or it has returned nothing."""

    code = "result-unknown"


COLUMNS: Final = {"operation": "operation", "bytes": "result_size", "result": "result"}


@command(app, "result")
def result(
    session: Session,
    run_id: Id,
    operation: Annotated[
        str | None, typer.Argument(metavar="OPERATION", help="Whole; else all of them, briefly.")
    ] = None,
) -> None:
    """What the operations of a run have returned; of one that is named, whole, as JSON."""
    steps = [one for one in session.api.items(f"/runs/{run_id}/steps", ALL) if one["result_size"]]
    if operation is not None:
        print(_whole(session, run_id, steps, operation))
        return
    session.out.rows(steps, COLUMNS, "No operation has returned anything.", _shown)


def _whole(session: Session, run_id: str, steps: list[dict[str, Any]], operation: str) -> str:
    found = [one for one in steps if one["operation"] == operation]
    if not found:
        names = [one["operation"] for one in steps]
        raise ResultUnknown(
            f"The run {run_id} has no result of an operation {operation!r}.",
            fix=did_you_mean(operation, names) or f"See `stepwell runs show {run_id}`.",
        )
    last = found[-1]
    value = last["result"]
    if last["result_link"] is not None:
        value = session.api.get(f"/runs/{run_id}/steps/{last['id']}/result")
    return json.dumps(value, ensure_ascii=False, indent=2)


def _shown(step: Mapping[str, Any]) -> Mapping[str, Any]:
    large = step["result_link"] is not None
    told = "too long to be shown here; name the operation" if large else short(step["result"])
    return {**step, "result": told}
