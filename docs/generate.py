"""Write what follows from the code, pages of docs/reference and openapi.json: `make docs`.

A test compares what is committed with what this would write.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import stepwell
from stepwell.cli import manual
from stepwell.errors import StepwellError
from stepwell.server import openapi, protocol
from stepwell.server.settings import Settings
from stepwell.workflows.manifest import manifest_schema

HERE = Path(__file__).parent
# Started as programs, or loaded by Alembic: not modules to import.
PROGRAMS = ("__main__", ".migrations", ".shim")


def pages() -> dict[Path, str]:
    """Each generated page, by its path."""
    reference = HERE / "reference"
    schema = json.dumps(manifest_schema(), indent=2) + "\n"
    messages = json.dumps(protocol.document(), indent=1, sort_keys=True) + "\n"
    return {
        HERE.parent / "openapi.json": openapi.document(),
        reference / "cli.md": manual.page(),
        reference / "cli.md": manual.page(),
        reference / "errors.md": errors_page(),
        reference / "manifest.schema.json": schema,
        reference / "parts.md": parts_page(),
        reference / "protocol.schema.json": messages,
        reference / "python.md": python_page(),
        reference / "settings.md": settings_page(),
    }


def errors_page() -> str:
    """Every error code with its kind, class and meaning."""
    load_all()
    return HEAD + "".join(_section(kind) for kind in _children(StepwellError))


def python_page() -> str:
    """What `import stepwell` offers, in the words of its docstrings."""
    return PYTHON_HEAD + "".join(_member(name) for name in stepwell.__all__ if name[0] != "_")


def parts_page() -> str:
    """What the other public modules offer, in the words of their docstrings."""
    return PARTS_HEAD + "".join(_part(module, names) for module, names in PARTS.items())


def settings_page() -> str:
    """Every setting of the server: variable, default, meaning."""
    meanings = dict(_settings_meant())
    rows = (
        f"| `STEPWELL_{field.name.upper()}` | {_default(field)} | {meanings[field.name]} |\n"
        for field in dataclasses.fields(Settings)
    )
    return SETTINGS_HEAD + "".join(rows)


def errors() -> list[type[StepwellError]]:
    """Every error class of the distribution, parents before children."""
    load_all()
    return list(_below(StepwellError))


def load_all() -> None:
    """Import every module, so that every error class exists."""
    for found in pkgutil.walk_packages(stepwell.__path__, "stepwell."):
        if not any(word in found.name for word in PROGRAMS):
            import_module(found.name)


def _member(name: str) -> str:
    value = getattr(stepwell, name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"\n## `{name}`\n\n{CONSTANTS[name]}\n"
    return _entry("##", name, value)


def _entry(level: str, name: str, value: Any) -> str:
    return f"\n{level} `{name}`\n\n```text\n{inspect.getdoc(value)}\n```\n{_methods(value)}"


def _part(name: str, names: tuple[str, ...]) -> str:
    module = import_module(name)
    entries = (_entry("###", one, getattr(module, one)) for one in names)
    return f"\n## `{name}`\n" + "".join(entries)


def _methods(value: Any) -> str:
    own = _own(value) if inspect.isclass(value) else {}
    public = [(key, one) for key, one in own.items() if inspect.isfunction(one) and key[0] != "_"]
    rows = [f"- `{key}({', '.join(_named(one))})`: {_first_line(one)}\n" for key, one in public]
    return "\n" + "".join(rows) if rows else ""


def _own(value: type) -> dict[str, Any]:
    """Its members, and those of its bases that have no entry of their own."""
    shown = {getattr(stepwell, name) for name in stepwell.__all__ if name[0].isupper()}
    hidden = [base for base in value.__mro__[1:] if base not in shown]
    ours = [base for base in hidden if base.__module__.startswith("stepwell.")]
    if any(base in shown for base in value.__mro__[1:]):
        ours = []  # they are with the base that has an entry
    return {key: one for base in [value, *ours] for key, one in vars(base).items()}


def _named(function: Any) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def _first_line(function: Any) -> str:
    return (inspect.getdoc(function) or "").split("\n")[0]


def _settings_meant() -> Iterator[tuple[str, str]]:
    """Name and words from the class's own docstring; two names may share an entry."""
    entries = (inspect.getdoc(Settings) or "").partition("----------\n")[2]
    for names, words in re.findall(r"^(\w[\w, ]*) : (.*(?:\n    .*)*)", entries, re.MULTILINE):
        for name in names.split(", "):
            yield name, " ".join(words.split())


def _default(field: dataclasses.Field[Any]) -> str:
    value = getattr(Settings(), field.name)
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = int(value)
    return f"`{value}`" if str(value) else "empty"


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

PYTHON_HEAD = """# Python

<!-- Written by `make docs` from the docstrings; changes here are lost. -->

What `import stepwell` offers to a program that embeds the engine. Stores are in
`stepwell.stores`, workflow groups in `stepwell.workflows`, schedules in
`stepwell.schedules`, and the contracts for stores and launchers of your own in
`stepwell.testing`.
"""

PARTS_HEAD = """# Python: stores, schedules, tests

<!-- Written by `make docs` from the docstrings; changes here are lost. -->

What stands beside [`import stepwell`](python.md). Workflow groups have
[a guide of their own](../guides/workflow-groups.md).
"""

# A module, and the names to show.
PARTS: dict[str, tuple[str, ...]] = {
    "stepwell.stores": ("open_store",),
    "stepwell.stores.memory": ("MemoryStore",),
    "stepwell.stores.sqlite": ("SQLiteStore",),
    "stepwell.stores.postgres": ("PostgresStore",),
    "stepwell.stores.mysql": ("MySQLStore",),
    "stepwell.retention": ("RetentionPolicy", "Kept", "Retention"),
    "stepwell.schedules": (
        "Timetable",
        "Plan",
        "correlation",
        "due_at",
        "Cron",
        "Every",
        "Once",
        "Overlap",
        "Misfire",
        "from_json",
    ),
    "stepwell.testing.virtual": ("VirtualEngine",),
    "stepwell.testing.clock": ("VirtualClock",),
    "stepwell.testing.effects": ("Effects",),
    "stepwell.testing.crashing": ("crash_everywhere",),
    "stepwell.testing.store_contract": ("StoreContract",),
}

CONSTANTS = {
    "KEEP": "The default of `rerun(state=...)`: the state stays as it is. `None` is a value.",
    "Outcome": "What a handler returns: the type of `done(...)`, `skip(...)`, `fail(...)` and "
    "`rerun(...)`.",
}

SETTINGS_HEAD = """# Settings

<!-- Written by `make docs` from the class itself; changes here are lost. -->

How the server is told what to do: environment variables, read once at its start. Lists are
separated by commas, yes and no are `1` and `0`, times are seconds. `stepwell dev` needs none.

| variable | default | meaning |
| --- | --- | --- |
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
