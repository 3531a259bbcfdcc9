"""Whether the engine or the cluster of a launcher answers: asked beside whoever wants to know."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Final

from stepwell.errors import StepwellError
from stepwell.launchers.protocol import Launcher, Reachable
from stepwell.server.words import first_line

FRESH: Final = 30.0
"""Seconds for which an answer is good."""
PATIENCE: Final = 0.5
"""Seconds that is waited for an answer; what comes later is told to the next who asks."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What a launcher said, or what was said of it."""

    well: bool
    sentence: str


class Reach:
    """The latest answers. A cluster that is away keeps nobody waiting for longer than that."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Reached]] = {}
        self._asking: dict[str, threading.Thread] = {}

    def of(self, name: str, launcher: Launcher) -> Reached:
        """As of a moment ago."""
        enabled = Reached(well=True, sentence=f"The launcher {name!r} is enabled.")
        if not isinstance(launcher, Reachable):
            return enabled
        if asking := self._begun(name, launcher):
            asking.join(PATIENCE)
        with self._lock:
            return self._known.get(name, (0.0, enabled))[1]

    def _begun(self, name: str, launcher: Reachable) -> threading.Thread | None:
        """Who is asking now; None while the latest answer is fresh."""
        with self._lock:
            known, asking = self._known.get(name), self._asking.get(name)
            if asking is not None or (known and time.monotonic() - known[0] < FRESH):
                return asking
            asking = threading.Thread(target=self._ask, args=(name, launcher), daemon=True)
            asking.start()
            self._asking[name] = asking
        return asking

    def _ask(self, name: str, launcher: Reachable) -> None:
        found = Reached(well=False, sentence=f"The launcher {name!r} could not be asked.")
        try:
            found = _said(name, launcher)
        finally:
            with self._lock:
                self._known[name] = (time.monotonic(), found)
                del self._asking[name]


def _said(name: str, launcher: Reachable) -> Reached:
    try:
        return Reached(well=True, sentence=f"The launcher {name!r}: {launcher.reach()}")
    except StepwellError as error:
        said = f"The launcher {name!r} cannot start anything: {first_line(str(error))}."
        return Reached(well=False, sentence=said)
