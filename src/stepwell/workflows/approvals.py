"""Operations that wait for a reviewer: before they begin, or in the middle of their work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from stepwell import clock
from stepwell.codec import JSON
from stepwell.step import Step

OnTimeout: TypeAlias = Literal["fail", "go on"]

ON_TIMEOUT: Final = ("fail", "go on")
LOCALLY: Final = "stepwell run"
"""Who approves everything where there is no server to ask."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What an operation waits for before it begins: `@operation(approval=Approval(within=3600))`.

    Parameters
    ----------
    within : seconds or a timedelta; so long a reviewer may take. Shorter than the run's deadline.
    message : what the reviewer is asked, in a sentence.
    on_timeout : without an answer the operation fails ('fail'), or begins all the same ('go on').
    """

    within: float | timedelta
    message: str = ""
    on_timeout: OnTimeout = "fail"

    @property
    def seconds(self) -> float:
        """`within` in seconds."""
        within = self.within
        return within.total_seconds() if isinstance(within, timedelta) else float(within)


@dataclass(frozen=True, slots=True)
class Approved:
    """A reviewer's yes: who, why, and when (UTC)."""

    by: str
    reason: str | None
    at: datetime


class ApprovalWanted(BaseException):
    """An operation stops here until somebody has answered; then it begins anew."""

    def __init__(self, approval: Approval) -> None:
        super().__init__("This operation waits for approval.")
        self.approval = approval


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What an operation's row waits for, and nobody has answered yet."""

    until: datetime
    early: bool
    goes_on: bool


def unanswered(step: Step, state: Mapping[str, Any]) -> Unanswered | None:
    """What the row waits for; `early` says that it was woken before its time."""
    asked = state.get("approval")
    if asked is None or answer(step) is not None:
        return None
    until = datetime.fromisoformat(asked["until"])
    return Unanswered(until, step.schedule_time < until, asked["on_timeout"] == "go on")


def answer(step: Step) -> dict[str, Any] | None:
    """The reviewer's answer, which came by activation (R8)."""
    args = None if step.activation_args is None else JSON.decode(step.activation_args)
    found = args.get("approval") if isinstance(args, dict) else None
    return found if isinstance(found, dict) else None


def approved_locally() -> dict[str, Any]:
    """The answer where nobody can be asked."""
    at = clock.now().isoformat()
    return {"decision": "approved", "by": LOCALLY, "reason": None, "at": at}


def as_entry(approval: Approval) -> dict[str, Any]:
    """As JSON data."""
    return {
        "within": approval.seconds,
        "message": approval.message,
        "on_timeout": approval.on_timeout,
    }


def asked(approval: Approval, now: datetime) -> dict[str, Any]:
    """What the row's state says while it waits."""
    until = now + timedelta(seconds=approval.seconds)
    return {**as_entry(approval), "asked_at": now.isoformat(), "until": until.isoformat()}


def approved(given: Mapping[str, Any] | None) -> Approved | None:
    """An answer as operations see it; None without one."""
    if given is None or given.get("decision") != "approved":
        return None
    return Approved(given["by"], given.get("reason"), datetime.fromisoformat(given["at"]))
