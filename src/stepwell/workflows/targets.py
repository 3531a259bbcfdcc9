"""`Targets`: what a workflow is held to, declared where the workflow is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from stepwell.workflows.complaints import Complaints
from stepwell.workflows.errors import OptionInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the runs of a workflow are held to; the server tells when it is missed.

    Parameters
    ----------
    success : the share of runs that succeed, for example 0.99; of those that end as
        succeeded or failed.
    p95 : seconds or a timedelta that 95 % of the runs do not exceed.
    window : days over which both are judged; a number or a timedelta of whole days.

    Examples
    --------
    >>> Targets(success=0.99, p95=timedelta(minutes=20))
    Targets(success=0.99, p95=datetime.timedelta(seconds=1200), window=30)
    """

    success: float | None = None
    p95: float | timedelta | None = None
    window: int | timedelta = 30

    def as_json(self) -> dict[str, Any]:
        """As in the manifest: `p95` in seconds, `window` in days."""
        p95 = self.p95.total_seconds() if isinstance(self.p95, timedelta) else self.p95
        days = self.window.days if isinstance(self.window, timedelta) else self.window
        return {"success": self.success, "p95": p95, "window": days}


def check(label: str, targets: Any, complaints: Complaints) -> dict[str, Any] | None:
    """The targets as JSON, or None; what is wrong with them is added to the complaints."""
    if targets is None:
        return None
    if not isinstance(targets, Targets):
        why = "That is no Targets(...) of stepwell.workflows."
    else:
        made = targets.as_json()
        why = _fault(made)
        if not why:
            return made
    complaints.add(
        OptionInvalid,
        f"The workflow {label} has targets={targets!r}.",
        why=why,
        fix="Give Targets(success=0.99, p95=1200, window=30), or a part of it.",
    )
    return None


def _fault(made: dict[str, Any]) -> str:
    success, p95, window = made["success"], made["p95"], made["window"]
    if success is None and p95 is None:
        return "They ask for nothing."
    if success is not None and not 0 < success < 1:
        return "A success rate is a share between 0 and 1, both excluded."
    if p95 is not None and not p95 > 0:
        return "A p95 is above 0 seconds."
    return "" if 1 <= window <= 366 else "A window has 1 to 366 days."
