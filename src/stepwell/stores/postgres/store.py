"""`PostgresStore`: a pool of connections, and transactions on them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import IsolationLevel
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from stepwell.after_fork import after_fork, leave
from stepwell.errors import StoreUnavailable
from stepwell.step import Addition
from stepwell.stores.inspecting import Inspection, Overview
from stepwell.stores.on_loop import OnLoop
from stepwell.stores.outbox import driver_connection, refused
from stepwell.stores.postgres import inspecting, schema
from stepwell.stores.postgres.adding import (
    AT_ONCE,
    can_be_refused,
    inserted,
    insertion,
    is_any_due,
    is_due_soon,
)
from stepwell.stores.postgres.exclusive import SESSION, PostgresExclusive, as_before
from stepwell.stores.postgres.faults import first_contact, translated
from stepwell.stores.postgres.on_loop import LoopStatements, driver_of
from stepwell.stores.postgres.own import Committed, OwnStatements
from stepwell.stores.postgres.prepared import NEVER, Own
from stepwell.stores.postgres.queries import Call
from stepwell.stores.postgres.statements import Statements
from stepwell.stores.postgres.transaction import PostgresTransaction
from stepwell.stores.postgres.wake import Bell, PostgresWake
from stepwell.stores.postgres.warm import KEPT, Lost, Pool, Warm, hung_up, losable
from stepwell.stores.protocol import Capabilities

CONNECT_SECONDS: Final = 5
"""How long a connection attempt may take, and a transaction wait for a connection."""

LENT: Final = 8
"""The most connections that are lent to handlers: as many as an engine has workers."""

NETWORK: Final = {
    "application_name": "stepwell",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A cut line must be noticed within seconds, whatever the operating system's defaults."""

_SESSION: Final = (
    # A process that is paused inside a transaction, or whose machine is gone, must not hold
    # its locks for ever.
    "-c idle_in_transaction_session_timeout=8s -c lock_timeout=10s"
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    # To plan or to compile a statement of ours takes longer than to run it.
    " -c plan_cache_mode=force_generic_plan -c jit=off"
    # A plan made while a table was empty must not read all of it when it has grown, nor all of
    # an index before the first row is looked at.
    " -c enable_seqscan=off -c enable_bitmapscan=off -c timezone=UTC -c datestyle=ISO"
)


_AS_OF_NOW: Final = "-c default_transaction_isolation=read\\ committed"
"""What is counted under a lock, or given back after a death, is as it is now, whatever the default
of the database or the address."""


