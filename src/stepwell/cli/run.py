"""`stepwell run`: a workflow of a local file, here and now, without a server."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
