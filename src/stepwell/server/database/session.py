"""The server's database: one engine of SQLAlchemy, and the step store on the same tables.

SQLAlchemy opens the transaction and lends its driver connection to the store, so
that rows of the server and steps commit together (R27).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    IntegrityError,
    InterfaceError,
    InvalidatePoolError,
    OperationalError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from stepwell.engine import StepClient
from stepwell.errors import (
    Conflict,
    InvalidInput,
    SetupError,
    StoreUnavailable,
)
from stepwell.server.database import schema
from stepwell.stores import open_store
from stepwell.stores.addresses import split_pooling
from stepwell.stores.protocol import Store, Transaction
from stepwell.stores.sqlite import SQLiteStore

_BUSY_SECONDS = 30.0
_DISK_FULL = ("database or disk is full", "No space left on device")
"""What SQLite and PostgreSQL say of it."""
_STEPS = "stepwell.steps"
"""Set on a connection whose transaction has asked for the verbs of steps."""


class WriteConflict(Conflict):
    """Two transactions wrote what only one may."""

    code = "write-conflict"


class ValueUnstorable(InvalidInput):
    """The database cannot take a value: a NUL character, or a number that is too large."""

    code = "value-unstorable"


class Database:
    """One database with the server's tables and the steps.

    Parameters
    ----------
    url : `sqlite:///file` or `postgresql://user:password@host/name`, the latter with
        `?pooler=1` behind PgBouncer.

    Raises
    ------
    SetupError : an address that is neither.
    """

    bare: ClassVar[bool] = False
    """Whether the steps are another program's, and there is nothing else (`BareDatabase`)."""

    def __init__(self, url: str) -> None:
        address, pooling = split_pooling(url)
        self.url = _driver_url(address)
        self.engine = _engine(self.url, pooler=pooling.pooler)
        self._writing = self.engine.execution_options(begin="BEGIN IMMEDIATE")
        self.store: Store = open_store(url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose reads belong together; nothing it does is kept."""
        with translated(), self.engine.connect() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: commits at the end of the block, rolls back if it raises.

        On SQLite it takes the write lock at once, so it cannot fail half way for it.
        """
        touched = False
        with translated(), self._writing.begin() as conn:
            try:
                yield conn
            finally:
                touched = conn.info.pop(_STEPS, False)
        if touched and isinstance(self.store, SQLiteStore):  # PostgreSQL tells by itself
            self.store.tell()

    def steps(self, conn: Connection, *, survives: bool = True) -> Transaction:
        """The store's verbs inside the transaction of `conn` (R27).

        `survives` is False for who lets any error of a verb take back the whole transaction.
        """
        conn.info[_STEPS] = True
        return self.store.on(conn.connection.driver_connection, survives=survives)

    def client(self, conn: Connection) -> StepClient:
        """The user's verbs (add, get, activate ...) inside the transaction of `conn` (R27)."""
        return StepClient(_Lent(self.store, self.steps(conn)))

    def open(self) -> None:
        """First contact; fails fast (R24).

        Raises
        ------
        SchemaMissing, SchemaTooNew : with the command to run.
        SetupError : the database cannot be reached at all.
        """
        self.store.open()
        with self.read() as conn:
            schema.check(conn)

    def migrate(self) -> list[str]:
        """Bring both halves of the schema up to date; the names of what was applied (R44)."""
        done = self.store.migrate()
        if schema.is_newest(self._writing):
            return done
        from stepwell.server.database import upgrading  # noqa: PLC0415 - see there

        return [*done, *upgrading.upgrade(self._writing)]

    def migration_sql(self) -> str:
        """The SQL of the server's own migrations, for people who run it themselves (R44)."""
        from stepwell.server.database import upgrading  # noqa: PLC0415 - see there

        return upgrading.as_sql(self.url)

    def close(self) -> None:
        """Give back every connection."""
        self.store.close()
        self.engine.dispose()


class _Lent:
    """A store whose one transaction is the caller's, who also commits it."""

    def __init__(self, store: Store, transaction: Transaction) -> None:
        self.capabilities, self._transaction = store.capabilities, transaction
        self.migrate, self.on, self.wake = store.migrate, store.on, store.wake
        self.add = transaction.add
        self.exclusive = store.exclusive

    def open(self) -> None:
        """Open already."""

    def close(self) -> None:
        """The caller's to close."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """The caller's transaction; neither committed nor rolled back here."""
        return nullcontext(self._transaction)


def _driver_url(url: str) -> URL:
    try:
        parsed = make_url(url)
        drivers = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}
        return parsed.set(drivername=drivers[parsed.get_backend_name()])
    except (ArgumentError, KeyError) as error:
        raise SetupError(
            f"{url!r} is not the address of a database that the server can use.",
            why="The server keeps its tables in SQLite or PostgreSQL.",
            fix="Write sqlite:///file.db or postgresql://user:password@host/name.",
        ) from error


def _engine(url: URL, *, pooler: bool = False) -> Engine:
    if url.get_backend_name() != "sqlite":
        from stepwell.stores.postgres.store import NETWORK  # noqa: PLC0415 - needs the driver

        arguments = {name: one for name, one in NETWORK.items() if name not in url.query}
        if pooler:  # it may run the next transaction in a session that has prepared nothing
            arguments["prepare_threshold"] = None
        # What was used last is used again first: each connection plans statements for itself.
        pool = {"pool_size": 20, "max_overflow": 20, "pool_use_lifo": True}
        engine = create_engine(url, connect_args=arguments, **pool)
        event.listen(engine, "checkout", _look_at_line)
        return engine
    threads = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
    engine = create_engine(url, connect_args=threads, pool_size=10, max_overflow=30)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _look_at_line(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server has closed is exchanged, and so are all that are as old, and
    one that was cut silently, once the system has asked in vain. To ask each time ourselves
    (`pool_pre_ping`) would be a round trip for every request."""
    from stepwell.stores.postgres.warm import hung_up  # noqa: PLC0415 - needs the driver

    if hung_up(connection):
        raise InvalidatePoolError("The database has closed the connection.")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own BEGIN comes too late and is always deferred; ours is explicit.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(conn: Connection) -> None:
    conn.exec_driver_sql(conn.get_execution_options().get("begin", "BEGIN"))


@contextmanager
def translated() -> Iterator[None]:
    """The driver's errors as ours; what a constraint refuses is a race that somebody lost."""
    try:
        yield
    except IntegrityError as error:
        raise WriteConflict(
            "Somebody else wrote the same at the same time.",
            why=str(error.orig).strip(),
            fix="Look at what there is now, then try again.",
        ) from error
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise _unstorable(error) from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise _unavailable(str(getattr(error, "orig", error)).strip()) from error
    except StatementError as error:
        if isinstance(error.orig, OverflowError):  # in an instant on its way to the driver
            raise _unstorable(error) from error
        raise


def _unavailable(why: str) -> StoreUnavailable:
    if any(words in why for words in _DISK_FULL):
        fix = "Make room on it; the server goes on by itself."
        return StoreUnavailable("The disk of the database is full.", why=why, fix=fix)
    fix = "Try again; the server reconnects by itself."
    return StoreUnavailable("The database does not answer.", why=why, fix=fix)


def _unstorable(error: Exception) -> ValueUnstorable:
    return ValueUnstorable(
        "The database cannot take a value of the request.",
        why=str(getattr(error, "orig", error)).strip().splitlines()[0],
        fix="Correct the value: text without NUL characters, numbers and instants in range.",
    )
