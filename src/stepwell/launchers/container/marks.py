"""What must be known of a launch on this host after a restart, as small files.

An engine does not say who asked a container to stop, and knows no lock.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OLDEST: Final = 30.0
"""Seconds after which a stop that has done nothing is asked for again."""


class Marks:
    """The folder `containers/` of a data directory.

    Parameters
    ----------
    root : made when it is first needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Nobody else on this host is inside for a launch of that name."""
        with (self._made() / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def put(self, name: str, why: str) -> bool:
        """Note why a launch is asked to stop; False if that was noted already."""
        try:
            with (self._made() / f"{name}.stop").open("x") as file:
                file.write(why)
        except FileExistsError:
            return False
        return True

    def get(self, name: str) -> str | None:
        """Why a launch was asked to stop; None if it was not."""
        try:
            return (self.root / f"{name}.stop").read_text() or "stopped"
        except FileNotFoundError:
            return None

    def age(self, name: str, now: float) -> float:
        """Seconds since the note, `now` being seconds since the epoch."""
        try:
            return now - (self.root / f"{name}.stop").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def drop(self, name: str) -> None:
        """Forget a launch."""
        for kind in ("lock", "stop"):
            (self.root / f"{name}.{kind}").unlink(missing_ok=True)

    def _made(self) -> Path:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.root
