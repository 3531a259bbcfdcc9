"""Import the file or package at a path, and find the one WorkflowGroup that it declares."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from stepwell.errors import StepwellError
from stepwell.workflows.errors import (
    EnvironmentMissing,
    GroupAmbiguous,
    GroupFileMissing,
    GroupImportFailed,
    GroupMissing,
)
from stepwell.workflows.frames import headline, missing_variable, own_frames
from stepwell.workflows.group import WorkflowGroup


def load_group(path: Path) -> tuple[WorkflowGroup, str]:
    """The group at a path, and its entry point as module:attribute.

    The folder of the file or package is put first on `sys.path`, as Python does
    for a script. Import it in a process of its own: it is the user's code.

    Raises
    ------
    GroupFileMissing : no Python file or package there.
    GroupImportFailed : the code raised; `why` has the user's own frames.
    GroupMissing, GroupAmbiguous : not exactly one WorkflowGroup.
    """
    module = import_path(path)
    found = _groups(module)
    if not found:
        raise GroupMissing(
            f"{path.name} declares no workflow group.",
            why="There is no WorkflowGroup among the names of the module.",
            fix='Write `group = WorkflowGroup("name")`; in a package, import it in __init__.py.',
        )
    if len(found) > 1:
        raise GroupAmbiguous(
            f"{path.name} declares {len(found)} workflow groups.",
            why=f"They are {', '.join(sorted(found.values()))}; an image has exactly one.",
            fix="Put each into a file or package of its own.",
        )
    return next(iter(found.items()))


def import_path(path: Path) -> ModuleType:
    """The module of a file or package; raises as `load_group` does for it."""
    return _import(_checked(path.absolute()))


def _checked(path: Path) -> Path:
    if path.is_dir() and not (path / "__init__.py").exists():
        raise GroupFileMissing(
            f"{path} is a folder, but no Python package.",
            why="It has no __init__.py.",
            fix="Name the file that declares the group, or add an __init__.py that imports it.",
        )
    if not path.exists() or (path.is_file() and path.suffix != ".py"):
        raise GroupFileMissing(
            f"There is no Python file or package at {path}.",
            fix="Give the path of a .py file or of a package's folder.",
        )
    return path


def _import(path: Path) -> ModuleType:
    sys.path.insert(0, str(path.parent))
    importlib.invalidate_caches()
    try:
        return _import_file(path) if path.is_file() else importlib.import_module(path.name)
    except StepwellError as error:
        raise _own_error(error, path) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also SystemExit: a module that calls sys.exit
        raise _import_error(error, path) from error


def _import_file(path: Path) -> ModuleType:
    name = path.stem if path.stem not in sys.modules else f"group_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _own_error(error: StepwellError, path: Path) -> StepwellError:
    """A mistake that Stepwell itself found, such as a cron text: its own words, and the place."""
    place = own_frames(error, path)
    data = error.as_dict()
    return type(error).from_dict({**data, "why": f"{data['why']}\n{place}".strip()})


def _import_error(error: BaseException, path: Path) -> GroupImportFailed:
    variable = missing_variable(error)
    if variable is not None:
        return EnvironmentMissing(
            f"{path.name} reads the environment variable {variable}, which is not set.",
            why=f"\n{own_frames(error, path)}",
            fix="Set it where the group is registered, or read it with os.environ.get inside "
            "an operation.",
        )
    return GroupImportFailed(
        f"{path.name} cannot be imported: {headline(error)}.",
        why=f"\n{own_frames(error, path)}".rstrip(),
        fix=_remedy(error),
    )


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"Install {error.name!r} in the image, or correct the import."
    if isinstance(error, SystemExit):
        return "Put what ends the program under `if __name__ == '__main__'`."
    return "Mend it; `python <file>` shows the same error."


def _groups(module: ModuleType) -> dict[WorkflowGroup, str]:
    found: dict[WorkflowGroup, str] = {}
    inside = f"{module.__name__}."
    modules = [module, *(m for name, m in list(sys.modules.items()) if name.startswith(inside))]
    for one in modules:
        for name, value in vars(one).items():
            if isinstance(value, WorkflowGroup):
                found.setdefault(value, f"{one.__name__}:{name}")
    return found
