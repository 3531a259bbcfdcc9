"""The documents say what is so: generated pages, examples, links and lists."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stepwell.errors import StepwellError

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")


def runnable(page: Path) -> str:
    """The page's python blocks, each line where it stands in the page.

    A block that cannot run by itself is marked ```python not-run.
    """
    text, lines = page.read_text(), [""] * len(page.read_text().splitlines())
    for block in FENCE.finditer(text):
        first = text[: block.start(1)].count("\n")
        code = block[1].splitlines()
        lines[first : first + len(code)] = code
    return "\n".join(lines)


WITH_CODE = [page for page in PAGES if runnable(page).strip()]


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "generate.py"))


@pytest.mark.parametrize("page", WITH_CODE, ids=names(WITH_CODE))
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """All python blocks of a page, from top to bottom, as one program."""
    program = tmp_path / f"{page.stem}.py"
    program.write_text(runnable(page))
    ended = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [match[0] for match in LINK.findall(page.read_text())]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_generated_pages_are_those_that_the_code_gives(generator: dict[str, Any]) -> None:
    """After a change: `make docs`."""
    stale = [str(path) for path, text in generator["pages"]().items() if path.read_text() != text]
    assert stale == []


def test_every_error_has_a_code_of_its_own(generator: dict[str, Any]) -> None:
    found: dict[str, type[StepwellError]] = {}
    for cls in generator["errors"]():
        assert "code" in vars(cls), f"{cls} has the code of its parent"
        assert found.setdefault(cls.code, cls) is cls, f"{cls} and {found[cls.code]}"


def test_every_decision_is_in_the_list(root: Path) -> None:
    folder = root / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == pages
    assert [name[:4] for name in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]


def test_every_rule_is_on_the_page_of_rules(root: Path) -> None:
    written = re.findall(r"^- \*\*R(\d+)\b", (root / "docs" / "rules.md").read_text(), re.MULTILINE)
    assert written == [str(number) for number in range(1, 46)]


def test_every_rule_that_is_cited_exists(files: list[Path]) -> None:
    cited = {
        int(number)
        for path in files
        if path.suffix in {".py", ".sql", ".md"}
        for number in re.findall(r"\bR(\d{1,2})\b", path.read_text())
    }
    assert cited <= set(range(1, 46))


def test_the_readme_shows_the_console_example_as_it_is(root: Path) -> None:
    example = (root / "examples" / "console.py").read_text()
    assert f"```python\n{example}```" in (root / "README.md").read_text()
    assert len(example.splitlines()) < 60


def test_every_page_of_docs_is_on_the_map(root: Path) -> None:
    """docs/README.md leads to each page, or to the list that does."""
    folder = root / "docs"
    linked = {
        (folder / target).resolve()
        for target, _ in LINK.findall((folder / "README.md").read_text())
    }
    decisions = set((folder / "decisions").glob("[0-9]*.md"))
    pages = set(folder.rglob("*.md")) - decisions - {folder / "README.md"}
    assert sorted(str(page) for page in pages if page.resolve() not in linked) == []
