"""What SQLite says, in Stepwell's words: a pause, a mistake in the data, or a setup fault."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stepwell.errors import (
    SchemaMissing,
    SettlementRejected,
    SetupError,
    StepwellError,
    StoreUnavailable,
)

_DATA: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    OverflowError,
    UnicodeEncodeError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise SQLite's errors as Stepwell's.

    Raises
    ------
    StoreUnavailable : locked, disk full, I/O: trying again may help.
    SettlementRejected : the data itself cannot be kept.
    SetupError : the tables are gone, or it is no SQLite database.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _operational(error) from error
    except sqlite3.ProgrammingError as error:
        if not str(error).startswith("Error binding parameter"):
            raise  # a lent connection that is closed, or used in a foreign thread
        raise _rejected(error) from error
    except _DATA as error:
        raise _rejected(error) from error
    except sqlite3.Error as error:
        foreign = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB
        raise (_not_a_database if foreign else _unavailable)(error) from error


def _operational(error: sqlite3.OperationalError) -> StepwellError:
    if str(error).startswith("no such table: stepwell_"):
        return SchemaMissing(
            "The database has no Stepwell tables.",
            why=f"SQLite says: {error}.",
            fix="Run `stepwell migrate --store URL`, or call store.migrate().",
        )
    return _unavailable(error)


def _rejected(error: Exception) -> SettlementRejected:
    return SettlementRejected(
        "SQLite refuses this data.",
        why=f"{type(error).__name__}: {error}.",
        fix="Correct the value that it names.",
    )


def _not_a_database(error: sqlite3.Error) -> SetupError:
    return SetupError(
        "The file is not a SQLite database.",
        why=f"SQLite says: {error}.",
        fix="Name another file; this one was not touched.",
    )


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(
        "The SQLite database cannot be used at the moment.",
        why=f"SQLite says: {error}.",
        fix="It is tried again; look at the disk and at other programs that hold the file.",
    )
