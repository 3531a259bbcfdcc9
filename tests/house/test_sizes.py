"""Small by rule: functions of a few lines, files that fit in the head."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

FUNCTION = 50
LONG = 20
SHARE_OF_LONG = 0.05
MEDIAN = 7
FILE = 400


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement to the last, without the docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path}:{node.lineno} {node.name}", body_lines(node)


@pytest.fixture(scope="module")
def code(files: list[Path]) -> list[Path]:
    return [path for path in files if path.suffix == ".py"]


@pytest.fixture(scope="module")
def product(code: list[Path], root: Path) -> list[int]:
    ours = [path for path in code if path.is_relative_to(root / "src")]
    return [lines for path in ours for _, lines in functions(path)]


def test_no_function_is_over_50_lines(code: list[Path]) -> None:
    assert [f"{f}: {n}" for path in code for f, n in functions(path) if n > FUNCTION] == []


def test_few_functions_are_over_20_lines(product: list[int]) -> None:
    assert sum(lines > LONG for lines in product) <= SHARE_OF_LONG * len(product)


def test_the_median_function_is_under_7_lines(product: list[int]) -> None:
    assert median(product) < MEDIAN


def test_no_file_is_over_400_lines(code: list[Path]) -> None:
    long = {str(path): len(path.read_text().splitlines()) for path in code}
    assert {path: lines for path, lines in long.items() if lines > FILE} == {}
