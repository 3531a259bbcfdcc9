"""A server that listens on a real port of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from sqlalchemy import event

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
    config = uvicorn.Config(
        server.app, host=settings.host, port=settings.port, log_level="warning", lifespan="off"
    )
    web = uvicorn.Server(config)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not web.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert web.started, "the server does not listen"
    try:
        yield settings.url
    finally:
        web.should_exit = True
        thread.join(10)
