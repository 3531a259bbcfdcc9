"""Images of a registry are started by their digest, whatever has become of their tag (R37)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.launchers.container.podman import OPTIONS, Podman, owner

from stepwell.launchers.container import ContainerLauncher
from stepwell.launchers.protocol import ImageUnusable, LaunchSpec
from stepwell.testing.launcher_contract import GRACE, until


@pytest.fixture
def registry(podman: Podman, tmp_path: Path) -> Iterator[str]:
    """Debian's `docker-registry` on loopback; yields its address."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    settings = tmp_path / "registry.yml"
    settings.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: {podman.registry}}}\n"
    )
    quiet = subprocess.DEVNULL
    one = subprocess.Popen(["docker-registry", "serve", settings], stdout=quiet, stderr=quiet)
    try:
        until(lambda: _answers(podman.registry))
        yield podman.registry
    finally:
        one.terminate()
        one.wait()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/v2/", timeout=90).status_code == 200
    except httpx.HTTPError:
        return False


def _pushed(podman: Podman, folder: Path, text: str, name: str) -> None:
    podman.run("push", "--quiet", podman.script(folder, text), name)


def test_a_pinned_image_is_pulled_by_its_digest_when_its_tag_is_another_one(
    podman: Podman, registry: str, tmp_path: Path
) -> None:
    """On a host that has lost it: the tag names something else by then, and is not asked."""
    name, mine = f"{registry}/weather:1", owner(tmp_path)
    launcher = ContainerLauncher(
        tmp_path / "data", podman.engine(), OPTIONS, grace_seconds=GRACE, owner=mine
    )
    _pushed(podman, tmp_path, "print('old')", name)
    first = launcher.pin(name)
    assert first.location == f"{registry}/weather@{first.digest}"
    _pushed(podman, tmp_path, "print('new')", name)
    assert launcher.digest(name) != first.digest
    assert launcher.pin(name).digest != first.digest
    podman.forget(mine)
    podman.run("rmi", "--force", "--ignore", name, first.location)
    location = launcher.locate(name, first.digest)
    handle = launcher.start(LaunchSpec(name="job-1", image=location, mode="run"))
    until(lambda: launcher.poll(handle).state == "ended")
    assert launcher.logs(handle) == "old\n"
    podman.forget(mine)
    podman.run("rmi", "--force", "--ignore", name, first.location)


def test_a_registry_says_why_there_is_no_such_image(
    podman: Podman, registry: str, tmp_path: Path
) -> None:
    """Its own words help more than ours."""
    launcher = ContainerLauncher(tmp_path, podman.engine(), OPTIONS, owner=owner(tmp_path))
    with pytest.raises(ImageUnusable, match=r"unknown|not found"):
        launcher.pin(f"{registry}/nobody-has-this:1")
