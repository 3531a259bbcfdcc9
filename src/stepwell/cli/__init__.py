"""The command line, `stepwell`. It is a client of the server's API, and starts servers."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

from stepwell.cli.importing import importing

_NEEDED: Final = ("typer", "rich", "httpx", "cronsim")


def main() -> None:
    """Run the command line; the entry point of the `stepwell` script.

    Raises
    ------
    SystemExit : always; the code says what happened (docs/reference/cli.md).
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(_advice(missing))
    with importing():
        from stepwell.cli.app import app  # noqa: PLC0415 - needs what was just looked for

    app()


def _advice(missing: list[str]) -> str:
    return (
        f"The command line of Stepwell needs {', '.join(missing)}, not installed here.\n"
        "fix: pip install 'stepwell[cli]'   (or 'stepwell[server]' to run a server too)"
    )
