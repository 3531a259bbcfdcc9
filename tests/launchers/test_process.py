"""The process launcher keeps the launcher contract, and leaves nothing behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from stepwell.launchers import shim
from stepwell.launchers.process import ProcessLauncher
from stepwell.launchers.protocol import ImageUnusable, Launcher, LaunchFailed, LaunchSpec
from stepwell.testing.launcher_contract import GRACE, LOG_BYTES, LauncherContract, until

pytestmark = pytest.mark.slow

RUN_IMAGE = "import os, runpy; runpy.run_path(os.environ['STEPWELL_GROUP'], run_name='__main__')"


def _alive(pid: int) -> bool:
    return shim.identity(pid) != ""


class TestProcessLauncher(LauncherContract):
    """The contract, and what only processes can show."""

    def make(self, folder: Path) -> ProcessLauncher:
        """A launcher that runs the image's file."""
        command = (sys.executable, "-c", RUN_IMAGE)
        return ProcessLauncher(folder, command=command, log_bytes=LOG_BYTES, grace_seconds=GRACE)

    def image(self, folder: Path, script: str) -> str:
        """A Python file."""
        path = folder / "group.py"
        path.write_text(script)
        return str(path)

    def test_the_token_is_never_written_to_disk(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """Neither in the launch's folder nor anywhere else below the data directory."""
        handle = launch("pass", environment={"STEPWELL_TOKEN": "t0ken"})
        self.ended(launcher, handle)
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if b"t0ken" in path.read_bytes()]

    def test_nothing_that_it_started_outlives_it(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """A grandchild in a session of its own is found and killed when the launch ends."""
        note = tmp_path / "pid"
        script = (
            "import subprocess, sys\n"
            "one = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
            " start_new_session=True)\n"
            f"open({str(note)!r}, 'w').write(str(one.pid))\n"
        )
        self.ended(launcher, launch(script))
        assert not _alive(int(note.read_text()))

    def test_a_killed_watcher_takes_its_process_with_it(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """The kernel ends the process; the reason names the watcher."""
        handle = launch("import time; print('up', flush=True); time.sleep(600)")
        until(lambda: "up\n" in launcher.logs(handle))
        folder = tmp_path / "data" / "jobs" / "job-1"
        watcher, child = (
            json.loads((folder / name).read_text())["pid"]
            for name in ("process.json", "child.json")
        )
        os.kill(watcher, signal.SIGKILL)
        if sys.platform == "linux":  # the kernel does it; elsewhere the next poll
            assert until(lambda: not _alive(child))
        status = self.ended(launcher, handle)
        assert "watcher was killed" in status.reason
        assert until(lambda: not _alive(child))

    def test_a_pid_that_another_process_has_now_is_not_mistaken_for_the_launch(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """The kernel's start time tells them apart."""
        handle = launch("pass")
        self.ended(launcher, handle)
        folder = tmp_path / "data" / "jobs" / "job-1"
        (folder / "exit.json").unlink()
        stranger = {"pid": os.getpid(), "identity": "boot:1", "started_at": shim.now()}
        (folder / "process.json").write_text(json.dumps(stranger))
        assert launcher.poll(handle).state == "ended"
        launcher.stop(handle)

    @pytest.mark.skipif(sys.platform != "linux", reason="elsewhere `ps` is asked")
    def test_a_server_that_may_open_no_file_now_takes_no_launch_for_gone(
        self, launcher: Launcher, launch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It would kill what runs well; whoever asks is told to ask again."""
        handle = launch("import time; print('up', flush=True); time.sleep(600)")
        until(lambda: "up\n" in launcher.logs(handle))
        read = Path.read_text

        def full(path: Path, *given: Any, **more: Any) -> str:
            if path.name == "stat":
                raise OSError(errno.EMFILE, "Too many open files")
            return read(path, *given, **more)

        monkeypatch.setattr(Path, "read_text", full)
        for ask in (launcher.poll, launcher.stop):
            with pytest.raises(LaunchFailed, match="job-1 cannot be looked at"):
                ask(handle)
        monkeypatch.undo()
        assert launcher.poll(handle).state == "running"
        launcher.stop(handle)
        assert self.ended(launcher, handle).reason == "It was stopped on request."

    @pytest.mark.parametrize("name", ["process.json", "exit.json", "child.json"])
    def test_a_file_that_a_power_cut_has_emptied_means_that_the_launch_has_ended(
        self, launcher: Launcher, launch: Any, tmp_path: Path, name: str
    ) -> None:
        """The name of a file may be on the disk before its contents are."""
        handle = launch("pass")
        self.ended(launcher, handle)
        folder = tmp_path / "data" / "jobs" / "job-1"
        if name == "child.json":
            (folder / "exit.json").unlink()
        (folder / name).write_bytes(b"")
        self.ended(launcher, handle)
        launcher.stop(handle)

    def test_a_data_directory_that_cannot_be_written_is_said_in_words(self, tmp_path: Path) -> None:
        """Whoever asked may try again, and tell people why it waits."""
        (tmp_path / "data").write_text("a file")
        launcher = ProcessLauncher(tmp_path / "data")
        with pytest.raises(LaunchFailed, match=r"job-1 could not be started\. .*data"):
            launcher.start(LaunchSpec(name="job-1", image="x", mode="discover"))
        with pytest.raises(ImageUnusable, match="cannot be read"):
            launcher.pin(self.image(tmp_path, "pass"))

    @pytest.mark.parametrize("image", ["a\0b.py", "~nobody-of-that-name/x.py", "x" * 5000])
    def test_an_image_that_is_no_path_is_refused_in_words(self, tmp_path: Path, image: str) -> None:
        with pytest.raises(ImageUnusable):
            ProcessLauncher(tmp_path / "data").pin(image)

    def test_a_start_that_fails_may_be_tried_again(
        self, launcher: Launcher, launch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after a crash between the folder and the process."""
        real = shim.__file__
        monkeypatch.setattr(shim, "__file__", "/no/such/file.py")
        with pytest.raises(LaunchFailed):
            launch("print('up')")
        monkeypatch.setattr(shim, "__file__", real)
        handle = launch("print('up')")
        self.ended(launcher, handle)
        assert launcher.logs(handle) == "up\n"

    def test_a_command_that_does_not_exist_ends_with_words(self, tmp_path: Path) -> None:
        """The launch has ended; it does not wait for ever."""
        launcher = ProcessLauncher(tmp_path / "data", command=("/no/such/program",))
        handle = launcher.start(LaunchSpec(name="job-1", image="x", mode="discover"))
        assert "could not be started" in self.ended(launcher, handle).reason


def test_a_package_is_kept_whole_and_without_what_tools_left(tmp_path: Path) -> None:
    """Caches and repositories do not change the digest (R37)."""
    package = tmp_path / "weather"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1")
    (package / "data" / "rows.csv").write_text("a,b")
    launcher = ProcessLauncher(tmp_path / "home")
    first = launcher.pin(str(package))
    for name in ("__pycache__", ".git", ".venv"):
        (package / name).mkdir()
        (package / name / "junk").write_text(name)
    assert launcher.pin(str(package)) == first
    kept = Path(first.location)
    assert kept.name == "weather"
    assert sorted(path.name for path in kept.rglob("*")) == ["__init__.py", "data", "rows.csv"]
    assert kept.parent.name == first.digest.replace(":", "-")


def test_a_renamed_file_is_another_image(tmp_path: Path) -> None:
    """The hash is over relative paths and contents."""
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("x = 1")
    two.write_text("x = 1")
    launcher = ProcessLauncher(tmp_path / "home")
    assert launcher.pin(str(one)).digest != launcher.pin(str(two)).digest


@pytest.mark.parametrize("name", ["missing.py", "folder", "notes.txt"])
def test_what_is_no_python_is_refused_with_a_remedy(tmp_path: Path, name: str) -> None:
    """And nothing is kept of it."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ImageUnusable) as caught:
        ProcessLauncher(tmp_path / "home").pin(str(tmp_path / name))
    assert caught.value.fix
    assert not (tmp_path / "home").exists()


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    """It would silently be missing from the copy."""
    package = tmp_path / "weather"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shared").symlink_to(tmp_path)
    with pytest.raises(ImageUnusable, match="link to a folder"):
        ProcessLauncher(tmp_path / "home").pin(str(package))


def _ended(launcher: ProcessLauncher, location: str, name: str = "job-1") -> str:
    handle = launcher.start(LaunchSpec(name=name, image=location, mode="discover"))
    until(lambda: launcher.poll(handle).state == "ended")
    assert launcher.poll(handle).exit_code == 0, launcher.poll(handle).reason
    return launcher.logs(handle)


def test_an_executable_file_in_any_language_is_an_image(tmp_path: Path) -> None:
    """Its kept copy is started, in the mode that the launcher states."""
    script = tmp_path / "group.sh"
    script.write_text("#!/bin/sh\necho $STEPWELL_MODE $0\n")
    script.chmod(0o755)
    launcher = ProcessLauncher(tmp_path / "home")
    pinned = launcher.pin(str(script))
    script.write_text("#!/bin/sh\necho changed\n")
    assert launcher.digest(str(script)) != pinned.digest
    assert _ended(launcher, pinned.location) == f"discover {pinned.location}\n"


def test_a_folder_is_started_by_its_stepwell_group_and_kept_with_all_beside_it(
    tmp_path: Path,
) -> None:
    """What the program needs travels with it; whether it may be executed is part of the digest."""
    folder = tmp_path / "shop"
    folder.mkdir()
    program = folder / "stepwell-group"
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/words.txt"\n')
    (folder / "words.txt").write_text("from beside\n")
    launcher = ProcessLauncher(tmp_path / "home")
    with pytest.raises(ImageUnusable, match="executable file stepwell-group"):
        launcher.pin(str(folder))
    program.chmod(0o755)
    pinned = launcher.pin(str(folder))
    assert _ended(launcher, pinned.location) == "from beside\n"
    (folder / "words.txt").chmod(0o755)
    assert launcher.digest(str(folder)) != pinned.digest


def test_the_mode_of_python_files_does_not_change_their_digest(tmp_path: Path) -> None:
    """So groups that were kept by an earlier version have the digest that they had."""
    module = tmp_path / "one.py"
    module.write_text("x = 1")
    launcher = ProcessLauncher(tmp_path / "home")
    before = launcher.digest(str(module))
    module.chmod(0o755)
    assert launcher.digest(str(module)) == before
