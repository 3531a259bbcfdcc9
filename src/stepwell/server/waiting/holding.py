"""What operators have set, and a run is held by: pauses, limits and rates. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from stepwell.server.runs.records import Waiting, WaitingCode
from stepwell.server.waiting.evidence import Evidence
from stepwell.server.waiting.records import Action, Blocking, Code, Reason
from stepwell.server.words import capitalised, first_line, instant, span
from stepwell.stores.controls import Control


def paused(evidence: Evidence) -> Reason | None:
    """A queue without which no run moves is paused."""
    if not evidence.pauses or (evidence.step is not None and evidence.step.claimed_by):
        return None
    return pause_of(evidence.pauses[0])


def pause_of(pause: Control) -> Reason:
    """The reason that a paused queue is."""
    by = pause.changed_by or "an operator"
    when = f" on {instant(pause.changed_at)}" if pause.changed_at else ""
    return Reason(
        code=Code.PAUSED_SYSTEM,
        sentence=f"Paused by {by}{when}: '{first_line(pause.reason)}'.",
        since=pause.changed_at,
        changes="when somebody resumes it",
        blocking=Blocking(kind="queue", id=pause.key, name=pause.key, link="/controls"),
        actions=[
            Action(
                label="resume",
                command=f"stepwell queues resume {pause.key}",
                method="DELETE",
                path=f"/controls?kind=pause&key={quote(pause.key, safe='')}",
            )
        ],
    )


def workflow_paused(evidence: Evidence) -> Reason | None:
    """An operator lets no run of the workflow, its group or its pool begin: 0 slots."""
    waiting, limit = _limited(evidence), evidence.limit
    if waiting is None or limit is None or limit["slots"] > 0:
        return None
    kind, name = str(limit["kind"]), str(limit["name"])
    return Reason(
        code=Code.PAUSED_WORKFLOW,
        sentence=f"Paused by {limit['changed_by']} on {instant(limit['changed_at'])}: "
        f"'{first_line(limit['reason'])}'. The {kind} *{name}* has no slots.",
        since=max(waiting.since, limit["changed_at"]),
        changes="when somebody gives it slots",
        blocking=_limit(waiting.details),
        actions=[
            Action(
                label="resume",
                command=f"stepwell pools remove {_option(dict(limit))}",
                method="DELETE",
                path=f"/run-limits?kind={kind}&name={quote(name, safe='')}",
            )
        ],
    )


def _limited(evidence: Evidence) -> Waiting | None:
    waiting = evidence.waiting
    return waiting if waiting is not None and waiting.code is WaitingCode.LIMIT else None


def in_line(evidence: Evidence) -> Reason | None:
    """All slots are taken: of the workflow, its group or its pool."""
    waiting = _limited(evidence)
    if waiting is None or workflow_paused(evidence) is not None:
        return None
    return Reason(
        code=Code.CONCURRENCY,
        sentence=capitalised(waiting.sentence),
        since=waiting.since,
        changes="when one of them ends, or the limit is raised",
        changes_at=waiting.until,
        blocking=_limit(waiting.details),
        actions=[
            Action(
                label="move ahead",
                command=f"stepwell runs prioritise {evidence.run['id']} urgent",
                method="PATCH",
                path=f"/runs/{evidence.run['id']}",
                body={"priority": "urgent"},
            ),
            Action(
                label="raise the limit",
                command=f"stepwell pools set {_option(waiting.details)} --slots SLOTS",
                method="GET",
                path="/run-limits",
            ),
        ],
    )


def _option(details: dict[str, Any]) -> str:
    """Whose slots they are, as the command wants it."""
    kind, name = details["kind"], details["name"]
    return str(name) if kind == "pool" else f"--{kind} {name}"


def _limit(details: dict[str, Any]) -> Blocking:
    kind, name = str(details.get("kind", "limit")), str(details.get("name", ""))
    return Blocking(kind=kind, id=name, name=name, link="/run-limits")


def held(evidence: Evidence) -> Reason | None:
    """A limit is reached, or a rate used up."""
    step = evidence.step
    if evidence.held is None or step is None:
        return None
    rate = evidence.rate
    if rate is not None and rate.next_free_at is not None and rate.next_free_at > evidence.now:
        pace = f"{rate.slots} in {rate.period:g} s"
        return Reason(
            code=Code.RATE_LIMIT,
            sentence=f"The rate of *{rate.key}* is used up ({pace}); next slot "
            f"in {span(rate.next_free_at - evidence.now)}.",
            since=step.schedule_time,
            changes=f"at {instant(rate.next_free_at)}",
            changes_at=rate.next_free_at,
            blocking=Blocking(kind="rate", id=rate.key, name=rate.key, link=""),
        )
    if step.limit_key is None:
        return None
    key = step.limit_key
    return Reason(
        code=Code.CONCURRENCY,
        sentence=evidence.held,
        since=step.schedule_time,
        changes="when one of them ends, or the limit is raised",
        blocking=Blocking(kind="limit", id=key, name=key, link=""),
        actions=[Action(label="raise the limit", command=f"stepwell limits set {key} SLOTS")],
    )
