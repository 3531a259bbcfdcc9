"""The page of events says what the code emits."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "events.md"
ROW = re.compile(r"^\| `([a-z_.]+)` \| .+ \| (.*) \|$", re.MULTILINE)


def told() -> dict[str, set[str]]:
    """Each event of the page, with its fields."""
    return {
        name: set(re.findall(r"`(\w+)`", fields)) for name, fields in ROW.findall(PAGE.read_text())
    }


def emitted() -> Iterator[tuple[str, set[str]]]:
    """Each place in the code that emits one, with the fields that it gives by name."""
    for path in (ROOT / "src" / "stepwell").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in ("emit", "span") and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    more = {"duration", "error"} if called(node) == "span" else set()
                    yield first.value, {one.arg for one in node.keywords if one.arg} | more


def called(node: ast.Call) -> str:
    function = node.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def test_every_event_that_is_emitted_is_on_the_page_and_no_other() -> None:
    assert {name for name, _ in emitted()} == set(told())


def test_every_field_is_on_the_page() -> None:
    page = told()
    missing = {name: fields - page[name] for name, fields in emitted() if fields - page[name]}
    assert missing == {}
