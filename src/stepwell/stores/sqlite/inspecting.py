"""What an operator looks at in a SQLite file: counts, who is alive, journal and disk."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from stepwell.stores.inspecting import Finding, Inspection, Line, Overview, Parked, Severity
from stepwell.stores.protocol import EngineInfo
from stepwell.stores.sqlite.errors import translated
from stepwell.stores.sqlite.rows import instant
from stepwell.stores.sqlite.sql import QUERIES

LARGE_LOG: Final = 256 * 1024 * 1024
"""Bytes of a write-ahead log that checkpoints do not get through."""
LITTLE_SPACE: Final = 512 * 1024 * 1024
"""Bytes left on a disk that is about to be full."""


def overview(connection: sqlite3.Connection, since: datetime, now: datetime) -> Overview:
    """Counts per queue and state, in one statement."""
    with translated():
        values = {"now": instant(now), "since": instant(since)}
        rows = connection.execute(QUERIES["overview"], values).fetchall()
    return Overview(
        tuple(Line(queue, state, count, _read(oldest)) for queue, state, count, oldest in rows)
    )


def inspect(connection: sqlite3.Connection, path: Path, now: datetime) -> Inspection:
    """Engines, parked names, suspects, pauses, and what ails the file."""
    with translated():
        paused = "SELECT key FROM stepwell_controls WHERE kind = 'pause' ORDER BY key"
        return Inspection(
            now=now,
            engines=tuple(map(_engine, connection.execute(QUERIES["engines"]))),
            parked=tuple(
                Parked(name, queue, count, datetime.fromisoformat(oldest))
                for name, queue, count, oldest in connection.execute(QUERIES["parked"])
            ),
            suspects=tuple(UUID(one) for (one,) in connection.execute(QUERIES["suspects"])),
            pauses=tuple(key for (key,) in connection.execute(paused)),
            findings=tuple(_findings(connection, path)),
        )


def _engine(row: tuple[str, str, str, str, str, int]) -> EngineInfo:
    engine_id, name, version, handles, queues, beat = row
    return EngineInfo(
        id=UUID(engine_id),
        name=name,
        version=version,
        handles=tuple(json.loads(handles)),
        queues=tuple(json.loads(queues)),
        beat=beat,
    )


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _findings(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        yield Finding(
            "journal",
            Severity.PROBLEM,
            f"{path} is in journal mode {mode!r}.",
            "Engines hear of new steps by the write-ahead log, and readers block writers "
            "without it (R25).",
            f"Stop everything that uses the file, then run: "
            f"stepwell migrate --store sqlite:///{path}",
        )
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > LARGE_LOG:
        yield Finding(
            "journal",
            Severity.WARNING,
            f"{log} has {size // 2**20} MiB.",
            "A reader that never ends its transaction keeps it from being written back.",
            "Look for a program that holds the file open in a long transaction.",
        )
    free = shutil.disk_usage(path.absolute().parent).free
    if free < LITTLE_SPACE:
        yield Finding(
            "disk",
            Severity.PROBLEM,
            f"The disk of {path} has {free // 2**20} MiB left.",
            "No outcome can be written to a full disk; engines pause.",
            "Make room, or move the file.",
        )
