"""Every command that a message, a docstring or a page names is there, with its options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from stepwell.cli.app import app

SPAN = re.compile(r"`stepwell ([^`]+)`|: stepwell ([^`\n]+)")
TYPED = re.compile(r"^(?:\$ )?stepwell (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```(?:sh|console|bash|text)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"""["'`]stepwell ([^"'`\n]+)""")
"""A command that a screen shows; what it fills in begins with `${`."""
PLACEHOLDER = "X"
TREE = get_command(app)


def texts_of(path: Path) -> Iterator[str]:
    """The texts of a Python file, what is filled in later as a placeholder."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            inside.update(map(id, node.values))
            yield "".join(_text(one) for one in node.values)
        elif isinstance(node, ast.Constant) and id(node) not in inside:
            yield str(node.value)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else PLACEHOLDER


def commands_in(path: Path) -> list[str]:
    """What follows `stepwell` where a file names a command."""
    if path.suffix == ".py":
        texts = list(texts_of(path))
        spans = [match for text in texts for match in SPAN.findall(text)]
        return [" ".join((one or other).split()) for one, other in spans]
    page = path.read_text()
    typed = [line for block in FENCED.findall(page) for line in TYPED.findall(block)]
    outside = FENCED.sub("", page)
    return typed + [" ".join((one or other).split()) for one, other in SPAN.findall(outside)]


def fault(words: list[str]) -> str:
    """What is wrong with a command; empty if it is there."""
    command: Any = TREE
    below = getattr(command, "commands", {})
    while below and words and re.match(r"[a-z]", words[0]):
        if words[0] not in below:
            return f"there is no {words[0]!r}"
        command, words = below[words[0]], words[1:]
        below = getattr(command, "commands", {})
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    unknown = given - known - {"--help"}
    return f"it has no {sorted(unknown)}" if unknown else ""


def alternatives(command: str) -> Iterator[list[str]]:
    """`groups approve | reject` is two commands; a remark after `#` is none."""
    first, *others = command.partition(" #")[0].split(" | ")
    yield first.split()
    for other in others:
        yield [*first.split()[:-1], *other.split()]


def test_every_command_that_is_named_exists(files: list[Path]) -> None:
    """In fixes of errors and docstrings, and on pages: with the options that are named."""
    faults = [
        f"{path}: stepwell {command}: {found}"
        for path in files
        if path.suffix == ".md" or (path.suffix == ".py" and "tests" not in path.parts)
        for command in commands_in(path)
        for words in alternatives(command)
        if (found := fault(words))
    ]
    assert faults == []


def test_the_search_finds_what_is_named(tmp_path: Path) -> None:
    page, code = tmp_path / "page.md", tmp_path / "code.py"
    page.write_text("See `stepwell runs\nlist`.\n\n```sh\n$ stepwell dev PATH   # here\n```\n")
    code.write_text('fix = (f"Run `stepwell groups "\n f"show {name}`, or: stepwell dev {path}")\n')
    assert sorted(commands_in(page)) == ["dev PATH   # here", "runs list"]
    assert commands_in(code) == ["groups show X", "dev X"]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("groups discoveries NAME", True),
        ("migrate --sql", True),
        ("run approve | nothing", False),
        ("groups approve | nothing", True),
        ("COMMAND --help", False),
        ("groups review NAME", False),
        ("schedules", False),
    ],
)
def test_a_command_that_is_not_there_is_noticed(command: str, wrong: bool) -> None:
    assert any(fault(words) for words in alternatives(command)) == wrong


def test_every_command_that_a_screen_shows_exists(root: Path) -> None:
    """Up to what is filled in."""
    sources = [*(root / "web" / "src").rglob("*.ts"), *(root / "web" / "src").rglob("*.tsx")]
    shown = [
        (path, found.partition("${")[0])
        for path in sources
        if ".test." not in path.name and path.name != "types.ts"
        for found in SHOWN.findall(path.read_text())
    ]
    assert len(shown) > 50
    faults = [
        f"{path.relative_to(root)}: stepwell {command}: {wrong}"
        for path, command in shown
        if (wrong := fault(command.split()))
    ]
    assert faults == []
