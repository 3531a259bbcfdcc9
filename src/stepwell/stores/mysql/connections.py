"""Connections to one database: each is used by one thread at a time, and kept for the next."""

from __future__ import annotations

import re
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Any, Final, TypeVar

from pymysql import err
from pymysql.connections import Connection
from pymysql.constants import CLIENT

from stepwell.after_fork import leave
from stepwell.errors import SetupError, StoreUnavailable
from stepwell.stores.mysql.errors import first_contact
from stepwell.stores.mysql.sql import QUERIES

CONNECT_SECONDS: Final = 5
"""How long a connection attempt may take, and a transaction wait for a connection."""
SILENT_SECONDS: Final = 60
"""How long a statement may take before the line counts as cut."""
_OLDEST: Final = {"MariaDB": (10, 6), "MySQL": (8, 0, 17)}
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_REPLICATION_PREFIX: Final = "5.5.5-"
"""What old MariaDB servers put before their version."""

C = TypeVar("C", bound=Connection)


class Connections:
    """Lends connections to one database.

    Parameters
    ----------
    arguments : of the driver's `connect`.
    most : so many are lent at once, and kept.
    """

    def __init__(self, arguments: dict[str, Any], most: int) -> None:
        self._arguments = arguments
        self._most, self._free = most, BoundedSemaphore(most)
        self._idle: list[Connection] = []

    def connect(self, kind: type[C]) -> C:
        """A new connection with our settings.

        Raises
        ------
        SetupError : wrong address, credentials, database, or a server that is too old.
        StoreUnavailable : nobody answers there.
        """
        with first_contact():
            connection: C = kind(
                charset="utf8mb4",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=SILENT_SECONDS,
                write_timeout=SILENT_SECONDS,
                client_flag=CLIENT.FOUND_ROWS,
                autocommit=False,
                program_name="stepwell",
                **self._arguments,
            )
            try:
                _check_version(connection.get_server_info())
                for setting in ("session", "isolation"):
                    connection.query(QUERIES[setting])
            except BaseException:
                close(connection)
                raise
        return connection

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """A connection for the block. One that met trouble is not used again."""
        free = self._free
        if not free.acquire(timeout=CONNECT_SECONDS):
            raise _none_free()
        try:
            connection = self._take()
            try:
                yield connection
            except BaseException:
                self._roll_back(connection)
                raise
            self._idle.append(connection)
        finally:
            free.release()

    def close(self) -> None:
        """Close what is idle; what is lent closes when it is given back to nobody."""
        while self._idle:
            close(self._idle.pop())

    def begin_anew(self) -> None:
        """On the other side of a fork a connection must neither be used nor closed."""
        leave(self._idle)
        self._idle, self._free = [], BoundedSemaphore(self._most)

    def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not _hung_up(connection):
                return connection
            close(connection)
        return self.connect(Connection)

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.rollback()
        except (err.MySQLError, OSError):
            close(connection)
        else:
            self._idle.append(connection)


def close(connection: Connection) -> None:
    """Close it, in whatever state it is."""
    with suppress(err.MySQLError, OSError):
        connection.close()


def _hung_up(connection: Connection) -> bool:
    """Whether the other end has closed it: on an idle line nothing comes but the end."""
    if not connection.open:
        return True
    poll = select.poll()
    poll.register(connection._sock.fileno(), select.POLLIN)  # noqa: SLF001 - it has no other name
    return bool(poll.poll(0))


def _check_version(version: str) -> None:
    kind = "MariaDB" if "MariaDB" in version else "MySQL"
    found = _VERSION.search(version.removeprefix(_REPLICATION_PREFIX))
    if found and tuple(map(int, found.groups())) < _OLDEST[kind]:
        oldest = ".".join(map(str, _OLDEST[kind]))
        raise SetupError(
            f"The server is {kind} {found[0]}.",
            why=f"Stepwell needs {kind} {oldest} or newer: it skips rows that others have locked.",
            fix="Upgrade the server, or use a SQLite or PostgreSQL store.",
        )


def _none_free() -> StoreUnavailable:
    return StoreUnavailable(
        f"No connection became free within {CONNECT_SECONDS} s.",
        why="As many transactions as the store may have connections are open.",
        fix="Keep transactions short, or give the store a larger pool_size.",
    )
