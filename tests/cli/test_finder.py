"""What `stepwell dev` finds without importing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.cli.groups.finder import Found, GroupTwice, NoGroups, find, scan

DECLARES = 'from stepwell.workflows import WorkflowGroup\ngroup = WorkflowGroup("{}")\n'


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_that_declares_a_group_is_found(tmp_path: Path) -> None:
    path = _write(tmp_path / "invoices.py", DECLARES.format("invoices"))
    assert find(tmp_path) == find(path) == [Found("invoices", path)]


def test_a_module_of_a_package_stands_for_the_whole_package(tmp_path: Path) -> None:
    _write(tmp_path / "weather" / "__init__.py", "")
    _write(tmp_path / "weather" / "deep" / "__init__.py", "")
    _write(tmp_path / "weather" / "deep" / "flows.py", DECLARES.format("weather"))
    assert find(tmp_path) == [Found("weather", tmp_path / "weather")]


def test_a_file_that_only_mentions_the_class_is_no_group(tmp_path: Path) -> None:
    _write(tmp_path / "notes.py", '"""WorkflowGroup("no")"""\nimport WorkflowGroup\n')
    assert scan(tmp_path) == []


def test_a_file_with_a_syntax_error_is_still_found(tmp_path: Path) -> None:
    path = _write(tmp_path / "broken.py", DECLARES.format("broken") + "def (:\n")
    assert find(tmp_path) == [Found("broken", path)]


def test_nothing_is_imported(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    _write(tmp_path / "eager.py", DECLARES.format("eager") + f"open({str(touched)!r}, 'w')\n")
    find(tmp_path)
    assert not touched.exists()


def test_hidden_folders_and_environments_are_left_out(tmp_path: Path) -> None:
    for folder in (".hidden", "venv", "node_modules", "__pycache__"):
        _write(tmp_path / folder / "one.py", DECLARES.format("one"))
    assert scan(tmp_path) == []


def test_one_name_in_two_places_is_refused_with_both_places(tmp_path: Path) -> None:
    _write(tmp_path / "a.py", DECLARES.format("same"))
    _write(tmp_path / "b.py", DECLARES.format("same"))
    with pytest.raises(GroupTwice) as caught:
        find(tmp_path)
    assert "a.py" in caught.value.why
    assert "b.py" in caught.value.why


@pytest.mark.parametrize("path", ["empty", "missing"])
def test_finding_nothing_says_what_to_give(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoGroups) as caught:
        find(tmp_path / path)
    assert caught.value.fix
