"""Imports point one way, and stand at the top."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Not rooms: what all rooms stand on.
FOUNDATION = {"database", "static"}
DOORS = {"service", "records"}


def modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(server: Path) -> list[str]:
    return sorted(
        path.name
        for path in server.iterdir()
        if path.is_dir() and path.name not in FOUNDATION and list(path.glob("*.py"))
    )


def test_the_contracts_of_the_layers_are_kept(root: Path) -> None:
    """`make check` says which one is broken, and where."""
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("import-linter is not installed here")
    ours = os.environ | {"PYTHONPATH": str(root / "src")}  # the program may be another tree's
    words = [str(program), "--no-logo", "--no-cache"]
    ended = subprocess.run(words, cwd=root, env=ours, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_a_room_of_the_server_enters_another_by_its_service_only(root: Path) -> None:
    """Its records come along: they are what the service takes and gives."""
    server = root / "src" / "stepwell" / "server"
    names = rooms(server)
    found = []
    for room in names:
        for path in (server / room).rglob("*.py"):
            for module in modules(ast.parse(path.read_text())):
                parts = module.split(".")
                other = parts[2] if parts[:2] == ["stepwell", "server"] and parts[2:] else room
                if other != room and other in names and not DOORS.issuperset(parts[3:4]):
                    found.append(f"{path.relative_to(root)} imports {module}")
    assert found == []


def test_types_stand_behind_a_guard_only_where_that_has_a_reason(root: Path) -> None:
    """A guard hides a cycle, and there is none.

    Packages whose names are imported when they are asked for show them to type checkers so.
    The command line may have more: a command loads what it needs, and --help nothing. So
    does the pytest plugin, which each run of pytest loads where Stepwell is installed.
    """
    source = root / "src" / "stepwell"
    guarded = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if "if TYPE_CHECKING:" in path.read_text()
    }
    assert {name for name in guarded if not name.startswith("cli/")} == {
        "__init__.py",
        "schedules/__init__.py",
        "stores/__init__.py",
        "testing/plugin.py",
        "workflows/__init__.py",
    }
