"""`MySQLStore`: its connections, its schema and its wakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pymysql.connections import Connection

from stepwell.after_fork import after_fork
from stepwell.step import Addition
from stepwell.stores.inspecting import Inspection, Overview
from stepwell.stores.mysql import inspecting, schema
from stepwell.stores.mysql.address import arguments
from stepwell.stores.mysql.connections import Connections, close
from stepwell.stores.mysql.exclusive import GuardedConnection, MySQLExclusive
from stepwell.stores.mysql.statements import Statements
from stepwell.stores.mysql.verbs import MySQLTransaction
from stepwell.stores.mysql.wake import MySQLWake
from stepwell.stores.outbox import driver_connection, refused
from stepwell.stores.protocol import Capabilities


class MySQLStore:
    """Steps in a MariaDB database, version 10.6 or newer, or MySQL 8.0.17 or newer.

    Engines hear at once of what their own store object commits, and within a second of all
    else: the server cannot notify them.

    Parameters
    ----------
    url : `mysql://user:password@host:port/database`, or `mariadb://`; parameters are
        unix_socket, ssl_ca, ssl_cert, ssl_key, ssl_key_password, ssl_verify_cert,
        ssl_verify_identity and ssl_disabled.
    pool_size : at most so many connections, beside one for each handler that has one.
    """

    capabilities = Capabilities(outbox=True, exactly_once=True)

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self._connections, self.place = Connections(arguments(url), pool_size), url
        self._checked = False
        self._wakes: tuple[MySQLWake, ...] = ()
        after_fork(self)

    def migrate(self) -> list[str]:
        """Create or upgrade the tables; the names of the migrations applied (R44).

        Raises
        ------
        SetupError, StoreUnavailable, SchemaTooNew
        """
        with self._connections.lend() as connection:
            return schema.migrate(Statements(connection))

    def open(self) -> None:
        """First contact: fails fast (R24). Calling it again is harmless.

        Raises
        ------
        SetupError : wrong address, credentials or database; SchemaMissing; SchemaTooNew.
        StoreUnavailable : nobody answers there.
        """
        if not self._checked:
            with self._connections.lend() as connection:
                statements = Statements(connection)
                schema.check(statements)
                statements.commit()
            self._checked = True

    def close(self) -> None:
        """Close the connections; using the store again opens new ones."""
        self._connections.close()

    @contextmanager
    def transaction(self) -> Iterator[MySQLTransaction]:
        """A new transaction: commits at the end of the block, rolls back if it raises.

        Raises
        ------
        StoreUnavailable : no connection within 5 s, or the answer to the commit was lost.
        """
        self.open()
        with self._connections.lend() as connection:
            statements = Statements(connection)
            yield MySQLTransaction(statements)
            statements.commit()
        self._tell(statements)

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """As the verb `add`, in a transaction of its own."""
        with self.transaction() as tx:
            return tx.add(additions)

    @contextmanager
    def exclusive(self) -> Iterator[MySQLExclusive]:
        """As `transaction`, on a new connection that is closed after it (R26)."""
        self.open()
        connection = self._connections.connect(GuardedConnection)
        try:
            tx = MySQLExclusive(connection)
            yield tx
            tx.statements.commit()
        finally:
            close(connection)
        self._tell(tx.statements)

    def overview(self, since: datetime) -> Overview:
        """Counts per queue and state; see `stores.inspecting`."""
        with self.transaction() as tx:
            return inspecting.overview(tx.statements, since)

    def inspect(self) -> Inspection:
        """Who is alive and what stands in the way; see `stores.inspecting`."""
        with self.transaction() as tx:
            return inspecting.inspect(tx.statements)

    def on(self, connection: Any, *, survives: bool = True) -> MySQLTransaction:
        """The verbs on the caller's own connection and transaction (R27): PyMySQL, SQLAlchemy.

        Where the connection commits each statement by itself, each verb is a transaction.

        Raises
        ------
        NotSupported : another kind of connection.
        """
        own = driver_connection(connection)
        if not isinstance(own, Connection):
            raise refused(own, "MySQL", "Lend a pymysql.Connection, or SQLAlchemy's on PyMySQL.")
        return MySQLTransaction(Statements(own, lent=True))

    def begin_anew(self) -> None:
        """See `stepwell.after_fork`."""
        self._wakes = ()
        self._connections.begin_anew()

    def wake(self) -> MySQLWake:
        """A new wake for one engine."""
        wake = MySQLWake(self._forget)
        self._wakes = (*self._wakes, wake)
        return wake

    def _forget(self, wake: MySQLWake) -> None:
        self._wakes = tuple(one for one in self._wakes if one is not wake)

    def _tell(self, statements: Statements) -> None:
        if statements.news:
            for wake in self._wakes:
                wake.set()
