"""Targets of workflows: what they are, how much of the budget is left, and who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from stepwell import clock
from stepwell.errors import InvalidInput, NotFound
from stepwell.server.audit import service as audit
from stepwell.server.database.tables import target_misses, workflow_targets
from stepwell.server.metrics import lineage, queries, reading
from stepwell.server.metrics.folding import Sums
from stepwell.server.metrics.histogram import middle, quantile
from stepwell.server.metrics.records import NewTarget, Objective, TargetSpec, WorkflowTargets
from stepwell.server.metrics.spans import DAY, day_of
from stepwell.server.metrics.tallies import Tally, total
from stepwell.server.notifications import service as notifications
from stepwell.server.notifications.records import Kind, Occasion
from stepwell.server.services import Services

LEAST: Final = 5
"""Fewer runs than that in the window judge nothing."""
LONGEST: Final = 366
"""Days of the longest window."""
SLOW_SHARE: Final = 0.05
"""The share of runs that may take longer than a p95."""


class TargetsNotFound(NotFound):
    """The workflow has no targets that an operator has set, or does not exist."""

    code = "targets-not-found"


def listed(
    conn: Connection, *, group: str | None = None, workflow: str | None = None
) -> list[WorkflowTargets]:
    """Every workflow that has targets, with how they are met, by name."""
    queries.together(conn)
    missed = _misses(conn)
    set_by_hand = lineage.overridden(conn)
    news = reading.fresh(conn, _window(LONGEST))
    found = []
    for row in lineage.declared(conn):
        name = (row["group_name"], row["workflow"])
        wanted = group in (None, name[0]) and workflow in (None, name[1])
        if wanted and (row["targets"] or name in set_by_hand):
            spec, by_hand = row["targets"], set_by_hand.get(name)
            found.append(_shown(conn, name, spec, by_hand, missed, news))
    return found


def put(
    conn: Connection, group: str, workflow: str, asked: NewTarget, *, by: str
) -> WorkflowTargets:
    """Hold a workflow to this, in place of what its source says.

    Raises
    ------
    TargetsNotFound : the group's current release has no such workflow.
    InvalidInput : neither a success rate nor a p95.
    """
    if asked.success is None and asked.p95 is None:
        raise InvalidInput("These targets ask for nothing.", fix="Give success=, p95= or both.")
    _known(conn, group, workflow)
    spec = asked.model_dump(exclude={"reason"})
    was = _drop(conn, group, workflow)
    values = {"spec": spec, "reason": asked.reason, "set_by": by, "set_at": clock.now()}
    conn.execute(insert(workflow_targets).values(group_name=group, workflow=workflow, **values))
    told = {"before": was, "after": spec}
    audit.record(conn, by, "targets.set", f"{group}/{workflow}", asked.reason, **told)
    return listed(conn, group=group, workflow=workflow)[0]


def drop(conn: Connection, group: str, workflow: str, reason: str | None, *, by: str) -> None:
    """Hold a workflow to what its source says again; raises `TargetsNotFound`."""
    was = _drop(conn, group, workflow)
    if was is None:
        raise TargetsNotFound(
            f"Nobody has set targets of {group}/{workflow} by hand.",
            fix="Those of the source are changed in the source. See `stepwell targets list`.",
        )
    audit.record(conn, by, "targets.drop", f"{group}/{workflow}", reason, before=was)


def look(services: Services) -> str:
    """Tell of each target that is missed since the last look; what is so, in a sentence."""
    with services.db.read() as conn:
        found = listed(conn)
        known = set(_misses(conn))
    missed = {
        (one.group, one.workflow, each.objective): each
        for one in found
        for each in one.objectives
        if each.met is False
    }
    if missed.keys() != known:
        with services.db.write() as conn:
            _tell(conn, services, missed)
    return f"{len(missed)} targets are missed." if missed else "Every target is met."


def _tell(conn: Connection, services: Services, missed: Mapping[Any, Objective]) -> None:
    known = set(_misses(conn))
    for group, workflow, objective in known - missed.keys():
        _forget(conn, group, workflow, objective)
    for group, workflow, objective in sorted(missed.keys() - known):
        key = {"group_name": group, "workflow": workflow, "objective": objective}
        conn.execute(insert(target_misses).values(**key, since=clock.now()))
        one = missed[group, workflow, objective]
        occasion = Occasion(
            kind=Kind.TARGET_MISSED,
            group=group,
            workflow=workflow,
            fingerprint=f"{group}/{workflow}/{objective}",
            sentence=f"{group}/{workflow} misses its target: {said(one)}",
            details=one.model_dump(mode="json", exclude={"missed_since"}),
        )
        notifications.occur(conn, services, occasion)


def said(one: Objective) -> str:
    """A missed target in words."""
    if one.objective == "success":
        actual = "unknown" if one.actual is None else f"{one.actual:.2%}"
        return (
            f"success {actual}, wanted {one.target:.2%}; "
            f"{one.used} of {one.judged} runs failed, {one.allowed:.1f} may."
        )
    actual = "unknown" if one.actual is None else f"{one.actual:.1f} s"
    return (
        f"p95 {actual}, wanted {one.target:g} s; "
        f"{one.used} of {one.judged} runs took longer, {one.allowed:.1f} may."
    )


def judged(spec: TargetSpec, tally: Tally) -> Iterator[Objective]:
    """How the runs of a window meet their targets. Pure."""
    if spec.success is not None:
        rate = tally.succeeded / tally.judged if tally.judged else None
        share = 1 - spec.success
        yield _objective("success", spec.success, rate, tally.judged, share, tally.failed)
    if spec.p95 is not None:
        slow = sum(n for key, n in tally.histogram.items() if middle(key) > spec.p95)
        actual = quantile(tally.histogram, 0.95)
        yield _objective("p95", spec.p95, actual, tally.timed, SLOW_SHARE, slow)


def _objective(
    name: str, target: float, actual: float | None, count: int, share: float, used: int
) -> Objective:
    allowed = count * share
    enough = count >= LEAST
    return Objective(
        objective=name,
        target=target,
        actual=actual,
        judged=count,
        allowed=allowed,
        used=used,
        budget_left=1 - used / allowed if enough else None,
        met=used <= allowed + 1e-9 if enough else None,
        missed_since=None,
    )


def _shown(
    conn: Connection,
    name: tuple[str, str],
    said_in_source: Any,
    by_hand: Any,
    missed: Mapping[tuple[str, str, str], datetime],
    news: Sums,
) -> WorkflowTargets:
    spec = TargetSpec(**(by_hand["spec"] if by_hand else said_in_source))
    objectives = [
        one.model_copy(update={"missed_since": missed.get((*name, one.objective))})
        for one in judged(spec, _tally(conn, name, spec.window, news))
    ]
    return WorkflowTargets(
        group=name[0],
        workflow=name[1],
        origin="operator" if by_hand else "source",
        spec=spec,
        set_by=by_hand["set_by"] if by_hand else None,
        set_at=by_hand["set_at"] if by_hand else None,
        reason=by_hand["reason"] if by_hand else None,
        objectives=objectives,
    )


def _tally(conn: Connection, name: tuple[str, str], days: int, news: Sums) -> Tally:
    return total(reading.series(conn, _window(days), (*name, ""), news).values())


def _window(days: int) -> reading.Range:
    """The last so many days, today with them."""
    today = day_of(clock.now())
    return reading.Range(DAY, today - timedelta(days=days - 1), today + timedelta(days=1))


def _known(conn: Connection, group: str, workflow: str) -> None:
    if not lineage.workflows(conn, group, workflow):
        raise TargetsNotFound(
            f"The group {group!r} has no released workflow {workflow!r}.",
            fix="Correct the name, or approve the workflow: `stepwell groups review`.",
        )


def _drop(conn: Connection, group: str, workflow: str) -> dict[str, Any] | None:
    """Forget what was set by hand; what it was."""
    t = workflow_targets
    mine = (t.c.group_name == group, t.c.workflow == workflow)
    gone: dict[str, Any] | None = conn.execute(delete(t).where(*mine).returning(t.c.spec)).scalar()
    return gone


def _misses(conn: Connection) -> dict[tuple[str, str, str], datetime]:
    rows = conn.execute(select(target_misses)).mappings()
    return {(row["group_name"], row["workflow"], row["objective"]): row["since"] for row in rows}


def _forget(conn: Connection, group: str, workflow: str, objective: str) -> None:
    t = target_misses
    mine = (t.c.group_name == group, t.c.workflow == workflow, t.c.objective == objective)
    conn.execute(delete(t).where(*mine))
