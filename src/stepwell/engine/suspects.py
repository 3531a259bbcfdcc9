"""When a step that may have killed engines is run: with nothing else beside it (R15)."""

from __future__ import annotations

from typing import Final

from stepwell.clock import Clock
from stepwell.stores.protocol import Claimed

QUARANTINE: Final = 10.0
"""Seconds that an engine waits to be empty for a suspect, and then takes nothing else."""


class Suspects:
    """What one engine's claims have told of suspects.

    Parameters
    ----------
    clock : the engine's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._alone_until = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether one is due: the next claim is of it alone."""
        return self._since is not None

    @property
    def runs(self) -> bool:
        """Whether one was claimed lately: if it is still held, nothing is taken beside it."""
        return self._clock.monotonic() < self._alone_until

    @property
    def has_waited(self) -> bool:
        """Whether one has been due for so long that it no longer waits for an empty engine."""
        now = self._clock.monotonic()
        return self._since is not None and now - self._since > QUARANTINE

    def note(self, claimed: Claimed) -> None:
        """What a claim has brought, and has said of suspects."""
        now = self._clock.monotonic()
        if self._since is not None and claimed.steps:
            self._alone_until = now + QUARANTINE
        if claimed.suspect_due and self._since is None:
            self._since = now
        elif not claimed.suspect_due or claimed.steps:
            self._since = None
