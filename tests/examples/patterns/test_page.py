"""The guide shows each pattern as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PATTERNS = sorted((ROOT / "examples" / "patterns").glob("[a-z]*.py"))


@pytest.mark.parametrize("path", PATTERNS, ids=lambda path: path.stem)
def test_the_guide_shows_the_pattern_as_it_is(path: Path) -> None:
    page = (ROOT / "docs" / "guides" / "patterns.md").read_text()
    assert f"```python\n{path.read_text()}```" in page
    assert path.with_name(f"test_{path.name}").name in page
