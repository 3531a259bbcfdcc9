"""A whole server as a process that can be killed: `python -m ... DATA_DIR PORT`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

from stepwell.cli.serving.hosting import serving
from stepwell.cli.serving.listener import bound
from stepwell.engine import heartbeat
from stepwell.server.app import Server
from stepwell.server.settings import Settings

SILENCE: Final = 90.0
"""Seconds of silence after which a container's engine counts as dead: these tests count how often
an operation runs, and a machine that does much else may let a process stand still for a while."""


def settings(data_dir: Path, port: int) -> Settings:
    """The same settings, whoever starts the server."""
    return Settings(
        data_dir=data_dir, secret_key="a key for tests", launchers=("process",), port=port
    )


if __name__ == "__main__":
    heartbeat.DEAD_AFTER = SILENCE  # type: ignore[misc]
    server = Server(settings(Path(sys.argv[1]), int(sys.argv[2])))
    with serving(server, bound(server.settings.host, server.settings.port)):
        threading.Event().wait()
