"""What can be imported is what is meant to be."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

import stepwell

EMBEDDER = 25


def packages() -> list[str]:
    source = Path(stepwell.__path__[0])
    folders = (path.parent.relative_to(source) for path in source.rglob("__init__.py"))
    return sorted(".".join(("stepwell", *f.parts)) for f in folders if "migrations" not in f.parts)


def order(name: str) -> tuple[int, str]:
    """Constants, classes, the rest: as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("name", packages())
def test_all_names_are_sorted_and_real(name: str) -> None:
    module = load(name)
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(set(names), key=order)
    assert [one for one in names if not hasattr(module, one)] == []


def test_the_embedders_api_stays_small() -> None:
    assert len(stepwell.__all__) <= EMBEDDER


@pytest.mark.parametrize("name", [one for one in stepwell.__all__ if not one.startswith("_")])
def test_every_public_name_is_documented(name: str) -> None:
    value = getattr(stepwell, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_the_distribution_is_typed() -> None:
    assert (Path(stepwell.__path__[0]) / "py.typed").is_file()
