"""What the containers of a run have written, as the launcher keeps it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from stepwell.errors import NotFound
from stepwell.server.groups import service as groups
from stepwell.server.runs import queries
from stepwell.server.runs.records import Output
from stepwell.server.runs.service import found
from stepwell.server.services import Services


class AttemptNotFound(NotFound):
    """The run has no attempt of this number."""

    code = "attempt-not-found"


def read(conn: Connection, services: Services, run_id: UUID, number: int | None) -> Output:
    """The output of one attempt, the newest by default; empty before the first one.

    Raises
    ------
    RunNotFound, AttemptNotFound, LauncherOff.
    """
    run = found(queries.get(conn, run_id), run_id)
    wanted = run["attempt"] if number is None else number
    if number is None and wanted == 0:
        return Output(run_id=run_id, attempt=0, text="")
    attempt = queries.attempt(conn, run_id, wanted)
    if attempt is None:
        raise AttemptNotFound(f"The run {run_id} has no attempt {wanted}.")
    launcher = services.launcher(groups.get(conn, run["group_name"]).launcher)
    text = launcher.logs(attempt["handle"]) if attempt["handle"] else ""
    return Output(run_id=run_id, attempt=wanted, text=text)
