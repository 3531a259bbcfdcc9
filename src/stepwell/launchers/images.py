"""Kept copies of local files and folders: the images of the process launcher (R37).

An image is a Python file, a package's folder, an executable file in any language, or a
folder with an executable file named `stepwell-group` and all that it needs beside it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from stepwell.launchers.protocol import ImageUnusable, Pinned

LEFT_OUT: Final = frozenset(
    {"__pycache__", ".git", ".venv", "venv", "node_modules", ".mypy_cache", ".ruff_cache"}
    | {".pytest_cache", ".DS_Store", ".hg", ".tox", ".idea"}
)
"""Names that are no part of a group: what tools leave behind."""

PROGRAM: Final = "stepwell-group"
"""The executable file that is started in an image that is a folder, and no Python package."""

MAX_BYTES: Final = 200 * 1024 * 1024
"""The largest file or folder that is kept, in bytes."""


class ImageFolder:
    """Copies by digest in one folder: `sha256-<hex>/<name of the file or folder>`.

    Parameters
    ----------
    root : the folder; made when it is first needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def pin(self, source: Path) -> Pinned:
        """Copy a file or folder, and name the copy by its contents.

        Raises
        ------
        ImageUnusable : no such file, neither Python nor executable, or too large.
        """
        check(source)
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root, prefix=".copy-") as folder:
            copy = Path(folder) / "image" / source.name
            _copy(source, copy)
            digest = digest_of_source(copy)
            self._keep(copy.parent, digest)
        return Pinned(digest=digest, location=str(self.locate(digest)))

    def locate(self, digest: str) -> Path:
        """The kept file or folder; raises `ImageUnusable` when there is none."""
        folder = self._folder(digest)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        if len(found) != 1:
            raise ImageUnusable(
                f"The copy {digest} is not in {self.root}.",
                why="It was removed, or the data directory is another one.",
                fix="Discover and approve the group again.",
            )
        return found[0]

    def _keep(self, copy: Path, digest: str) -> None:
        try:
            copy.rename(self._folder(digest))
        except OSError:  # the same contents are kept already
            self.locate(digest)
            os.utime(self._folder(digest))  # it was wanted again

    def _folder(self, digest: str) -> Path:
        return self.root / digest.replace(":", "-").replace("/", "-")


def digest_of_source(source: Path) -> str:
    """'sha256:' and the hash over sorted relative paths and contents of a file or folder.

    Of what is no Python image, it also covers which files may be executed.

    Raises
    ------
    ImageUnusable : as `check`.
    """
    check(source)
    total, python = hashlib.sha256(), _is_python(source)
    for path in _files(source):
        name = path.relative_to(source.parent).as_posix().encode()
        mark = b"" if python or not _executable(path) else b"\0x"
        contents = hashlib.sha256(path.read_bytes()).digest()
        total.update(len(name + mark).to_bytes(8, "big") + name + mark + contents)
    return f"sha256:{total.hexdigest()}"


def program(image: Path) -> list[str]:
    """The command that a kept image is; empty for a Python image, which needs Python's."""
    if _is_python(image):
        return []
    return [str(image / PROGRAM if image.is_dir() else image)]


def check(source: Path) -> None:
    """Raise `ImageUnusable` unless there is a Python file, a package, or a program."""
    if not source.exists():
        raise ImageUnusable(
            f"There is no file or folder {source}.",
            fix="Give the path of a Python file, of a package's folder, or of a program.",
        )
    if _is_python(source):
        return
    if source.is_dir() and not _executable(source / PROGRAM):
        raise ImageUnusable(
            f"The folder {source} is no image of a group.",
            why=f"It has neither an __init__.py nor an executable file {PROGRAM}.",
            fix="Add one of them, or register the file that declares the group.",
        )
    if source.is_file() and not _executable(source):
        raise ImageUnusable(
            f"{source} is neither a Python file nor a program.",
            why="Its name does not end in .py, and it may not be executed.",
            fix=f"Make it executable: chmod +x {source}",
        )


def _is_python(source: Path) -> bool:
    return (source / "__init__.py").exists() if source.is_dir() else source.suffix == ".py"


def _executable(path: Path) -> bool:
    """By the mode alone, for whoever owns it."""
    return path.is_file() and bool(path.stat().st_mode & 0o111)


def _copy(source: Path, target: Path) -> None:
    size, python = 0, _is_python(source)
    for path in _files(source):
        size += path.stat().st_size
        if size > MAX_BYTES:
            raise _too_large(source)
        to = target / path.relative_to(source) if source.is_dir() else target
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, to)
        if not python and _executable(path):
            to.chmod(0o755)


def _files(root: Path) -> Iterator[Path]:
    """Regular files at or below `root`, sorted by relative path; links to files are read."""
    if root.is_file():
        yield root
        return
    found: list[Path] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        _refuse_links(Path(folder), folders)
        found += [Path(folder) / name for name in names if _belongs(name)]
    yield from sorted(path for path in found if path.is_file())


def _belongs(name: str) -> bool:
    return name not in LEFT_OUT and not name.endswith((".pyc", ".pyo"))


def _refuse_links(folder: Path, names: list[str]) -> None:
    for name in names:
        if (folder / name).is_symlink():
            raise ImageUnusable(
                f"{folder / name} is a link to a folder.",
                why="A kept copy must hold all that the group needs.",
                fix="Put the folder itself into the package.",
            )


def _too_large(source: Path) -> ImageUnusable:
    return ImageUnusable(
        f"{source} has more than {MAX_BYTES // 1024**2} MiB.",
        why="A copy of it is kept for every version that is discovered.",
        fix="Keep data outside of the package, and read it from there.",
    )
