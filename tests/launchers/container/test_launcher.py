"""The container launcher keeps the launcher contract, with real containers of podman."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.launchers.container.podman import OPTIONS, Podman, owner

from stepwell.launchers.container import ContainerLauncher
from stepwell.testing.launcher_contract import GRACE, LOG_BYTES, LauncherContract


class TestContainerLauncher(LauncherContract):
    """The contract, and what only containers can show."""

    @pytest.fixture(autouse=True)
    def _engine(self, podman: Podman, tmp_path: Path) -> Iterator[None]:
        tmp_path.chmod(0o777)  # the container's user is nobody here
        self.podman = podman
        yield
        podman.forget(owner(tmp_path))

    def make(self, folder: Path) -> ContainerLauncher:
        """A launcher whose containers see the test's folder."""
        options = replace(OPTIONS, volumes=(f"{folder.parent}:{folder.parent}",))
        return ContainerLauncher(
            folder,
            self.podman.engine(),
            options,
            log_bytes=LOG_BYTES,
            grace_seconds=GRACE,
            owner=owner(folder.parent),
        )

    def image(self, folder: Path, script: str) -> str:
        """An image with that script as its entry point."""
        return self.podman.script(folder, script)
