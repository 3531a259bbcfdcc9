"""What every launcher must do, with real processes: subclass `LauncherContract` in a test.

class TestMyLauncher(LauncherContract):
    def make(self, folder):
        return MyLauncher(folder, log_bytes=LOG_BYTES, grace_seconds=GRACE)

    def image(self, folder, script):
        return <an image that runs the Python text `script`>
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from stepwell.launchers.protocol import (
    Handle,
    ImageUnusable,
    Launcher,
    LaunchSpec,
    LaunchSpecInvalid,
    LaunchStatus,
)

LOG_BYTES: Final = 1024 * 1024
GRACE: Final = 0.5
_PATIENCE: Final = 30.0


def until(what: Callable[[], Any], patience: float = _PATIENCE) -> Any:
    """The first true answer of `what`, asked every 20 ms; fails when patience is over."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(0.02)
    pytest.fail(f"nothing came of it within {patience} s")


class LauncherContract:
    """The contract; `make` and `image` are what a launcher's own test provides."""

    def make(self, folder: Path) -> Launcher:
        """A new launcher object on `folder`."""
        raise NotImplementedError

    def image(self, folder: Path, script: str) -> str:
        """The name of an image that runs the Python text `script`."""
        raise NotImplementedError

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
            spec = LaunchSpec(name=name, image=pinned.location, mode="run", **fields)
            return launcher.start(spec)

        return start

    def ended(self, launcher: Launcher, handle: Handle) -> LaunchStatus:
        """The status when it has ended."""
        until(lambda: launcher.poll(handle).state == "ended")
        return launcher.poll(handle)

    def test_what_ends_well_says_so_and_keeps_its_output(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """Exit code 0, both instants, stdout and stderr."""
        handle = launch("import sys; print('to out'); print('to err', file=sys.stderr)")
        status = self.ended(launcher, handle)
        assert (status.exit_code, status.reason) == (0, "It ended.")
        assert status.started_at is not None
        assert status.finished_at is not None
        assert status.started_at <= status.finished_at
        assert {"to out", "to err"} <= set(launcher.logs(handle).splitlines())

    def test_the_image_gets_mode_and_environment_and_nothing_else_of_the_server(
        self, launcher: Launcher, launch: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A secret of the server is not handed down (R42)."""
        monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
        script = "import os; print(*(f'{k}={v}' for k, v in os.environ.items()), sep='\\n')"
        handle = launch(script, environment={"STEPWELL_TOKEN": "t0ken"})
        self.ended(launcher, handle)
        seen = set(launcher.logs(handle).splitlines())
        assert {"STEPWELL_MODE=run", "STEPWELL_TOKEN=t0ken"} <= seen
        assert "hunter2" not in launcher.logs(handle)

    def test_an_environment_name_that_cannot_be_is_refused(self, launch: Any) -> None:
        """Before anything has started."""
        with pytest.raises(LaunchSpecInvalid):
            launch("pass", environment={"A=B": "c"})

    def test_started_twice_is_one_process(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """The name makes starting idempotent, also at the same time and after the end."""
        note = tmp_path / "note"
        script = f"open({str(note)!r}, 'a').write('x')"
        threads = [threading.Thread(target=launch, args=(script,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.ended(launcher, launch(script))
        self.ended(launcher, launch(script))
        assert note.read_text() == "x"

    def test_an_exit_code_becomes_words(self, launcher: Launcher, launch: Any) -> None:
        """A number alone helps nobody."""
        status = self.ended(launcher, launch("raise SystemExit(3)"))
        assert status.exit_code == 3
        assert "exit code 3" in status.reason

    def test_a_kill_becomes_words(self, launcher: Launcher, launch: Any) -> None:
        """`kill -9` from outside, as the out-of-memory killer does it."""
        script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        status = self.ended(launcher, launch(script))
        assert "SIGKILL" in status.reason

    def test_it_is_stopped_at_its_deadline(self, launcher: Launcher, launch: Any) -> None:
        """No server is needed for that."""
        handle = launch("import time; time.sleep(60)", deadline_seconds=0.3)
        status = self.ended(launcher, handle)
        assert "deadline" in status.reason

    def test_a_stop_is_a_request_first_and_an_end_at_last(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """What ignores SIGTERM is killed after the grace time; a stop twice is one stop."""
        script = (
            "import signal, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
            "print('up', flush=True)\n"
            "while True: time.sleep(1)\n"
        )
        handle = launch(script)
        until(lambda: "up" in launcher.logs(handle))
        launcher.stop(handle)
        launcher.stop(handle)
        status = self.ended(launcher, handle)
        assert status.reason == "It was stopped on request."
        assert launcher.logs(handle).split() == ["up", "asked"]

    def test_a_stop_of_what_has_ended_changes_nothing(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """The first end is the end."""
        handle = launch("raise SystemExit(5)")
        before = self.ended(launcher, handle)
        launcher.stop(handle)
        assert launcher.poll(handle) == before

    def test_too_much_output_is_cut_in_the_middle(self, launcher: Launcher, launch: Any) -> None:
        """100 MB: the head and the tail stay, and the cut is marked (R39)."""
        script = (
            "import sys\n"
            "print('first line')\n"
            "for n in range(1600): sys.stdout.write('x' * 65535 + '\\n')\n"
            "print('last line')\n"
        )
        handle = launch(script)
        assert self.ended(launcher, handle).exit_code == 0
        text = launcher.logs(handle)
        assert text.startswith("first line\n")
        assert text.endswith("last line\n")
        assert "bytes were cut here" in text
        assert len(text) <= LOG_BYTES + 100

    def test_a_new_launcher_finds_what_an_earlier_one_started(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """The server was restarted meanwhile; the handle is plain JSON."""
        go = tmp_path / "go"
        script = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
        handle = launch(script)
        another = self.make(tmp_path / "data")
        assert another.poll(dict(handle)).state == "running"
        assert another.poll(another.find("job-1")).state == "running"
        go.touch()
        assert self.ended(another, handle).exit_code == 0

    def test_what_was_never_started_has_ended(self, launcher: Launcher) -> None:
        """A crash before the start, or a folder that is gone, keeps no run waiting for ever."""
        handle = launcher.find("job-2")
        assert launcher.poll(handle).state == "ended"
        assert launcher.logs(handle) == ""

    def test_a_name_that_could_leave_its_place_is_refused(self, launch: Any) -> None:
        """Names become folders and labels."""
        with pytest.raises(LaunchSpecInvalid):
            launch("pass", name="../elsewhere")

    def test_what_is_pinned_does_not_change_with_its_source(
        self, launcher: Launcher, tmp_path: Path
    ) -> None:
        """A run starts from the kept copy; the same contents have the same digest (R37)."""
        first = launcher.pin(self.image(tmp_path, "print('old')"))
        assert launcher.pin(self.image(tmp_path, "print('old')")) == first
        image = self.image(tmp_path, "print('new')")
        assert launcher.pin(image).digest != first.digest
        location = launcher.locate(image, first.digest)
        handle = launcher.start(LaunchSpec(name="job-3", image=location, mode="run"))
        self.ended(launcher, handle)
        assert launcher.logs(handle) == "old\n"

    def test_a_digest_is_what_pinning_would_answer_and_keeps_nothing(
        self, launcher: Launcher, tmp_path: Path
    ) -> None:
        """So a changed image is noticed without a launch, and before anything is copied."""
        image = self.image(tmp_path, "print('first')")
        first = launcher.digest(image)
        with pytest.raises(ImageUnusable):
            launcher.locate(image, first)
        assert launcher.pin(image).digest == first
        image = self.image(tmp_path, "print('second')")
        assert launcher.digest(image) == launcher.digest(image) != first

    def test_a_copy_that_is_not_kept_is_an_error_in_words(self, launcher: Launcher) -> None:
        """With what to do about it."""
        with pytest.raises(ImageUnusable, match="approve the group again"):
            launcher.locate("x", "sha256:0000")
