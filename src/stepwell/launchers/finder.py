"""Which files and packages under a path declare a workflow group; read, never imported."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SKIPPED: Final = frozenset({"__pycache__", "node_modules", "venv", "build", "dist", "tests"})
CLASS: Final = "WorkflowGroup"
_CALL: Final = re.compile(r"\bWorkflowGroup\(\s*(?:name\s*=\s*)?[\"']([^\"']+)[\"']")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A group that is declared somewhere: its name, and the file or package to register."""

    name: str
    path: Path


def scan(root: Path) -> list[Found]:
    """The groups declared in `root` (a file, a package, or a folder of them), by name."""
    return sorted({found for path in _python_files(root.absolute()) for found in _declared(path)})


def _python_files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED and name[0] not in "._"]
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(".py"))


def _declared(path: Path) -> Iterator[Found]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        return
    if CLASS in text:
        yield from (Found(name, _image(path)) for name in _names(text))


def _names(text: str) -> list[str]:
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a broken file is still that group: its discovery will tell the fault
        return _CALL.findall(text)
    return [name for node in tree.body for name in _named_in(node)]


def _named_in(node: ast.stmt) -> Iterator[str]:
    """The names of groups made at the top level of a module, as literal text."""
    call = getattr(node, "value", None)
    if not isinstance(call, ast.Call) or _called(call.func) != CLASS:
        return
    given = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "name")]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value


def _called(function: ast.expr) -> str:
    return str(getattr(function, "id", getattr(function, "attr", "")))


def _image(path: Path) -> Path:
    """The outermost package that the file is in, or the file itself."""
    image = path
    for folder in path.parents:
        if not (folder / "__init__.py").exists():
            return image
        image = folder
    return image
