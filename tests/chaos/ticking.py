"""A server without its API, whose launcher starts nothing; it stops in the middle of a tick.

ticking.py URL FOLDER     lines: ready, within; after the latter it waits for a line to go on
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

from tests.server.support import FakeLauncher

from stepwell.server.app import Server
from stepwell.server.runs.service import Starts
from stepwell.server.settings import Settings

WITHIN: Final = 2
"""In this transaction of the tick it stops: runs are written, and their ledger is not."""


def main(url: str, folder: str) -> None:
    """Run until killed."""
    write, written = Starts.write, 0

    def telling(self: Starts) -> None:
        nonlocal written
        begun = bool(self.begun)
        written += begun
        write(self)
        if begun and written == WITHIN:
            print("within", flush=True)
            sys.stdin.readline()

    Starts.write = telling  # type: ignore[method-assign]
    launcher = FakeLauncher()
    launcher.exit_code = None
    settings = Settings(data_dir=Path(folder), database_url=url, secret_key="k", run_api=False)
    with Server(settings, launchers={"process": launcher}):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
