"""`python -m stepwell.workflows`: one import for two processes, and no token for all to see."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from benchmarks.server import cold
from tests.engine.signals import gone, wait_for

import stepwell

LOOKS = """
import os
from pathlib import Path

from stepwell.workflows import WorkflowGroup, operation

seen = [Path(f"/proc/{pid}/environ").read_bytes() for pid in (os.getpid(), os.getppid())]
Path(os.environ["NOTES"]).write_bytes(b"".join(seen))
group = WorkflowGroup("bench")


@group.workflow
class Three:
    @operation
    def first(self) -> int:
        return 1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it starts in two steps")
def test_neither_process_of_an_image_has_the_token_in_its_environment(tmp_path: Path) -> None:
    """It travels through a pipe, which is empty before the group's code runs (R35)."""
    group, notes = tmp_path / "group.py", tmp_path / "notes"
    group.write_text(LOOKS)
    with cold.played() as url:
        given = cold.environment(url)
        before = cold.Played.claims
        done = subprocess.run(
            [sys.executable, "-m", "stepwell.workflows"],
            env={**os.environ, **given, "STEPWELL_GROUP": str(group), "NOTES": str(notes)},
            check=False,
        )
        assert cold.Played.claims > before
    assert done.returncode == 3  # the token was refused, as was played
    assert b"STEPWELL_RUN_ID" in notes.read_bytes()
    assert given["STEPWELL_TOKEN"].encode() not in notes.read_bytes()


class Slow(cold.Played):
    """It has nothing to do for an image, and keeps the last lines of it waiting."""

    logs: Final = threading.Event()
    may_answer: Final = threading.Event()

    def do_POST(self) -> None:  # noqa: N802 - the base class asks for this name
        """Claims find nothing, so that the image ends."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        verb = self.path.rpartition("/")[2]
        if "/logs/" in self.path:
            self.logs.set()
            self.may_answer.wait(90)
        self._answer(200, {"result": {**cold.ANSWERS, "claim": {}}.get(verb)})


@pytest.fixture
def slow() -> Iterator[str]:
    """The address of a server that is `Slow`."""
    with cold.played(Slow) as url:
        yield url
    Slow.may_answer.set()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it starts in two steps")
def test_an_image_that_is_stopped_while_it_winds_down_ends_as_it_would_have(
    slow: str, tmp_path: Path
) -> None:
    """Its work is over, and its last lines are on their way: there is nothing to break off."""
    group, notes = tmp_path / "group.py", tmp_path / "notes"
    group.write_text(f"{LOOKS}\nPath(os.environ['NOTES']).write_text(str(os.getpid()))\nprint(1)")
    named = {"STEPWELL_GROUP": str(group), "NOTES": str(notes)}
    command = [sys.executable, "-m", "stepwell.workflows"]
    given = {**os.environ, **cold.environment(slow), **named}
    with subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True) as image:
        assert Slow.logs.wait(90)
        wait_for(lambda: gone(int(notes.read_text())))  # the group's process, which is ended first
        image.send_signal(signal.SIGTERM)
        Slow.may_answer.set()
        assert image.stderr is not None
        said = image.stderr.read()
    assert (image.returncode, said) == (0, "")


def test_a_missing_variable_is_named_when_an_image_is_started_by_hand() -> None:
    """Whoever tries `podman run` alone reads what it needs."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("STEPWELL")}
    done = subprocess.run(
        [sys.executable, "-m", "stepwell.workflows"],
        env=plain,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "STEPWELL_MODE" in done.stderr


def test_a_name_of_a_package_is_imported_when_it_is_asked_for() -> None:
    """So the package alone costs nothing; a name that it does not have is told as usual."""
    program = "import sys, stepwell, stepwell.workflows; print('stepwell.engine' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "False\n"
    assert stepwell.Engine is stepwell.Engine
    with pytest.raises(AttributeError, match="no attribute 'Motor'"):
        _ = stepwell.Motor
