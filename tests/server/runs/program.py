"""A whole server as a process that can be killed: `python -m ... DATA_DIR PORT`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest
import uvicorn

from stepwell.engine import heartbeat
from stepwell.server.app import Server
from stepwell.server.settings import Settings

SILENCE: Final = 60.0
"""Seconds of silence after which a container's engine counts as dead: these tests count how often
an operation runs, and a machine that does much else may let a process stand still for a while."""


def settings(data_dir: Path, port: int) -> Settings:
    """The same settings, whoever starts the server."""
    return Settings(
        data_dir=data_dir, secret_key="a key for tests", launchers=("process",), port=port
    )


if __name__ == "__main__":
    pytest.MonkeyPatch().setattr(heartbeat, "DEAD_AFTER", SILENCE)
    server = Server(settings(Path(sys.argv[1]), int(sys.argv[2])))
    with server:
        uvicorn.run(server.app, port=server.settings.port, log_level="warning", lifespan="off")
