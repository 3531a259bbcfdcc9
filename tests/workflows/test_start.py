"""`python -m stepwell.workflows`: one import for two processes, and no token for all to see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.server import cold

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
