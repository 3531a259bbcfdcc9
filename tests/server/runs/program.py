"""A whole server as a process that can be killed: `python -m ... DATA_DIR PORT`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from stepwell.cli.serving.hosting import serving
from stepwell.cli.serving.listener import bound
from stepwell.engine import heartbeat
from stepwell.server.app import Server
from stepwell.server.settings import Settings


def settings(data_dir: Path, port: int) -> Settings:
    """The same settings, whoever starts the server."""
    return Settings(
        data_dir=data_dir, secret_key="a key for tests", launchers=("process",), port=port
    )


if __name__ == "__main__":
    heartbeat.DEAD_AFTER = 90.0  # type: ignore[misc] # a busy machine lets one stand still for 8 s
    server = Server(settings(Path(sys.argv[1]), int(sys.argv[2])))
    with serving(server, bound(server.settings.host, server.settings.port)):
        threading.Event().wait()
