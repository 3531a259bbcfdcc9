"""Folders on this machine that a command needs."""

from __future__ import annotations

from pathlib import Path

from stepwell.errors import SetupError


def make_folder(path: Path) -> None:
    """Make it and what is above it; raises `SetupError` where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"{path} cannot be a data folder.",
            why=f"{error.strerror}: {error.filename}.",
            fix="Name a folder that can be made, or that may be written to, with --data-dir.",
        ) from error
