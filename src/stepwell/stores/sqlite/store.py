"""The store: a file, its schema, its connections and its wakes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from stepwell.after_fork import after_fork
from stepwell.clock import SYSTEM, Clock
from stepwell.step import Addition
from stepwell.stores.inspecting import Inspection, Overview
from stepwell.stores.on_loop import OnLoop
from stepwell.stores.outbox import driver_connection, refused
from stepwell.stores.protocol import Capabilities
from stepwell.stores.sqlite import inspecting, schema
from stepwell.stores.sqlite.connections import Connections
from stepwell.stores.sqlite.exclusive import GuardedConnection, SQLiteExclusive
from stepwell.stores.sqlite.on_loop import LoopConnection, is_aiosqlite
from stepwell.stores.sqlite.statements import OwnStatements, Statements
from stepwell.stores.sqlite.verbs import SQLiteTransaction
from stepwell.stores.sqlite.wake import SQLiteWake, sight


class SQLiteStore:
    """Steps in one SQLite file, for any number of threads and processes of one machine.

    Parameters
    ----------
    path : the file; `migrate()` creates it, `open()` does not.
    clock : where the store's time comes from; tests hand in a virtual one.
    """

    capabilities = Capabilities(outbox=True, exactly_once=True)

    def __init__(self, path: str | os.PathLike[str], clock: Clock = SYSTEM) -> None:
        self._path, self._clock = Path(path), clock
        self.place = self._path.resolve()
        self._log = self._path.with_name(self._path.name + "-wal")
        self._connections = Connections(self._path)
        self._be_new()

    def _be_new(self) -> None:
        self._turn, self._one_at_a_time = Lock(), Lock()
        self._wakes: tuple[SQLiteWake, ...] = ()
        after_fork(self, self._connections.turnstile)

    def migrate(self) -> list[str]:
        """Create the file or upgrade its tables; the names of the migrations applied (R44).

        Raises
        ------
        SetupError : the folder does not exist, or the file cannot hold a store.
        SchemaTooNew : a newer Stepwell has been here.
        """
        schema.check_place(self._path)
        with self._connections.opened(create=True) as connection:
            return schema.migrate(connection, self._path)

    def open(self) -> None:
        """First contact with the file; calling it again is harmless (R24).

        Raises
        ------
        SchemaMissing : there is no file, or it has no tables, or older ones.
        SchemaTooNew : a newer Stepwell has been here.
        """
        schema.check_file(self._path)
        with self._connections.opened() as connection:
            schema.check(connection, self._path)

    def close(self) -> None:
        """Close the connections; using the store again opens new ones."""
        self._connections.close()

    @contextmanager
    def transaction(self) -> Iterator[SQLiteTransaction]:
        """The verbs in one transaction: it begins with the first verb that writes.

        Raises
        ------
        StoreUnavailable : locked for too long, disk full, I/O error.
        """
        with self._connections.lend() as connection, self._committed(connection) as statements:
            yield SQLiteTransaction(statements, self._clock)

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """As the verb `add`, in a transaction of its own."""
        with self.transaction() as tx:
            return tx.add(additions)

    @contextmanager
    def exclusive(self) -> Iterator[SQLiteExclusive]:
        """As `transaction`, on a new connection, one at a time (R26).

        All other writers of the file wait for as long as it lasts.
        """
        with (
            self._one_at_a_time,
            # No statement is kept, so that each asks its guard; and no setting is either.
            self._connections.opened(prepared=0, kind=GuardedConnection) as connection,
            self._committed(connection) as statements,
        ):
            yield SQLiteExclusive(statements, self._clock)

    @contextmanager
    def _committed(self, connection: sqlite3.Connection) -> Iterator[OwnStatements]:
        statements = OwnStatements(connection, self._turn)
        try:
            yield statements
            with self._overlooked(statements):
                statements.commit()
        finally:
            statements.end()
        if statements.news:
            self.tell()

    @contextmanager
    def _overlooked(self, statements: OwnStatements) -> Iterator[None]:
        """A beat brings no work: engines of this process do not look because of its commit.

        If anybody else has committed meanwhile, by any connection, they do.
        """
        if statements.news or not statements.beats:
            yield
            return
        before, version, wakes = sight(self._log), statements.version(), self._wakes
        after = before
        for wake in wakes:
            wake.look_away()
        try:
            yield
            seen = sight(self._log)
            others = self._connections.being_written() or statements.version() != version
            after = before if others else seen
        finally:
            for wake in wakes:
                wake.look_again(before, after)

    def on(self, connection: Any, *, survives: bool = True) -> SQLiteTransaction:
        """The verbs on the caller's own connection and transaction (R27).

        Parameters
        ----------
        connection : a `sqlite3.Connection`, SQLAlchemy's session or connection on one, or
            Django's; `stepwell.stores.outbox.lend` brings those of asyncio. In the driver's
            default mode the transaction begins with the first verb that writes, as before
            any INSERT. With `isolation_level=None` and no BEGIN, each verb commits by
            itself, as any statement does there.

        Raises
        ------
        NotSupported : a connection of another kind.
        """
        own = driver_connection(connection)
        if isinstance(own, OnLoop) and is_aiosqlite(own.connection):
            own = LoopConnection(own)
        elif not isinstance(own, sqlite3.Connection):
            raise refused(own, "SQLite", "Lend a connection to the file that the store is on.")
        return SQLiteTransaction(Statements(own), self._clock)

    def overview(self, since: datetime) -> Overview:
        """Counts per queue and state; see `stores.inspecting`."""
        self.open()
        with self._connections.lend() as connection:
            return inspecting.overview(connection, since, self._clock.now())

    def inspect(self) -> Inspection:
        """Who is alive and what stands in the way; see `stores.inspecting`."""
        self.open()
        with self._connections.lend() as connection:
            return inspecting.inspect(connection, self._path, self._clock.now())

    def wake(self) -> SQLiteWake:
        """A new wake for one engine."""
        wake = SQLiteWake(self._log, self._forget, self._connections.being_written)
        self._wakes = (*self._wakes, wake)
        return wake

    def begin_anew(self) -> None:
        """See `stepwell.after_fork`."""
        self._connections.begin_anew()
        self._be_new()

    def _forget(self, wake: SQLiteWake) -> None:
        self._wakes = tuple(one for one in self._wakes if one is not wake)

    def tell(self) -> None:
        """Wake the engines of this process, after a commit on a lent connection: other
        processes hear of it by themselves, and so would these a moment later."""
        for wake in self._wakes:
            wake.set()
