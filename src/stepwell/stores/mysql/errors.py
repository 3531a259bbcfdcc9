"""What the driver and the server say, in Stepwell's words: a pause, bad data, or a setup fault."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pymysql import err

from stepwell.errors import SchemaMissing, SettlementRejected, SetupError, StoreUnavailable

DUPLICATE: Final = 1062
DEADLOCK: Final = 1213
NO_SAVEPOINT: Final = 1305
EXISTS: Final = (1050, 1060, 1061)
"""A table, a column, an index of that name is there already."""

_NO_TABLE: Final = 1146
_NOT_PERMITTED: Final = (1142, 1143, 1227, 1370)
_OF_THE_DATA: Final = (
    *(1153, 1264, 1265, 1292, 1301, 1366, 1367, 1406, 1411, 3819, 4025),
    *(3140, 3141, 3142, 3143, 3144, 3156, 4037, 4038, 4174, 4178),
)
"""Too large or too long, out of range, no such value, a CHECK; and what is no JSON."""

_FIXES: Final = {
    1044: "Grant the user this database, or name another user or database in the address.",
    1045: "Check user and password in the address.",
    1049: "Create the database first: CREATE DATABASE name.",
    1130: "Allow this host for the user on the server.",
    1251: "Use an authentication plugin that PyMySQL knows.",
    1698: "This user logs in by the operating system's user; name one with a password.",
    2059: "Use an authentication plugin that PyMySQL knows.",
}
"""What another try cannot heal, by the error's number."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as Stepwell's; mistakes in our own SQL stay what they are.

    Raises
    ------
    StoreUnavailable : not reachable, a deadlock, a lock that was not had in time: try again.
    SettlementRejected : the data itself cannot be kept.
    SetupError : the tables are gone, or the user may not use them.
    """
    try:
        yield
    except err.MySQLError as error:
        known = _translate(error)
        if known is None:
            raise
        raise known from error
    except UnicodeEncodeError as error:
        raise rejected(str(error)) from error


@contextmanager
def first_contact() -> Iterator[None]:
    """Raise a connection that failed as what to do about it (R24).

    Raises
    ------
    SetupError : the address, the credentials or the database's name are wrong.
    StoreUnavailable : nobody answers there, or not yet.
    """
    try:
        yield
    except err.MySQLError as error:
        raise _refused(error) from error
    except (RuntimeError, OSError) as error:  # the driver lacks a package, or there is no such file
        raise _not_let_in(
            str(error), "Mend what it names; TLS needs no further package."
        ) from error


def number(error: BaseException) -> int:
    """The error's number, as the server or the driver gives it; 0 if it has none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def _refused(error: err.MySQLError) -> Exception:
    if isinstance(getattr(error, "original_exception", None), socket.gaierror):
        return _not_let_in(text(error), "Check the host name in the address.")
    fix = _FIXES.get(number(error))
    return unavailable(error) if fix is None else _not_let_in(text(error), fix)


def _translate(error: err.MySQLError) -> Exception | None:
    code = number(error)
    if code == _NO_TABLE:
        return schema_missing(text(error))
    if code in _NOT_PERMITTED:
        return _not_permitted(error)
    if code in _OF_THE_DATA or isinstance(error, err.DataError | err.IntegrityError):
        return rejected(text(error))
    passing = isinstance(error, err.OperationalError | err.InterfaceError | err.InternalError)
    return unavailable(error) if passing else None


def unavailable(error: BaseException) -> StoreUnavailable:
    """The store cannot be reached, or could not do it now."""
    return StoreUnavailable(
        "The MySQL store is not available.",
        why=text(error),
        fix="Check that the server runs and can be reached; Stepwell tries again by itself.",
    )


def schema_missing(why: str) -> SchemaMissing:
    """There are no tables, or older ones."""
    return SchemaMissing(
        "The database has no Stepwell tables of this version.",
        why=why,
        fix="Run `stepwell migrate --store URL`, or call store.migrate().",
    )


def rejected(why: str) -> SettlementRejected:
    """The data cannot be kept."""
    return SettlementRejected(
        "MySQL refuses this data.", why=why, fix="Correct the value that it names."
    )


def text(error: BaseException) -> str:
    """What the server or the driver said."""
    return str(error.args[-1]) if error.args and error.args[-1] else type(error).__name__


def _not_let_in(why: str, fix: str) -> SetupError:
    return SetupError("MySQL does not let Stepwell in.", why=why, fix=fix)


def _not_permitted(error: err.MySQLError) -> SetupError:
    return SetupError(
        "The database user may not do what Stepwell needs.",
        why=text(error),
        fix="Grant it select, insert, update and delete on the tables stepwell_*.",
    )
