"""What the driver raises, as the kinds of error that the engine knows what to do with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from stepwell.errors import (
    Conflict,
    SchemaMissing,
    SettlementRejected,
    SetupError,
    StepwellError,
    StoreUnavailable,
)

_OF_THE_DATA: Final = ("22", "23", "54")
"""SQLSTATE classes: data exception, integrity violation, program limit (an index row too long)."""
_OF_THE_MOMENT: Final = ("08", "25", "40", "53", "55", "57", "58")
"""Connection, transaction state, serialisation and deadlock, resources, locks, shutdown, system."""

_PASSING: Final = (
    "refused",
    "timeout",
    "timed out",
    "closed the connection",
    "reset by peer",
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "connection slots",
    "unreachable",
    "no such file",
)
"""Words of failed connections that another try may heal; the driver gives no SQLSTATE for them."""

_FIXES: Final = (
    ("startup parameter", "A pooler answers, such as PgBouncer: add ?pooler=1 to the address."),
    ("password", "Check user and password in the address, or set PGPASSWORD."),
    ("role", "Create the user, or name another one in the address."),
    ("database", "Create the database first: `createdb NAME`."),
    ("pg_hba", "Allow this host and user in the server's pg_hba.conf."),
    ("resolve", "Check the host name in the address."),
    ("translate host", "Check the host name in the address."),
)

_GRANTS: Final = (
    ("must be owner", "Migrate as the role that owns the tables; it made them."),
    (
        "schema",
        "To migrate it needs a schema to make tables in: grant create on schema public to USER.",
    ),
    ("", "Grant it select, insert, update and delete on the tables stepwell_*."),
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as Stepwell's; mistakes in our own SQL stay what they are."""
    try:
        yield
    except psycopg.Error as error:
        known = _translate(error, error.sqlstate or "")
        if known is None:
            raise
        raise known from error
    except UnicodeEncodeError as error:
        raise _rejected(str(error)) from error


@contextmanager
def translated_by_state() -> Iterator[None]:
    """As `translated`, for any driver whose errors have a `sqlstate`."""
    try:
        with translated():
            yield
    except OSError as error:
        raise unavailable(error) from error
    except ValueError as error:  # asyncpg cannot send this value
        raise _rejected(_first_line(error)) from error
    except Exception as error:
        state = getattr(error, "sqlstate", None)
        known = _translate(error, state) if isinstance(state, str) else None
        if known is None:
            raise
        raise known from error


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
    except psycopg.ProgrammingError as error:
        raise SetupError(
            "The address of the PostgreSQL store cannot be read.",
            why=_first_line(error),
            fix="Write postgresql://user:password@host:5432/database.",
        ) from error
    except psycopg.OperationalError as error:
        raise _refused(error) from error


def _refused(error: psycopg.OperationalError) -> StepwellError:
    text = str(error).lower()
    if any(words in text for words in _PASSING):
        return unavailable(error)
    fix = next((fix for word, fix in _FIXES if word in text), "Check the address.")
    return SetupError("PostgreSQL does not let Stepwell in.", why=_first_line(error), fix=fix)


def _translate(error: Exception, state: str) -> Exception | None:
    if state in ("42P01", "42883"):
        return schema_missing(_first_line(error))
    if state == "42501":
        return _not_permitted(error)
    if state == "25P02":
        return transaction_failed()
    if state.startswith(_OF_THE_DATA) or isinstance(error, psycopg.DataError):
        return _rejected(_first_line(error))
    passing = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return unavailable(error) if passing or state.startswith(_OF_THE_MOMENT) else None


def unavailable(error: Exception) -> StoreUnavailable:
    """The store cannot be reached, or could not do it now."""
    why = _first_line(error)
    fix = "Check that the server runs and can be reached; Stepwell reconnects by itself."
    if "read-only" in why:
        fix = "Name the server that takes writes, and not a standby; else let this user write."
    return StoreUnavailable("The PostgreSQL store is not available.", why=why, fix=fix)


def schema_missing(why: str) -> SchemaMissing:
    """There are no tables, or older ones."""
    return SchemaMissing(
        "The database has no Stepwell tables of this version.",
        why=why,
        fix="Run `stepwell migrate --store URL` (of a server: --database), or call "
        "store.migrate().",
    )


def _not_permitted(error: Exception) -> SetupError:
    said = _first_line(error)
    fix = next(fix for word, fix in _GRANTS if word in said.lower())
    return SetupError("The database user may not do what Stepwell needs.", why=said, fix=fix)


def transaction_failed() -> Conflict:
    """Something in this transaction has raised, and nothing of it can be kept."""
    return Conflict(
        "The transaction has failed already.",
        why="A statement before this one raised an error, so the database takes no more.",
        fix="Roll it back and begin again.",
    )


def _rejected(why: str) -> SettlementRejected:
    return SettlementRejected(
        "PostgreSQL refuses this data.", why=why, fix="Correct the value that it names."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
