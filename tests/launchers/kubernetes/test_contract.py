"""The launcher contract, on a cluster that is played; its images are scripts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kubernetes.fake.cluster import Cluster
from tests.kubernetes.fake.nodes import Image

from stepwell.launchers.kubernetes import KubernetesLauncher, KubernetesOptions
from stepwell.launchers.kubernetes.api import KubernetesApi
from stepwell.launchers.kubernetes.kubeconfig import reached
from stepwell.launchers.protocol import Launcher
from stepwell.testing.launcher_contract import LOG_BYTES, LauncherContract, until


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.close()


class TestKubernetesLauncher(LauncherContract):
    lacks = frozenset({"kept images", "last words"})

    @pytest.fixture(autouse=True)
    def _placed(self, cluster: Cluster, tmp_path: Path) -> Iterator[None]:
        self.cluster, self.kubeconfig = cluster, cluster.kubeconfig(tmp_path / "config")
        self.owner = secrets.token_hex(4)
        self.made: list[KubernetesLauncher] = []
        yield
        for one in self.made:
            one.close()

    def make(self, folder: Path) -> KubernetesLauncher:
        api = KubernetesApi(reached(str(self.kubeconfig), environment={}))
        options = KubernetesOptions(cpu="10m", grace=1, memory="512Mi")
        made = KubernetesLauncher(api, options, owner=self.owner, log_bytes=LOG_BYTES)
        self.made.append(made)
        return made

    def image(self, folder: Path, script: str) -> str:
        digest = f"sha256:{hashlib.sha256(script.encode()).hexdigest()}"
        name = f"registry.example/{self.owner}"
        image = Image(("python", "-c", script), digest=digest)
        for known in (name, f"{name}@{digest}"):
            self.cluster.nodes.images[known] = image
        return name

    def test_a_stop_is_a_request_first_and_an_end_at_last(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """As elsewhere, but that a pod goes with what it writes after it was asked to stop."""
        script = (
            "import signal, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
            "print('up', flush=True)\n"
            "while True: time.sleep(1)\n"
        )
        handle = launch(script)
        until(lambda: "up\n" in launcher.logs(handle))
        launcher.stop(handle)
        launcher.stop(handle)
        status = self.ended(launcher, handle)
        assert status.reason == "It was stopped on request."
        assert launcher.logs(handle).split() == ["up"]

    def test_a_copy_that_is_not_kept_is_an_error_in_words(self, launcher: Launcher) -> None:
        """A registry keeps images, not this server: what it lacks is seen when it is pulled."""
        assert launcher.locate("host.example/x", "sha256:0000") == "host.example/x@sha256:0000"

    def test_a_digest_is_what_pinning_would_answer_and_keeps_nothing(
        self, launcher: Launcher, tmp_path: Path
    ) -> None:
        """As elsewhere, but for the copy."""
        image = self.image(tmp_path, "print('first')")
        first = launcher.digest(image)
        assert launcher.pin(image).digest == first
        image = self.image(tmp_path, "print('second')")
        assert launcher.digest(image) == launcher.digest(image) != first
