"""`module:name` -> the engine of a user's own program, for `stepwell work`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from stepwell.cli.parameters import did_you_mean
from stepwell.engine import Engine
from stepwell.errors import InvalidInput, SetupError, StepwellError
from stepwell.registry import Registry
from stepwell.stores import open_store

ELSEWHERE: Final = "STEPWELL_ELSEWHERE"
"""Names of steps that a program leaves to others, with commas between them."""
VARIABLE: Final = "STEPWELL_STORE"


class AppInvalid(InvalidInput):
    """What `stepwell work` was given names no engine and no handlers."""

    code = "app-invalid"


class NoStore(SetupError):
    """Nothing says which store is meant."""

    code = "no-store"


def store_url(given: str | None) -> str:
    """The address by option or STEPWELL_STORE.

    Raises
    ------
    NoStore : there is neither.
    InvalidInput : memory://, which another process cannot share.
    """
    url = given or os.environ.get(VARIABLE)
    if not url:
        raise NoStore(
            "No store is named.",
            why=f"There is no --store and no {VARIABLE}.",
            fix="Give --store sqlite:///steps.db or --store postgresql://user@host/database.",
        )
    if url.startswith("memory:"):
        raise InvalidInput(
            f"{url!r} is of no use here.",
            why="A store in memory lives and ends with the process that made it.",
            fix="Give --store sqlite:///steps.db or --store postgresql://user@host/database.",
        )
    return url


def load_engine(
    target: str, store: str | None, workers: int | None, queues: tuple[str, ...]
) -> Engine:
    """The engine that `target` names, or one of its handlers on a store.

    Parameters
    ----------
    target : `module:name` of an `Engine`, a `Registry`, or a function that makes one.
    store, workers, queues : for a registry; an engine brings its own. Queues by name, or
        all of them with their shares of the workers: `mail=2`.

    Raises
    ------
    AppInvalid : there is no such thing, or it cannot be imported.
    NoStore, InvalidInput : a registry needs a store; an engine takes none. Shares that are none.
    """
    found = _made(target, _member(*_parts(target)))
    if isinstance(found, Engine):
        _refuse_extras(target, store, workers, queues)
        return found
    found = found.without(*_elsewhere())
    if not found.names:
        raise AppInvalid(
            f"{target} has no handlers.",
            why="A registry knows those that were registered when it is looked at.",
            fix="Import the modules with its handlers in the module that is named.",
        )
    options: dict[str, Any] = {"workers": workers, "queues": _shared(queues) or None}
    given = {name: value for name, value in options.items() if value is not None}
    return Engine(open_store(store_url(store)), found, **given)


def _elsewhere() -> list[str]:
    """Names that a registry has and that are handled elsewhere: in containers of a server."""
    return [name.strip() for name in os.environ.get(ELSEWHERE, "").split(",") if name.strip()]


def _shared(queues: tuple[str, ...]) -> tuple[str, ...] | dict[str, int]:
    """The queues as `Engine` takes them."""
    pairs = [queue.partition("=") for queue in queues]
    if not any(equals for _, equals, _ in pairs):
        return queues
    if not all(queue.strip() and share.strip().isdecimal() for queue, _, share in pairs):
        raise InvalidInput(
            f"--queues {','.join(queues)} does not say how many workers each queue has.",
            why="Where one has a share of the workers, each needs one, and it is a number.",
            fix="Write it as --queues default=6,mail=2, or the names alone.",
        )
    shares = {queue.strip(): int(share) for queue, _, share in pairs}
    if len(shares) < len(pairs):
        raise InvalidInput(
            f"--queues {','.join(queues)} names a queue twice.",
            fix="Give each queue once, with its share.",
        )
    return shares


def _parts(target: str) -> tuple[str, str]:
    module, colon, name = target.partition(":")
    if not colon or not module or not name or "/" in module or module.endswith(".py"):
        raise AppInvalid(
            f"{target!r} is not of the form module:name.",
            why="It names a Python module, and in it an Engine or a Registry.",
            fix="Write it as shop.steps:registry, for `registry` in shop/steps.py.",
        )
    return module, name


def _member(module: str, name: str) -> Any:
    found: Any = _imported(module)
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise AppInvalid(
            f"The module {module!r} has no {name!r}.",
            why=did_you_mean(name, _candidates(found)) or "Nothing in it is an engine or registry.",
            fix=f"Name what is there: stepwell work {module}:NAME",
        ) from error
    return found


def _candidates(place: Any) -> Iterable[str]:
    members = vars(place).items() if isinstance(place, ModuleType) else ()
    return [name for name, value in members if isinstance(value, (Engine, Registry))]


def _imported(module: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as `python -m` does
    try:
        return import_module(module)
    except StepwellError:
        raise
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise _no_module(module, folder) from error
        raise _broken(module, error) from error
    except Exception as error:  # whatever the user's code raises is told, not shown as a traceback
        raise _broken(module, error) from error


def _no_module(module: str, folder: str) -> AppInvalid:
    near = [path.stem for path in Path(folder).iterdir() if _is_module(path)]
    why = f"It is neither in {folder} nor installed. {did_you_mean(module, near)}".strip()
    return AppInvalid(
        f"There is no module {module!r}.", why=why, fix="Run it in the folder of your program."
    )


def _is_module(path: Path) -> bool:
    return path.suffix == ".py" or (path / "__init__.py").exists()


def _broken(module: str, error: Exception) -> AppInvalid:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return AppInvalid(
        f"The module {module!r} cannot be imported.",
        why=f"{type(error).__name__}: {error} ({last.filename}, line {last.lineno})",
        fix=f"See all of it with: python -c 'import {module}'",
    )


def _made(target: str, found: Any) -> Engine | Registry:
    if callable(found) and not isinstance(found, (Engine, Registry)):
        found = _called(target, found)
    if not isinstance(found, (Engine, Registry)):
        raise AppInvalid(
            f"{target} is of the type {type(found).__name__}.",
            why="It must be an Engine, a Registry, or a function without parameters that makes "
            "one.",
            fix="Name the object that your handlers are registered with.",
        )
    return found


def _called(target: str, function: Callable[[], Any]) -> Any:
    try:
        return function()
    except StepwellError:
        raise
    except Exception as error:
        raise AppInvalid(
            f"{target} cannot be called.",
            why=f"{type(error).__name__}: {error}",
            fix="A function that makes an engine or a registry takes no parameters.",
        ) from error


def _refuse_extras(
    target: str, store: str | None, workers: int | None, queues: tuple[str, ...]
) -> None:
    given = {"--store": store, "--workers": workers, "--queues": queues}
    extra = [name for name, value in given.items() if value]
    if extra:
        raise AppInvalid(
            f"{target} is an engine already, so {', '.join(extra)} would count for nothing.",
            why="An engine is made with its store, workers and queues.",
            fix=f"Leave {', '.join(extra)} out, or name its registry.",
        )
