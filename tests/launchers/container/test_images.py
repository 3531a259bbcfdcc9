"""Recipes of images, and images built by them: from a local base, without any registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.launchers.container import wheels
from tests.launchers.container.podman import BASE, Podman, owner

from stepwell.cli.groups.image import Builder, BuildFailed
from stepwell.launchers.protocol import ImageUnusable
from stepwell.launchers.recipe import MANIFEST_LABEL, RECIPE, RecipeExists, write
from stepwell.version import VERSION

pytestmark = pytest.mark.slow

SOURCE = """
from stepwell.workflows import WorkflowGroup, operation

group = WorkflowGroup("tiny")


@group.workflow
class Hello:
    @operation
    def greet(self) -> str:
        return "hello"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(SOURCE)
    return path


def test_a_recipe_is_written_once_and_requirements_are_left_alone(source: Path) -> None:
    """What a person has changed is not overwritten; --force does, but for the requirements."""
    (source.parent / "requirements.txt").write_text("mine\n")
    written = write(source, base="python:3.13-slim", version=VERSION)
    assert [path.name for path in written] == [RECIPE, ".containerignore", ".dockerignore"]
    with pytest.raises(RecipeExists, match="--force"):
        write(source, base="python:3.13-slim", version=VERSION)
    write(source, base="other", version=VERSION, force=True)
    assert "ARG BASE=other" in (source.parent / RECIPE).read_text()
    assert (source.parent / "requirements.txt").read_text() == "mine\n"


def test_a_recipe_is_for_a_group(tmp_path: Path) -> None:
    """Not for a path with nothing there."""
    with pytest.raises(ImageUnusable):
        write(tmp_path / "none.py", base=BASE, version=VERSION)


@pytest.fixture
def building(podman: Podman, monkeypatch: pytest.MonkeyPatch) -> Podman:
    for name, value in podman.environment.items():
        monkeypatch.setenv(name, value)
    return podman


def test_an_image_is_built_without_a_registry_and_says_what_it_declares(
    building: Podman, source: Path
) -> None:
    """Its user is not root, and its label is the digest of its manifest."""
    write(source, base=BASE, version=VERSION)
    wheels.put(source.parent / "wheels")
    tag = f"localhost/test-{owner(source)}"
    made = Builder("podman").build(tag, source.parent)
    described: dict[str, Any] = json.loads(building.run("image", "inspect", tag))[0]
    building.forget(owner(source))
    assert (made["group"], made["manifest"][:7]) == ("tiny", "sha256:")
    assert described["Labels"][MANIFEST_LABEL] == made["manifest"]
    assert described["User"] == "65532:65532"


def test_an_image_that_declares_nothing_is_refused_with_its_words(
    building: Podman, source: Path
) -> None:
    """The error is that of the import."""
    source.write_text("raise RuntimeError('no luck today')")
    write(source, base=BASE, version=VERSION)
    wheels.put(source.parent / "wheels")
    with pytest.raises(BuildFailed) as caught:
        Builder("podman").build(f"localhost/test-{owner(source)}", source.parent)
    building.forget(owner(source))
    assert "no luck today" in caught.value.why
