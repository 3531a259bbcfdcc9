"""A server with the container launcher that can be killed: `python -m ... FOLDER PORT ENGINE`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from stepwell.cli.serving.hosting import serving
from stepwell.cli.serving.listener import bound
from stepwell.engine import heartbeat
from stepwell.server.app import Server
from stepwell.server.settings import Settings


def settings(folder: Path, port: int, engine: str) -> Settings:
    """The same, whoever starts the server; the key is the owner of its containers."""
    return Settings(
        data_dir=folder / "data",
        secret_key=f"a key for {folder}",
        launchers=("container",),
        port=port,
        discovery_timeout=150.0,
        container_host=engine,
        container_network="host",
        container_memory_mib=512,
        container_cpus=0.0,
        container_volumes=(f"{folder}/notes:/notes",),
    )


if __name__ == "__main__":
    heartbeat.DEAD_AFTER = 90.0  # type: ignore[misc] # a busy machine lets one stand still for 8 s
    server = Server(settings(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
    with serving(server, bound(server.settings.host, server.settings.port)):
        threading.Event().wait()
