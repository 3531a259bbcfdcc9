"""What is given away has the pages, or is not built."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture
def source(tmp_path: Path, root: Path, files: list[Path]) -> Path:
    """A copy of what a build needs, without pages."""
    folder = tmp_path / "source"
    top = ("pyproject.toml", "build_hook.py", "README.md", "LICENSE", ".gitignore")
    for path in files:
        name = path.relative_to(root)
        if name.parts[0] == "src" or str(name) in top:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    return folder


def add_pages(source: Path) -> None:
    (source / "web/dist/assets").mkdir(parents=True)
    (source / "web/dist/index.html").write_text("<p>pages</p>")
    (source / "web/dist/assets/index-1.js").write_text("1")


def build(source: Path, kind: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", "out"]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def test_a_wheel_holds_the_pages(source: Path) -> None:
    add_pages(source)
    ended = build(source, "wheel")
    assert ended.returncode == 0, ended.stderr
    (wheel,) = (source / "out").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"stepwell/server/static/{one}" for one in ("index.html", "assets/index-1.js")} <= set(
        names
    )
    assert "stepwell/server/ui/serving.py" in names


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_none_is_built_without_them_and_it_is_said_what_to_do(source: Path, kind: str) -> None:
    ended = build(source, kind)
    assert ended.returncode != 0
    assert "make web" in ended.stderr
    assert list((source / "out").glob("stepwell*")) == []


def test_a_wheel_from_a_sdist_holds_them_too(source: Path, tmp_path: Path) -> None:
    add_pages(source)
    assert build(source, "sdist").returncode == 0
    (packed,) = (source / "out").glob("*.tar.gz")
    shutil.unpack_archive(packed, tmp_path / "unpacked", filter="data")
    (folder,) = (tmp_path / "unpacked").iterdir()
    ended = build(folder, "wheel")
    assert ended.returncode == 0, ended.stderr
    (wheel,) = (folder / "out").glob("*.whl")
    assert "stepwell/server/static/index.html" in zipfile.ZipFile(wheel).namelist()
