"""What the parts of the contract share: the hooks that a launcher's own test provides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from stepwell.launchers.protocol import Handle, Launcher, LaunchSpec, LaunchStatus

LOG_BYTES: Final = 1024 * 1024
GRACE: Final = 15.0
"""Seconds between SIGTERM and SIGKILL: what is asked to end says so within them, on a busy
machine too."""
_PATIENCE: Final = 90.0
_NEEDS: Final = "stepwell_launcher_needs"


def until(what: Callable[[], Any], patience: float = _PATIENCE) -> Any:
    """The first true answer of `what`, asked every 20 ms; fails when patience is over."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(0.02)
    pytest.fail(f"nothing came of it within {patience} s")


def needs(ability: str) -> Callable[[Any], Any]:
    """Skip a test where the launcher's class names this in `lacks`."""

    def mark(test: Any) -> Any:
        setattr(test, _NEEDS, ability)
        return test

    return mark


class Skipping:
    """Skips what a launcher's test declares as lacking."""

    lacks: ClassVar[frozenset[str]] = frozenset()
    """Of: `head` (of long output only the tail is kept), `last words` (what is written after a
    stop is lost), `making images` (names of images cannot be given to other contents), `kept
    images` (a registry keeps them, so there is no copy that could be gone)."""

    @pytest.fixture(autouse=True)
    def _able(self, request: pytest.FixtureRequest) -> None:
        ability = getattr(request.function, _NEEDS, None)
        if ability in self.lacks:
            pytest.skip(f"this launcher's test says that it lacks: {ability}")


class ContractBase(Skipping):
    """`make` and `image` are what a launcher's own test provides."""

    def make(self, folder: Path) -> Launcher:
        """A new launcher object on `folder`."""
        raise NotImplementedError

    def image(self, folder: Path, script: str) -> str:
        """The name of an image that runs the Python text `script`."""
        raise NotImplementedError

    def environment(self, script: str) -> Mapping[str, str]:
        """What each launch gets beside the test's own: for images that take their script so."""
        return {}

    @pytest.fixture
    def launcher(self, tmp_path: Path) -> Launcher:
        """The launcher under test."""
        return self.make(tmp_path / "data")

    @pytest.fixture
    def launch(self, launcher: Launcher, tmp_path: Path) -> Any:
        """`launch(script, name=..., ...)` pins the script and starts it, from any thread."""
        writing = threading.Lock()

        def start(script: str, name: str = "job-1", **fields: Any) -> Handle:
            with writing:  # nobody pins an image that another thread is just writing
                pinned = launcher.pin(self.image(tmp_path, script))
            given = {**self.environment(script), **fields.pop("environment", {})}
            spec = LaunchSpec(
                name=name, image=pinned.location, mode="run", environment=given, **fields
            )
            return launcher.start(spec)

        return start

    def ended(self, launcher: Launcher, handle: Handle) -> LaunchStatus:
        """The status when it has ended."""
        until(lambda: launcher.poll(handle).state == "ended")
        return launcher.poll(handle)
