"""Wait for what goes on at the server: discoveries and runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from stepwell.cli.client import Client
from stepwell.cli.exits import WorkFailed
from stepwell.client import TookTooLong
from stepwell.client.records import ENDED

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 0.5


def ended_discovery(api: Client, discovery_id: str, timeout: float = 180.0) -> dict[str, Any]:
    """The discovery, when it has ended. Raises `TookTooLong` after `timeout` seconds."""
    return _ended(
        lambda: api.get(f"/discoveries/{discovery_id}"), f"discovery {discovery_id}", timeout
    )


def ended_run(api: Client, run_id: str, timeout: float = 24 * 3600.0) -> dict[str, Any]:
    """The run, when it has ended. Raises `TookTooLong` after `timeout` seconds."""
    try:
        return _ended(lambda: api.get(f"/runs/{run_id}"), f"run {run_id}", timeout)
    except KeyboardInterrupt:
        print(f"the run goes on: stepwell runs show {run_id}", file=sys.stderr)
        raise


def good_discovery(api: Client, discovery_id: str) -> dict[str, Any]:
    """The discovery, when it has succeeded.

    Raises
    ------
    DiscoveryFailed : with what, why and fix as the image or the server told them.
    """
    ended = ended_discovery(api, discovery_id)
    if ended["state"] != "succeeded":
        raise discovery_failed(ended)
    return ended


def discovery_failed(ended: dict[str, Any]) -> WorkFailed:
    """The error that a failed discovery carries."""
    fault = ended.get("error") or {}
    error = WorkFailed(
        fault.get("what") or f"The discovery of {ended['group_name']!r} failed.",
        why="\n".join(part for part in (fault.get("why"), fault.get("output")) if part),
        fix=fault.get("fix") or f"See `stepwell discoveries show {ended['id']}`.",
    )
    error.code = fault.get("code") or error.code
    return error


def polls(timeout: float) -> Iterator[None]:
    """Yields at growing pauses until `timeout` seconds have passed."""
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(pause * 1.3, _LONGEST_PAUSE)


def _ended(get: Callable[[], Any], name: str, timeout: float) -> dict[str, Any]:
    for _ in polls(timeout):
        found: dict[str, Any] = get()
        if found["state"] in ENDED:
            return found
    raise TookTooLong(f"The {name} has not ended within {timeout:.0f} s.", fix="Look again later.")
