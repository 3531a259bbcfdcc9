"""Write the pages of docs/reference that follow from the code: `make docs`.

A test compares what is committed with what this would write.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import stepwell
from stepwell.errors import StepwellError
from stepwell.workflows.manifest import manifest_schema

HERE = Path(__file__).parent
# Started as programs, or loaded by Alembic: not modules to import.
PROGRAMS = ("__main__", ".migrations", ".shim")


def pages() -> dict[Path, str]:
    """Each generated page, by its path."""
    reference = HERE / "reference"
    schema = json.dumps(manifest_schema(), indent=2) + "\n"
    return {
        reference / "errors.md": errors_page(),
        reference / "manifest.schema.json": schema,
    }


def errors_page() -> str:
    """Every error code with its kind, class and meaning."""
    load_all()
    return HEAD + "".join(_section(kind) for kind in _children(StepwellError))


def errors() -> list[type[StepwellError]]:
    """Every error class of the distribution, parents before children."""
    load_all()
    return list(_below(StepwellError))


def load_all() -> None:
    """Import every module, so that every error class exists."""
    for found in pkgutil.walk_packages(stepwell.__path__, "stepwell."):
        if not any(word in found.name for word in PROGRAMS):
            import_module(found.name)


def _section(kind: type[StepwellError]) -> str:
    rows = "".join(_row(cls) for cls in _below(kind))
    return f"\n## `{kind.code}`\n\n{_meaning(kind)}\n\n{TABLE}{rows}"


def _row(cls: type[StepwellError]) -> str:
    return f"| `{cls.code}` | `{cls.__module__}.{cls.__name__}` | {_meaning(cls)} |\n"


def _meaning(cls: type[StepwellError]) -> str:
    words = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return words.replace("|", "\\|")


def _below(cls: type[StepwellError]) -> Iterator[type[StepwellError]]:
    yield cls
    for child in _children(cls):
        yield from _below(child)


def _children(cls: type[StepwellError]) -> list[type[StepwellError]]:
    own = [child for child in cls.__subclasses__() if child.__module__.startswith("stepwell")]
    return sorted(own, key=lambda child: child.code)


HEAD = """# Errors

<!-- Written by `make docs` from the classes themselves; changes here are lost. -->

Whatever Stepwell refuses, it says what went wrong, why, and how to fix it, under a
code that stays the same from release to release. Python raises the class; the API
answers with problem+json whose `code` is the one below; the command line prints the
same sentences and the code, and never a traceback for a mistake in what it was given.

The first level is the *kind*: catch a kind to treat all its errors alike.
"""

TABLE = "| code | class | meaning |\n| --- | --- | --- |\n"


def main() -> None:
    """Write all pages."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
