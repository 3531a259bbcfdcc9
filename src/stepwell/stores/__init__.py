"""Where steps are kept. `open_store` makes a store from its address."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from stepwell.errors import InvalidInput, SetupError
from stepwell.lazily import lazily
from stepwell.stores.addresses import split_pooling
from stepwell.stores.protocol import Store

if TYPE_CHECKING:
    from stepwell.stores.memory import MemoryStore

__getattr__ = lazily(__name__, {"stepwell.stores.memory": "MemoryStore"})

__all__ = ["MemoryStore", "Store", "open_store"]

_POSTGRES: Final = ("postgresql", "postgres", "postgresql+psycopg")
_MYSQL: Final = ("mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql")


def open_store(url: str) -> Store:
    """The store at an address; it is not opened yet, so nothing is contacted.

    Parameters
    ----------
    url : `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`,
        `postgresql://user:password@host:port/database`, or `mysql://` (`mariadb://`) of the
        same form. Behind PgBouncer the PostgreSQL address has `?pooler=1`, and may have
        `&notify_url=` with the server's own address, percent-encoded.

    Raises
    ------
    InvalidInput : the address names no store that Stepwell has.
    SetupError : the store's driver is not installed.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        from stepwell.stores.memory import MemoryStore  # noqa: PLC0415 - as drivers are

        return MemoryStore()
    if scheme == "sqlite":
        return _sqlite(url)
    if scheme in _POSTGRES:
        return _postgres(url)
    if scheme in _MYSQL:
        return _mysql(url)
    raise InvalidInput(
        f"{url!r} is not the address of a store.",
        why="Known are memory://, sqlite:///file, postgresql://host/database and mysql://...",
        fix="Use sqlite:///stepwell.db for a file in the current folder.",
    )


def _sqlite(url: str) -> Store:
    """SQLAlchemy's form: three slashes before a relative path, four before an absolute one."""
    path = unquote(url.partition("://")[2]).removeprefix("/")
    if not path or path == ":memory:":
        raise InvalidInput(
            f"{url!r} names no file.",
            why="A SQLite store is shared by connections, so it needs a file.",
            fix="Use sqlite:///stepwell.db, or memory:// to keep nothing.",
        )
    store: Store = import_module("stepwell.stores.sqlite").SQLiteStore(path)
    return store


def _postgres(url: str) -> Store:
    module = _driven("stepwell.stores.postgres", "The PostgreSQL driver", "postgres")
    address, pooling = split_pooling(url)
    store: Store = module.PostgresStore(
        address, pooler=pooling.pooler, notify_url=pooling.notify_url
    )
    return store


def _mysql(url: str) -> Store:
    module = _driven("stepwell.stores.mysql", "The MySQL driver", "mysql")
    store: Store = module.MySQLStore(url)
    return store


def _driven(module: str, driver: str, extra: str) -> ModuleType:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise SetupError(
            f"{driver} is not installed.",
            why=f"No module named {error.name!r}.",
            fix=f"Install it: pip install 'stepwell[{extra}]'.",
        ) from error
