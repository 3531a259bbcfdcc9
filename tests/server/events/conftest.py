"""The server with a released workflow and a played launcher, as tests of runs have it."""

from __future__ import annotations

from tests.server.runs.conftest import (
    client,
    entry,
    launcher,
    migrated,
    pod,
    released,
    server,
    show,
    start,
    work,
)

__all__ = [
    "client",
    "entry",
    "launcher",
    "migrated",
    "pod",
    "released",
    "server",
    "show",
    "start",
    "work",
]
