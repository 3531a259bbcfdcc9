"""The container launcher keeps the launcher contract, with real containers of podman."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.launchers.container.podman import OPTIONS, Podman, owner

from stepwell import clock
from stepwell.launchers.container import ContainerLauncher
from stepwell.launchers.container.engine import ContainerEngine, EngineAddressInvalid, Refused
from stepwell.launchers.container.usage import measured
from stepwell.launchers.protocol import ImageUnusable, LaunchFailed, LaunchSpec
from stepwell.testing.launcher_contract import GRACE, LOG_BYTES, LauncherContract, until
from stepwell.testing.launcher_contract.runs import command_lines

pytestmark = pytest.mark.slow


class TestContainerLauncher(LauncherContract):
    """The contract, and what only containers can show."""

    @pytest.fixture(autouse=True)
    def _engine(self, podman: Podman, tmp_path: Path) -> Iterator[None]:
        tmp_path.chmod(0o777)  # the container's user is nobody here
        self.podman, self.owner = podman, owner(tmp_path)
        yield
        podman.forget(self.owner)

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

    def test_an_engine_that_answers_says_its_version(self, launcher: ContainerLauncher) -> None:
        """Home shows it, where all is well."""
        assert re.search(r"answers, version \d", launcher.reach())

    def test_a_plan_has_what_the_container_may_take(self, launcher: ContainerLauncher) -> None:
        """From the body by which it would be made; an image of a registry is pulled first."""
        image = "registry.example/nothing@sha256:" + "0" * 64
        plan = launcher.plan(LaunchSpec(name="job-1", image=image, mode="run"))
        assert plan.limits["memory"].endswith("Mi")
        assert "The image is pulled first." in plan.notes
        with pytest.raises(ImageUnusable):
            launcher.plan(LaunchSpec(name="job-1", image="localhost/nothing:1", mode="run"))

    def test_a_container_is_confined(self, launcher: ContainerLauncher, launch: Any) -> None:
        """Not root, no capabilities, no new privileges; nothing is writable but /tmp."""
        script = (
            "import os\n"
            "seen = open('/proc/self/status').read()\n"
            "print([line.split()[1] for line in seen.splitlines() if line[:6] in"
            " ('CapEff', 'NoNewP')], os.getuid())\n"
            "open('/tmp/one', 'w').write('1')\n"
            "try: open('/two', 'w')\n"
            "except OSError as error: print(error.strerror)\n"
        )
        handle = launch(script)
        assert self.ended(launcher, handle).exit_code == 0, launcher.logs(handle)
        confined, refused = launcher.logs(handle).splitlines()
        assert confined == "['0000000000000000', '1'] 65532"
        assert refused == "Read-only file system"

    def test_a_container_has_the_network_that_was_chosen(self, tmp_path: Path) -> None:
        """None at all is a choice too: nothing but its own loopback is there."""
        folder = tmp_path / "launches"
        folder.mkdir(exist_ok=True)
        options = replace(OPTIONS, network="none")
        alone = ContainerLauncher(folder, self.podman.engine(), options, owner=self.owner)
        script = "import os\nprint(os.listdir('/sys/class/net'))"
        image = alone.pin(self.image(tmp_path, script)).location
        handle = alone.start(LaunchSpec(name="alone-1", image=image, mode="run"))
        assert self.ended(alone, handle).exit_code == 0, alone.logs(handle)
        assert alone.logs(handle).strip() == "['lo']"

    def test_a_memory_hog_is_told_its_limit(self, launcher: ContainerLauncher, launch: Any) -> None:
        """The kernel kills it; the limit is in the words."""
        handle = launch(
            "held = bytearray(512 * 1024**2)\nfor n in range(0, len(held), 4096): held[n] = 1"
        )
        status = self.ended(launcher, handle)
        if status.exit_code == 0:
            pytest.skip("limits of memory have no effect here: no memory cgroup")
        assert "killed" in status.reason
        assert "256 MiB" in status.reason

    def test_an_engine_that_fails_on_a_process_that_has_just_ended_is_asked_again(
        self, launcher: ContainerLauncher, launch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handle, find, failed = launch("print('once')"), launcher.engine.find, list[str]()

        def fail_once(path: str, **query: Any) -> Any:
            if not failed:
                failed.append(path)
                raise Refused(500, "read /proc/15472/cgroup: no such process")
            return find(path, **query)

        monkeypatch.setattr(launcher.engine, "find", fail_once)
        assert self.ended(launcher, handle).exit_code == 0
        assert failed

    def test_what_a_container_used_is_known_from_looking_at_it(
        self, launcher: ContainerLauncher, launch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that its end by too little memory can be told with a figure."""
        monkeypatch.setattr("stepwell.launchers.container.usage.EVERY", 0.0)
        handle = launch(
            "import time\nheld = b'x' * 64 * 1024**2\nprint('up', flush=True)\ntime.sleep(600)"
        )
        until(lambda: "up" in launcher.logs(handle))
        try:
            told = measured(launcher._stats(handle["name"]) or {})
        except Refused as refused:
            pytest.skip(f"this engine measures nothing here: {refused}")
        if told is None:
            pytest.skip("this engine measures no memory here")
        assert launcher.poll(handle).state == "running"
        used = launcher.usage.of(handle["name"])
        assert used is not None
        assert 64 * 1024**2 < used < 256 * 1024**2
        self.podman.run("kill", launcher._name(handle["name"]))
        assert "MiB when last looked at" in self.ended(launcher, handle).reason

    def test_too_many_processes_are_refused_to_it(
        self, launcher: ContainerLauncher, launch: Any
    ) -> None:
        """A fork bomb stays inside."""
        script = (
            "import subprocess\n"
            "try:\n"
            "    for n in range(400): subprocess.Popen(['sleep', '300'])\n"
            "except OSError as error: print(error.strerror)\n"
        )
        handle = launch(script)
        self.ended(launcher, handle)
        assert "Resource temporarily unavailable" in launcher.logs(handle)

    def test_an_image_that_nobody_has_is_told_with_the_answer(
        self, launcher: ContainerLauncher
    ) -> None:
        """And the start of one, too."""
        with pytest.raises(ImageUnusable) as caught:
            launcher.pin("localhost/nobody-has-this:1")
        assert "localhost/nobody-has-this" in str(caught.value)

    def test_a_command_that_cannot_be_run_is_told(self, launcher: ContainerLauncher) -> None:
        """It is a mistake of the image, so it is not tried again."""
        name = f"localhost/test-{self.owner}"
        self.podman.build(name, {}, 'ENTRYPOINT ["/no/such/program"]')
        spec = LaunchSpec(name="job-1", image=launcher.pin(name).location, mode="run")
        status = self.ended(launcher, launcher.start(spec))  # the init in front is what runs
        assert "could not be run" in status.reason or "exit code" in status.reason

    def test_no_secret_is_in_the_image_or_on_a_command_line(
        self, launcher: ContainerLauncher, launch: Any, tmp_path: Path
    ) -> None:
        """It is handed over in the request's body."""
        go = tmp_path / "go"
        script = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
        handle = launch(script, environment={"PASSWORD": "hunter2-of-the-test"})
        lines = command_lines()
        go.touch()
        self.ended(launcher, handle)
        image = self.podman.run("image", "inspect", f"localhost/test-{self.owner}")
        assert "hunter2-of-the-test" not in lines
        assert "hunter2" not in image

    def test_a_sweep_takes_what_has_ended_and_spares_what_is_young(
        self, launcher: ContainerLauncher, launch: Any
    ) -> None:
        """And a container of another installation is none of its business."""
        handle = launch("pass")
        self.ended(launcher, handle)
        other = ContainerLauncher(Path("/tmp"), launcher.engine, OPTIONS, owner="somebody-else")
        later = clock.now() + timedelta(seconds=5)
        assert launcher.leftovers(clock.now() - timedelta(days=1)) == []
        assert other.leftovers(later) == []
        assert launcher.leftovers(later) == ["job-1"]
        launcher.remove("job-1")
        assert launcher.leftovers(later) == []
        assert launcher.poll(handle).reason == "It was never started here."

    def test_a_swept_image_loses_its_tag_and_a_needed_one_keeps_it(
        self, launcher: ContainerLauncher, tmp_path: Path
    ) -> None:
        """So that a pruning of the engine takes the one and not the other."""
        image = self.image(tmp_path, "print('needed')")
        needed = launcher.pin(image).digest
        later = clock.now() + timedelta(seconds=5)
        assert launcher.sweep_images({needed}, later) == 0
        assert launcher.locate(image, needed)
        assert launcher.sweep_images(set(), later) == 1
        with pytest.raises(ImageUnusable):
            launcher.locate(image, needed)


def test_an_engine_that_is_away_is_a_pause(tmp_path: Path) -> None:
    """Nothing is decided about a run; the words name the setting."""
    engine = ContainerEngine(f"unix://{tmp_path}/nobody.sock")
    launcher = ContainerLauncher(tmp_path, engine, owner="test")
    with pytest.raises(LaunchFailed, match="STEPWELL_CONTAINER_HOST"):
        launcher.poll(launcher.find("job-1"))
    with pytest.raises(LaunchFailed):
        launcher.reach()


def test_an_address_that_cannot_be_is_refused() -> None:
    """At the start of the server."""
    with pytest.raises(EngineAddressInvalid, match="unix://"):
        ContainerEngine("ssh:here")
