"""Try it once: run what was discovered before deciding about it (decision 0042).

The run is pinned to the discovery's digest by a release of its own, whose number
lies below zero: nothing makes it current, nothing lists it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from stepwell import clock
from stepwell.errors import InvalidInput
from stepwell.ids import new_id
from stepwell.server.audit import service as audit
from stepwell.server.groups import service as groups
from stepwell.server.reviews import queries, releases
from stepwell.server.reviews.comparing import Offer, against_current, discovered
from stepwell.server.reviews.records import Choice, Decision, NewTrial
from stepwell.server.runs import service as runs
from stepwell.server.runs.records import Run
from stepwell.server.services import Services

TRIGGER = "trial"


class WorkflowNotDiscovered(InvalidInput):
    """The discovery has no such workflow."""

    code = "workflow-not-discovered"


def start(
    conn: Connection,
    services: Services,
    group: str,
    discovery_id: UUID,
    asked: NewTrial,
    *,
    by: str,
) -> Run:
    """Start a trial of one workflow. It counts in no metrics, no schedule and no overlap,
    and what it writes into the state is its own.

    Raises
    ------
    WorkflowNotDiscovered, ParametersInvalid, DiscoveryNotUsable, DiscoveryNotFound,
    GroupNotFound, GroupArchived.
    """
    groups.active(conn, group)
    offer = discovered(conn, group, discovery_id)
    row = _row(conn, offer, asked.workflow)
    release_id = _pin(conn, offer, row, by)
    made = runs.start_run(
        conn,
        services.db,
        group=group,
        workflow=asked.workflow,
        parameters=asked.parameters,
        trigger=TRIGGER,
        requested_by=by,
        pinned={**row, "release_id": release_id},
        trial=_marks(offer, row, asked),
    )
    details = {"run": str(made), "discovery": str(discovery_id), "secrets": asked.with_secrets}
    audit.record(conn, by, "review.try", f"{group}/{asked.workflow}", asked.reason, details)
    return runs.get(conn, made)


def _row(conn: Connection, offer: Offer, workflow: str) -> dict[str, Any]:
    """The workflow as a release would have it, with what it would continue."""
    if workflow not in offer.rows:
        raise WorkflowNotDiscovered(
            f"The discovery has no workflow {workflow!r}.",
            why=f"It has: {', '.join(sorted(offer.rows))}.",
            fix="Correct the name.",
        )
    seen = against_current(conn, offer)
    one = Decision(workflow=workflow, decision=Choice.ACCEPT)
    meant = releases.completed([one], Choice.HOLD, seen.difference)
    return releases.applied(seen.current, offer.rows, meant)[workflow]


def _pin(conn: Connection, offer: Offer, row: dict[str, Any], by: str) -> UUID:
    release_id = new_id()
    head = {
        "id": release_id,
        "group_name": offer.group,
        "number": queries.next_trial(conn, offer.group),
        "discovery_id": row["discovery_id"],
        "created_by": by,
        "created_at": clock.now(),
    }
    queries.keep(conn, head, [{**row, "renamed_from": None, "renamed_operations": None}])
    return release_id


def _marks(offer: Offer, row: dict[str, Any], asked: NewTrial) -> dict[str, Any]:
    """What the run must know of being a trial."""
    return {
        "discovery_id": str(row["discovery_id"]),
        "workflow": asked.workflow,
        "with_secrets": asked.with_secrets,
        "renamed_from": row["renamed_from"],
        "renamed_operations": row["renamed_operations"],
    }
