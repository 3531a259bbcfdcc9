"""What the process launcher leaves in its folder, and how old of it is found and removed."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path


def old_copies(root: Path, needed: Collection[str], before: datetime) -> Iterator[Path]:
    """Kept copies that nobody needs and that were last pinned before that instant.

    Parameters
    ----------
    root : the folder `images` of the data directory.
    needed : digests, for example `sha256:0a1b...`, whose copies stay.
    """
    names = {digest.replace(":", "-").replace("/", "-") for digest in needed}
    for folder in _folders(root):
        young = folder.stat().st_mtime >= before.timestamp()
        if folder.name not in names and not folder.name.startswith(".") and not young:
            yield folder


def old_launches(root: Path, before: datetime) -> Iterator[Path]:
    """Folders of launches that ended before that instant.

    Parameters
    ----------
    root : the folder `jobs` of the data directory.
    """
    for folder in _folders(root):
        ended = folder / "exit.json"
        if ended.exists() and ended.stat().st_mtime < before.timestamp():
            yield folder


def remove(folder: Path) -> None:
    """Take a folder away; under another name first, so that no half of it is ever found."""
    doomed = folder.with_name(f".gone-{folder.name}")
    try:
        folder.rename(doomed)
    except FileNotFoundError:
        return  # another server was faster
    shutil.rmtree(doomed, ignore_errors=True)


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
