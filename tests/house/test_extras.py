"""Each extra brings what its part imports: nobody else's packages are needed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ALONE = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Absent())
{program}
"""
STEPS = """
from stepwell.cli.app import app
from stepwell.engine import StepClient
from stepwell.ids import new_id
from stepwell.step import new_step
from stepwell.stores import open_store
from uuid import UUID
import os

one, os.environ["STEPWELL_STORE"] = str(new_id()), "sqlite:///mine.db"
app(["migrate", "--store", "sqlite:///mine.db"], standalone_mode=False)
StepClient(open_store("sqlite:///mine.db")).add(new_step("v1/order", id=UUID(one)))
for words in (
    ["steps", "add", "v1/pack"],
    ["steps", "list"],
    ["steps", "show", one],
    ["steps", "count"],
    ["steps", "lineage", one],
    ["steps", "activate", one],
    ["steps", "cancel", one, "--reason", "tested"],
):
    app(words, standalone_mode=False)
"""
MODULES = {
    "stepwell[cli]": "stepwell.cli.app",
    "stepwell[schedules]": "stepwell.schedules",
    "stepwell[workflows]": "stepwell.workflows",
    "stepwell[postgres]": "stepwell.stores.postgres",
    "stepwell[server]": "stepwell.server.app",
}


def packages(extras: dict[str, list[str]], requirement: Requirement) -> set[str]:
    """The names by which the packages of an extra, and of those that it names, are imported."""
    if requirement.name != "stepwell":
        return {requirement.name.replace("-", "_")}
    found: set[str] = set()
    for extra in requirement.extras:
        for text in extras[extra]:
            found |= packages(extras, Requirement(text))
    return found


def run_alone(
    root: Path,
    extra: str,
    program: str,
    folder: Path | None = None,
    brought: frozenset[str] = frozenset(),
) -> str:
    """What a program writes where there are the packages of an extra, and what those bring."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    everything = packages(extras, Requirement("stepwell[all]"))
    absent = everything - packages(extras, Requirement(extra)) - brought
    words = [sys.executable, "-c", ALONE.format(absent=absent, program=program)]
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("extra", MODULES)
def test_a_part_imports_no_package_of_another_extra(root: Path, extra: str) -> None:
    run_alone(root, extra, f"import {MODULES[extra]}")


def test_steps_of_a_store_of_ones_own_need_no_package_of_a_server(
    root: Path, tmp_path: Path
) -> None:
    by_typer = frozenset({"pydantic"})
    assert "v1/order" in run_alone(root, "stepwell[cli]", STEPS, tmp_path, by_typer)
