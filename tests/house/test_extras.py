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
import {module}
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


@pytest.mark.parametrize("extra", MODULES)
def test_a_part_imports_no_package_of_another_extra(root: Path, extra: str) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    everything = packages(extras, Requirement("stepwell[all]"))
    absent = everything - packages(extras, Requirement(extra))
    program = ALONE.format(absent=absent, module=MODULES[extra])
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stderr
