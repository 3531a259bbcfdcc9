"""What must not be in the repository, and what must."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

# A path that exists on one machine only.
MACHINE = re.compile(r"(?<![\w.~-])/(?:work|root|home/[a-z]|Users)/")
PINS = re.compile(r"constraints.*\.txt|requirements.*\.txt|.*lock.*\.(json|yaml|toml)|uv\.lock")
# A package asks for money there; nothing is taken from there.
FUNDING = re.compile(r'\s*("(funding|url)": )?"https://[^"]+",?')
PRIVATE_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE " + "KEY-----")


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_path_of_one_machine_is_written_down(files: list[Path]) -> None:
    assert [str(path) for path in files if MACHINE.search(text_of(path))] == []


def test_pins_name_versions_and_no_address(files: list[Path]) -> None:
    """Where packages come from is the machine's business."""
    pins = [path for path in files if PINS.fullmatch(path.name)]
    assert pins
    lines = [(path, line) for path in pins for line in text_of(path).splitlines()]
    assert [(str(path), x) for path, x in lines if "://" in x and not FUNDING.fullmatch(x)] == []


def test_every_constraint_is_one_exact_version(root: Path) -> None:
    lines = (root / "constraints.txt").read_text().splitlines()
    pinned = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)?")
    assert [x for x in lines if x and not x.startswith("#") and not pinned.fullmatch(x)] == []


def test_no_secret_key_is_committed(files: list[Path]) -> None:
    assert [str(path) for path in files if PRIVATE_KEY.search(text_of(path))] == []


def test_the_licence_is_apache_2(root: Path) -> None:
    text = (root / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


def targets(makefile: Path) -> list[str]:
    phony = re.search(r"^\.PHONY: (.*)$", makefile.read_text(), re.MULTILINE)
    assert phony
    return phony[1].split()


def test_make_help_lists_every_target(root: Path) -> None:
    ended = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"^  make (\S+) +\S", ended.stdout, re.MULTILINE) == targets(
        root / "Makefile"
    )


@pytest.mark.parametrize("script", [".ci/run", ".ci/browser", ".ci/test-pythons"])
def test_a_script_stops_at_its_first_error(root: Path, script: str) -> None:
    path = root / script
    assert path.stat().st_mode & 0o100
    assert "set -euo pipefail" in path.read_text()


def test_ci_runs_the_test_command_of_the_readme(root: Path) -> None:
    assert "make test" in (root / ".ci" / "run").read_text()
    assert "make test" in (root / "README.md").read_text()
