"""`podman`: a service of the tests' own, with a base image; skipped where it cannot be had."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.launchers.container.podman import BASE, CACHE, Podman, missing


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    """Podman with a running service, that can start a container."""
    if why := missing():
        pytest.skip(f"no containers here: {why}")
    folder = Path(tempfile.mkdtemp(prefix="sw-podman-"))
    try:
        made = Podman(folder)
        with (CACHE / "podman.lock").open("w") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            _tried(made)
        with made.service():
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tried(made: Podman) -> None:
    """A machine may have podman and still be unable to run a container (a sandbox, a cgroup)."""
    try:
        made.prepare()
        made.run("run", "--rm", "--network", "host", "--memory", "64m", BASE, "true")
    except (AssertionError, OSError) as error:
        pytest.skip(f"podman cannot run a container here: {error}")
