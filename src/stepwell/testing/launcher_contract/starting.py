"""The contract: starting a launch, once; what it is given; finding it again."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from stepwell.launchers.protocol import Launcher, LaunchSpec, LaunchSpecInvalid, Plannable
from stepwell.testing.launcher_contract.base import ContractBase, until

STAYS = "import time\nprint('up', flush=True)\nwhile True: time.sleep(0.1)"


class StartingContract(ContractBase):
    """Asked by name, so asking twice is harmless."""

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

    @pytest.mark.parametrize("name", ["A=B", "", "A\0B"])
    def test_an_environment_name_that_cannot_be_is_refused(self, launch: Any, name: str) -> None:
        """Before anything has started."""
        with pytest.raises(LaunchSpecInvalid):
            launch("pass", environment={name: "c"})

    def test_a_name_that_could_leave_its_place_is_refused(self, launch: Any) -> None:
        """Names become folders, labels and objects."""
        with pytest.raises(LaunchSpecInvalid):
            launch("pass", name="../elsewhere")

    def test_a_plan_names_the_image_and_starts_nothing(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """It goes the way of a start, so that the launch can be started after it."""
        if not isinstance(launcher, Plannable):
            pytest.skip("this launcher does not say what a start would make")
        image = launcher.pin(self.image(tmp_path, "print('once')")).location
        plan = launcher.plan(LaunchSpec(name="job-1", image=image, mode="run"))
        assert plan.image == image
        assert plan.what.startswith("1 ")
        assert launcher.poll(launcher.find("job-1")).state == "ended"
        handle = launch("print('once')")
        assert self.ended(launcher, handle).exit_code == 0
        assert launcher.logs(handle) == "once\n"

    def test_a_plan_refuses_what_a_start_refuses(self, launcher: Launcher, launch: Any) -> None:
        """So nobody is told that a launch would go well which cannot."""
        if not isinstance(launcher, Plannable):
            pytest.skip("this launcher does not say what a start would make")
        with pytest.raises(LaunchSpecInvalid):
            launcher.plan(LaunchSpec(name="../elsewhere", image="x", mode="run"))
        spec = LaunchSpec(name="job-1", image="x", mode="run", environment={"A=B": "c"})
        with pytest.raises(LaunchSpecInvalid):
            launcher.plan(spec)

    def test_started_twice_is_one_process(self, launcher: Launcher, launch: Any) -> None:
        """The name makes starting idempotent, also at the same time and after the end."""
        script = "print('once')"
        threads = [threading.Thread(target=launch, args=(script,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.ended(launcher, launch(script))
        handle = launch(script)
        self.ended(launcher, handle)
        assert launcher.logs(handle) == "once\n"

    def test_two_launches_of_one_image_are_two(self, launcher: Launcher, launch: Any) -> None:
        """Each has its own end and its own output."""
        well, badly = (
            launch("print('a')", name="job-1"),
            launch("raise SystemExit(4)", name="job-2"),
        )
        assert self.ended(launcher, well).exit_code == 0
        assert self.ended(launcher, badly).exit_code == 4
        assert (launcher.logs(well), launcher.logs(badly)) == ("a\n", "")

    def test_a_handle_is_plain_json_and_can_be_made_again(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """It is kept in a database; a crash before that must not lose the launch."""
        handle = launch("print('found')")
        read = json.loads(json.dumps(handle))
        assert read == handle
        self.ended(launcher, read)
        assert launcher.logs(launcher.find("job-1")) == "found\n"

    def test_a_new_launcher_finds_what_an_earlier_one_started(
        self, launcher: Launcher, launch: Any, tmp_path: Path
    ) -> None:
        """The server was restarted meanwhile; the new one can do all that the old one could."""
        handle = launch(STAYS)
        until(lambda: "up\n" in launcher.logs(handle))
        another = self.make(tmp_path / "data")
        assert another.poll(json.loads(json.dumps(handle))).state == "running"
        assert another.poll(another.find("job-1")).state == "running"
        another.stop(handle)
        assert self.ended(another, handle).reason == self.ended(launcher, handle).reason

    def test_what_was_never_started_has_ended(self, launcher: Launcher) -> None:
        """A crash before the start, or a folder that is gone, keeps no run waiting for ever."""
        handle = launcher.find("job-2")
        status = launcher.poll(handle)
        assert status.state == "ended"
        assert status.exit_code is None
        assert status.reason
        assert launcher.logs(handle) == ""
        launcher.stop(handle)
