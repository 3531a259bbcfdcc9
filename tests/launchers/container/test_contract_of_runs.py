"""Runs hold with containers of podman."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, Podman, owner

from stepwell.cli.groups.image import Builder
from stepwell.launchers.container.options import LAUNCH, OWNER
from stepwell.launchers.recipe import write
from stepwell.server.launchers import making
from stepwell.server.settings import Settings
from stepwell.testing.launcher_contract import RunsContract
from stepwell.testing.launcher_contract.runs import command_lines, write_sample
from stepwell.version import VERSION

pytestmark = pytest.mark.slow


class TestRunsOfContainers(RunsContract):
    """With the group's image as `stepwell image build` makes it."""

    launcher = "container"
    podman: ClassVar[Podman]

    @pytest.fixture(scope="class", autouse=True)
    def _engine(self, request: pytest.FixtureRequest, podman: Podman) -> Iterator[None]:
        request.cls.podman = podman
        yield
        podman.forget(self._owner())

    def settings(self, folder: Path) -> Mapping[str, str]:
        """Closed sandboxes have no bridge."""
        return {
            "STEPWELL_CONTAINER_HOST": self.podman.address,
            "STEPWELL_CONTAINER_NETWORK": "host",
            "STEPWELL_CONTAINER_MEMORY_MIB": "512",
            "STEPWELL_CONTAINER_CPUS": "0",
        }

    def group(self, folder: Path) -> str:
        """An image on the base of the tests."""
        place = folder / "image"
        place.mkdir()
        write(write_sample(place), base=BASE, version=VERSION)
        wheels.put(place / "wheels")
        name = f"localhost/test-{owner(folder)}"
        with pytest.MonkeyPatch.context() as patch:
            for key, value in self.podman.environment.items():
                patch.setenv(key, value)
            Builder("podman").build(name, place)
        return name

    def kill(self, launch: str) -> None:
        """As the out-of-memory killer, or an operator, would."""
        self.podman.run("kill", "--signal", "KILL", self._named(launch))

    def living(self) -> set[str]:
        """By what podman says of the containers of this server."""
        form = ("--format", f'{{{{index .Labels "{LAUNCH}"}}}}')
        mine = ("--filter", f"label={OWNER}={self._owner()}")
        return set(self.podman.run("ps", *mine, *form).split())

    def shown(self, launch: str) -> str:
        """What is in the image, and on command lines; a container's own environment is root's."""
        image = f"localhost/test-{owner(self.server.folder)}"
        return command_lines() + self.podman.run("image", "inspect", image)

    def _named(self, launch: str) -> str:
        return self.podman.run("ps", "-q", "--filter", f"label={LAUNCH}={launch}").strip()

    def _owner(self) -> str:
        """As the server derives it from its key."""
        return making._owner(Settings(secret_key=self.server.key))