class PostgresStore:
    """Steps in a PostgreSQL database, version 14 or newer.

    Parameters
    ----------
    url : `postgresql://user:password@host:port/database`, or any libpq connection string.
    pool_size : at most so many connections, beside the first, one that listens and up to 8 that
        are lent to handlers. Few are open as a rule; an engine must not wait for one to beat,
        however many handlers add steps.
    pooler : the address is that of a pooler in transaction mode (PgBouncer): no prepared
        statements, no session settings, no notifications.
    notify_url : a direct address for notifications beside a pooler; without it engines poll.
    """

    capabilities = Capabilities(outbox=True, exactly_once=True, row_locks=True)

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 20,
        pooler: bool = False,
        notify_url: str | None = None,
    ) -> None:
        self._url, self._pooler, self._pool_size = _libpq(url), pooler, pool_size
        self.place = self._url
        self._notify_url = notify_url if pooler else notify_url or self._url
        # Only a session of our own ends the transaction of a process that was paused in it.
        self.capabilities = replace(type(self).capabilities, row_locks=not pooler)
        self._be_new()
        after_fork(self)

    def _be_new(self) -> None:
        self._lock = threading.Lock()
        self._pool: Warm | None = None
        self._lent: Warm | None = None
        self._bell = Bell(self._ear if self._notify_url else None, lambda: self._pool)

    def migrate(self) -> list[str]:
        """Create or upgrade the tables, and make the partitions of the coming months (R44).

        Raises
        ------
        SetupError, StoreUnavailable, SchemaTooNew
        """
        with self._direct(self._conninfo()) as connection, translated():
            return schema.migrate(connection)

    def open(self) -> None:
        """First contact: fails fast (R24). Calling it again is harmless.

        Raises
        ------
        SetupError : wrong address, credentials or database; SchemaMissing; SchemaTooNew.
        StoreUnavailable : nobody answers there.
        """
        with self._lock:
            if self._pool is not None:
                return
            conninfo = self._conninfo()
            first = self._first(conninfo)
            self._pool = self._new_pool(conninfo, self._pool_size, first=first)

    def close(self) -> None:
        """Give back connections and threads."""
        self._bell.close()
        with self._lock:
            pools = [pool for pool in (self._pool, self._lent) if pool is not None]
            self._pool = self._lent = None
        for pool in pools:
            pool.close()

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """A new transaction: commits at the end of the block, rolls back if it raises.

        Raises
        ------
        StoreUnavailable : no connection within 5 s, or the answer to the commit was lost.
        """
        with self._begun() as do:
            yield PostgresTransaction(do)
            self._commit(do)

    def add(self, additions: Sequence[Addition]) -> list[bool]:
        """As the verb `add`, in a transaction of its own."""
        if can_be_refused(additions) or not 0 < len(additions) <= AT_ONCE:
            with self.transaction() as tx:
                return tx.add_if_alive(additions)
        with self._begun() as do:
            do.due = do.due or is_due_soon(additions)
            is_free = all(one.step.claimed_by is None for one in additions)
            alive = () if is_free else ("add_alive",)
            answer = self._commit(do, *insertion(additions, lent=False, alive=alive))
        if is_any_due(answer.rows) and not do.due:
            self._bell.ring()
        return inserted(additions, answer.rows)

    @contextmanager
    def exclusive(self) -> Iterator[PostgresExclusive]:
        """As `transaction`, on a connection of a second, small pool (R26)."""
        with self._borrowed(self._pool_to_lend()) as connection:
            tx = PostgresExclusive(do := Statements(connection))
            try:
                # The driver's own block: inside it nobody else can commit.
                with translated(), connection.transaction():
                    yield tx
            finally:
                if do.due:
                    self._bell.ring()

    def on(self, connection: Any, *, survives: bool = True) -> PostgresTransaction:
        """The verbs on the caller's own connection and transaction (R27).

        Parameters
        ----------
        connection : a `psycopg.Connection`, SQLAlchemy's session or connection on one, or
            Django's; `stepwell.stores.outbox.lend` brings those of asyncio.
        survives : False where an error takes back the whole transaction; spares savepoints.

        Raises
        ------
        NotSupported : another kind of connection.
        """
        own = driver_connection(connection)
        if isinstance(own, psycopg.Connection):
            return PostgresTransaction(Statements(own, lent=True, survives=survives))
        driver = driver_of(own.connection) if isinstance(own, OnLoop) else None
        if driver is None:
            fix = "Lend a connection of psycopg or asyncpg, or SQLAlchemy's or Django's on it."
            raise refused(own, "PostgreSQL", fix)
        return PostgresTransaction(LoopStatements(own, driver))

    def overview(self, since: datetime) -> Overview:
        """Counts per queue and state; see `stores.inspecting`."""
        with self._begun() as do:
            found = inspecting.overview(do, since)
            self._commit(do)
            return found

    def inspect(self) -> Inspection:
        """Who is alive and what stands in the way; see `stores.inspecting`."""
        with self._begun() as do:
            found = inspecting.inspect(do)
            self._commit(do)
            return found

    def wake(self) -> PostgresWake:
        """A new wake for one engine."""
        return self._bell.wake()

    def begin_anew(self) -> None:
        """See `stepwell.after_fork`."""
        leave(self._pool, self._lent, self._bell)
        self._bell.leave()
        self._be_new()

    # -- connections -----------------------------------------------------------

    @contextmanager
    def _begun(self) -> Iterator[OwnStatements]:
        """A transaction; rolls back if the block raises."""
        self.open()
        with self._borrowed(self._pool) as connection:
            do = OwnStatements(connection)
            try:
                do.begin()
                yield do
            except BaseException:
                _roll_back(do)
                raise

    def _commit(self, do: OwnStatements, *last: Call) -> Committed:
        """With the last statements of the transaction; then whoever waits for work is told."""
        teller = self._bell.name if do.due and self._bell.takes_turn() else None
        told = False
        try:
            answer = do.commit(*last, teller=teller)
            told = answer.told
            return answer
        finally:
            if do.due:
                self._bell.ring(told=told)

    @contextmanager
    def _borrowed(self, pool: Warm | None) -> Iterator[Own]:
        if pool is None:
            raise StoreUnavailable("The store was closed.", fix="Open it again.")
        connection = pool.take()
        try:
            yield connection
        finally:
            pool.give_back(connection)

    def _pool_to_lend(self) -> Warm | None:
        self.open()
        with self._lock:
            if self._lent is None and self._pool is not None:
                options = None if self._pooler else SESSION
                info = _with_defaults(self._url, options)
                self._lent = self._new_pool(info, LENT, kept=0, threshold=5, reset=as_before)
            return self._lent

    def _new_pool(
        self,
        conninfo: str,
        size: int,
        kept: int = KEPT,
        first: Own | None = None,
        threshold: int = NEVER,
        **more: Any,
    ) -> Warm:
        lost: Lost = deque()
        pool: Pool = ConnectionPool(
            conninfo,
            connection_class=losable(lost),
            kwargs={"prepare_threshold": self._threshold(threshold)},
            min_size=0,
            max_size=size,
            timeout=CONNECT_SECONDS,
            # Short: whoever needs a connection asks for it again.
            reconnect_timeout=1.0,
            num_workers=2,
            open=True,
            name="stepwell",
            configure=_as_of_now if self._pooler else None,
            **more,
        )
        return Warm(pool, hung_up, kept, first, lost)

    def _threshold(self, executions: int) -> int | None:
        """After how many the driver prepares a statement; a pooler's sessions keep none."""
        return None if self._pooler else executions

    def _direct(self, conninfo: str) -> Own:
        """A connection beside the pool, whose failure says what is wrong."""
        with first_contact():
            connection = Own.connect(conninfo, prepare_threshold=self._threshold(NEVER))
        if self._pooler:
            _as_of_now(connection)
        return connection

    def _first(self, conninfo: str) -> Own:
        """It has found all in order, and stays: to make one more takes longer than the look."""
        connection = self._direct(conninfo)
        try:
            with translated():
                schema.check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _ear(self) -> psycopg.Connection[Any]:
        return psycopg.connect(_with_defaults(self._notify_url or "", _SESSION), autocommit=True)

    def _conninfo(self) -> str:
        return _with_defaults(self._url, None if self._pooler else _SESSION)


def _libpq(url: str) -> str:
    """SQLAlchemy's form of the address is understood too."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _with_defaults(url: str, options: str | None) -> str:
    """The address with our settings where it has none of its own; options are joined."""
    with first_contact():
        given = conninfo_to_dict(url)
    if options:
        given["options"] = f"{options} {given.get('options') or ''} {_AS_OF_NOW}"
    settings: dict[str, Any] = {**NETWORK, **given, "client_encoding": "UTF8"}
    return make_conninfo(**settings)


def _as_of_now(connection: psycopg.Connection[Any]) -> None:
    """Where there is no session of our own to say so, each transaction does."""
    connection.isolation_level = IsolationLevel.READ_COMMITTED


def _roll_back(do: OwnStatements) -> None:
    try:
        do.connection.rollback()
    except psycopg.Error:
        do.close()  # it was the connection that failed; the pool replaces it
