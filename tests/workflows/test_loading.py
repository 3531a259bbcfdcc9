"""Importing a group: what is wrong is told in the user's own words and frames."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workflows.support import write_group

from stepwell.errors import StepwellError
from stepwell.workflows.loading import load_group


@pytest.fixture(autouse=True)
def _imports_are_undone() -> Iterator[None]:
    """Groups are loaded into this process here; elsewhere they have one of their own."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def error_of(path: Path) -> StepwellError:
    with pytest.raises(StepwellError) as caught:
        load_group(path)
    assert caught.value.fix
    return caught.value


def test_a_file_with_one_group_is_loaded(tmp_path: Path) -> None:
    group, entry_point = load_group(write_group(tmp_path, ""))
    assert (group.name, entry_point) == ("shop", "shop:group")


def test_a_package_is_loaded_with_its_relations(tmp_path: Path) -> None:
    package = tmp_path / "store"
    package.mkdir()
    (package / "__init__.py").write_text("from store import workflows")
    write_group(package, "from store import helper", "workflows.py")
    (package / "helper.py").write_text("")
    assert load_group(package)[1] == "store.workflows:group"


def test_a_file_that_is_named_like_a_loaded_module_is_still_itself(tmp_path: Path) -> None:
    assert load_group(write_group(tmp_path, "", "json.py"))[1] == "group_json:group"


def test_a_path_without_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "data.csv").write_text("")
    for name in ("nowhere.py", "plain", "data.csv"):
        assert error_of(tmp_path / name).code == "group-file-missing"


def test_a_group_that_does_not_import_shows_its_own_frames_only(tmp_path: Path) -> None:
    path = write_group(tmp_path, "def broken():\n    return 1 / 0\n\nbroken()")
    error = error_of(path)
    assert error.code == "group-import-failed"
    assert "ZeroDivisionError: division by zero" in error.what
    assert error.why.count("\n") == 2
    assert "shop.py:12 in <module>: broken()" in error.why
    assert "in broken: return 1 / 0" in error.why
    assert "importlib" not in error.why


def test_a_mistake_of_syntax_names_the_line(tmp_path: Path) -> None:
    error = error_of(write_group(tmp_path, "def broken(:\n    pass"))
    assert "SyntaxError" in error.what
    assert "shop.py:9: def broken(:" in error.why


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    error = error_of(write_group(tmp_path, "import no_such_module"))
    assert "'no_such_module'" in error.fix


def test_a_missing_environment_variable_is_named(tmp_path: Path) -> None:
    """R42."""
    error = error_of(write_group(tmp_path, "SECRET = os.environ['SHOP_SECRET']"))
    assert error.code == "environment-missing"
    assert "SHOP_SECRET" in error.what
    assert "shop.py:9" in error.why


def test_a_key_error_of_the_users_own_is_no_missing_variable(tmp_path: Path) -> None:
    assert error_of(write_group(tmp_path, "{}['SHOP_SECRET']")).code == "group-import-failed"


def test_a_module_that_ends_the_program_is_refused(tmp_path: Path) -> None:
    assert "SystemExit" in error_of(write_group(tmp_path, "sys.exit(3)")).what


def test_a_mistake_that_stepwell_finds_keeps_its_code_and_gets_its_place(tmp_path: Path) -> None:
    source = "from stepwell.schedules import Cron\nCron('61 7 * * *')"
    error = error_of(write_group(tmp_path, source))
    assert error.code == "cron-invalid"
    assert "shop.py:10 in <module>: Cron('61 7 * * *')" in error.why


def test_an_image_has_exactly_one_group(tmp_path: Path) -> None:
    (tmp_path / "none.py").write_text("x = 1")
    assert error_of(tmp_path / "none.py").code == "group-missing"
    two = write_group(tmp_path, "other = WorkflowGroup('other')", "two.py")
    error = error_of(two)
    assert error.code == "group-ambiguous"
    assert "two:group, two:other" in error.why


def test_a_second_name_for_the_same_group_is_no_second_group(tmp_path: Path) -> None:
    assert load_group(write_group(tmp_path, "again = group"))[0].name == "shop"
