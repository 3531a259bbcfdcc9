"""The contract: how a launch ended, in words; stops, deadlines and output."""

from __future__ import annotations

from typing import Any

from stepwell.launchers.protocol import Launcher
from stepwell.testing.launcher_contract.base import LOG_BYTES, ContractBase, needs, until


class EndingContract(ContractBase):
    """The first end is the end, and its reason is a sentence."""

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
        assert status.started_at.tzinfo is not None
        assert {"to out", "to err"} <= set(launcher.logs(handle).splitlines())

    def test_the_end_is_told_in_the_same_way_however_often_it_is_asked_for(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """The row of an attempt must not change after the fact."""
        handle = launch("raise SystemExit(3)")
        first = self.ended(launcher, handle)
        assert launcher.poll(handle) == launcher.poll(handle) == first

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
        """And says so; it is no mistake of its image."""
        handle = launch("import time; time.sleep(60)", deadline_seconds=1.0)
        status = self.ended(launcher, handle)
        assert "deadline" in status.reason

    def test_a_stop_is_a_request_first_and_an_end_at_last(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """What ignores SIGTERM is killed after the grace time; a stop twice is one stop."""
        handle = launch(_DEAF)
        until(lambda: "up\n" in launcher.logs(handle))
        launcher.stop(handle)
        launcher.stop(handle)
        status = self.ended(launcher, handle)
        assert status.reason == "It was stopped on request."
        assert launcher.logs(handle).startswith("up\n")

    @needs("last words")
    def test_what_is_written_after_a_stop_is_kept(self, launcher: Launcher, launch: Any) -> None:
        """And it was asked once, however often the stop was."""
        handle = launch(_SLOW)
        until(lambda: "up\n" in launcher.logs(handle))
        launcher.stop(handle)
        launcher.stop(handle)
        self.ended(launcher, handle)
        assert launcher.logs(handle).split() == ["up", "asked"]

    def test_a_stop_of_what_has_ended_changes_nothing(
        self, launcher: Launcher, launch: Any
    ) -> None:
        """The first end is the end."""
        handle = launch("raise SystemExit(5)")
        before = self.ended(launcher, handle)
        launcher.stop(handle)
        assert launcher.poll(handle) == before

    @needs("head")
    def test_too_much_output_is_cut_in_the_middle(self, launcher: Launcher, launch: Any) -> None:
        """100 MB: the head and the tail stay, and the cut is marked (R39)."""
        handle = launch(_LOUD)
        assert self.ended(launcher, handle).exit_code == 0
        text = launcher.logs(handle)
        assert text.startswith("first line\n")
        assert "bytes were cut here" in text

    def test_the_end_of_too_much_output_stays(self, launcher: Launcher, launch: Any) -> None:
        """It is where the error is; and no more is held than was asked for."""
        handle = launch(_LOUD)
        self.ended(launcher, handle)
        text = launcher.logs(handle)
        assert text.endswith("last line\n")
        assert len(text) <= LOG_BYTES + 100


_DEAF = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True))\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(1)\n"
)
_SLOW = (
    "import signal, time\n"
    "asked = []\n"
    "def ask(*_):\n"
    "    print('asked', flush=True)\n"
    "    asked.append(time.sleep(2))\n"
    "signal.signal(signal.SIGTERM, ask)\n"
    "print('up', flush=True)\n"
    "while not asked: time.sleep(0.1)\n"
)
"""Goes on for a while after it was asked, and would say so if it was asked again."""
_LOUD = (
    "import sys\n"
    "print('first line')\n"
    "for n in range(1600): sys.stdout.write('x' * 65535 + '\\n')\n"
    "print('last line')\n"
)
