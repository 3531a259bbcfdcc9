"""What `make` does with the pages where Node is, and where it is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def make(root: Path, *words: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *words]
    environment = {**os.environ, "CI": ci}
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


def test_without_node_the_pages_are_not_built_and_that_is_said(root: Path) -> None:
    ended = make(root, "web", "NODE=")
    assert ended.returncode != 0
    assert "Node 20.19 or newer" in ended.stderr


def test_without_node_the_rest_goes_on_but_not_in_ci(root: Path) -> None:
    assert make(root, "web/.without-node", "NODE=").returncode == 0
    assert make(root, "web/.without-node", "NODE=", ci="true").returncode != 0


def test_tests_and_demo_ask_for_the_pages_and_python_people_for_no_node(root: Path) -> None:
    for target in ("test", "demo"):
        wanted = make(root, "-n", target, "NODE=")
        assert wanted.returncode == 0, wanted.stderr
        assert "web/dist" not in wanted.stdout
        assert "npm" not in wanted.stdout.replace("with npm was not found", "")
