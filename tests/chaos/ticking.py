"""A server without its API, whose launcher starts nothing; it tells when it is within a tick.

ticking.py URL FOLDER     lines: ready, within
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.server.support import FakeLauncher

from stepwell.server.app import Server
from stepwell.server.schedules.books import ByRunsRoom
from stepwell.server.settings import Settings

WITHIN: Final = 50
"""So many runs of a transaction are started when it tells."""


def main(url: str, folder: str) -> None:
    """Run until killed."""
    start, begun = ByRunsRoom.start, 0

    def telling(self: ByRunsRoom, *given: Any) -> UUID:
        nonlocal begun
        run_id = start(self, *given)
        begun += 1
        if begun == WITHIN:
            print("within", flush=True)
        return run_id

    ByRunsRoom.start = telling  # type: ignore[method-assign, assignment]
    launcher = FakeLauncher()
    launcher.exit_code = None
    settings = Settings(data_dir=Path(folder), database_url=url, secret_key="k", run_api=False)
    with Server(settings, launchers={"process": launcher}):
        print("ready", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
