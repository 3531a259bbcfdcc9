"""What an engine tells of a container, as a status; its end in words."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from stepwell.launchers import amounts
from stepwell.launchers.container.options import DEADLINE
from stepwell.launchers.protocol import LaunchStatus

WAITING: Final = frozenset({"created", "configured", "initialized"})
ENDED: Final = frozenset({"exited", "dead", "stopped"})

DEADLINE_OVER: Final = "It ran longer than its deadline and was stopped."
STOPPED: Final = "It was stopped on request."
NEVER: Final = LaunchStatus(state="ended", reason="It was never started here.")

_SIGNALS: Final = 128
_MIB: Final = 1024 * 1024


def status(found: Mapping[str, Any], mark: str | None, used: float | None = None) -> LaunchStatus:
    """The status of a container.

    Parameters
    ----------
    found : the engine's description of it.
    mark : why this launcher has asked it to stop: `stopped`, `deadline`, or None.
    used : the memory that it used when it was looked at last, in bytes.
    """
    state = found["State"]
    if state["Status"] in WAITING:
        return LaunchStatus(state="running", reason="It is made, and not started yet.")
    if state["Status"] not in ENDED:
        return LaunchStatus(state="running", started_at=started_at(found))
    begun, over = started_at(found), _instant(state["FinishedAt"])
    if begun is not None and over is not None:
        over = max(begun, over)  # Podman notes the start later than it starts
    return LaunchStatus(
        state="ended",
        exit_code=state["ExitCode"],
        reason=_reason(found, mark, used),
        started_at=begun,
        finished_at=over,
    )


def overdue(found: Mapping[str, Any], now: datetime) -> bool:
    """Whether it runs for longer than its deadline allows."""
    begun, state = started_at(found), found["State"]["Status"]
    return state not in WAITING | ENDED and begun is not None and now > _end(found, begun)


def started_at(found: Mapping[str, Any]) -> datetime | None:
    """When it began; None before."""
    return _instant(found["State"]["StartedAt"])


def created_at(found: Mapping[str, Any]) -> datetime | None:
    """When it was made."""
    return _instant(found["Created"])


def _reason(found: Mapping[str, Any], mark: str | None, used: float | None) -> str:
    state = found["State"]
    code, memory = state["ExitCode"], found["HostConfig"].get("Memory") or 0
    if mark is not None:
        return DEADLINE_OVER if mark == "deadline" else STOPPED
    if state.get("OOMKilled") and code != 0:
        limit = f"its limit of {memory // _MIB} MiB" if memory else "the machine has"
        what = f"It was killed because it needed more memory than {limit} (out of memory)"
        return f"{what}{_sample(used)}."
    if code == _SIGNALS + signal.SIGKILL:
        return _killed(memory, used)
    return of_code(code, state.get("Error") or "")


def _sample(used: float | None) -> str:
    return f"; it used {amounts.size(used)} when last looked at" if used else ""


def _killed(memory: int, used: float | None) -> str:
    """On cgroup v1 an engine may not learn that it was the out-of-memory killer."""
    limit = f"its limit of {memory // _MIB} MiB" if memory else "the machine has"
    return (
        "It was killed (SIGKILL), and not by this server: most likely it needed more memory than "
        f"{limit} (out of memory), which this engine does not tell{_sample(used)}."
    )


def of_code(code: int, error: str) -> str:
    """An exit code in words; `error` is what the engine says beside it."""
    told = f" The engine says: {error}" if error else ""
    if code == 0:
        return f"It ended.{told}"
    if code in (126, 127):
        return f"Its command could not be run (exit code {code}): see its output.{told}"
    if code > _SIGNALS and code - _SIGNALS in set(signal.Signals):
        return f"It was ended by {signal.Signals(code - _SIGNALS).name} (exit code {code}).{told}"
    return f"It ended with exit code {code}.{told}"


def _end(found: Mapping[str, Any], begun: datetime) -> datetime:
    seconds = float((found["Config"].get("Labels") or {}).get(DEADLINE, "inf"))
    return begun + timedelta(seconds=min(seconds, 10 * 365 * 86400.0))


def _instant(text: str) -> datetime | None:
    """Engines write nanoseconds and their own zone, and year 1 for never."""
    at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return None if at.year == 1 else at.astimezone(UTC)
