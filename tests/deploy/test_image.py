"""The server's image, really built and started: not root, and nothing to write to but volumes."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.deploy.helm import ROOT
from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, SERVER_WHEELS, Podman, owner
from tests.server.support import free_port

from stepwell.testing.launcher_contract import until
from stepwell.version import VERSION

CONFINED = (
    *("--network", "host", "--read-only", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges", "--tmpfs", "/tmp"),
)


@pytest.fixture(scope="module")
def image(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Built by deploy/Containerfile, from wheels alone."""
    if not SERVER_WHEELS.exists():
        pytest.skip("no wheels for the image of the server: see .ci/containers")
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(ROOT / "constraints.txt", folder)
    wheels.put(folder / "wheels", SERVER_WHEELS)
    name = f"localhost/test-{owner(folder)}"
    given = ("--build-arg", f"BASE={BASE}", "--build-arg", "EXTRAS=server,postgres")
    recipe = ("--file", str(ROOT / "deploy" / "Containerfile"))
    podman.run("build", "--quiet", *given, *recipe, "--tag", name, str(folder), within=600)
    yield name
    podman.forget(owner(folder))


def test_the_image_has_what_its_settings_may_ask_for() -> None:
    """A mounted kubeconfig, object storage, single sign-on: nobody installs into an image."""
    recipe = (ROOT / "deploy" / "Containerfile").read_text()
    (brought,) = re.findall(r"^ARG EXTRAS=(\S+)$", recipe, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = set(project["optional-dependencies"])
    # The server's database is no MySQL; a tracer is the program's own; and what `server` brings.
    assert set(brought.split(",")) == known - {
        "all",
        "mysql",
        "otel",
        "workflows",
        "schedules",
        "cli",
    }


@pytest.mark.slow
def test_the_image_is_confined_and_serves(podman: Podman, image: str, tmp_path: Path) -> None:
    """It migrates, then answers its probes, as the chart and the compose file start it."""
    told = json.loads(podman.run("image", "inspect", image))[0]["Config"]
    assert told["User"] == "65532:65532"
    assert told["Entrypoint"] == ["/opt/stepwell/bin/stepwell"]
    assert VERSION in podman.run("run", "--rm", *CONFINED, image, "--version")
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    tmp_path.chmod(0o755)
    volume = ("--volume", f"{data}:/data")
    podman.run("run", "--rm", *CONFINED, *volume, image, "migrate")
    port, name = free_port(), f"test-{owner(tmp_path)}"
    told_by = ("--env", f"STEPWELL_PORT={port}", "--env", "STEPWELL_HOST=127.0.0.1")
    podman.run("run", "--detach", "--name", name, *CONFINED, *volume, *told_by, image)
    try:
        until(lambda: _ready(port), 90)
        refused = httpx.get(f"http://127.0.0.1:{port}/api/v1/groups", timeout=90)
        assert refused.status_code == 401
        assert podman.run("exec", name, "id", "-u").strip() == "65532"
    finally:
        podman.run("rm", "--force", "--time", "10", name)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False
