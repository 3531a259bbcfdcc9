"""A server that listens on a real port of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import event

from stepwell.cli.serving.listener import bound
from stepwell.server.app import Server


def without_fsync(server: Server) -> Server:
    """The server itself, faster: no test here pulls the plug of the machine."""

    def relax(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    if server.db.engine.dialect.name == "sqlite":
        event.listen(server.db.engine, "connect", relax)
    return server


@contextmanager
def listening(server: Server) -> Iterator[str]:
    """The server's app on its settings' port, until the block ends; yields its address."""
    settings = server.settings
    # A client that stood still for the usual five seconds would ask over a connection that is
    # just being closed.
    config = uvicorn.Config(server.app, log_level="warning", lifespan="off", timeout_keep_alive=300)
    web = uvicorn.Server(config)
    with bound(settings.host, settings.port) as socket:
        socket.listen(1024)  # from here on clients wait instead of being refused
        thread = threading.Thread(target=web.run, args=([socket],), daemon=True)
        thread.start()
        try:
            yield settings.url
        finally:
            web.should_exit = True
            thread.join(90)
