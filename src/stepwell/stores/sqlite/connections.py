"""Connections to one file: each is used by one thread at a time, and kept for the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from stepwell.after_fork import Turnstile, leave
from stepwell.errors import StepwellError, StoreUnavailable
from stepwell.stores.sqlite.errors import translated

BUSY_SECONDS: Final = 15.0
"""How long a statement waits for another writer."""
_KEPT: Final = 8


class Connections:
    """Lends connections to one SQLite file.

    Parameters
    ----------
    path : the file; it is created by `connect(create=True)` alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._be_new()

    def _be_new(self) -> None:
        self._idle: list[sqlite3.Connection] = []
        self.turnstile = Turnstile()
        """Who uses a connection is inside: SQLite has locks for all connections of a process, and
        what it knows of its files' locks is forked too. In the child nobody would open them."""

    def connect(
        self,
        *,
        create: bool = False,
        prepared: int = 128,
        kind: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> sqlite3.Connection:
        """A new connection: no implicit transactions, durable commits (R25).

        `prepared` is the number of statements that are kept for the next time.
        """
        mode = "rwc" if create else "rw"
        with translated():
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=prepared,
                factory=kind,
            )
            try:
                connection.execute("PRAGMA synchronous = FULL")
            except BaseException:
                connection.close()
                raise
        return connection

    @contextmanager
    def opened(self, **how: Any) -> Iterator[sqlite3.Connection]:
        """A new connection for the block; see `connect`."""
        with self.turnstile, closing(self.connect(**how)) as connection:
            yield connection

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection for the block. One that met trouble is not used again."""
        with self.turnstile:
            connection = self._take()
            try:
                yield connection
            except StoreUnavailable:
                connection.close()
                raise
            except BaseException:
                self._give_back(connection)
                raise
            self._give_back(connection)

    def being_written(self) -> bool:
        """Whether another connection, of any process, is in the middle of a write or commit."""
        try:
            with self.lend() as connection:
                return _is_locked(connection)
        except StepwellError:  # no file any more: nobody writes there
            return False

    def close(self) -> None:
        """Close what is idle; what is lent closes when it is no longer kept."""
        while self._idle:
            self._idle.pop().close()

    def begin_anew(self) -> None:
        """On the other side of a fork a connection must neither be used nor closed."""
        leave(self._idle)
        self._be_new()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect_for_verbs()

    def _connect_for_verbs(self) -> sqlite3.Connection:
        """What a statement could have to take back waits in memory, and not in a file of its own:
        for that of a burst SQLite would write as much as for the burst itself."""
        connection = self.connect()
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if len(self._idle) < _KEPT:
            self._idle.append(connection)
        else:
            connection.close()


def _is_locked(connection: sqlite3.Connection) -> bool:
    """Whether the write lock is somebody's, without waiting for it; nothing is written."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
    return False
