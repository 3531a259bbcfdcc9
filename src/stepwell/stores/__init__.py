"""Where steps are kept. `open_store` makes a store from its address."""

from __future__ import annotations

from importlib import import_module
from typing import Final
from urllib.parse import unquote, urlsplit

from stepwell.errors import InvalidInput, SetupError
from stepwell.stores.memory import MemoryStore
from stepwell.stores.protocol import Store

__all__ = ["MemoryStore", "Store", "open_store"]

_POSTGRES: Final = ("postgresql", "postgres", "postgresql+psycopg")


def open_store(url: str) -> Store:
    """The store at an address; it is not opened yet, so nothing is contacted.

    Parameters
    ----------
    url : `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`, or
        `postgresql://user:password@host:port/database`.

    Raises
    ------
    InvalidInput : the address names no store that Stepwell has.
    SetupError : the store's driver is not installed.
    """
    scheme = urlsplit(url).scheme
    if scheme == "memory":
        return MemoryStore()
    if scheme == "sqlite":
        return _sqlite(url)
    if scheme in _POSTGRES:
        return _postgres(url)
    raise InvalidInput(
        f"{url!r} is not the address of a store.",
        why="Known are memory://, sqlite:///file and postgresql://host/database.",
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
    try:
        module = import_module("stepwell.stores.postgres")
    except ModuleNotFoundError as error:
        raise SetupError(
            "The PostgreSQL driver is not installed.",
            why=f"No module named {error.name!r}.",
            fix="Install it: pip install 'stepwell[postgres]'.",
        ) from error
    store: Store = module.PostgresStore(url)
    return store
