"""A podman of the tests' own: its storage in the cache, its service on a socket of the test run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.server.support import free_port

from stepwell.launchers.container import ContainerOptions
from stepwell.launchers.container.engine import ContainerEngine, Refused
from stepwell.launchers.container.options import OWNER
from stepwell.launchers.container.references import kept_in
from stepwell.launchers.protocol import LaunchFailed
from stepwell.testing.launcher_contract import until

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stepwell"
TAR: Final = CACHE / "base-bookworm-1.tar"
WHEELS: Final = CACHE / "wheels-311"
SERVER_WHEELS: Final = CACHE / "wheels-server-311"
BASE: Final = "localhost/stepwell-base:bookworm-1"

OPTIONS: Final = ContainerOptions(network="host", memory_mib=256, cpus=0.0)
"""Closed sandboxes have no bridge; the test machine is slow enough without a share of its cores."""

_ENGINE: Final = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
_PARTS: Final = ("podman", "runc", "catatonit")


class Podman:
    """The command, with an environment that names the tests' own storage and settings.

    Parameters
    ----------
    folder : for its configuration and its socket; short, as paths of sockets must be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "podman.sock"
        self._building = threading.Lock()
        (folder / "containers.conf").write_text(_ENGINE)
        self.registry = f"127.0.0.1:{free_port()}"
        """Where a test may have a registry without TLS."""
        (folder / "registries.conf").write_text(
            f'[[registry]]\nlocation = "{self.registry}"\ninsecure = true\n'
        )
        storage = (
            f'driver = "overlay"\nrunroot = "/run/stepwell-tests"\ngraphroot = "{CACHE}/podman"'
        )
        (folder / "storage.conf").write_text(f"[storage]\n{storage}\n")
        self.environment: Mapping[str, str] = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }

    @property
    def address(self) -> str:
        """Of its service."""
        return f"unix://{self.socket}"

    def engine(self) -> ContainerEngine:
        """A client of its service."""
        return ContainerEngine(self.address)

    def _answers(self) -> bool:
        """Its socket is there before anybody listens on it."""
        try:
            self.engine().ask("GET", "/_ping")
        except LaunchFailed:
            return False
        except (Refused, ValueError):  # it answers, if not in JSON
            return True
        return True

    def run(self, *arguments: str, within: float = 120.0) -> str:
        """Its output; fails with what it says."""
        done = subprocess.run(
            ["podman", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def build(self, name: str, files: Mapping[str, str], *lines: str) -> str:
        """An image on the base with these files in its root, and these lines of a Containerfile."""
        with self._building, tempfile.TemporaryDirectory(dir=self.folder) as folder:
            for path, text in files.items():
                (Path(folder) / path).write_text(text)
            copies = [f"COPY --chmod=644 {path} /{path}" for path in files]
            recipe = "\n".join([f"FROM {BASE}", *copies, *lines])
            (Path(folder) / "Containerfile").write_text(recipe)
            self.run("build", "--no-cache", "--quiet", "--timestamp", "0", "--tag", name, folder)
        return name

    def script(self, folder: Path, text: str) -> str:
        """An image that runs a Python text; one name for each folder."""
        name = f"localhost/test-{owner(folder)}"
        return self.build(name, {"group.py": text}, 'ENTRYPOINT ["python3", "/group.py"]')

    def forget(self, who: str) -> None:
        """Remove the containers and the images of a test."""
        self.run("rm", "--force", "--time", "0", "--filter", f"label={OWNER}={who}")
        kept = [one for one in _names() if one.startswith(kept_in(who))]
        self.run("rmi", "--ignore", f"localhost/test-{who}", *kept)

    def prepare(self) -> None:
        """Import the base image, if the storage has none."""
        if not self.run("images", "--quiet", BASE):
            self.run("import", str(TAR), BASE, within=300)

    @contextmanager
    def service(self) -> Iterator[None]:
        """The API on the socket, for as long as the block."""
        command = ["podman", "system", "service", "--time", "0", self.address]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        one = subprocess.Popen(  # type: ignore[call-overload]
            command,
            cwd=self.folder,  # where its monitors leave notes of out-of-memory kills
            env=self.environment,
            **quiet,
        )
        try:
            until(self._answers)
            yield
        finally:
            one.terminate()
            one.wait()


def _names() -> list[str]:
    """Of all images, as the storage notes them: podman's own list stumbles over each image that
    another test removes just then."""
    images = json.loads((CACHE / "podman/overlay-images/images.json").read_text())
    return [name for one in images for name in one.get("names") or ()]


def owner(folder: Path) -> str:
    """What a test marks its containers with."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:12]


def missing() -> str:
    """Why containers cannot be tested here; empty if they can."""
    absent = [part for part in _PARTS if shutil.which(part, path=_path()) is None]
    if os.geteuid() != 0:
        return "it needs root"
    if absent:
        return f"not installed: {', '.join(absent)}"
    return "" if TAR.exists() and WHEELS.exists() else "no base image: see .ci/containers"


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
