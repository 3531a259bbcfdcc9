"""Launches of Python images are forked from a template, and find nothing of one another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipes import readable

from stepwell.launchers.process import ProcessLauncher
from stepwell.launchers.protocol import LaunchSpec, LaunchStatus
from stepwell.testing.launcher_contract import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux only")

SHOW = """
import gc, os, sys, threading
from stepwell.workflows import WorkflowGroup
print("argv0", os.path.basename(sys.argv[0]), "threads", threading.active_count())
print("token", os.environ.get("STEPWELL_TOKEN"), "colour", os.environ.get("COLOUR"))
with open("/proc/self/cmdline") as file: print("forked", "launchers.template" in file.read())
print("mode", os.environ["STEPWELL_MODE"], "cwd", os.path.basename(os.getcwd()))
needles = [os.environ["NEEDLE"][::-1]]
found = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as mem:
    for line in maps:
        span, rights = line.split()[:2]
        low, high = (int(one, 16) for one in span.split("-"))
        if rights.startswith("rw"):
            try:
                mem.seek(low)
                found += mem.read(high - low).count(needles[0].encode())
            except (OSError, ValueError, OverflowError):
                pass
print("needles", found > 1)
sys.stdout.flush()
raise RuntimeError("enough")
"""


@pytest.fixture
def launcher(tmp_path: Path) -> Iterator[ProcessLauncher]:
    made = ProcessLauncher(tmp_path / "data", grace_seconds=1.0)
    yield made
    made.close()


def launched(launcher: ProcessLauncher, tmp_path: Path, name: str, **more: str) -> str:
    """The output of a discovery whose server is away."""
    return ended(launcher, tmp_path, name, **more)[1]


def ended(
    launcher: ProcessLauncher, tmp_path: Path, name: str, **more: str
) -> tuple[LaunchStatus, str]:
    (tmp_path / "group.py").write_text(SHOW)
    environment = {
        "STEPWELL_URL": "http://127.0.0.1:9",
        "STEPWELL_DISCOVERY_ID": "0198c0de-0000-7000-8000-000000000000",
        "STEPWELL_TOKEN": "t0ken",
        "NEEDLE": "nothing",
        **more,
    }
    pinned = launcher.pin(str(tmp_path / "group.py"))
    handle = launcher.start(
        LaunchSpec(name=name, image=pinned.location, mode="discover", environment=environment)
    )
    until(lambda: "needles" in launcher.logs(handle))
    launcher.stop(handle)
    until(lambda: launcher.poll(handle).state == "ended")
    return launcher.poll(handle), launcher.logs(handle)


def test_a_launch_is_forked_into_its_own_folder(launcher: ProcessLauncher, tmp_path: Path) -> None:
    said = launched(launcher, tmp_path, "job-1", COLOUR="red", STEPWELL_TOKEN="s3cret")
    assert "forked True" in said
    assert "argv0 child.py threads 1" in said
    assert "mode discover cwd work" in said


def test_the_groups_code_finds_the_token_nowhere_in_its_memory(
    launcher: ProcessLauncher, tmp_path: Path
) -> None:
    """Neither its own nor that of a launch before it."""
    first, second = "ab" * 12 + "first", "cd" * 12 + "second"
    launched(launcher, tmp_path, "job-1", STEPWELL_TOKEN=first)
    for needle in (first, second):
        backwards = needle[::-1]  # so that it is not in the environment itself
        said = launched(
            launcher, tmp_path, f"job-{needle[0]}", STEPWELL_TOKEN=second, NEEDLE=backwards
        )
        assert "token None" in said
        assert "needles False" in said


def test_what_only_a_new_interpreter_heeds_starts_one(
    launcher: ProcessLauncher, tmp_path: Path
) -> None:
    assert "forked False" in launched(launcher, tmp_path, "job-1", PYTHONHASHSEED="7")


def test_a_launch_does_without_a_template_that_was_killed(
    launcher: ProcessLauncher, tmp_path: Path
) -> None:
    """And the one after it has a new template."""
    assert "forked True" in launched(launcher, tmp_path, "job-1")
    os.kill(template(launcher), signal.SIGKILL)
    assert "needles" in launched(launcher, tmp_path, "job-2")
    assert "forked True" in launched(launcher, tmp_path, "job-3")


HASTY = """
import os, signal, sys, time
from pathlib import Path
from stepwell.launchers import shim
from stepwell.launchers.template import ForkedWatch

class Slow(ForkedWatch):
    def _become(self, *given):
        time.sleep(0.5)
        return super()._become(*given)

def begin(*pipes):
    time.sleep(600)
    return 0

folder = Path(sys.argv[1])
(folder / "work").mkdir()
child = Slow(folder, [os.dup(0), os.dup(0)], begin).spawn()
shim.signal_group(child.pid, signal.SIGTERM)
print(child.wait(90))
"""


def test_a_stop_reaches_a_process_that_was_forked_just_now(tmp_path: Path) -> None:
    """It leads its group, and the signal ends it, before anybody can ask it to end."""
    command = [sys.executable, "-c", HASTY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.strip() == str(-signal.SIGTERM), done.stderr


def test_the_end_of_a_launch_is_told(launcher: ProcessLauncher, tmp_path: Path) -> None:
    launched(launcher, tmp_path, "job-1")
    assert launcher.notices is not None
    assert readable([launcher.notices], 90.0)


def test_a_template_ends_with_its_server(launcher: ProcessLauncher, tmp_path: Path) -> None:
    launched(launcher, tmp_path, "job-1")
    pid = template(launcher)
    launcher.close()
    assert not Path(f"/proc/{pid}").exists()


def template(launcher: ProcessLauncher) -> int:
    """The process of its template; others of this process may still have theirs."""
    ending = launcher._template._end
    assert ending is not None
    kept = ending.peek()
    assert kept is not None
    return int(kept[2][1].pid)
