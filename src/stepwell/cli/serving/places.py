"""Folders on this machine that a command needs, for itself alone if need be."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stepwell.errors import Conflict, SetupError


def make_folder(path: Path) -> None:
    """Make it, for its owner alone, and what is above it; raises `SetupError` where that cannot
    be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be a data folder.",
            why=f"{error.strerror}: {error.filename}.",
            fix="Name a folder that can be made, or that may be written to, with --data-dir.",
        ) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; raises `Conflict` while another one holds it.

    The kernel lets go when the process ends, however it ends.
    """
    make_folder(folder)
    with (folder / "dev.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"Another `stepwell dev` is at work in {folder}.",
                why="Both would keep the same database, and commands would find only one of them.",
                fix="Stop the other one, or give another folder with --data-dir.",
            ) from error
        yield
